"""Delivery: at least once, at most once more, with the same id."""

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from teams import outbox
from teams.models import Notice
from tests import make


@pytest.fixture
def kind():
    state = {"error": None, "mail": outbox.Mail("Hello\nthere", "text", "<p>text</p>")}

    def render(notice):
        if state["error"]:
            raise state["error"]
        return state["mail"]

    outbox.register("test", render, title="Test kind")
    yield state
    outbox.forget("test")


def notice(**fields) -> Notice:
    user = make.user(email="a@example.org", **fields)
    return Notice.objects.create(kind="test", recipient=user, key=f"k{user.pk}", due_at=timezone.now())


def later(minutes: int):
    return timezone.now() + timedelta(minutes=minutes)


def test_a_notice_is_sent_once(db, kind):
    row = notice()
    assert (outbox.deliver_due(), outbox.deliver_due(later(500))) == (1, 0)
    row.refresh_from_db()
    assert (row.state, row.error) == ("sent", "") and row.sent_at
    assert mail.outbox[0].subject == "Hello there"
    assert str(row.message_id) in mail.outbox[0].extra_headers["Message-ID"]


def test_failures_back_off_and_are_parked_after_five(db, kind):
    row = notice()
    kind["error"] = RuntimeError("no")
    assert outbox.deliver_due() == 0
    assert outbox.deliver_due() == 0
    assert row.deliveries.get().attempts == 1
    for hours in range(1, 60):
        outbox.deliver_due(later(60 * 5 * hours))
    row.refresh_from_db()
    assert (row.state, row.attempts, row.error) == ("parked", 5, "mail: RuntimeError")
    assert not mail.outbox


@pytest.mark.django_db(transaction=True)
def test_killed_between_sent_and_marked_it_is_repeated_once_with_the_same_id(kind, monkeypatch):
    notice()
    plain = outbox._close

    def killed(*args):
        raise SystemExit

    for minutes in (0, 60):
        monkeypatch.setattr(outbox, "_close", killed)
        with pytest.raises(SystemExit):
            outbox.deliver_due(later(minutes))
    monkeypatch.setattr(outbox, "_close", plain)
    for minutes in (600, 1200, 1800):
        outbox.deliver_due(later(minutes))
    assert len(mail.outbox) == 2
    assert len({each.extra_headers["Message-ID"] for each in mail.outbox}) == 1
    assert Notice.objects.get().state == "parked"


def test_nobody_to_send_to_and_no_right_drop_it(db, kind):
    row = notice(is_active=False)
    kind["mail"] = None
    other = notice()
    outbox.deliver_due()
    assert {row.pk, other.pk} == set(Notice.objects.filter(state="dropped").values_list("pk", flat=True))
    assert not mail.outbox
