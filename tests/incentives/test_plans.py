"""Plans: who may make them, what a draft has to say, where one begins and ends, who has read it."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from incentives.models import Acknowledgement, Plan, PlanVersion
from incentives.services import plans
from teams.errors import OutOfReach
from tests.approvals.test_engine import refused
from tests.incentives import ground
from tests.incentives.plans import gate, terms, tiers

VOLUME = [{"metric": "volume", "weight": "1", "is_ratio": False}]


def declared(**more):
    return terms(**{"measures": VOLUME, **more})


def days_on(days: int) -> date:
    return timezone.now().date() + timedelta(days=days)


@pytest.fixture
def plan(hub):
    return plans.make_plan(hub.team.pk, "Bonus", by=hub.payroll, earning_code="BONUS", reason="new")


# -- plans ---------------------------------------------------------------------------------------------------------------


def test_payroll_makes_a_plan_that_pays_nothing_yet(hub):
    made = plans.make_plan(
        hub.team.pk, "  Bonus ", by=hub.payroll, roles=["mentor", "agent"], earning_code="B-1", reason="spring"
    )
    assert (made.name, made.roles, made.earning_code, made.made_by) == (
        "Bonus",
        ["agent", "mentor"],
        "B-1",
        hub.payroll,
    )
    assert not made.versions.exists()
    version = made.history.get()
    assert (version.history_user, version.history_change_reason) == (hub.payroll, "spring")


def test_only_who_settles_makes_or_changes_plans(hub, north, plan):
    for who in (hub.lead, north.lead, north.agent.user, hub.trainer):
        for verb, given in (
            (plans.make_plan, (hub.team.pk, "Mine")),
            (plans.rename_plan, (plan.pk, "Mine")),
            (plans.draft_version, (plan.pk, declared(), days_on(1))),
        ):
            with pytest.raises(OutOfReach):
                verb(*given, by=who)
        with pytest.raises(OutOfReach):
            plans.close_plan(plan.pk, days_on(1), by=who, reason="mine")
    assert Plan.objects.get().name == "Bonus" and not PlanVersion.objects.exists()
    with pytest.raises(OutOfReach):
        plans.rename_plan(10**9, "Nothing", by=hub.payroll)


def test_names_codes_and_roles_are_checked(hub, plan):
    refused("name_taken", plans.make_plan, hub.team.pk, "Bonus", by=hub.payroll)
    refused("no_name", plans.make_plan, hub.team.pk, "  ", by=hub.payroll)
    refused("unknown_role", plans.make_plan, hub.team.pk, "Other", by=hub.payroll, roles=["captain"])
    other = plans.make_plan(hub.team.pk, "Other", by=hub.payroll)
    refused("name_taken", plans.rename_plan, other.pk, "Bonus", by=hub.payroll)
    assert plans.rename_plan(other.pk, "Another", by=hub.payroll, earning_code="X.1").earning_code == "X.1"
    refusal = refused("bad_plan", plans.rename_plan, other.pk, "Another", by=hub.payroll, earning_code="=1+1")
    assert "letters, digits" in str(refusal)
    other.refresh_from_db()
    assert (other.name, other.earning_code) == ("Another", "X.1")


def test_a_closed_plan_holds_for_the_last_time_the_day_before(hub, north):
    plan = ground.plan(hub.team, hub.payroll)
    ahead = PlanVersion.objects.create(
        plan=plan, number=2, terms=declared(), span=(days_on(40), None), state="draft", made_by=hub.payroll
    )
    refused("no_reason", plans.close_plan, plan.pk, days_on(10), by=hub.payroll, reason=" ")
    refused("in_the_past", plans.close_plan, plan.pk, days_on(0), by=hub.payroll, reason="over")
    plans.close_plan(plan.pk, days_on(10), by=hub.payroll, reason="over")
    held = plan.versions.get(number=1)
    assert (held.state, held.span.upper) == ("published", days_on(10))
    assert held.history.first().history_change_reason == "over"
    refused("is_closed", plans.close_plan, plan.pk, days_on(11), by=hub.payroll, reason="again")
    refused("is_closed", plans.draft_version, plan.pk, declared(), days_on(20), by=hub.payroll)
    ahead.refresh_from_db()
    assert ahead.state == "draft"


def test_a_version_that_would_begin_after_the_end_never_holds(hub):
    plan = ground.plan(hub.team, hub.payroll, since=days_on(30))
    plans.close_plan(plan.pk, days_on(10), by=hub.payroll, reason="over")
    assert plan.versions.get().state == "withdrawn"


def test_a_month_that_has_begun_is_not_cut_in_two(hub):
    plan = ground.plan(hub.team, hub.payroll, period="month")
    first = (days_on(0).replace(day=1) + timedelta(days=62)).replace(day=1)
    refusal = refused("within_period", plans.close_plan, plan.pk, first - timedelta(days=3), by=hub.payroll, reason="x")
    assert first.isoformat() in str(refusal)
    plan.refresh_from_db()
    assert not plan.is_closed and plan.versions.get().span.upper is None
    plans.close_plan(plan.pk, first, by=hub.payroll, reason="over")
    assert plan.versions.get().span.upper == first


# -- drafts --------------------------------------------------------------------------------------------------------------


def test_a_draft_is_numbered_edited_and_thrown_away(hub, plan):
    first = plans.draft_version(plan.pk, declared(), days_on(1), by=hub.payroll, reason="the brief")
    second = plans.draft_version(plan.pk, declared(gates=[]), days_on(2), by=hub.hr)
    assert (first.number, second.number, first.state, first.reason) == (1, 2, "draft", "the brief")
    edited = plans.edit_draft(first.pk, declared(stacked=True), days_on(3), by=hub.hr, reason="stacked")
    assert (edited.terms["stacked"], edited.span.lower) == (True, days_on(3))
    plans.discard_draft(second.pk, by=hub.hr, reason="no")
    assert list(plan.versions.values_list("number", flat=True)) == [1]
    assert PlanVersion.history.filter(id=second.pk, history_type="-").get().history_user == hub.hr


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"tiers": tiers(("1.2", "0.5"), ("1.1", "0.2"))}, "tier"),
        ({"gates": [gate("satisfaction", at_least="1.2")]}, "at most at 1"),
        ({"measures": [{"metric": "handle_time", "weight": "1", "is_ratio": False}]}, "more is better"),
        ({"measures": [{"metric": "satisfaction", "weight": "1", "is_ratio": False}], "exclude": {"reopened": False}}, "ratio"),
        ({"measures": [{"metric": "satisfaction", "weight": "1", "is_ratio": True}]}, "“volume”"),
        ({"currency": "yuan"}, "capital"),
        ({"cap": {"of": "amount", "value": "0", "excess": "lost"}}, "above zero"),
    ],
)  # fmt: skip
def test_terms_that_say_too_little_or_too_much_are_refused_with_the_remedy(hub, plan, more, words):
    refusal = refused("bad_terms", plans.draft_version, plan.pk, declared(**more), days_on(1), by=hub.payroll)
    assert words in str(refusal)
    missing = declared()
    del missing["late_days"]
    assert "late_days" in str(refused("bad_terms", plans.draft_version, plan.pk, missing, days_on(1), by=hub.payroll))
    assert not plan.versions.exists()


def test_a_plan_by_the_week_begins_on_a_monday(hub, plan):
    tuesday = days_on(0) + timedelta(days=8 - days_on(0).weekday())
    refusal = refused("bad_terms", plans.draft_version, plan.pk, declared(period="week"), tuesday, by=hub.payroll)
    monday = tuesday + timedelta(days=6)
    assert monday.isoformat() in str(refusal)
    assert plans.draft_version(plan.pk, declared(period="week"), monday, by=hub.payroll).span.lower == monday


def test_what_has_been_published_is_neither_edited_nor_thrown_away(hub):
    plan = ground.plan(hub.team, hub.payroll)
    version = ground.version(plan)
    refused("not_a_draft", plans.edit_draft, version.pk, declared(gates=[]), days_on(1), by=hub.payroll)
    refused("not_a_draft", plans.discard_draft, version.pk, by=hub.payroll)
    assert ground.version(plan).terms["gates"]


# -- the agents' part ----------------------------------------------------------------------------------------------------


def test_an_agent_notes_once_that_they_have_read_the_plan_they_are_under(hub, north, south):
    version = ground.version(ground.plan(north.team, hub.payroll, roles=["agent"]))
    plans.acknowledge(version.pk, by=north.agent.user)
    plans.acknowledge(version.pk, by=north.agent.user)
    assert list(Acknowledgement.objects.values_list("agent", "version")) == [(north.agent.pk, version.pk)]
    for who in (south.agent.user, north.lead, hub.payroll):
        with pytest.raises(OutOfReach):
            plans.acknowledge(version.pk, by=who)
    north.agents[1].role = "mentor"
    north.agents[1].save()
    with pytest.raises(OutOfReach):
        plans.acknowledge(version.pk, by=north.agents[1].user)


def test_a_draft_cannot_be_acknowledged(hub, north, plan):
    draft = plans.draft_version(plan.pk, declared(), days_on(1), by=hub.payroll)
    with pytest.raises(OutOfReach):
        plans.acknowledge(draft.pk, by=north.agent.user)
