"""Who was erased is named nowhere any more, in no table and no file; figures stay; a restored copy forgets again."""

import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import timezone
from knox.models import AuthToken

from performance.models import AgentAlias, AgentDay, Contact, ContactSecret, ImportRefusal, ImportRun
from performance.services import intake, phones
from teams import audit, jobs, services
from teams.errors import OutOfReach, Refused
from teams.models import AccessRecord, Agent, Compensation, DataCopy, Erasure, JobRun, Notice, Tombstone, User
from teams.scoping import Grant
from teams.services import copies, erasure
from tests import make

pytestmark = pytest.mark.usefixtures("partitions", "stones")
NAME, NUMBER, LOGIN, MAIL, EXTERNAL = "Zelda Quirke", "ZQ-0815", "zquirke", "zelda@quirke.test", "zelda.at.desk"
WORDS = (NAME, NUMBER, LOGIN, MAIL, EXTERNAL)


@pytest.fixture
def stones(settings, tmp_path):
    settings.TOMBSTONES = tmp_path / "tombstones.jsonl"
    return settings.TOMBSTONES


@pytest.fixture
def zelda(hub, north):
    """Somebody with traces everywhere, who has left."""
    user = make.user(LOGIN, full_name=NAME, email=MAIL)
    agent = make.agent(north.team, "Zelda Before", number=NUMBER, user=user)
    services.edit_agent(agent.pk, name=NAME, locale="en", role="agent", by=hub.hr, reason=f"{NAME} has married")
    services.set_compensation(
        agent.pk,
        basis="daily",
        amount=Decimal("300.00"),
        currency="CNY",
        on=date(2026, 1, 1),
        by=hub.payroll,
        reason="pay",
    )
    audit.record_look(agent, north.lead, "figures")
    AuthToken.objects.create(user)
    source = make.source(north.team, "Desk", keeps_phones=True, phones_reason="agents call back")
    AgentAlias.objects.create(source=source, external=EXTERNAL, agent=agent)
    rows = [
        ["c1", "2026-03-02T10:00:00Z", EXTERNAL, "+86 138 1234 5678"],
        ["c2", "no moment, said Zelda Quirke", EXTERNAL, ""],
    ]
    intake.take_in_rows(source, "contacts", ("external_id", "opened_at", "agent", "phone"), rows)
    AgentDay.objects.create(agent=agent, team=north.team, zone="UTC", day=date(2026, 3, 2), contacts=1, closed=1)
    file = ContentFile(f"id,when,who\n9,2026-03-02,{NAME}\n".encode(), "names.csv")
    intake.receive(source.pk, file, layout="contacts", by=north.lead)
    Notice.objects.create(kind="probe", recipient=user, key="probe", details={"who": NAME})
    Notice.objects.create(kind="probe", recipient=north.lead, key="other", details={"who": NAME}, error=f"about {NAME}")
    JobRun.objects.create(job="probe", due_at=timezone.now(), state="done", error=f"KeyError: {MAIL}")
    copy = copies.ask_own_copy(by=user)
    jobs.work(JobRun.objects.get(job=copies.JOB, subject=str(copy.pk)).pk)
    services.leave(agent.pk, date(2026, 3, 31), "leaves", by=hub.hr)
    services.rename_team(north.team.pk, name="North", zone="UTC", by=north.lead, reason=f"as {NAME} proposed")
    agent.refresh_from_db()
    return agent


def traces(*words):
    """Every table and column that holds one of the words, files included."""
    found = []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'public' "
            "AND data_type IN ('text', 'character varying', 'jsonb', 'bytea')"
        )
        for table, column, kind in cursor.fetchall():
            text = f"encode(\"{column}\", 'escape')" if kind == "bytea" else f'"{column}"::text'
            for word in words:
                cursor.execute(f'SELECT count(*) FROM "{table}" WHERE {text} LIKE %s', [f"%{word}%"])
                if cursor.fetchone()[0]:
                    found.append(f"{table}.{column}: {word}")
    return found


def erased(agent, hub):
    make.grant(second := make.user("second-hr"), hub.team, Grant.ONBOARD)
    asked = erasure.ask_erasure(agent.pk, f"{NAME} asked for it", by=hub.hr)
    erasure.confirm_erasure(asked.pk, by=second)
    assert jobs.work(JobRun.objects.get(job=erasure.JOB, subject=str(asked.pk)).pk)
    asked.refresh_from_db()
    return asked


def test_no_trace_is_left_and_the_figures_stay(client, hub, zelda, django_capture_on_commit_callbacks):
    tables = {trace.partition(":")[0] for trace in traces(*WORDS)}
    assert len(tables) > 15, f"control: the traces are there to be found: {sorted(tables)}"
    with django_capture_on_commit_callbacks(execute=True):
        done = erased(zelda, hub)
    assert traces(*WORDS, "Zelda Before", "Quirke") == []
    assert (
        done.state == "done" and done.counts["performance.contact"] == 1 and done.counts["performance.importrun"] == 1
    )
    zelda.refresh_from_db()
    stone = Tombstone.objects.get()
    assert zelda.name == zelda.number == stone.pseudonym
    assert AgentDay.objects.get(agent=zelda).closed == 1 and Contact.objects.get().agent == zelda
    assert Compensation.objects.get(agent=zelda).amount == 300
    assert (
        not AccessRecord.objects.filter(agent=zelda).exists()
        and not Notice.objects.filter(recipient=zelda.user).exists()
    )
    assert not zelda.user.is_active and not zelda.user.has_usable_password() and not AuthToken.objects.exists()
    assert ImportRun.objects.get(file_name="names.csv").state == "withdrawn"
    assert DataCopy.objects.get().state == "gone"
    client.force_login(hub.hr)
    page = client.get(reverse("admin:teams_agent_changelist"), {"q": "Quirke"})
    assert page.context["cl"].result_count == 0


def test_it_takes_two_and_somebody_who_has_left(hub, north, south, zelda):
    with pytest.raises(Refused, match="left"):
        erasure.ask_erasure(north.agent.pk, "too soon", by=hub.hr)
    for stranger in (south.lead, hub.payroll):
        with pytest.raises((OutOfReach, Refused)):
            erasure.ask_erasure(zelda.pk, "not theirs", by=stranger)
    asked = erasure.ask_erasure(zelda.pk, "asked for", by=hub.hr)
    with pytest.raises(Refused) as refusal:
        erasure.confirm_erasure(asked.pk, by=hub.hr)
    assert refusal.value.code == "second_person"
    with pytest.raises(IntegrityError), transaction.atomic():
        Erasure.objects.filter(pk=asked.pk).update(state="confirmed", settled_by=hub.hr)
    with pytest.raises(Refused):
        erasure.ask_erasure(zelda.pk, "again", by=hub.trainer)
    erasure.withdraw_erasure(asked.pk, "a mistake", by=hub.trainer)
    with pytest.raises(Refused):
        erasure.confirm_erasure(asked.pk, by=hub.operator)
    assert Agent.objects.get(pk=zelda.pk).name == NAME and not Tombstone.objects.exists()


def test_pages_preview_and_confirm(client, hub, zelda):
    client.force_login(hub.hr)
    address = reverse("admin:teams_agent_erase", args=[zelda.pk])
    assert "cannot be undone" in client.get(address).content.decode()
    assert client.post(address, {"reason": "asked for it"}).status_code == 302
    asked = Erasure.objects.get()
    client.force_login(hub.trainer)
    shown = client.get(reverse("admin:teams_erasure_change", args=[asked.pk])).content.decode()
    assert "stays under a pseudonym: agent days (1)" in shown and "names are taken out: contacts (1)" in shown
    assert "goes: notices (2)" in shown
    confirm = reverse("admin:teams_erasure_confirm", args=[asked.pk])
    assert client.post(confirm, {}).status_code == 200  # without the tick nothing happens
    assert client.post(confirm, {"is_sure": "on"}).status_code == 302
    asked.refresh_from_db()
    assert asked.state == "confirmed" and asked.settled_by == hub.trainer


def test_a_customer_goes_by_number_from_contacts_secrets_and_refused_rows(hub, north, zelda):
    key = Contact.objects.get().customer_key
    source = ImportRun.objects.filter(source__code="desk").first().source
    header = ("external_id", "opened_at", "agent", "phone")
    intake.take_in_rows(source, "contacts", header, [["c9", "never", "ann", "+86 138 1234 5678"]])
    assert ImportRefusal.objects.filter(raw__1="never").exists()
    with pytest.raises(OutOfReach):
        phones.ask_erasure_of("+86 138 1234 5678", "asked for", by=north.lead)
    asked = phones.ask_erasure_of("86 138 1234 5678", "asked for", by=hub.hr)
    assert asked.customer_key == key
    assert dict(erasure.preview(asked).gone)["contacts"] == 1
    erasure.confirm_erasure(asked.pk, by=hub.operator)
    assert jobs.work(JobRun.objects.get(job=erasure.JOB, subject=str(asked.pk)).pk)
    contact = Contact.objects.get()
    assert (contact.customer_key, contact.phone_mask, contact.rating_comment) == ("", "", "")
    assert not ContactSecret.objects.exists() and not ImportRefusal.objects.filter(raw__1="never").exists()
    assert AgentDay.objects.get().closed == 1
    with pytest.raises(Refused):
        phones.ask_erasure_of(" ", "nobody", by=hub.hr)


def test_a_restored_copy_forgets_again(hub, north, zelda, stones: Path, django_capture_on_commit_callbacks):
    """The backup was made before the erasure: it holds the person and no tombstone. The file beside it does."""
    rows = {model: list(model.objects.values()) for model in (Agent, User)}
    contact = Contact.objects.values().get()
    with django_capture_on_commit_callbacks(execute=True):
        erased(zelda, hub)
    (line,) = stones.read_text().splitlines()
    assert (
        json.loads(line)["digest"] == erasure.agent_digest(zelda.pk)
        and NAME not in line
        and "id" not in json.loads(line)
    )
    for model, before in rows.items():  # as a restore would bring them back
        for row in before:
            model.objects.filter(pk=row.pop("id")).update(**row)
    Contact.objects.filter(pk=contact["id"]).update(agent_external=contact["agent_external"])
    Tombstone.objects.all().delete()
    assert traces(NAME)
    assert erasure.replay_tombstones() == 1
    assert traces(*WORDS) == []
    assert erasure.replay_tombstones() == 0
    assert Tombstone.objects.get().pseudonym == Agent.objects.get(pk=zelda.pk).number


def test_a_customer_who_comes_again_after_the_erasure_is_not_erased_by_the_replay(hub, zelda):
    key, when = Contact.objects.get().customer_key, timezone.now() - timedelta(days=3650)
    Tombstone.objects.create(kind="customer", digest=key, pseudonym="xold", erased_at=when)
    assert erasure.replay_tombstones() == 0
    assert Contact.objects.get().customer_key == key


def test_a_spoilt_file_of_tombstones_is_refused_and_not_overwritten(stones: Path, db):
    stones.write_text('{"kind": "agent"}\n')
    for verb in (erasure.replay_tombstones, erasure.keep_tombstones):
        with pytest.raises(Refused) as refusal:
            verb()
        assert refusal.value.code == "bad_tombstones"
    assert stones.read_text() == '{"kind": "agent"}\n'


def test_a_record_of_looks_only_counts_up(north):
    audit.record_look(north.agent, north.lead, "figures")
    audit.record_look(north.agent, north.lead, "figures")
    assert AccessRecord.objects.get().times == 2
    for sql in (
        "UPDATE teams_accessrecord SET times = 1",
        "UPDATE teams_accessrecord SET door = 'report'",
        "DELETE FROM teams_accessrecord",
    ):
        with pytest.raises(IntegrityError, match="keeps what was recorded"), transaction.atomic():
            connection.cursor().execute(sql)
