"""The demo organisation in the database: once, whole, and with every fact on its right day."""

import json
import stat
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Count

from approvals.models import ApprovalAbsence, ApprovalRequest, BlockEntry, BlockHit
from config.demo import incentives, logins, seeding
from config.demo.cast import DAYS
from incentives.models import Attainment, Batch, DayRecord, Entry, PlanVersion, Run
from incentives.places import version_for
from incentives.plain.periods import month_of
from incentives.services.batches import recounted
from performance import rollups
from performance.models import (
    AgentAlias,
    Contact,
    ContactKey,
    DayTouch,
    ImportRefusal,
    Leg,
    QueueAlias,
    QueueHalfHour,
    StateInterval,
    Target,
)
from teams.clock import local_day
from teams.models import Agent, Compensation, Team, TeamLineage, TeamUserGrant, User
from teams.scoping import Grant
from tests import make

NOW = datetime.now(UTC)  # grants end by the database's clock


@pytest.fixture(scope="module")
def seeded(django_db_setup, django_db_blocker, tmp_path_factory):
    """The whole organisation, put in once for this module and taken out by the rollback of one transaction."""
    from django.db import transaction
    from django.test import override_settings

    home = tmp_path_factory.mktemp("home")
    with django_db_blocker.unblock(), override_settings(OUTPOST_HOME=home):
        atomic = transaction.atomic()
        atomic.__enter__()
        said = []
        seeding.seed(NOW, seeding.SEED, say=said.append)
        yield said
        transaction.set_rollback(True)
        atomic.__exit__(None, None, None)


def run(name, *arguments):
    out = StringIO()
    call_command(name, *arguments, stdout=out)
    return out.getvalue()


def test_it_says_what_it_made(seeded):
    assert "8 teams, 60 agents" in seeded[0]
    assert "contacts of 9" in seeded[-1]


def test_the_touched_days_are_all_there_is_to_roll_up(seeded):
    """Rolled up zone by zone as the night does, nothing is left for a rebuild of the whole days."""
    touched = list(DayTouch.objects.filter(day__gt=NOW - timedelta(days=20)).order_by("day", "zone"))
    for each in touched:
        rollups.roll_up(each.day, each.zone)
    days = sorted({each.day for each in touched})[1:-1]
    assert len(days) >= 18
    assert QueueHalfHour.objects.filter(day=days[0]).exists()
    assert [day for day in days if rollups.roll_up(day)] == []


def test_teams_stand_in_three_levels(seeded):
    assert Team.objects.count() == 8
    assert max(TeamLineage.objects.values_list("depth", flat=True)) == 2
    assert Agent.objects.count() == 60


def test_a_second_time_nothing_is_added(seeded):
    before = (User.objects.count(), Contact.objects.count())
    assert run("seed_demo", "--if-empty") == ""
    with pytest.raises(CommandError, match="only put into an empty one"):
        run("seed_demo")
    seeding.seed(NOW, seeding.SEED, say=lambda line: pytest.fail(line))
    assert (User.objects.count(), Contact.objects.count()) == before


def test_a_database_in_use_is_left_alone(db):
    make.user("somebody")
    run("seed_demo", "--if-empty")
    assert not Team.objects.exists()


def test_logins_open_their_accounts_and_only_as_long_as_unchanged(seeded):
    rows = logins.still_valid()
    assert [row["role"] for row in rows] == [
        "operator", "lead above", "team lead", "HR", "trainer", "payroll", "agent",
    ]  # fmt: skip
    assert len({row["password"] for row in rows}) == 7
    assert stat.S_IMODE(logins.place().stat().st_mode) == 0o600
    printed = run("demo_logins")
    assert all(row["username"] in printed and row["password"] in printed for row in rows)
    lead = User.objects.get(username="helen.marsh")
    kept = lead.password
    lead.set_password("something else entirely")
    lead.save()
    assert "helen.marsh" not in run("demo_logins")
    lead.password = kept
    lead.save()


def test_without_a_demo_organisation_no_login_is_printed(db, tmp_path, settings):
    settings.OUTPOST_HOME = tmp_path
    assert run("demo_logins") == ""
    logins.place().write_text(json.dumps([{"role": "operator", "username": "olga.stein", "password": "x"}]))
    assert run("demo_logins") == ""


def test_nobody_else_can_log_in(seeded):
    names = {row["username"] for row in logins.still_valid()}
    assert not [user for user in User.objects.exclude(username__in=names) if user.has_usable_password()]


def test_each_role_reaches_what_it_must(seeded):
    def reached(username, grant):
        user = User.objects.get(username=username)
        return set(Team.objects.in_reach_of(user, grant).values_list("code", flat=True))

    assert reached("helen.marsh", Grant.LEAD) == {"lisbon-care"}
    assert reached("martin.reeve", Grant.LEAD) == {"atlantic", "lisbon-care", "saopaulo-sales"}
    assert len(reached("victoria.lane", Grant.ONBOARD)) == 8
    assert reached("victoria.lane", Grant.LEAD) == set()
    assert len(reached("nora.vidal", Grant.SETTLE)) == 8
    assert reached("tiago.lopes", Grant.LEAD) == {"lisbon-care"}
    assert reached("bruno.azevedo", Grant.LEAD) == set()  # that deputy's time is over
    assert TeamUserGrant.objects.exclude(until=None).count() == 3


def test_wages_are_exact_and_known_for_all(seeded):
    assert set(Compensation.objects.values_list("agent", flat=True)) == set(Agent.objects.values_list("pk", flat=True))
    assert all(type(row.amount) is Decimal for row in Compensation.objects.all())
    assert Target.objects.filter(metric="volume").count() >= 5


def test_days_zones_and_teams_of_facts_equal_a_plain_computation(seeded):
    """Recomputed in SQL from zones, memberships and loans, for every contact."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH told AS (
                SELECT c.id, c.zone, c.day, c.team_id, z.zone AS right_zone, q.team_id AS queue_team, a.id AS agent_id,
                       (coalesce(c.ended_at, c.opened_at) AT TIME ZONE z.zone)::date AS right_day
                FROM performance_contact c
                JOIN teams_agent a ON a.id = c.agent_id
                JOIN teams_agentzone z ON z.agent_id = a.id AND z.span @> coalesce(c.ended_at, c.opened_at)
                LEFT JOIN performance_queue q ON q.id = c.queue_id
            )
            SELECT count(*), count(*) FILTER (WHERE told.zone <> right_zone), count(*) FILTER (WHERE day <> right_day),
                   count(*) FILTER (WHERE told.team_id IS DISTINCT FROM
                       CASE WHEN l.team_id IS NOT NULL AND queue_team IS DISTINCT FROM m.team_id
                            THEN l.team_id ELSE m.team_id END)
            FROM told
            LEFT JOIN teams_membership m ON m.agent_id = told.agent_id AND m.span @> right_day
            LEFT JOIN teams_loan l ON l.agent_id = told.agent_id AND l.span @> right_day
            """
        )
        total, wrong_zone, wrong_day, wrong_team = cursor.fetchone()
    assert total > 100_000
    assert (wrong_zone, wrong_day, wrong_team) == (0, 0, 0)


def test_transfer_loan_and_move_show_in_the_facts(seeded):
    def teams_of(username, **when):
        rows = Contact.objects.filter(agent__user__username=username, **when)
        return set(rows.values_list("team__code", flat=True))

    today = local_day(NOW, "Asia/Shanghai")
    assert teams_of("zhou.jie", day__lt=today - timedelta(days=35)) == {"shanghai-orders"}
    assert teams_of("zhou.jie", day__gte=today - timedelta(days=35)) == {"shanghai-aftersales"}
    today = local_day(NOW, "Europe/Lisbon")
    assert teams_of("felipe.moura", day__gte=today - timedelta(days=9)) == {"lisbon-care"}
    assert Agent.objects.get(user__username="felipe.moura").team.code == "saopaulo-sales"
    moved = Contact.objects.filter(agent__user__username="oliver.grant")
    day = today - timedelta(days=40)
    assert set(moved.filter(day__lt=day).values_list("zone", flat=True)) == {"Europe/Lisbon"}
    assert set(moved.filter(day__gte=day).values_list("zone", flat=True)) == {"America/Sao_Paulo"}
    assert set(Contact.objects.filter(agent__user__username="deng.lihua").values_list("zone", flat=True)) == {
        "Asia/Kathmandu"
    }


def test_keys_facts_and_touched_days_belong_together(seeded):
    assert ContactKey.objects.count() == Contact.objects.count()
    days = set(Contact.objects.exclude(day=None).order_by().values_list("zone", "day").distinct())
    assert days <= set(DayTouch.objects.values_list("zone", "day"))
    assert Leg.objects.exists()
    assert StateInterval.objects.exists()
    assert not Contact.objects.exclude(customer_key="").exclude(customer_key__regex="^[0-9a-f]{32}$").exists()
    assert not Contact.objects.exclude(phone_mask="").exclude(phone_mask__contains="*").exists()


def test_tray_and_refusals_have_something_to_do(seeded):
    assert set(AgentAlias.objects.filter(agent=None).values_list("external", flat=True)) == {"2999"}
    assert set(QueueAlias.objects.filter(queue=None).values_list("external", flat=True)) == {"8199"}
    assert Contact.objects.unmapped().count() > 10
    refused = ImportRefusal.objects.filter(run__source__code="callbacks")
    assert 2 <= refused.count() <= 10
    assert all(row.raw and row.field and row.code for row in refused)


def test_the_blacklist_is_peopled(seeded):
    states = dict(BlockEntry.objects.values_list("state").annotate(count=Count("pk")))
    assert sum(states.values()) == 24 and states["held"] == 1 and states["lifted"] == 2
    waiting = ApprovalRequest.objects.filter(kind="blacklist", state="in_review")
    assert {(each.content["action"], each.content["term"]) for each in waiting} == {
        ("add", "7d"), ("add", "permanent"), ("lift", "7d")
    }  # fmt: skip
    assert BlockHit.objects.count() == 100
    assert not BlockHit.objects.filter(at__gt=NOW).exists()


def test_requests_of_employment_wait_came_back_and_were_refused(seeded):
    rows = ApprovalRequest.objects.filter(kind="employment")
    assert sorted(rows.values_list("state", flat=True)) == ["changes_requested", "in_review", "rejected"]
    assert {row.policy.team.name for row in rows.select_related("policy__team")} == {
        Team.objects.get(children__code="lisbon-care").name
    }
    assert ApprovalAbsence.objects.get().deputy.username == "wang.lei"


def test_plans_hold_since_the_first_day_and_a_next_version_is_drafted(seeded):
    held = PlanVersion.objects.published().select_related("plan__team", "request")
    assert {(row.plan.team.code, row.terms["currency"]) for row in held} == {
        ("harbour", "EUR"), ("asia", "CNY"), ("kathmandu-tech", "NPR"), ("saopaulo-sales", "BRL"),
    }  # fmt: skip
    assert {row.request.state for row in held} == {"applied"}
    assert {row.request.requester.username for row in held} == {"nora.vidal"}
    first = local_day(NOW, "Europe/Lisbon") - timedelta(days=DAYS)
    assert held.get(plan__team__code="harbour").span.lower == first
    draft = PlanVersion.objects.get(state="draft")
    assert (draft.plan.team.code, draft.number, draft.span.lower.day) == ("harbour", 2, 1)
    assert draft.span.lower > local_day(NOW, "Europe/Lisbon")
    assert set(DayRecord.objects.values_list("what", flat=True)) == {
        "training", "outage", "coaching", "leave", "overtime"
    }  # fmt: skip


def test_everybody_under_a_plan_is_paid_in_its_currency(seeded):
    currencies = dict(PlanVersion.objects.published().values_list("pk", "terms__currency"))
    today = local_day(NOW, "Europe/Lisbon")
    for agent in Agent.objects.exclude(team=None):
        wages = Compensation.objects.filter(agent=agent).values_list("currency", flat=True)
        assert set(wages) == {currencies[version_for(agent, agent.team_id, today).pk]}, agent


def test_months_of_the_top_team_are_paid_and_the_last_one_is_in_review(seeded):
    """With the days of last month and some of the one before rolled up, as the nights do."""
    last = month_of(local_day(NOW, "America/Sao_Paulo").replace(day=1) - timedelta(days=1))
    before = month_of(last.first - timedelta(days=1))
    for each in DayTouch.objects.filter(day__range=(before.last - timedelta(days=5), last.last)):
        rollups.roll_up(each.day, each.zone)
    assert incentives.settle(NOW) >= 6  # months of two plans
    runs = {run.month: run for run in Run.objects.filter(plan__team__code="harbour")}
    assert (runs[before.first].stage, runs[last.first].stage) == ("paid", "in_review")
    assert runs[last.first].lines > 100 and runs[last.first].lacking == 0
    reached = Attainment.objects.filter(begins__gte=last.first).values_list("reached", flat=True)
    assert {0, 1, 2} == set(reached)
    made = Batch.objects.get(run=runs[before.first])
    assert (made.made_by.username, made.released_by.username, made.state) == ("nora.vidal", "victoria.lane", "paid")
    assert recounted(made).checksum == made.checksum
    entries = Entry.objects.count()
    assert incentives.settle(NOW) == 0
    assert Entry.objects.count() == entries
