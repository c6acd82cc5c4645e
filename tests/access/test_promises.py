"""Promises of access that no single page can show: nothing is carried over, nothing fails open, nothing comes back."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from performance.models import AgentDay, ImportRefusal, ImportRun, NightlyReport, Queue, QueueHalfHour, TeamDay
from performance.reports import nightly
from performance.services import intake
from teams.edges import progress
from teams.errors import OutOfReach
from teams.grants import holds
from teams.models import Agent, Compensation, JobProgress, JobRun, Loan, Membership, NoticeChannel, Session, Team
from teams.querysets import AgentQuerySet
from teams.scoping import Grant
from teams.services import people
from tests import make
from tests.conftest import Cast, Hub

AGENTS = "/admin/teams/agent/"
DAYS = "/admin/performance/agentday/"


def logged_in(user: Any, **options: Any) -> Client:
    client = Client(**options)
    client.force_login(user)
    return client


def moved(agent: Agent, cast: Cast) -> None:
    """From today on the agent works in the team of `cast`."""
    today = timezone.now().date()
    Membership.objects.filter(agent=agent).update(span=DateRange(make.LONG_AGO, today))
    Membership.objects.create(agent=agent, team=cast.team, span=DateRange(today, None))
    Agent.objects.filter(pk=agent.pk).update(team=cast.team)


def yesterday(agent: Agent, cast: Cast, **measures: int) -> AgentDay:
    day = timezone.now().date() - timedelta(days=1)
    return AgentDay.objects.create(agent=agent, team=cast.team, zone="UTC", day=day, **measures)


# -- nothing is carried from one request to the next -------------------------------------------------------------------


def test_a_hundred_requests_of_two_people_in_one_thread_keep_apart(north: Cast, south: Cast) -> None:
    """T28: the reach is asked anew by each request."""
    leads = {"North": logged_in(north.lead), "South": logged_in(south.lead)}
    for number in range(50):
        for own, client in leads.items():
            other = "South" if own == "North" else "North"
            answer = client.get("/api/v1/agents/") if number % 5 else client.get(AGENTS)
            text = answer.content.decode()
            assert f"{own} Agent 1" in text and f"{other} Agent" not in text, (number, own)


def test_a_grant_that_ends_between_two_requests_closes_the_next(north: Cast) -> None:
    client = logged_in(north.lead)
    assert client.get(f"{AGENTS}{north.agent.pk}/change/").status_code == 200
    north.lead.teamusergrant_set.all().delete()
    assert client.get(f"{AGENTS}{north.agent.pk}/change/").status_code == 403


@pytest.mark.parametrize("address", [AGENTS, f"{AGENTS}export/csv/", "/api/v1/agents/", "/api/v1/agent-days/"])
def test_a_scope_that_fails_gives_an_error_and_no_rows(
    north: Cast, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    """T29: whatever goes wrong while the reach is asked, no row is shown instead."""
    yesterday(north.agent, north, closed=1)

    def broken(self: Any, teams: Any) -> Any:
        raise RuntimeError("the reach cannot be told")

    client = logged_in(north.lead, raise_request_exception=False)
    monkeypatch.setattr("teams.scoping.TeamScopedQuerySet.in_teams", broken)
    monkeypatch.setattr(AgentQuerySet, "in_teams", broken)
    answer = client.get(address)
    assert answer.status_code == 500
    assert b"North" not in answer.content


@pytest.mark.parametrize(
    "address",
    [
        "/admin/",
        AGENTS,
        f"{AGENTS}export/csv/",
        "/api/v1/agents/",
        "/api/schema/",
        "/account/",
        "/password/",
        "/admin/x/",
    ],
)
def test_private_pages_are_kept_nowhere(north: Cast, address: str) -> None:
    """T30: neither in a shared cache nor in the browser; an error page no more than a page."""
    assert logged_in(north.lead).get(address).headers["Cache-Control"] == "no-store, private"


def test_own_pages_are_kept_nowhere(north: Cast) -> None:
    client = logged_in(north.agent.user)
    for name in ("my_day", "my_days", "my_contacts", "my_record"):
        assert client.get(reverse(name)).headers["Cache-Control"] == "no-store, private", name


def test_an_id_that_comes_back_opens_nothing(north: Cast, south: Cast) -> None:
    """T31: a row of another team under the id of a deleted one is the other team's."""
    queue = make.queue(north.team, "Old line")
    client, pk = logged_in(north.lead), queue.pk
    address = f"/admin/performance/queue/{pk}/"
    assert client.get(f"{address}change/").status_code == 200
    queue.delete()
    Queue.objects.create(pk=pk, team=south.team, code="new-line", name="New line")
    assert client.get(f"{address}change/").status_code == 404
    assert client.get(f"{address}history/").status_code == 404
    assert client.get(f"/api/v1/half-hours/?queue={pk}").status_code == 400


def test_the_history_of_a_deleted_row_is_not_told_under_its_id(north: Cast, south: Cast) -> None:
    source = make.source(north.team, "Old secret desk")
    pk = source.pk
    source.delete()
    make.source(south.team, "New desk", pk=pk)
    answer = logged_in(south.lead).get(f"/admin/performance/source/{pk}/history/")
    assert answer.status_code == 200
    assert "Old secret desk" not in answer.content.decode()


# -- sub-routes and files follow their row -----------------------------------------------------------------------------


@pytest.fixture
def run(north: Cast, south: Cast) -> ImportRun:
    """A delivery of north with a file and a refused row; south takes deliveries in too, so that it knows the pages."""
    make.source(south.team, "South desk")
    file = ContentFile(b"id,when\n1,noon\n", "north.csv")
    made = intake.receive(make.source(north.team, "North desk").pk, file, layout="contacts", by=north.lead)
    ImportRun.objects.filter(pk=made.pk).update(counts={"header": ["id", "when"]})
    ImportRefusal.objects.create(run=made, row_number=2, field="opened_at", code="not_a_moment", raw=["1", "noon"])
    return made


@pytest.mark.parametrize("route", ["intake_delivery", "intake_columns", "intake_errors", "intake_file"])
def test_pages_and_files_of_a_delivery_are_its_own_leads_alone(
    run: ImportRun, hub: Hub, north: Cast, south: Cast, route: str
) -> None:
    """T21 to T25: the same 404 for foreign and missing, the log-in for whoever is signed out."""
    address, missing = reverse(route, args=[run.pk]), reverse(route, args=[run.pk + 1000])
    assert logged_in(north.lead).get(address).status_code == 200
    for stranger in (south.lead, hub.hr, hub.payroll, hub.trainer, hub.reviewer):
        client = logged_in(stranger)
        assert client.get(address).status_code == client.get(missing).status_code == 404, stranger
    signed_out = Client().get(address)
    assert signed_out.status_code == 302 and "north" not in signed_out.headers["Location"].lower()


@pytest.mark.parametrize("wish", ["check", "store", "withdraw"])
def test_a_sibling_lead_changes_nothing_about_a_delivery(run: ImportRun, south: Cast, wish: str) -> None:
    before = ImportRun.objects.values().get(pk=run.pk)
    assert logged_in(south.lead).post(reverse("intake_delivery", args=[run.pk]), {"do": wish}).status_code == 404
    assert ImportRun.objects.values().get(pk=run.pk) == before


def test_a_token_opens_its_own_source_alone(north: Cast, south: Cast) -> None:
    own, other = make.source(north.team, "North desk"), make.source(south.team, "South desk")
    token = intake.rotate_token(own.pk, by=north.lead)
    head = {"HTTP_AUTHORIZATION": f"Token {token}", "content_type": "application/json"}
    wish = {"rows": []}
    assert Client().post(reverse("intake_deliver", args=[own.code, "contacts"]), wish, **head).status_code == 200
    assert Client().post(reverse("intake_deliver", args=[other.code, "contacts"]), wish, **head).status_code == 404
    assert Client().get("/api/v1/agents/", **head).status_code in (401, 403)


# -- names beyond the reach are not confirmed either -------------------------------------------------------------------


def rows_found(client: Client, address: str) -> int:
    return client.get(address).context["cl"].result_count


def test_a_search_through_a_relation_does_not_confirm_a_name_out_of_reach(north: Cast, south: Cast) -> None:
    """The days of somebody who has moved on stay readable; who it was, and where they are now, cannot be found by trying."""
    yesterday(north.agents[0], north, closed=3)
    yesterday(north.agents[1], north, closed=4)
    moved(north.agents[0], south)
    client = logged_in(north.lead)
    assert rows_found(client, DAYS) == 2
    gone, here = north.agents
    assert rows_found(client, f"{DAYS}?q={gone.number}") == 0
    assert rows_found(client, f"{DAYS}?q=%22{gone.name}%22") == 0
    assert rows_found(client, f"{DAYS}?q={here.number}") == 1
    assert rows_found(client, f"{DAYS}?q=north+%22agent+2%22") == 1  # every word, quoted ones as a whole


def test_whoever_has_moved_on_is_not_named_on_pages_of_old_days(north: Cast, south: Cast) -> None:
    gone = north.agents[0]
    day = yesterday(gone, north, closed=3)
    moved(gone, south)
    Agent.objects.filter(pk=gone.pk).update(name="Renamed there", number="S-77")
    client = logged_in(north.lead)
    for address in (
        reverse("agent_figures", args=[gone.pk]),
        f"{DAYS}{day.pk}/change/",
        f"/admin/performance/contact/?agent={gone.pk}",
        f"/api/v1/agent-days/{day.pk}/",
    ):
        answer = client.get(address)
        assert answer.status_code == 200, address
        assert "Renamed there" not in answer.content.decode() and "S-77" not in answer.content.decode(), address
    assert "South" not in client.get(reverse("agent_figures", args=[gone.pk])).content.decode()


def test_a_kept_report_names_only_whom_its_reader_may_see_today(hub: Hub, north: Cast, south: Cast) -> None:
    gone, today = north.agents[0], timezone.now().date()
    for back in range(2, 30):
        day = today - timedelta(days=back)
        AgentDay.objects.create(agent=gone, team=north.team, zone="UTC", day=day, contacts=20, closed=20)
        TeamDay.objects.create(team=north.team, day=day, contacts=20, closed=20, agents=1)
    yesterday(gone, north, contacts=200, closed=200)
    TeamDay.objects.create(team=north.team, day=today - timedelta(days=1), contacts=200, closed=200, agents=1)
    day = today - timedelta(days=1)
    report = NightlyReport.objects.create(team=north.team, day=day, payload=nightly.content(north.team, day))
    page = reverse("admin:performance_nightlyreport_change", args=[report.pk])
    assert gone.name in logged_in(north.lead).get(page).content.decode()
    moved(gone, south)
    assert gone.name not in logged_in(north.lead).get(page).content.decode()
    assert gone.name in logged_in(hub.lead).get(page).content.decode()


def test_a_kept_report_names_no_team_or_queue_that_has_left_its_branch(hub: Hub, north: Cast, south: Cast) -> None:
    day = timezone.now().date() - timedelta(days=1)
    noon = datetime.combine(day, time(12), UTC)
    for cast in (north, south):
        TeamDay.objects.create(team=cast.team, day=day, contacts=20, closed=20, agents=1)
    queue = make.queue(hub.team, "Good line")
    QueueHalfHour.objects.create(queue=queue, started_at=noon, day=day, offered=3)
    report = NightlyReport.objects.create(team=hub.team, day=day, payload=nightly.content(hub.team, day))
    client, page = logged_in(hub.lead), reverse("admin:performance_nightlyreport_change", args=[report.pk])
    told = client.get(page).content.decode()
    assert "North" in told and "South" in told and "Good line" in told
    Team.objects.filter(pk=south.team.pk).update(parent=None)
    Queue.objects.filter(pk=queue.pk).update(team=south.team)
    told = client.get(page).content.decode()
    assert "North" in told and "South" not in told and "Good line" not in told


def test_payroll_of_one_team_finds_wages_and_people_of_that_team_alone(north: Cast, south: Cast) -> None:
    clerk = make.user("clerk", is_staff=True)
    make.grant(clerk, north.team, Grant.SETTLE)
    for agent in (north.agent, south.agent):
        span = DateRange(make.LONG_AGO, None)
        Compensation.objects.create(agent=agent, amount="300.00", currency="CNY", span=span)
    client = logged_in(clerk)
    assert [row.agent for row in client.get("/admin/teams/compensation/").context["cl"].queryset] == [north.agent]
    today = timezone.now().date()
    wish = {"basis": "daily", "amount": "1", "currency": "CNY", "reason": "x", "on": today, "agent": south.agent.number}
    answer = client.post("/admin/teams/compensation/set/", wish)
    assert "No agent of this number was found." in answer.content.decode()


def test_the_api_tells_the_caller_no_team_above_the_own(hub: Hub, north: Cast) -> None:
    told = logged_in(north.agent.user).get("/api/v1/me/").json()["agent"]["team"]
    assert told["id"] == north.team.pk and hub.team.name not in str(told) and hub.team.pk not in told.values()


def test_the_list_of_entries_is_ones_own(north: Cast, south: Cast) -> None:
    now = timezone.now()
    for user in (north.lead, south.lead):
        Session.objects.create(
            session_key=f"of-{user}", session_data="", expire_date=now + timedelta(days=1), user=user, began_at=now
        )
    shown = logged_in(north.lead).get(reverse("my_entries")).context["sessions"]
    assert shown and {row.user for row in shown} == {north.lead}


def test_the_page_of_channels_holds_nobody_elses(hub: Hub, north: Cast) -> None:
    for user in (hub.operator, north.lead):
        NoticeChannel.objects.create(owner=user, kind="slack", sealed="x", fingerprint="x", hint=f"of-{user}")
    for user, other in ((hub.operator, north.lead), (north.lead, hub.operator)):
        page = logged_in(user).get(reverse("notices")).content.decode()
        assert f"of-{user}" in page and f"of-{other}" not in page


def test_progress_is_shown_to_those_who_may_follow_it(hub: Hub, north: Cast, south: Cast) -> None:
    run = JobRun.objects.create(job="probe", due_at=timezone.now())
    JobProgress.objects.create(run=run, team=north.team, asked_by=hub.hr)
    for user, may in ((north.lead, True), (hub.hr, True), (south.lead, False), (hub.trainer, False)):
        assert (progress.of_run(run, user) is not None) is may, user
        assert logged_in(user).get(reverse("progress", args=[run.pk])).status_code == (200 if may else 404), user


def test_a_loan_is_ended_by_the_two_teams_it_stands_between(hub: Hub, north: Cast, south: Cast) -> None:
    borrower, today = make.team("Borrower", hub.team), timezone.now().date()
    loan = Loan.objects.create(agent=north.agent, team=borrower, span=DateRange(today, today + timedelta(days=3)))
    with pytest.raises(OutOfReach):
        people.end_loan(loan.pk, by=south.lead, reason="not mine")
    people.end_loan(loan.pk, by=north.lead, reason="back")
    assert Loan.objects.get(pk=loan.pk).span.upper <= today + timedelta(days=1)


def test_the_account_page_knows_who_is_an_agent(north: Cast) -> None:
    for user, is_agent in ((north.agent.user, True), (north.lead, False)):
        assert logged_in(user).get(reverse("account")).context["is_agent"] is is_agent


def test_who_holds_nothing_holds_nothing(hub: Hub, north: Cast) -> None:
    assert holds(north.lead, Grant.LEAD) and holds(hub.operator, Grant.SETTLE)
    assert not holds(north.lead, Grant.SETTLE) and not holds(north.agent.user, *Grant)


def test_a_settled_delivery_of_another_team_is_not_told(run: ImportRun, south: Cast) -> None:
    ImportRun.objects.filter(pk=run.pk).update(state="done")
    with pytest.raises(OutOfReach):
        intake.take_in(run.pk, by=south.lead)


def test_a_row_is_put_only_into_teams_one_may_write(north: Cast, south: Cast) -> None:
    """Whoever leads north and only observes south makes no queue in south and moves none there."""
    make.grant(north.lead, south.team, Grant.OBSERVE)
    queue = make.queue(north.team, "Line")
    client = logged_in(north.lead)
    wish = {
        "code": "line",
        "name": "Line",
        "team": south.team.pk,
        "zone": "UTC",
        "complexity": "simple",
        "answer_within_seconds": 20,
    }
    answer = client.post(f"/admin/performance/queue/{queue.pk}/change/", wish)
    assert answer.status_code == 200 and "team" in answer.context["adminform"].form.errors
    assert client.post("/admin/performance/queue/add/", wish | {"code": "other"}).status_code == 200
    assert list(Queue.objects.values_list("team", "code")) == [(north.team.pk, "line")]
    assert (
        client.post("/admin/performance/queue/add/", wish | {"code": "other", "team": north.team.pk}).status_code == 302
    )


@pytest.mark.parametrize("pk", ["_31", "x", "9" * 30, "-1", "%00", "1e3"])
def test_an_address_that_is_no_id_is_not_found(north: Cast, pk: str) -> None:
    client = logged_in(north.lead)
    for model in ("teams/agent", "performance/contact", "performance/nightlyreport"):
        assert client.get(f"/admin/{model}/{pk}/change/").status_code == 404, model


@pytest.mark.parametrize("wish", ["²", "9" * 30, "x", "-1"])
def test_an_agent_that_cannot_be_narrows_contacts_to_none(north: Cast, wish: str) -> None:
    assert logged_in(north.lead).get("/admin/performance/contact/", {"agent": wish}).status_code == 200
