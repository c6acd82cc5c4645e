"""Rows that the database writes as JSON say what the serializer says of the same row, and to each caller their own."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import Group, Permission
from django.utils import timezone
from rest_framework import serializers

from performance import rollups
from performance.api import figures
from performance.models import AgentDay, Contact, NightlyReport, QueueHalfHour, TeamDay
from teams import stencil
from teams.edges.written import told
from teams.models import Team, TeamGroupGrant, TeamUserGrant
from teams.querysets import TeamQuerySet, held_by
from teams.scoping import Grant
from tests import make
from tests.performance.night.facts import DAY, contact

pytestmark = pytest.mark.usefixtures("partitions")
KINDS = {
    "contacts": (Contact, figures.ContactSerializer),
    "agent-days": (AgentDay, figures.AgentDaySerializer),
    "team-days": (TeamDay, figures.TeamDaySerializer),
    "half-hours": (QueueHalfHour, figures.HalfHourSerializer),
    "reports": (NightlyReport, figures.ReportSerializer),
}


@pytest.fixture
def rows(hub, north):
    """One row of each kind; the contact with every field filled and letters that JSON has to escape."""
    moment = datetime(2026, 3, 10, 9, 30, 15, 250_000, tzinfo=UTC)
    contact(
        north.agent, topic='"quoted" \\ 热线\n\u2028', rating=Decimal("0.75"), wait_seconds=7, first_reply_seconds=9,
        assigned_at=moment, first_reply_at=moment + timedelta(seconds=2), is_resolved=False, phone_mask="139****0000",
        queue=make.queue(north.team, "Line"),
    )  # fmt: skip
    rollups.roll_up(DAY)
    NightlyReport.objects.create(team=north.team, day=DAY, revision=1, payload={"a": [1, 2.5, None], "b": "“”"})


def moments(value):
    """Texts that are moments as moments, so that two ways of writing one are equal."""
    if isinstance(value, dict):
        return {name: moments(each) for name, each in value.items()}
    if isinstance(value, str) and len(value) > 18 and value[10] == "T":
        return datetime.fromisoformat(value)
    return value


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("caller", ["lead", "operator"])
def test_the_database_writes_what_the_serializer_says(client, rows, hub, north, name, caller):
    model, kind = KINDS[name]
    row = model.objects.get()
    client.force_login(north.lead if caller == "lead" else make.user("chief", is_superuser=True, is_staff=True))
    answer = client.get(f"/api/v1/{name}/")
    assert answer.headers["Content-Type"] == "application/json"
    (listed,) = answer.json()["results"]
    plain = kind(row).data
    assert list(listed) == list(plain)
    assert moments(listed) == moments(plain)
    assert client.get(f"/api/v1/{name}/{row.pk}/").json() == listed


def test_decimals_are_digits_and_moments_are_in_utc(client, rows, north):
    north.lead.zone = "Asia/Shanghai"
    north.lead.save()
    client.force_login(north.lead)
    (listed,) = client.get("/api/v1/contacts/").json()["results"]
    assert listed["rating"] == "0.7500"
    assert listed["assigned_at"] == "2026-03-10T09:30:15.25+00:00"


def test_pages_carry_their_neighbours(client, north):
    for minute in range(3):
        contact(north.agent, minute=600 + minute)
    client.force_login(north.lead)
    first = client.get("/api/v1/contacts/?page_size=2").json()
    assert (first["count"], len(first["results"]), first["previous"]) == (3, 2, None)
    second = client.get(first["next"]).json()
    assert (second["count"], len(second["results"]), second["next"]) == (3, 1, None)
    assert client.get("/api/v1/contacts/?page=3&page_size=2").status_code == 404
    assert client.get("/api/v1/team-days/").json() == {"count": 0, "next": None, "previous": None, "results": []}


def test_a_statement_compiled_for_one_is_filled_in_for_another(client, rows, north, south):
    contact(south.agent, minute=700)
    for cast in (north, south, north):
        client.force_login(cast.lead)
        for address in ("/api/v1/contacts/", f"/api/v1/contacts/?team={cast.team.pk}"):
            (listed,) = client.get(address).json()["results"]
            assert listed["team"]["name"] == cast.team.name
            assert listed["agent"]["number"] == cast.agent.number
        other = south if cast is north else north
        assert client.get(f"/api/v1/contacts/?team={other.team.pk}").status_code == 400


def test_a_grant_that_has_ended_ends_a_statement_compiled_before(client, rows, north):
    client.force_login(north.lead)
    assert client.get(f"/api/v1/contacts/?team={north.team.pk}").json()["count"] == 1
    TeamUserGrant.objects.filter(user=north.lead).update(until=timezone.now() - timedelta(seconds=1))
    assert client.get("/api/v1/contacts/").json()["count"] == 0
    assert client.get(f"/api/v1/contacts/?team={north.team.pk}").status_code == 400


def test_the_stand_in_is_nobody_real(north, django_user_model):
    operator, gone, borrowed = make.user(is_superuser=True), make.user(is_active=False), make.user()
    borrowed.seen_by = operator
    assert [stencil.fits(each) for each in (north.lead, operator, gone, borrowed)] == [True, False, False, False]
    assert not django_user_model.objects.filter(pk=stencil.SOMEBODY).exists()
    make.grant(north.lead, north.team, Grant.OBSERVE)
    ids = Team.objects.in_reach_of(north.lead, Grant.OBSERVE)
    assert [*ids] == [north.team] and not Team.objects.in_reach_of(stencil.stand_in(), Grant.OBSERVE).exists()


def test_a_field_that_the_database_cannot_write_is_refused_by_name(north):
    class Odd(serializers.ModelSerializer):
        shout = serializers.SerializerMethodField()

        class Meta:
            model = Team
            fields = ("id", "shout")

    with pytest.raises(TypeError, match="shout: a SerializerMethodField"):
        told(Odd, north.lead)


def test_what_was_compiled_can_be_forgotten(client, rows, north, monkeypatch):
    """A scope that is changed while it runs, as tests of the walls do, is not answered from before."""
    client.force_login(north.lead)
    assert client.get(f"/api/v1/contacts/?team={north.team.pk}").status_code == 200
    monkeypatch.setattr(TeamQuerySet, "visible_to", lambda rows, user: rows.filter(code="nobody"))
    stencil.forget()
    try:
        (listed,) = client.get("/api/v1/contacts/").json()["results"]
        assert listed["team"] is None
    finally:
        monkeypatch.undo()
        stencil.forget()
    (listed,) = client.get("/api/v1/contacts/").json()["results"]
    assert listed["team"]["id"] == north.team.pk


def test_a_list_asks_once_on_which_teams_the_caller_holds_grants(client, rows, north, django_assert_max_num_queries):
    client.force_login(north.lead)
    with django_assert_max_num_queries(20) as asked:
        assert client.get(f"/api/v1/contacts/?team={north.team.pk}&agent={north.agent.pk}").json()["count"] == 1
    assert sum("teams_teamusergrant" in each["sql"] for each in asked.captured_queries) == 1


def test_a_grant_through_a_group_opens_a_list(client, rows, north, south):
    group = Group.objects.create(name="those who look after the north")
    group.user_set.add(south.lead)
    client.force_login(south.lead)
    assert client.get("/api/v1/contacts/").json()["count"] == 0
    TeamGroupGrant.objects.create(
        group=group, content_object=north.team, permission=Permission.objects.get(codename=Grant.OBSERVE.value)
    )
    (listed,) = client.get(f"/api/v1/contacts/?team={north.team.pk}").json()["results"]
    assert (listed["team"]["id"], listed["agent"]["id"]) == (north.team.pk, north.agent.pk)


def test_teams_known_of_one_person_are_not_filled_in_for_another(north, south):
    with stencil.knowing(north.lead, held_by(north.lead)):
        own = Team.objects.in_reach_of(north.lead, Grant.LEAD)
        others = Team.objects.in_reach_of(south.lead, Grant.LEAD)
        sql = stencil.held_teams(stencil.stand_in(), (Grant.LEAD.value,))
        with pytest.raises(LookupError):
            stencil.filled(sql.sql, sql.params, south.lead)
    assert ([*own], [*others]) == ([north.team], [south.team])
