"""Customers' numbers: kept only where wanted, sealed, opened one at a time for who leads, recorded for good."""

import re
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from performance.models import Contact, ContactSecret, ImportRefusal, PhoneReveal
from performance.services import intake, phones
from teams import retention, sealing
from teams.errors import OutOfReach, Refused
from teams.models import Notice, PrivacyRules
from tests import make

pytestmark = pytest.mark.usefixtures("partitions")
NUMBER = "+86 138-1234-5678"
DIALLED = "+8613812345678"
HEADER = ("external_id", "opened_at", "agent", "phone")
WHY = {"reason": "call_back", "note": "asked to be called", "address": "192.0.2.7"}


def deliver(source, *rows):
    run, _refused = intake.take_in_rows(source, "contacts", HEADER, [list(row) for row in rows])
    return run


@pytest.fixture
def desk(north):
    """A source of north that keeps numbers, with one contact of north's first agent."""
    source = make.source(north.team, "Desk", keeps_phones=True, phones_reason="agents call back")
    deliver(source, ("c1", "2026-03-02T10:00:00Z", "ann", NUMBER), ("c2", "2026-03-02T11:00:00Z", "ann", ""))
    Contact.objects.update(team=north.team, agent=north.agent)
    return SimpleNamespace(source=source, contact=Contact.objects.get(external_id="c1"))


def test_a_source_keeps_no_number_unless_it_says_why(north):
    source = make.source(north.team, "Quiet")
    deliver(source, ("q1", "2026-03-02T10:00:00Z", "ann", NUMBER))
    assert not ContactSecret.objects.exists()
    assert Contact.objects.get().phone_mask == "861********78"
    source.keeps_phones = True
    with pytest.raises(IntegrityError), transaction.atomic():
        source.save()


def test_a_number_is_kept_sealed_and_nowhere_in_clear(desk):
    secret = ContactSecret.objects.get()
    assert secret.contact_id == desk.contact.pk
    assert sealing.unseal(secret.sealed, "customer telephone") == DIALLED
    with pytest.raises(sealing.Unopenable):
        sealing.unseal(secret.sealed, "something else")
    digits = re.sub(r"\D", "", NUMBER)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public' "
            "AND data_type IN ('text', 'character varying', 'jsonb')"
        )
        columns = cursor.fetchall()
        for table, column in columns:
            cursor.execute(f'SELECT count(*) FROM "{table}" WHERE "{column}"::text LIKE %s', [f"%{digits[2:]}%"])
            assert cursor.fetchone()[0] == 0, f"{table}.{column} holds the number"
    assert len(columns) > 100


def test_a_refused_row_and_its_mended_twin_hold_no_number(desk):
    deliver(desk.source, ("c3", "no moment", "ann", NUMBER), ("c4", "2026-03-02T10:00:00Z", "ann"))
    raws = list(ImportRefusal.objects.values_list("raw", flat=True))
    assert len(raws) == 2 and "1234" not in str(raws)
    before = ContactSecret.objects.count()
    mended = next(raw for raw in raws if raw[0] == "c3")
    deliver(desk.source, ("c3", "2026-03-02T12:00:00Z", "ann", mended[3]))
    assert Contact.objects.get(external_id="c3").phone_mask and ContactSecret.objects.count() == before


def test_a_new_number_takes_the_place_of_the_old_one(desk):
    deliver(desk.source, ("c1", "2026-03-02T10:00:00Z", "ann", "+49 30 901820"))
    secret = ContactSecret.objects.get()
    assert sealing.unseal(secret.sealed, "customer telephone") == "+4930901820"


def test_who_leads_the_team_opens_it_and_each_look_is_recorded(desk, hub, north, south):
    for stranger in (south.lead, hub.hr, hub.reviewer, hub.operator, north.agent.user):
        with pytest.raises(OutOfReach):
            phones.reveal(desk.contact.pk, by=stranger, **WHY)
    assert not PhoneReveal.objects.exists()
    with pytest.raises(Refused, match="reason"):
        phones.reveal(desk.contact.pk, by=north.lead, reason="call_back", note=" ", address=None)
    assert phones.reveal(desk.contact.pk, by=north.lead, **WHY) == DIALLED
    look = PhoneReveal.objects.get()
    assert (look.viewer, look.agent, look.reason, look.address) == (north.lead, north.agent, "call_back", "192.0.2.7")
    assert phones.reveal(desk.contact.pk, by=hub.lead, **WHY) == DIALLED
    assert set(PhoneReveal.objects.visible_to(hub.lead)) == set(PhoneReveal.objects.all())
    assert PhoneReveal.objects.visible_to(north.agent.user).count() == 2
    assert not PhoneReveal.objects.visible_to(south.lead).exists()


def test_a_recorded_look_cannot_be_changed_or_deleted(desk, north):
    phones.reveal(desk.contact.pk, by=north.lead, **WHY)
    for sql in ("UPDATE performance_phonereveal SET note = 'x'", "DELETE FROM performance_phonereveal"):
        with pytest.raises(IntegrityError, match="keeps what was recorded"), transaction.atomic():
            connection.cursor().execute(sql)
    assert PhoneReveal.objects.get().note == "asked to be called"


def test_above_the_limit_nothing_is_shown_and_the_operator_is_told_once(desk, hub, north):
    PrivacyRules.objects.create(reveals_a_day=2)
    for _time in range(2):
        phones.reveal(desk.contact.pk, by=north.lead, **WHY)
    for _time in range(2):
        with pytest.raises(Refused) as refusal:
            phones.reveal(desk.contact.pk, by=north.lead, **WHY)
        assert refusal.value.code == "too_many"
    assert PhoneReveal.objects.count() == 2
    assert Notice.objects.get(kind="reveal_limit").recipient == hub.operator
    assert phones.reveal(desk.contact.pk, by=hub.lead, **WHY) == DIALLED  # the limit is each person's own


def test_the_page_shows_the_number_in_its_answer_only(client, desk, north, hub):
    client.force_login(north.lead)
    page = reverse("admin:performance_contact_phone", args=[desk.contact.pk])
    change = reverse("admin:performance_contact_change", args=[desk.contact.pk])
    assert page in client.get(change).content.decode()
    assert DIALLED not in client.get(page).content.decode()
    answer = client.post(page, {"reason": "call_back", "note": "asked to be called"})
    assert DIALLED in answer.content.decode() and "no-store" in answer.headers["Cache-Control"]
    assert PhoneReveal.objects.get().address == "127.0.0.1"
    listed = [client.get(address).content.decode() for address in (change, page, "/admin/performance/phonereveal/")]
    assert not any("12345678" in text for text in listed)
    PrivacyRules.objects.create(networks="10.0.0.0/8")
    answer = client.post(page, {"reason": "call_back", "note": "asked to be called"})
    assert answer.status_code == 409 and "12345678" not in answer.content.decode()
    assert PhoneReveal.objects.count() == 1
    client.force_login(north.agent.user)
    shown = client.get("/me/record/").content.decode()
    assert "north-lead" in shown and "asked to be called" not in shown


def test_numbers_go_when_their_time_is_over_even_before_the_night(desk, north):
    ContactSecret.objects.update(kept_at=timezone.now() - timedelta(days=32))
    with pytest.raises(Refused) as refusal:
        phones.reveal(desk.contact.pk, by=north.lead, **WHY)
    assert refusal.value.code == "no_number"
    each = next(each for each in retention.classes() if each.code == "phones")
    assert (retention.let_go(each, timezone.now()), retention.let_go(each, timezone.now())) == (1, 0)
    assert Contact.objects.get(pk=desk.contact.pk).phone_mask


def test_a_former_key_opens_until_everything_is_sealed_anew(desk, north, settings):
    before = settings.SEAL_KEY
    settings.SEAL_KEY, settings.SEAL_KEYS_BEFORE = "another key of the installation", [before]
    assert phones.reveal(desk.contact.pk, by=north.lead, **WHY) == DIALLED
    call_command("reseal")
    settings.SEAL_KEYS_BEFORE = []
    assert phones.reveal(desk.contact.pk, by=north.lead, **WHY) == DIALLED
    settings.SEAL_KEY = "a key that sealed nothing"
    with pytest.raises(Refused) as refusal:
        phones.reveal(desk.contact.pk, by=north.lead, **WHY)
    assert refusal.value.code == "sealed_otherwise"


def test_a_source_that_stops_keeping_numbers_forgets_them(client, desk, north):
    client.force_login(north.lead)
    wish = {"code": "desk", "name": "Desk", "team": north.team.pk, "zone": "UTC", "channel": "phone", "is_active": "on"}
    address = reverse("admin:performance_source_change", args=[desk.source.pk])
    assert client.post(address, wish | {"keeps_phones": "on"}).status_code == 200  # no reason given
    assert ContactSecret.objects.exists()
    assert client.post(address, wish).status_code == 302
    assert not ContactSecret.objects.exists()
