"""The guided first start, step by step as docs/first-start.md describes it, from an empty database to the first report."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from performance.models import AgentAlias, ImportRun, NightlyReport, Source, TeamDay
from performance.services import starting as first
from performance.views.starting import SourceForm
from teams import starting
from teams.models import Agent, Invitation, Organisation, Team, TeamUserGrant, User
from tests import make

FOUNDING = {
    "organisation": "Example Service", "language": "en", "zone": "Europe/Madrid", "full_name": "Olga Petrova",
    "username": "olga", "password": "a long enough sentence", "again": "a long enough sentence",
}  # fmt: skip


def local(client):
    client.defaults |= {"HTTP_HOST": "127.0.0.1:8000", "REMOTE_ADDR": "127.0.0.1"}
    return client


def send(client, step, text, name="file.csv"):
    return client.post(f"/admin/start/{step}/", {"file": SimpleUploadedFile(name, text)})


def download(client, kind):
    answer = client.get(f"/admin/start/example/{kind}.csv")
    assert answer.status_code == 200
    return answer.content


@pytest.fixture
def founded(db, client):
    local(client).post(f"/start/{starting.new_key()}/", FOUNDING)
    return client


def test_from_nothing_to_the_first_report(db, client):
    link = f"/start/{starting.new_key()}/"
    assert local(client).get(link).status_code == 200
    begun = client.post(link, FOUNDING, follow=True)
    assert begun.redirect_chain[-1][0] == "/admin/start/" and "Example Service" in begun.content.decode()
    assert client.get(link).status_code == 404 and starting.new_key() is None

    for step, rows in (("teams", Team), ("people", Agent)):
        looked = send(client, step, download(client, step))
        assert looked.status_code == 200 and not rows.objects.exists()  # looking stores nothing
        waiting = looked.context["waiting"]
        client.post(f"/admin/start/{step}/", {"waiting": waiting})
        again = client.post(f"/admin/start/{step}/", {"waiting": waiting}, follow=True)
        assert "0 lines stored" in again.content.decode()  # a repeated file changes nothing
    assert Team.objects.get(code="service-shanghai").parent.code == "service"
    lead = User.objects.get(username="ana.ruiz@example.com")
    assert lead.is_staff and TeamUserGrant.objects.get(user=lead).content_object.code == "service"
    assert not User.objects.get(username="luis.vega@example.com").is_staff
    assert Agent.objects.get(number="1004").user is None and Agent.objects.get(number="1003").zone == "Asia/Shanghai"

    client.post("/admin/start/invitations/", {"do": "all"})
    assert Invitation.objects.open().count() == 3
    shown = client.post("/admin/start/invitations/", {"do": "link", "account": Invitation.objects.first().pk})
    assert "/invited/" in shown.content.decode()

    top = Team.objects.get(code="service")
    client.post("/admin/start/contacts/", {"do": "source", "name": "Calls", "team": top.pk, "zone": "Europe/Madrid"})
    sent = client.post(
        "/admin/intake/upload/",
        {
            "source": Source.objects.get().pk,
            "layout": "contacts",
            "file": SimpleUploadedFile("c.csv", download(client, "contacts")),
        },
    )
    run = ImportRun.objects.get()
    columns = client.get(sent.url)
    chosen = {
        f"column_{line['field'].name}": line["chosen"] for line in columns.context["lines"] if line["chosen"]
    }  # what the page proposes is taken as it stands
    client.post(sent.url, chosen)
    client.post(f"/admin/intake/{run.pk}/", {"do": "store"})
    run.refresh_from_db()
    assert run.state == ImportRun.State.DONE and run.counts["new"] == 30, run.counts
    client.post("/admin/start/contacts/", {"do": "match"})
    report = client.post("/admin/start/report/", follow=True)
    assert report.status_code == 200
    last_day = TeamDay.objects.latest("day").day  # quiet days after it have reports as well
    newest = NightlyReport.objects.filter(team=top, day=last_day).latest("revision")
    assert report.redirect_chain[-1][0].endswith(f"/{newest.pk}/change/")
    assert newest.day >= timezone.now().date() - timedelta(days=3)
    assert set(Organisation.objects.get().steps.values()) == {"done"}
    assert set(Organisation.objects.get().steps) == set(Organisation.Step.values)


def test_the_link_opens_here_once_and_for_nobody_else(client, db):
    link = f"/start/{starting.new_key()}/"
    assert client.get(link, HTTP_HOST="127.0.0.1", REMOTE_ADDR="10.0.0.9").status_code == 404
    assert client.get(link, HTTP_HOST="127.0.0.1", HTTP_X_FORWARDED_FOR="127.0.0.1").status_code == 404
    assert client.get(link, HTTP_HOST="testserver").status_code == 404
    local(client)
    assert client.get("/start/another-key/").status_code == 404
    assert client.post(link, FOUNDING | {"again": "different"}).status_code == 422
    assert client.post(link, FOUNDING | {"password": "short", "again": "short"}).status_code == 422
    assert not User.objects.exists() and client.get(link).status_code == 200
    newer = f"/start/{starting.new_key()}/"
    assert client.get(link).status_code == 404 and client.get(newer).status_code == 200
    Organisation.objects.update(key_until=timezone.now() - timedelta(seconds=1))
    assert client.post(newer, FOUNDING).status_code == 404
    last = f"/start/{starting.new_key()}/"
    make.user("somebody")
    assert client.post(last, FOUNDING).status_code == 404 and User.objects.count() == 1


@pytest.mark.parametrize(
    ("step", "text", "sentence"),
    [
        ("teams", "code,name\nnorth,North\n", ""),
        ("teams", "name\nNorth\n", "The column “code” is missing."),
        ("teams", "code,name,colour\na,A,red\n", "The column “colour” is not known"),
        ("teams", "code,name,parent\nb,B,nowhere\n", "No team has the code nowhere."),
        ("teams", "code,name,parent\na,A,b\nb,B,a\n", "No team has the code"),
        ("teams", "code,name,zone\na,A,Mars/Olympus\n", "Mars/Olympus is not a time zone"),
        ("teams", "code,name\nbad code,A\n", "letters, digits"),
        ("teams", "", "The file"),
        ("people", "number,name,team\n1,Ann,nowhere\n", "No team has the code nowhere."),
        ("people", "number,name,team,role\n1,Ann,top,chief\n", "“role” must be one of"),
        ("people", "number,name,team,first_day\n1,Ann,top,31/12/2026\n", "write it as 2026-01-31"),
        ("people", "number,name,team,mail\n1,Ann,top,no mail\n", "valid email"),
        ("people", "number,name,team,mail\n1,Ann,top,a@b.com\n2,Bo,top,a@b.com\n", "a@b.com already"),
    ],
)  # fmt: skip
def test_a_file_is_taken_whole_or_refused_with_line_and_reason(founded, step, text, sentence):
    make.team("Top", code="top")
    before = Team.objects.count(), Agent.objects.count(), User.objects.count()
    answer = send(founded, step, text.encode())
    page = answer.content.decode()
    assert sentence in page and answer.status_code == (422 if sentence else 200)
    assert bool(answer.context["waiting"]) == (not sentence)
    assert (Team.objects.count(), Agent.objects.count(), User.objects.count()) == before


def test_lines_may_stand_in_any_order_and_steps_be_skipped(founded):
    looked = send(founded, "teams", b"code,name,parent\nc,C,b\nb,B,a\na,A,\n")
    founded.post("/admin/start/teams/", {"waiting": looked.context["waiting"]})
    assert Team.objects.get(code="c").parent.parent.code == "a"
    founded.post("/admin/start/", {"step": "people", "state": "skipped"})
    assert Organisation.objects.get().steps == {"teams": "done", "people": "skipped"}
    assert "Next: Invitations" in founded.get("/admin/start/").content.decode()
    founded.post("/admin/start/", {"step": "people", "state": ""})
    assert "Next: People" in founded.get("/admin/start/").content.decode()
    nothing = founded.post("/admin/start/report/", follow=True)
    assert "There is no day to report on yet" in nothing.content.decode()


def test_a_source_and_its_names_find_ones_own_teams_and_people_only(north, south):
    """The pages are the operator's; what they call asks for itself."""
    assert list(SourceForm(user=north.lead).fields["team"].queryset) == [north.team]
    source = make.source(north.team)
    for agent in (north.agent, south.agent):
        AgentAlias.objects.create(source=source, external=agent.number)
    matched = first.match_names(by=north.lead)
    assert (matched.names, matched.left) == (1, 1)
    assert set(AgentAlias.objects.values_list("external", "agent")) == {
        (north.agent.number, north.agent.pk),
        (south.agent.number, None),
    }
