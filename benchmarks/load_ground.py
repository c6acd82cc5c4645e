"""The organisation that `benchmarks.load` works on, made in a process of its own with the home's variables.

python -m benchmarks.load_ground AGENTS SUPERVISORS     prints one line of JSON: sessions, a token, a report
"""

import json
import sys
from datetime import timedelta
from importlib import import_module

from benchmarks import agent_page

CONTACTS_A_DAY = 40  # of each agent


def main() -> None:
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.db.backends.postgresql.psycopg_any import DateRange
    from django.urls import reverse
    from django.utils import timezone

    from performance.models import AgentAlias, NightlyReport, Source
    from performance.reports import nightly
    from performance.services import intake
    from teams.models import Agent, Team, User
    from teams.scoping import Grant
    from tests import make

    agents, supervisors = int(sys.argv[1]), int(sys.argv[2])
    today = timezone.now().date()
    contacts = agents * CONTACTS_A_DAY * agent_page.DAYS
    agent_page.TEAM_SIZE = max(1, agents // 20)
    agent_page.fill(contacts, agents, today)
    operator = make.user("operator", is_staff=True, is_superuser=True)
    source = Source.objects.get()
    intake.rotate_token(source.pk, by=operator)
    AgentAlias.objects.bulk_create(
        AgentAlias(source=source, external=agent.number, agent=agent, span=DateRange(None, None))
        for agent in Agent.objects.all()
    )
    hub = Team.objects.get(code="hub")
    leads = [make.user(f"lead{number}", is_staff=True) for number in range(supervisors)]
    teams = list(Team.objects.exclude(pk=hub.pk).order_by("pk"))
    for number, lead in enumerate(leads):
        make.grant(lead, hub if number % 10 == 9 else teams[number % len(teams)], Grant.LEAD)
    day = today - timedelta(days=1)
    reports = [NightlyReport.objects.create(team=team, day=day, payload=nightly.content(team, day)) for team in teams]

    engine = import_module(settings.SESSION_ENGINE)

    def session(user: User) -> str:
        store = engine.SessionStore()
        store[SESSION_KEY], store[HASH_SESSION_KEY] = str(user.pk), user.get_session_auth_hash()
        store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
        store.save()
        return store.session_key

    made = {
        "agents": [session(user) for user in User.objects.filter(agent__isnull=False)],
        "supervisors": [session(user) for user in leads],
        "token": intake.rotate_token(source.pk, by=operator),
        "reports": [
            reverse("admin:performance_nightlyreport_change", args=[reports[number % len(reports)].pk])
            for number in range(supervisors)
        ],
        "door": reverse("intake_deliver", args=[source.code, "contacts"]),
        "contacts": contacts,
    }
    print(json.dumps(made))


if __name__ == "__main__":
    main()
