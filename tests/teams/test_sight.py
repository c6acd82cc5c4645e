"""Who can see what, and why: the explanation gives the verdict of the scope, for everybody and every kind of data."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, Permission
from django.db.backends.postgresql.psycopg_any import DateRange, DateTimeTZRange
from django.utils import timezone

from approvals.models import ApprovalRequest, CannedReply, ReplyUse, StatusSpan
from performance.models import NightlyReport, TeamDay
from teams import services, sight
from teams.models import AccessRecord, Compensation, Loan, Team, TeamGroupGrant, TeamUserGrant, User
from teams.scoping import Grant
from tests import make
from tests.approvals import blocks
from tests.incentives import rows as pay
from tests.look import rows


@pytest.fixture
def everything(hub, north, south, partitions):
    """A row of each kind of data, about the team north and its first agent; and people with rights of every sort."""
    today = timezone.now().date()
    for team, grant in ((hub.team, "OBSERVE"), (north.team, "REVIEW"), (south.team, "OBSERVE")):
        make.grant(make.user(f"{team.code}-{grant}", is_staff=True), team, Grant[grant])
    group = Group.objects.create(name="Night watch")
    make.user("watcher", is_staff=True).groups.add(group)
    TeamGroupGrant.objects.create(
        group=group, permission=Permission.objects.get(codename="observe_team"), content_object=hub.team
    )
    lapsed = make.user("lapsed", is_staff=True)
    make.grant(lapsed, hub.team, Grant.LEAD)
    TeamUserGrant.objects.filter(user=lapsed).update(until=timezone.now() - timedelta(minutes=1))
    early = make.user("early", is_staff=True)
    make.grant(early, hub.team, Grant.LEAD)
    TeamUserGrant.objects.filter(user=early).update(since=timezone.now() + timedelta(days=1))
    closed = make.user("closed", is_staff=True, is_active=False)
    make.grant(closed, hub.team, Grant.LEAD, Grant.SETTLE)
    Loan.objects.create(agent=north.agent, team=south.team, span=DateRange(today, today + timedelta(days=2)))
    agent = north.agent
    contact = rows.contact(agent)
    report = NightlyReport.objects.create(team=north.team, day=rows.DAY, payload={})
    wage = Compensation.objects.create(agent=agent, amount="300", currency="CNY", span=DateRange(make.LONG_AGO, None))
    look = AccessRecord.objects.create(
        agent=agent, viewer=north.lead, door="day", seen_on=today, last_at=timezone.now()
    )
    day, source = rows.agent_day(agent), contact.source
    whole = {
        "team": north.team,
        "wage": wage,
        "looks": look,
        "figures": day,
        "contacts": contact,
        "grants": TeamGroupGrant.objects.create(
            group=group, permission=Permission.objects.get(codename="review_team"), content_object=north.team
        ),
        **pay.of(north, hub.payroll),
        "team_figures": TeamDay.objects.create(team=north.team, day=rows.DAY),
        "reports": report,
        "deliveries": source,
        "roster": agent,
        "blacklist": blocks.entry(north.team, hub.operator),
        "requests": ApprovalRequest.objects.create(
            kind="probe", team=north.team, subject_key="probe", subject_label="probe", requester=hub.operator,
            editor=hub.operator, content_hash="0",
        ),
        "statuses": StatusSpan.objects.create(
            agent=agent, team=north.team, base="ready", span=DateTimeTZRange(timezone.now(), None)
        ),
        "reply_uses": ReplyUse.objects.create(
            reply=CannedReply.objects.create(scope="all", title="t", short_code="t", body="t"), agent=agent,
            team=north.team, once="x",
        ),
    }  # fmt: skip
    return {north.team: whole, agent: whole, contact: whole, report: whole, wage: whole}


def test_the_explanation_gives_the_verdict_of_the_scope(everything):
    seen = set()
    for row, answers in everything.items():
        for person in User.objects.all():
            for kind in sight.classes_of(row):
                if isinstance(row, Team) and kind.code == "roster":
                    continue  # of a team's people, a lent one shows more than the team: asked of the agent below
                verdict = sight.verdict_on(person, row, kind)
                target = answers[kind.code]
                scope = type(target)._default_manager.visible_to(person).filter(pk=target.pk).exists()
                if isinstance(row, Team) and kind.code != "team":
                    is_own = getattr(getattr(target, "agent", None), "user", None) == person
                    if is_own:
                        continue  # a person's own rows inside a team: asked of the agent
                assert verdict.is_open == scope, (person, row, kind.code, verdict)
                seen.add((verdict.is_open, verdict.why))
    assert len(seen) == len(sight.Why), seen  # every reason there is has been met


def test_it_says_by_which_grant_and_names_only_what_the_asker_knows(hub, north, south):
    services.give_grant(
        team=hub.team.pk, grant="observe_team", user=make.user("auditor", is_staff=True).pk, by=hub.operator,
        reason="yearly audit",
    )  # fmt: skip
    auditor = User.objects.get(username="auditor")

    def told(asker):
        answers = {each.kind.code: each for each in sight.explain(auditor, north.team, asker)}
        return answers["figures"].is_open, " ".join(answers["figures"].sentences), answers["wage"]

    is_open, words, wage = told(hub.lead)
    assert is_open and "auditor holds OBSERVE on Hub since" in words and "given by operator" in words
    assert "yearly audit" in words and "North lies below Hub." in words
    assert not wage.is_open and "this opens with SETTLE only" in wage.sentences[-1]
    is_open, words, _wage = told(north.lead)
    assert is_open and "a team above" in words and "Hub" not in words and "yearly audit" not in words
    spoken = " ".join(" ".join(each.sentences) for each in sight.explain(south.lead, north.team, north.lead))
    assert "South" not in spoken and "holds no grant that reaches here" in spoken  # rights elsewhere are not told
    spoken = " ".join(" ".join(each.sentences) for each in sight.explain(south.lead, north.team, hub.lead))
    assert "holds LEAD on South" in spoken and "North does not lie below that team." in spoken


def test_the_page_answers_those_who_may_know(client, hub, north, south):
    address = f"/admin/teams/agent/{north.agent.pk}/seers/"
    for user, status in ((north.lead, 200), (hub.hr, 200), (hub.operator, 200), (south.lead, 404), (hub.payroll, 403)):
        client.force_login(user)
        assert client.get(address).status_code == status, user
    client.force_login(north.lead)
    page = client.get(address, {"person": hub.hr.pk})
    assert page.status_code == 200 and "hub-hr holds ONBOARD on a team above" in page.content.decode()
    assert client.get(address, {"person": south.agent.user.pk}).status_code == 400
    assert "south-lead" not in page.content.decode()


def test_a_move_shows_who_gains_and_who_loses(hub, north, south):
    annex = make.team("Annex", north.team)
    gains, losses = sight.shifts(annex, south.team.pk, hub.lead)
    assert [(each.who, each.by, each.where) for each in gains] == [("south-lead", "LEAD", "South")]
    assert [(each.who, each.by, each.where) for each in losses] == [("north-lead", "LEAD", "North")]
    make.grant(north.lead, south.team, Grant.LEAD)
    assert sight.shifts(annex, south.team.pk, hub.lead)[1] == []  # who holds the grant on both sides loses nothing
