"""Plans in the admin: drafted in a form that shows every choice, read in words, looked at before they hold."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from approvals.models import ApprovalRequest
from incentives.forms.terms import BRIEF, DraftForm, filled
from incentives.models import Plan, PlanVersion, Simulation
from incentives.plain.terms import read
from teams.models import JobRun
from teams.scoping import Grant
from tests import make
from tests.incentives import ground
from tests.incentives.plans import gate, terms, tiers

PLANS, VERSIONS, TRIALS = (f"/admin/incentives/{name}/" for name in ("plan", "planversion", "simulation"))


def typed(terms, **more):
    """A form as the browser sends it: unticked boxes and empty fields are not there."""
    values = {name: value for name, value in filled(terms).items() if value not in (None, False)}
    return {name: "on" if value is True else str(value) for name, value in values.items()} | {
        "reason": "a new year",
        **more,
    }


@pytest.fixture
def plan(north, hub):
    return Plan.objects.create(team=north.team, name="Bonus", earning_code="BONUS", made_by=hub.payroll)


@pytest.fixture
def payroll(hub, client):
    client.force_login(hub.payroll)
    return client


def text(answer) -> str:
    return answer.content.decode()


# -- the form ----------------------------------------------------------------------------------------------------------------

UNITS = terms(
    kind="marginal", edges="units", tiers=tiers(("0", "1"), ("80", "2.5")), gates=[], exclude={"reopened": False},
    measures=[{"metric": "volume", "weight": "1", "is_ratio": False}],
    cap={"of": "amount", "value": "1200.50", "excess": "carried"},
)  # fmt: skip
SEVERAL = terms(
    measures=[
        {"metric": "volume", "weight": "0.6", "is_ratio": False},
        {"metric": "satisfaction", "weight": "0.25", "is_ratio": True},
        {"metric": "closure", "weight": "0.15", "is_ratio": True},
    ],
    boundary="passed", stacked=True, period="week", complexity={"simple": "1", "complex": "4"}, exclude={"reopened": False},
    gates=[gate("satisfaction", effect="factor", factor="0.5", smallest=10, fallback="waive"),
           {"of": "critical", "at_least": None, "smallest": 0, "fallback": "fail", "effect": "zero", "factor": None}],
    proration={"leave": True, "training": True, "coaching": False, "outage": True, "overtime": False, "ramp": True},
    cap={"of": "monthly_base", "value": "0.3", "excess": "lost"}, rounding={"unit": "0.1", "mode": "half_even"},
    monthly_by="scheduled", late_days=3, dispute_days=14, currency="EUR", day_minutes=450,
)  # fmt: skip


@pytest.mark.parametrize("wanted", [BRIEF, UNITS, SEVERAL])
def test_terms_come_back_from_the_form_as_they_went_in(hub, wanted):
    form = DraftForm(typed(wanted), user=hub.payroll)
    assert form.is_valid(), form.errors
    assert read(form.wish()["terms"]) == read(wanted)


def test_the_first_draft_begins_with_the_plan_of_the_brief_in_sight(plan, payroll):
    page = payroll.get(f"{PLANS}{plan.pk}/draft/")
    form = page.context["form"]
    shown = {name: form[name].value() for name in ("t1_from", "t1_pays", "t2_from", "t2_pays", "currency", "kind")}
    assert shown == {
        "t1_from": "110", "t1_pays": "20", "t2_from": "120", "t2_pays": "50", "currency": "CNY", "kind": "step",
    }  # fmt: skip
    assert form["g_satisfaction_on"].value() and form["g_closure_at_least"].value() == "90"
    assert all(f'name="{name}"' in text(page) for name in form.fields)  # each choice stands on the page


def test_a_draft_is_kept_and_the_next_one_begins_with_it(plan, payroll):
    answer = payroll.post(f"{PLANS}{plan.pk}/draft/", typed(BRIEF, t1_pays="25"))
    version = PlanVersion.objects.get()
    assert answer.headers["Location"] == f"{VERSIONS}{version.pk}/change/"
    assert version.terms["tiers"] == [
        {"from": "1.1", "to": "1.2", "pays": "0.25"}, {"from": "1.2", "to": None, "pays": "0.5"},
    ]  # fmt: skip
    assert "from 110 %: 25 % of a day" in text(payroll.get(answer.headers["Location"]))
    assert payroll.get(f"{PLANS}{plan.pk}/draft/").context["form"]["t1_pays"].value() == "25"


def test_what_cannot_be_is_refused_beside_the_form_and_nothing_is_lost(plan, payroll):
    answer = payroll.post(f"{PLANS}{plan.pk}/draft/", typed(BRIEF, t1_from="130", t1_pays="33"))
    assert "sort the tiers upwards" in text(answer) or "the end is not above the beginning" in text(answer)
    assert answer.context["form"]["t1_pays"].value() == "33"
    assert not PlanVersion.objects.exists()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"t2_pays": ""}, "t2_pays"), ({"t1_from": "many"}, "t1_from"), ({"g_closure_at_least": ""}, "g_closure_at_least"),
        ({"g_closure_effect": "factor"}, "g_closure_factor"), ({"cap_of": "amount"}, "cap_value"),
        ({"m1_weight": ""}, "m1_weight"),
        ({"m1_metric": "wait"}, "m1_metric"), ({"since": "soon"}, "since"), ({"reason": ""}, "reason"),
    ],
)  # fmt: skip
def test_what_is_missing_is_told_beside_its_field(plan, payroll, change, field):
    answer = payroll.post(f"{PLANS}{plan.pk}/draft/", typed(BRIEF, **change))
    assert field in answer.context["form"].errors
    assert not PlanVersion.objects.exists()


def test_terms_that_the_form_cannot_hold_are_not_opened(plan, hub, payroll):
    many = tiers(*((f"1.{place:02d}", "0.1") for place in range(10, 20)))
    PlanVersion.objects.create(
        plan=plan, number=1, terms=terms(tiers=many), span=(timezone.now().date(), None), made_by=hub.payroll
    )
    answer = payroll.get(f"{PLANS}{plan.pk}/draft/")
    assert answer.status_code == 409 and "more tiers" in text(answer)


# -- plans and versions --------------------------------------------------------------------------------------------------------


def test_a_plan_is_made_renamed_and_closed(north, hub, payroll):
    wish = {"team": north.team.pk, "name": "Bonus", "roles": ["mentor"], "earning_code": "B-1", "reason": "new"}
    made = payroll.post(f"{PLANS}make/", wish)
    plan = Plan.objects.get()
    assert made.headers["Location"] == f"{PLANS}{plan.pk}/change/"
    assert (plan.roles, plan.earning_code, plan.made_by) == (["mentor"], "B-1", hub.payroll)
    assert "draft the first one" in text(payroll.get(made.headers["Location"]))
    payroll.post(f"{PLANS}{plan.pk}/rename/", {"name": "Extra", "earning_code": "B 2", "reason": "x"})
    assert Plan.objects.get().name == "Bonus"  # the code may hold no space
    payroll.post(f"{PLANS}{plan.pk}/rename/", {"name": "Extra", "earning_code": "B-2", "reason": "x"})
    assert (Plan.objects.get().name, Plan.objects.get().earning_code) == ("Extra", "B-2")
    payroll.post(f"{PLANS}{plan.pk}/close/", {"on": timezone.now().date() + timedelta(days=9), "reason": "over"})
    assert Plan.objects.get().is_closed


def test_a_plan_is_made_only_where_one_pays(north, south, client):
    clerk = make.user("clerk", is_staff=True)
    make.grant(clerk, north.team, Grant.SETTLE)
    client.force_login(clerk)
    answer = client.post(f"{PLANS}make/", {"team": south.team.pk, "name": "Bonus", "reason": "x"})
    assert "team" in answer.context["form"].errors and not Plan.objects.exists()


def test_a_lead_reads_the_plan_of_the_team_and_changes_nothing(north, south, hub, client):
    plan = ground.plan(north.team, hub.payroll)
    version = ground.version(plan)
    client.force_login(north.lead)
    assert "from 110 %: 20 % of a day" in text(client.get(f"{PLANS}{plan.pk}/change/"))
    assert "from 110 %: 20 % of a day" in text(client.get(f"{VERSIONS}{version.pk}/change/"))
    for door in ("draft", "rename", "close"):
        assert client.get(f"{PLANS}{plan.pk}/{door}/").status_code == 403
    assert client.get(f"{VERSIONS}{version.pk}/try/").status_code == 403
    client.force_login(south.lead)
    for address in (f"{PLANS}{plan.pk}/change/", f"{VERSIONS}{version.pk}/change/", f"{VERSIONS}{version.pk}/preview/"):
        assert client.get(address).status_code == 404


def test_a_draft_is_edited_asked_for_and_then_held(plan, hub, payroll):
    payroll.post(f"{PLANS}{plan.pk}/draft/", typed(BRIEF))
    version = PlanVersion.objects.get()
    payroll.post(f"{VERSIONS}{version.pk}/edit/", typed(BRIEF, t2_pays="60"))
    version.refresh_from_db()
    assert version.terms["tiers"][1]["pays"] == "0.6"
    payroll.post(f"{VERSIONS}{version.pk}/ask/", {"reason": "for the new year"})
    request = ApprovalRequest.objects.get()
    assert (request.kind, request.requester) == ("plan_publication", hub.payroll)
    page = text(payroll.get(f"{VERSIONS}{version.pk}/change/"))
    assert f"/admin/approvals/approvalrequest/{request.pk}/change/" in page
    assert f"{VERSIONS}{version.pk}/edit/" not in page
    refused = payroll.post(f"{VERSIONS}{version.pk}/edit/", typed(BRIEF))
    assert "Withdraw it first" in text(refused)


def test_a_draft_is_discarded(plan, payroll):
    payroll.post(f"{PLANS}{plan.pk}/draft/", typed(BRIEF))
    answer = payroll.post(f"{VERSIONS}{PlanVersion.objects.get().pk}/discard/", {"reason": "no"})
    assert answer.headers["Location"] == VERSIONS and not PlanVersion.objects.exists()


# -- what it pays ------------------------------------------------------------------------------------------------------------


def test_the_preview_tells_what_a_day_pays(north, hub, client):
    version = ground.version(ground.plan(north.team, hub.payroll))
    client.force_login(north.lead)
    page = client.get(f"{VERSIONS}{version.pk}/preview/")
    rows = {words: amount for words, _point, amount in page.context["found"].rows}
    assert (rows["105 %"], rows["110 %"], rows["120 %"], rows["200 %"]) == ("0.00", "60.00", "150.00", "150.00")
    other = client.get(f"{VERSIONS}{version.pk}/preview/", {"wage": "1000", "target": "50"})
    assert ("120 %", "500.00") in [(words, amount) for words, _point, amount in other.context["found"].rows]


@pytest.mark.parametrize(
    "wish", [{"wage": "x", "target": "1"}, {"wage": "1"}, {"wage": "1", "target": "0"}, {"wage": "-1", "target": "9"}]
)
def test_a_preview_with_nothing_to_look_with_says_so(north, hub, payroll, wish):
    version = ground.version(ground.plan(north.team, hub.payroll))
    page = payroll.get(f"{VERSIONS}{version.pk}/preview/", wish)
    assert page.status_code == 200 and page.context["form"].errors and page.context["found"] is None


# -- tried on a month ----------------------------------------------------------------------------------------------------------

RESULT = {
    "currency": "CNY", "before": "100", "after": "1234.5", "lines": 9, "lacking": 1, "people": 3, "gaining": 1, "losing": 1,
    "same": 1, "gains": [{"agent": 1, "name": "Winner", "before": "10", "after": "1200"}],
    "loses": [{"agent": 2, "name": "Loser", "before": "90", "after": "34.5"}],
    "near": [{"place": 1, "below": 4, "above": 2}, {"place": 2, "below": 0, "above": 0}],
}  # fmt: skip


def test_a_version_is_tried_and_the_page_tells_how_far_it_is(north, hub, payroll):
    version = ground.version(ground.plan(north.team, hub.payroll))
    month = timezone.localdate().replace(day=1)
    answer = payroll.post(f"{VERSIONS}{version.pk}/try/", {"month": f"{month:%Y-%m}"})
    trial = Simulation.objects.get()
    assert answer.headers["Location"] == f"{TRIALS}{trial.pk}/change/"
    assert (trial.month, trial.made_by) == (month, hub.payroll)
    page = text(payroll.get(answer.headers["Location"]))
    run = JobRun.objects.get(job="incentives.simulate")
    assert "looks again by itself" in page and f"/progress/{run.pk}/" in page
    Simulation.objects.update(state="done", result=RESULT)
    page = text(payroll.get(answer.headers["Location"]))
    for words in ("1,234.50 CNY", "+1,134.50 CNY", "Winner", "Loser", "-55.50 CNY", "1 gain, 1 lose, 1 stay"):
        assert words in page, words
    assert "looks again by itself" not in page


def test_trials_are_payrolls_alone(north, south, hub, client):
    trial = Simulation.objects.create(
        version=ground.version(ground.plan(north.team, hub.payroll)), month=ground.MONTH, made_by=hub.payroll, state="done",
        result=RESULT,
    )  # fmt: skip
    clerk = make.user("clerk", is_staff=True)
    make.grant(clerk, south.team, Grant.SETTLE)
    for user, answer in ((north.lead, 403), (hub.lead, 403), (clerk, 404), (hub.payroll, 200)):
        client.force_login(user)
        assert client.get(f"{TRIALS}{trial.pk}/change/").status_code == answer, user
    client.force_login(clerk)
    assert "Bonus" not in text(client.get(TRIALS))


@pytest.mark.parametrize("address", [PLANS, VERSIONS, TRIALS])
def test_lists_ask_the_same_for_one_row_and_for_three(north, hub, payroll, address):
    counts = []
    for number in (1, 2, 3):
        version = ground.version(ground.plan(north.team, hub.payroll, name=f"Plan {number}"))
        Simulation.objects.create(version=version, month=ground.MONTH, made_by=hub.payroll, state="done", result=RESULT)
        payroll.get(address)
        with CaptureQueriesContext(connection) as asked:
            payroll.get(address)
        counts.append(len(asked))
    assert len(set(counts)) == 1, counts


@pytest.mark.parametrize("address", [PLANS, VERSIONS, TRIALS])
def test_empty_lists_say_why_and_what_to_do(payroll, address):
    page = text(payroll.get(address))
    assert "Make a plan" in page or "drafted on the page of their plan" in page or "Try on a month" in page
