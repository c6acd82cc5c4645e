"""The pages of intake: upload, columns, check, take in, errors file, token, tray; and the command."""

import json
import re
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from performance.models import AgentAlias, Contact, ImportRun, QueueAlias
from performance.services import intake
from teams.errors import OutOfReach, Refused
from teams.models import JobRun, StoredFile
from tests import make
from tests.performance.intake.build import GOOD_LINES, SIMPLE, lines

pytestmark = pytest.mark.django_db
PLAIN = "external_id,opened_at,agent,handle_seconds\n1,2026-01-02 03:04:05,ann,60\n2,soon,bob,=1+1\n"


@pytest.fixture
def here(north):
    return make.source(north.team, "Chat", code="chat")


def send(client, source, content: str | bytes = PLAIN, name: str = "contacts.csv", layout: str = "contacts"):
    file = SimpleUploadedFile(name, content.encode() if isinstance(content, str) else content)
    return client.post(reverse("intake_upload"), {"source": source.pk, "layout": layout, "file": file})


def stored() -> list[str]:
    return list(StoredFile.objects.values_list("name", flat=True))


def test_from_upload_to_the_errors_file_and_back(client, north, here):
    client.force_login(north.lead)
    answer = send(client, here)
    run = ImportRun.objects.get()
    assert answer.status_code == 302 and answer["Location"] == reverse("intake_columns", args=[run.pk])
    page = client.get(answer["Location"]).content.decode()
    assert "handle_seconds" in page and "2026-01-02 03:04:05" in page and "utf-8" in page
    choices = {f"column_{name}": name for name in ("external_id", "opened_at", "agent", "handle_seconds")}
    answer = client.post(reverse("intake_columns", args=[run.pk]), choices, follow=True)
    page = answer.content.decode()
    assert "soon" in page and not Contact.objects.exists()
    run.refresh_from_db()
    assert (run.state, run.counts["new"], run.counts["refused"]) == ("checked", 1, 1)
    page = client.post(reverse("intake_delivery", args=[run.pk]), {"do": "store"}, follow=True).content.decode()
    run.refresh_from_db()
    assert (run.state, run.counts["new"], run.file.name) == ("done", 1, "")
    assert stored() == [] and Contact.objects.count() == 1
    errors = client.get(reverse("intake_errors", args=[run.pk]))
    text = b"".join(errors.streaming_content).decode("utf-8-sig")
    assert errors["Content-Disposition"].startswith("attachment") and errors["X-Content-Type-Options"] == "nosniff"
    assert "'=1+1" in text and "soon" in text
    send(client, here, text.replace("soon", "2026-01-05").replace("'=1+1", "30"))
    second = ImportRun.objects.order_by("-pk").first()
    assert second.mapping == run.mapping
    client.post(reverse("intake_delivery", args=[second.pk]), {"do": "store"})
    assert Contact.objects.get(external_id="2").handle_seconds == 30


def test_the_mapping_may_be_written_as_text_and_errors_are_told(client, north, here):
    client.force_login(north.lead)
    send(client, here, GOOD_LINES)
    run = ImportRun.objects.get()
    address = reverse("intake_columns", args=[run.pk])
    assert client.post(address, {"as_text": "1", "mapping": "{"}).status_code == 422
    answer = client.post(
        address, {"as_text": "1", "mapping": json.dumps({"layout": "contacts", "fields": {"nothing": "id"}})}
    )
    assert answer.status_code == 422 and "nothing" in answer.content.decode()
    answer = client.post(address, {"as_text": "1", "mapping": json.dumps(SIMPLE)})
    assert answer.status_code == 302
    page = client.get(address).content.decode()
    assert "keep the rule" in page
    kept = {f"column_{name}": column for name, column in SIMPLE["fields"].items() if isinstance(column, str)}
    client.post(address, {**kept, "rule_rating": "1"})
    run.refresh_from_db()
    assert run.mapping["fields"]["rating"] == {"column": "rating", "scale": 5}


@pytest.mark.parametrize(
    "name", ["../../evil.csv", "..\\evil.csv", "/etc/passwd", "a\nb.csv", "x" * 300 + ".csv", "evil.svg"]
)
def test_an_upload_gets_a_name_of_our_own(north, here, name):
    file = SimpleUploadedFile("x", PLAIN.encode())
    file._name = name
    run = intake.receive(here.pk, file, layout="contacts", by=north.lead)
    assert (
        "/" not in run.file_name
        and "\\" not in run.file_name
        and "\n" not in run.file_name
        and len(run.file_name) <= 255
    )
    (path,) = stored()
    assert re.fullmatch(r"intake/[0-9a-f]{32}\.upload", path)


def test_a_file_that_is_no_table_is_refused_and_not_kept(client, north, here):
    client.force_login(north.lead)
    answer = send(
        client, here, b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', "contacts.csv"
    )
    assert answer.status_code == 422 and "not a table" in answer.content.decode()
    assert send(client, here, b"").status_code == 422
    assert stored() == [] and not ImportRun.objects.exists()


def test_the_original_is_only_ever_a_download(client, north, here):
    client.force_login(north.lead)
    send(client, here)
    answer = client.get(reverse("intake_file", args=[ImportRun.objects.get().pk]))
    assert answer["Content-Type"] == "application/octet-stream" and answer["Content-Disposition"].startswith(
        "attachment"
    )
    assert answer["X-Content-Type-Options"] == "nosniff" and "sandbox" in answer["Content-Security-Policy"]


def test_a_delivery_can_be_withdrawn_until_it_is_taken_in(client, north, here):
    client.force_login(north.lead)
    send(client, here)
    run = ImportRun.objects.get()
    client.post(reverse("intake_delivery", args=[run.pk]), {"do": "withdraw"})
    run.refresh_from_db()
    assert run.state == "withdrawn" and stored() == []
    with pytest.raises(Refused):
        intake.take_in(run.pk, by=north.lead)
    with pytest.raises(Refused):
        intake.withdraw(run.pk, by=north.lead)


def test_nobody_else_finds_it(client, north, south, here):
    client.force_login(north.lead)
    send(client, here)
    run = ImportRun.objects.get()
    pages = [reverse(f"intake_{page}", args=[run.pk]) for page in ("delivery", "columns", "errors", "file")]
    pages.append(reverse("intake_token", args=[here.pk]))
    make.source(south.team)
    for user in (south.lead, north.agent.user):
        client.force_login(user)
        for address in pages:
            found = client.get(address)
            assert found.status_code == 404 or (found.status_code == 302 and "login" in found["Location"]), address
    client.force_login(south.lead)
    assert send(client, here).status_code == 422 and ImportRun.objects.count() == 1
    assert here.name not in client.get(reverse("intake_upload")).content.decode()
    for call in (intake.take_in, intake.check, intake.withdraw):
        with pytest.raises(OutOfReach):
            call(run.pk, by=south.lead)


def test_a_long_file_goes_through_the_ledger_and_is_done_once(north, here, client):
    rows = "".join(f"{n},2026-01-02 03:04:05,ann,60\n" for n in range(intake.AT_ONCE + 1))
    file = SimpleUploadedFile("long.csv", ("external_id,opened_at,agent,handle_seconds\n" + rows).encode())
    run = intake.receive(here.pk, file, layout="contacts", by=north.lead)
    run = intake.take_in(run.pk, by=north.lead)
    assert run.state == "waiting" and not Contact.objects.exists()
    job = JobRun.objects.get(job=intake.JOB)
    assert (job.subject, job.period) == (str(run.pk), "store")
    client.force_login(north.lead)
    assert 'http-equiv="refresh"' in client.get(reverse("intake_delivery", args=[run.pk])).content.decode()
    assert intake.take_in(run.pk, by=north.lead).state == "waiting" and JobRun.objects.count() == 1
    assert intake.work(job) != "" and intake.work(job) == ""
    run.refresh_from_db()
    assert (run.state, run.counts["new"]) == (
        "done",
        intake.AT_ONCE + 1,
    ) and Contact.objects.count() == intake.AT_ONCE + 1


def test_a_file_refused_as_a_whole_says_why_and_can_be_mapped_anew(north, here):
    text = "id,opened\n1,13/02/2026\n2,02/14/2026\n"
    run = intake.receive(here.pk, SimpleUploadedFile("x.csv", text.encode()), layout="contacts", by=north.lead)
    fields = {"external_id": "id", "opened_at": {"column": "opened", "format": "dmy"}}
    intake.map_columns(run.pk, {"layout": "contacts", "fields": fields}, by=north.lead)
    run = intake.take_in(run.pk, by=north.lead)
    assert run.state == "failed" and "opened" in run.message and not Contact.objects.exists()
    fields["opened_at"] = {"column": "opened"}
    intake.map_columns(run.pk, {"layout": "contacts", "fields": fields}, by=north.lead)
    assert intake.check(run.pk, by=north.lead).counts["refused"] == 2


def test_a_switched_off_source_takes_nothing(north, here):
    here.is_active = False
    here.save()
    with pytest.raises(Refused) as refusal:
        intake.receive(here.pk, SimpleUploadedFile("x", PLAIN.encode()), layout="contacts", by=north.lead)
    assert refusal.value.code == "source_inactive"


def test_deliveries_nobody_finishes_are_swept(north, here):
    run = intake.receive(here.pk, SimpleUploadedFile("x", PLAIN.encode()), layout="contacts", by=north.lead)
    assert intake.sweep() == 0
    ImportRun.objects.update(created_at=timezone.now() - timedelta(days=31))
    assert intake.sweep() == 1
    run.refresh_from_db()
    assert run.state == "withdrawn" and stored() == []


def test_the_token_is_shown_once(client, north, here):
    client.force_login(north.lead)
    address = reverse("intake_token", args=[here.pk])
    shown = client.post(address, {"do": "issue"}).content.decode()
    here.refresh_from_db()
    assert here.token_hint and here.token_digest not in shown
    token = re.search(r'<code class="[^"]*font-semibold"[^>]*>([^<]+)<', shown)[1]
    assert intake.token_digest(token) == here.token_digest
    assert token not in client.get(address).content.decode()
    client.post(address, {"do": "revoke"})
    here.refresh_from_db()
    assert here.token_digest == ""
    kept = str(list(here.history.values()))
    assert token not in kept and intake.token_digest(token) not in kept


def test_the_tray_page_maps_ignores_and_undoes(client, north, here):
    client.force_login(north.lead)
    send(client, here)
    intake.take_in(ImportRun.objects.get().pk, by=north.lead)
    address = reverse("intake_tray")
    assert "ann" in client.get(address).content.decode()
    wish = {"do": "map_agent", "source": here.pk, "external": "ann", "agent": north.agent.pk, "since": "2026-13-01"}
    client.post(address, wish)
    assert AgentAlias.objects.get(external="ann").agent is None
    client.post(address, {**wish, "since": ""})
    alias = AgentAlias.objects.get(external="ann")
    assert alias.agent == north.agent and Contact.objects.get().agent == north.agent
    client.post(address, {"do": "unmap_agent", "alias": alias.pk})
    client.post(address, {**wish, "do": "ignore_agent"})
    assert AgentAlias.objects.get(external="ann").is_ignored
    assert client.post(address, {"do": "nothing"}).status_code == 404


def test_a_foreign_agent_in_the_tray_is_called_unknown_like_a_missing_one(client, north, south, here):
    AgentAlias.objects.create(source=here, external="ann")
    client.force_login(north.lead)
    said = set()
    for number in (south.agent.number, "N-none"):
        wish = {"do": "map_agent", "source": here.pk, "external": "ann", "agent": number}
        page = client.post(reverse("intake_tray"), wish, follow=True)
        said.add((page.status_code, *(str(each).replace(number, "it") for each in page.context["messages"])))
    assert len(said) == 1 and AgentAlias.objects.get().agent is None


def test_the_tray_page_names_nothing_of_another_team(client, north, south, here):
    there = make.source(south.team, "South desk")
    for team, source, agent in ((north.team, here, north.agent), (south.team, there, south.agent)):
        queue = make.queue(team, f"{team.name} line")
        AgentAlias.objects.create(source=source, external=f"{team.name} name", agent=agent)
        QueueAlias.objects.create(source=source, external=f"{team.name} waiting line", queue=queue)
    client.force_login(north.lead)
    page = client.get(reverse("intake_tray")).context
    assert set(page["people"]) == set(north.agents)
    assert [queue.name for queue in page["lines"]] == ["North line"]
    assert [alias.external for alias in page["mapped_agents"]] == ["North name"]
    assert [alias.external for alias in page["mapped_queues"]] == ["North waiting line"]


def test_the_command_is_the_same_door(tmp_path, here, capsys):
    (tmp_path / "m.json").write_text(json.dumps(SIMPLE))
    (tmp_path / "c.csv").write_text(lines(*GOOD_LINES.splitlines()[1:], "9,never,,,,,,"))
    options = {"source": "chat", "mapping": tmp_path / "m.json", "file": tmp_path / "c.csv"}
    call_command("take_in", dry_run=True, **options)
    assert "Nothing stored: rows 2, refused 1" in capsys.readouterr().out and not Contact.objects.exists()
    call_command("take_in", errors=tmp_path / "e.csv", **options)
    out = capsys.readouterr()
    assert "new 1" in out.out and "row 3: opened_at: not_a_moment 'never'" in out.err
    assert "never" in (tmp_path / "e.csv").read_text(encoding="utf-8-sig")
    for wrong in ({"source": "none"}, {"mapping": tmp_path / "c.csv"}, {"file": tmp_path / "none"}):
        with pytest.raises(CommandError):
            call_command("take_in", **{**options, **wrong})
