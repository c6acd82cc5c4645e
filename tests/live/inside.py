"""What a drill does inside a home, in a process of its own with the home's variables.

python -m tests.live.inside organise             the organisation of `ground`, and a bell that rings every other second;
                                                 prints the token of the source
python -m tests.live.inside deliver FILE         the file through the ledger's door, repeated until it is accepted
"""

import sys
import time
from pathlib import Path

import django

from teams import acting

django.setup()
acting.whole_process("a drill builds its organisation")

from django.core.files import File  # noqa: E402
from django.db import Error, connection, transaction  # noqa: E402
from django.db.backends.postgresql.psycopg_any import DateRange  # noqa: E402
from django_celery_beat.models import IntervalSchedule, PeriodicTask, PeriodicTasks  # noqa: E402

from performance.models import AgentAlias, ImportRun, QueueAlias, Source  # noqa: E402
from performance.services import intake  # noqa: E402
from teams.models import User  # noqa: E402
from teams.scoping import Grant  # noqa: E402
from tests import make  # noqa: E402
from tests.live import ground  # noqa: E402

BELLS = {"ring the due jobs": 2, "deliver the outbox": 2}  # seconds


@transaction.atomic
def organise() -> None:
    operator = make.user("operator", is_staff=True, is_superuser=True, email="operator@example.org")
    hub = make.team("Hub")
    teams = {code: make.team(code.title(), hub) for code in ground.TEAMS}
    lead = make.user("lead", is_staff=True, email="lead@example.org")
    make.grant(lead, hub, Grant.LEAD)
    source = make.source(hub, "Drill", code=ground.SOURCE)
    for number, (team, zone) in ground.AGENTS.items():
        agent = make.agent(teams[team], f"Agent {number}", number=number, zone=zone)
        AgentAlias.objects.create(source=source, external=number, agent=agent, span=DateRange(None, None))
    for code, (team, zone) in ground.QUEUES.items():
        queue = make.queue(teams[team], code.title(), code=code, zone=zone)
        QueueAlias.objects.create(source=source, external=code, queue=queue)
    for name, seconds in BELLS.items():
        every, _is_new = IntervalSchedule.objects.get_or_create(every=seconds, period=IntervalSchedule.SECONDS)
        PeriodicTask.objects.filter(name=name).update(interval=every)
    PeriodicTasks.update_changed()
    print(intake.rotate_token(source.pk, by=operator))


def deliver(place: Path) -> None:
    """Upload, map, hand over; a step that broke off is repeated, and the ones before it are not."""
    run: ImportRun | None = None
    while True:
        try:
            by = User.objects.get(username="operator")
            if run is None:
                with place.open("rb") as file:
                    run = intake.receive(Source.objects.get().pk, File(file, name=place.name), layout="contacts", by=by)
            run.refresh_from_db()
            if run.state == ImportRun.State.UPLOADED:
                run = intake.map_columns(run.pk, ground.MAPPING, by=by)
                run = intake.take_in(run.pk, by=by)
            return
        except Error:
            connection.close()
            time.sleep(0.3)


if __name__ == "__main__":
    if sys.argv[1] == "organise":
        organise()
    else:
        deliver(Path(sys.argv[2]))
