"""What of pay needs a second person: publishing, lifting a gate, settling a dispute. And that no amount is told on the way."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.utils import timezone

from approvals.kinds import kind_of
from approvals.models import ApprovalRequest
from approvals.services import applying, deciding, requests
from incentives.kinds.disputes import dispute
from incentives.kinds.overrides import ask_override
from incentives.kinds.publication import ask_publication
from incentives.models import Attainment, Correction, Entry, GateOverride, PlanVersion, Run
from incentives.plain.pay import Sample
from incentives.plain.periods import month_of
from incentives.reports.progress import progress
from incentives.services import plans
from performance.models import AgentDay
from teams.errors import OutOfReach
from tests.approvals.test_engine import refused
from tests.incentives import ground
from tests.incentives.months import APRIL, MARCH, batch, calculated, entries
from tests.incentives.plans import gate
from tests.incentives.test_plans import days_on, declared

State = ApprovalRequest.State


def told(request) -> list[str]:
    """Every word that a request shows about what is asked."""
    kind = kind_of(request.kind)
    wish = kind.wish(request.content)
    stands = kind.stands(wish)
    words = [part for line in kind.difference(wish, stands) for part in (line.label, line.old, line.new)]
    words += [request.subject_label, *kind.effects(wish, stands, timezone.now())]
    return [str(word) for word in words]


def spans(plan):
    rows = PlanVersion.objects.filter(plan=plan).order_by("number")
    return [(row.number, row.state, row.span.lower, row.span.upper) for row in rows]


# -- publication ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def held(hub):
    return ground.plan(hub.team, hub.payroll)


def draft(plan, hub, since=5, **more):
    return plans.draft_version(plan.pk, declared(**more), days_on(since), by=hub.payroll)


def test_a_draft_holds_once_a_second_person_agrees_and_the_former_version_ends(held, hub):
    version = draft(held, hub, gates=[])
    request = ask_publication(version.pk, by=hub.payroll, reason="No gates in spring")
    assert request.state == State.IN_REVIEW
    assert spans(held)[1] == (2, "draft", days_on(5), None)
    refused("own_request", deciding.approve, request.pk, by=hub.payroll)
    request = deciding.approve(request.pk, by=hub.hr)
    assert request.state == State.APPLIED
    assert spans(held) == [
        (1, "published", date(2026, 1, 1), days_on(5)),
        (2, "published", days_on(5), None),
    ]
    version.refresh_from_db()
    assert (version.request, version.published_at is not None) == (request, True)
    assert version.history.first().history_user == hub.hr


def test_leads_neither_ask_nor_agree(held, hub, north):
    version = draft(held, hub)
    for who in (hub.lead, north.lead, north.agent.user):
        with pytest.raises(OutOfReach):
            ask_publication(version.pk, by=who)
    request = ask_publication(version.pk, by=hub.payroll)
    refused("not_asked", deciding.approve, request.pk, by=hub.lead)
    with pytest.raises(OutOfReach):
        deciding.approve(request.pk, by=north.lead)
    assert spans(held)[1][1] == "draft"


def test_what_a_publication_changes_is_told_choice_by_choice(held, hub):
    version = draft(held, hub, gates=[gate("closure")], boundary="passed")
    words = told(ask_publication(version.pk, by=hub.payroll))
    assert "above 110 %: 20 % of a day's wage; above 120 %: 50 % of a day's wage" in words
    assert any(word.startswith("Closure at least 90 %") for word in words)
    assert days_on(5).isoformat() in words
    assert "Rounding" not in words  # what stays the same is not among the differences


@pytest.mark.parametrize("since", [0, -40])
def test_days_that_were_worked_under_a_version_are_not_taken_from_it(held, hub, since):
    refused("retroactive", ask_publication, draft(held, hub, since=since).pk, by=hub.payroll)
    assert not ApprovalRequest.objects.exists()


def test_nor_by_a_nearer_plan(held, hub, north):
    own = plans.make_plan(north.team.pk, "North", by=hub.payroll)
    refused("retroactive", ask_publication, draft(own, hub, since=-10).pk, by=hub.payroll)
    assert ask_publication(draft(own, hub, since=1).pk, by=hub.payroll).state == State.IN_REVIEW


def test_days_on_which_no_plan_held_may_be_paid_afterwards(hub, north):
    own = plans.make_plan(north.team.pk, "North", by=hub.payroll)
    request = ask_publication(draft(own, hub, since=-30).pk, by=hub.payroll)
    assert deciding.approve(request.pk, by=hub.hr).state == State.APPLIED
    assert spans(own) == [(1, "published", days_on(-30), None)]


def test_a_month_under_the_former_version_is_not_cut_in_two(hub):
    monthly = ground.plan(hub.team, hub.payroll, period="month")
    first = (days_on(0).replace(day=1) + timedelta(days=62)).replace(day=1)
    version = plans.draft_version(monthly.pk, declared(), first + timedelta(days=9), by=hub.payroll)
    refused("within_period", ask_publication, version.pk, by=hub.payroll)
    plans.edit_draft(version.pk, declared(), first, by=hub.payroll)
    assert deciding.approve(ask_publication(version.pk, by=hub.payroll).pk, by=hub.hr).state == State.APPLIED
    assert spans(monthly)[0][3] == first


def test_a_publication_that_came_too_late_fails_and_says_why(held, hub):
    request = ask_publication(draft(held, hub, since=2).pk, by=hub.payroll)
    with time_machine.travel(timezone.now() + timedelta(days=3), tick=False):
        request = deciding.approve(request.pk, by=hub.hr)
    assert request.state == State.APPLY_FAILED and "Choose a day after today" in request.error
    assert spans(held)[1][1] == "draft"


def test_it_is_undone_while_nothing_was_paid_by_it(held, hub):
    request = ask_publication(draft(held, hub).pk, by=hub.payroll)
    deciding.approve(request.pk, by=hub.hr)
    assert applying.undo(request.pk, by=hub.hr, words="Not yet").state == State.UNDONE
    assert spans(held) == [(1, "published", date(2026, 1, 1), None), (2, "withdrawn", days_on(5), None)]


def test_it_is_not_undone_once_something_was_paid_by_it(hub, north):
    own = plans.make_plan(north.team.pk, "North", by=hub.payroll)
    ground.target(north.team)
    ground.wage(north.agent)
    request = ask_publication(draft(own, hub, since=-10).pk, by=hub.payroll)
    deciding.approve(request.pk, by=hub.hr)
    worked = days_on(-5)
    ground.day(north.agent, worked, 120)
    calculated(own, month_of(worked), now=timezone.now())
    refused("has_paid", applying.undo, request.pk, by=hub.hr, words="Not yet")
    assert spans(own)[0][1] == "published"


def test_a_draft_under_a_request_is_let_alone_until_it_is_withdrawn(held, hub):
    version = draft(held, hub)
    request = ask_publication(version.pk, by=hub.payroll)
    refused("under_request", plans.edit_draft, version.pk, declared(gates=[]), days_on(5), by=hub.hr)
    refused("under_request", plans.discard_draft, version.pk, by=hub.hr)
    refused("under_request", ask_publication, version.pk, by=hub.hr)
    requests.withdraw(request.pk, by=hub.payroll)
    assert plans.edit_draft(version.pk, declared(gates=[]), days_on(5), by=hub.hr).terms["gates"] == []


def test_one_that_was_sent_back_is_put_right_and_handed_in_again(held, hub):
    version = draft(held, hub)
    request = ask_publication(version.pk, by=hub.payroll)
    deciding.send_back(request.pk, by=hub.hr, words="Without the gates, as agreed")
    refused("under_request", plans.discard_draft, version.pk, by=hub.payroll)
    plans.edit_draft(version.pk, declared(gates=[]), days_on(6), by=hub.payroll)
    requests.edit(request.pk, {"version": version.pk}, by=hub.payroll)
    assert deciding.approve(request.pk, by=hub.hr).state == State.APPLIED
    assert spans(held)[1] == (2, "published", days_on(6), None) and ground.version(held).terms["gates"] == []


def test_terms_that_changed_since_they_were_looked_at_void_the_agreement(held, hub):
    version = draft(held, hub)
    request = ask_publication(version.pk, by=hub.payroll)
    PlanVersion.objects.filter(pk=version.pk).update(terms=declared(gates=[]))
    request = deciding.approve(request.pk, by=hub.hr)
    assert request.state == State.CHANGES_REQUESTED
    assert spans(held)[1][1] == "draft"


def test_a_rejected_draft_stays_a_draft(held, hub):
    version = draft(held, hub)
    deciding.reject(ask_publication(version.pk, by=hub.payroll).pk, by=hub.hr, words="Too dear")
    version.refresh_from_db()
    assert (version.state, version.request) == ("draft", None)
    plans.discard_draft(version.pk, by=hub.payroll)


# -- lifting a gate ------------------------------------------------------------------------------------------------------


@pytest.fixture
def missed(march, north):
    """A day of 120 with 449 of 499 satisfied."""
    ground.day(north.agent, 2, 120, satisfied=449, rated=499)
    calculated(march)
    return Attainment.objects.get()


def test_a_lead_asks_payroll_agrees_and_the_line_is_paid(missed, march, north, hub):
    assert (missed.missed, entries()) == ("satisfaction", [])
    request = ask_override(missed.pk, "satisfaction", by=north.lead, reason="The survey was down until noon")
    assert entries() == []
    refused("own_request", deciding.approve, request.pk, by=north.lead)
    request = deciding.approve(request.pk, by=hub.payroll)
    assert request.state == State.APPLIED
    assert entries(north.agent) == [("line", "line", "150.00")]
    line = Attainment.objects.get()
    assert (line.missed, line.facts["waived"], line.reached) == ("", ["satisfaction"], 2)
    assert Run.objects.get().sums == {"CNY": "150"}
    calculated(march)
    assert entries() == [("line", "line", "150.00")]


def test_its_undoing_takes_the_amount_back(missed, north, hub):
    request = ask_override(missed.pk, "satisfaction", by=north.lead, reason="The survey was down")
    deciding.approve(request.pk, by=hub.payroll)
    applying.undo(request.pk, by=hub.payroll, words="It was not down")
    assert entries() == [("line", "line", "150.00"), ("delta", f"gate-back:{request.pk}:2", "-150.00")]
    assert not GateOverride.objects.exists()
    assert Attainment.objects.get().missed == "satisfaction"


def test_lifted_after_the_month_was_locked_it_is_a_difference_of_the_open_one(missed, march, north, hub):
    ground.day(north.agent, 3, 112)
    batch(march, hub)
    request = ask_override(missed.pk, "satisfaction", by=north.lead, reason="The survey was down")
    deciding.approve(request.pk, by=hub.payroll)
    delta = Entry.objects.get(kind="delta")
    assert (delta.cause, delta.amount, delta.month, delta.begins) == (
        f"gate:{request.pk}:1", Decimal(150), APRIL.first, date(2026, 3, 2),
    )  # fmt: skip
    assert Run.objects.get(month=MARCH.first).sums == {"CNY": "60"}


def test_who_may_ask_for_a_gate(missed, north, south, hub):
    for who in (south.lead, north.agent.user, north.agents[1].user, hub.trainer):
        with pytest.raises(OutOfReach):
            ask_override(missed.pk, "satisfaction", by=who, reason="please")
    with pytest.raises(OutOfReach):
        ask_override(10**9, "satisfaction", by=north.lead, reason="please")
    refused("gate_is_met", ask_override, missed.pk, "closure", by=north.lead, reason="please")
    refused("no_reason", ask_override, missed.pk, "satisfaction", by=north.lead, reason=" ")
    refused("bad_payload", ask_override, missed.pk, "weather", by=north.lead, reason="rain")
    assert not ApprovalRequest.objects.exists()


def test_counts_that_moved_since_void_the_agreement(missed, march, north, hub):
    request = ask_override(missed.pk, "satisfaction", by=north.lead, reason="The survey was down")
    AgentDay.objects.update(satisfied=440)
    calculated(march)
    assert deciding.approve(request.pk, by=hub.payroll).state == State.CHANGES_REQUESTED
    assert not GateOverride.objects.exists() and entries() == []


def test_the_request_shows_counts_and_no_amount(missed, north):
    words = told(ask_override(missed.pk, "satisfaction", by=north.lead, reason="The survey was down"))
    assert "not met: 449 of 499" in words
    no_money(words)


def test_a_team_sample_is_the_teams_though_one_line_is_worked_out(north, hub):
    """The gate of one person goes by everybody's ratings, also where a decision makes that one line anew."""
    ground.target(hub.team)
    for agent in north.agents:
        ground.wage(agent)
    plan = ground.plan(hub.team, hub.payroll, gates=[gate("satisfaction", fallback="team"), gate("closure")])
    ground.day(north.agent, 2, 120, satisfied=1, rated=2, resolved=1, judged=10)
    ground.day(north.agents[1], 2, 120, satisfied=99, rated=100)
    calculated(plan)
    line = Attainment.objects.get(agent=north.agent)
    assert (line.missed, line.facts["gates"]["satisfaction"]["team"]) == ("closure", [100, 102])
    request = ask_override(line.pk, "closure", by=north.lead, reason="Outcomes came late")
    deciding.approve(request.pk, by=hub.payroll)
    line.refresh_from_db()
    assert (line.missed, line.facts["gates"]["satisfaction"]["team"]) == ("", [100, 102])
    assert entries(north.agent) == [("line", "line", "150.00")]


def test_the_line_of_today_goes_by_the_whole_team_too(north, hub):
    """Also where its people have several roles."""
    ground.target(hub.team)
    north.agents[1].role = "mentor"
    north.agents[1].save()
    ground.plan(hub.team, hub.payroll, gates=[gate("satisfaction", fallback="team")])
    ground.day(north.agent, 2, 90, satisfied=1, rated=2)
    ground.day(north.agents[1], 2, 90, satisfied=99, rated=100)
    found = progress(north.agent, date(2026, 3, 2))
    assert found.facts.gates["satisfaction"].team == Sample(100, 102)
    assert (found.done, found.to_go) == (90, 10)


# -- disputes ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def line(march, north):
    """118 closed: 60.00, two short of the next tier."""
    ground.day(north.agent, 2, 118)
    calculated(march)
    with time_machine.travel("2026-04-05T12:00:00Z", tick=False):
        yield Attainment.objects.get()


def contested(line, by, **more):
    content = {"on": line.begins, "reason": "missing", "closed_simple": 2, "evidence": "Tickets 71 and 72", **more}
    return dispute(line.pk, by=by, **content)


def test_the_lead_looks_payroll_settles_and_the_difference_is_paid_with_the_open_month(line, march, north, hub):
    Run.objects.update(stage="locked")
    request = contested(line, north.agent.user)
    assert request.state == State.IN_REVIEW
    with pytest.raises(OutOfReach):
        deciding.approve(request.pk, by=hub.payroll)  # not before the lead has looked
    request = deciding.approve(request.pk, by=north.lead, words="Both are there")
    assert (request.state, entries()) == (State.IN_REVIEW, [("line", "line", "60.00")])
    request = deciding.approve(request.pk, by=hub.payroll)
    assert request.state == State.APPLIED
    made = Correction.objects.get()
    assert (made.agent, made.day, made.count, made.by_how_much, made.request) == (
        north.agent, date(2026, 3, 2), "closed_simple", 2, request,
    )  # fmt: skip
    first, delta = Entry.objects.order_by("pk")
    assert (first.amount, first.month) == (Decimal(60), MARCH.first)
    assert (delta.kind, delta.cause, delta.amount, delta.month, delta.begins) == (
        "delta", f"dispute:{request.pk}:2", Decimal(90), APRIL.first, date(2026, 3, 2),
    )  # fmt: skip
    calculated(march)
    assert Entry.objects.count() == 2
    assert Attainment.objects.get().facts["volumes"] == ["120"]


def test_in_a_month_that_is_open_it_is_paid_with_that_month(line, north, hub):
    request = contested(line, north.agent.user)
    deciding.approve(request.pk, by=north.lead)
    deciding.approve(request.pk, by=hub.payroll)
    assert Entry.objects.get(kind="delta").month == MARCH.first
    assert Run.objects.get().sums == {"CNY": "150"}


@pytest.mark.parametrize("step", ["lead", "payroll"])
def test_a_rejected_dispute_leaves_nothing(line, north, hub, step):
    request = contested(line, north.agent.user)
    if step == "payroll":
        deciding.approve(request.pk, by=north.lead)
    request = deciding.reject(
        request.pk, by=north.lead if step == "lead" else hub.payroll, words="Both were closed by somebody else"
    )
    assert request.state == State.REJECTED
    assert not Correction.objects.exists() and entries() == [("line", "line", "60.00")]


def test_a_part_is_accepted_by_sending_it_back(line, north, hub):
    request = contested(line, north.agent.user, closed_simple=5)
    deciding.send_back(request.pk, by=north.lead, words="Two of the five")
    content = {**request.content, "closed_simple": 2}
    requests.edit(request.pk, content, by=north.agent.user)
    deciding.approve(request.pk, by=north.lead)
    deciding.approve(request.pk, by=hub.payroll)
    assert Correction.objects.get().by_how_much == 2
    assert entries()[-1][2] == "90.00"


def test_it_may_cost_as_well(line, north, hub):
    request = contested(line, north.agent.user, closed_simple=-10, reason="wrong_agent")
    deciding.approve(request.pk, by=north.lead)
    deciding.approve(request.pk, by=hub.payroll)
    assert entries()[-1] == ("delta", f"dispute:{request.pk}:2", "-60.00")


def test_only_ones_own_line_on_a_day_of_it_in_time(line, north, south, hub):
    for who in (north.agents[1].user, south.agent.user, north.lead, hub.payroll):
        with pytest.raises(OutOfReach):
            contested(line, who)
    refused("other_day", contested, line, north.agent.user, on=date(2026, 3, 3))
    refused("bad_payload", contested, line, north.agent.user, closed_simple=0)
    refused("bad_payload", contested, line, north.agent.user, evidence="")
    with time_machine.travel("2026-04-11T12:00:00Z", tick=False):
        refused("too_late", contested, line, north.agent.user)
    assert not ApprovalRequest.objects.exists()
    contested(line, north.agent.user)
    refused("already_open", contested, line, north.agent.user)


def test_a_lead_does_not_settle_the_own_line(line, north, hub):
    north.agent.user = north.lead
    north.agent.save()
    request = contested(line, north.lead)
    refused("own_request", deciding.approve, request.pk, by=north.lead)
    deciding.approve(request.pk, by=hub.lead)
    assert deciding.approve(request.pk, by=hub.payroll).state == State.APPLIED


def test_the_lead_sees_counts_and_no_amount(line, north):
    words = told(contested(line, north.agent.user))
    assert {"118", "120 (+2)", "contacts are missing"} <= set(words)
    no_money(words)


def no_money(words):
    assert not [word for word in words if any(part in word for part in ("60.00", "150", "300", "CNY", "90.00"))], words
