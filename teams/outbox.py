"""Delivery of the outbox. Whoever causes a message writes a Notice in its own transaction; this sends what is unsent.

A notice is first shared out: one delivery for each channel its recipient has chosen, or none yet while they rest. Each
delivery then goes its own way, with its own pauses, so a chat service that is down holds no mail back.

Delivery is at least once, and at most once more: a claim is committed before the send, so a process killed between "sent"
and "marked" leaves a trace, as does an answer that broke off. The next claim repeats the message once, a mail with the same
message id, and a third is never made. What a service has confirmed is never sent again: there is one row for it, and it is
closed.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from smtplib import SMTPResponseException
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.utils import timezone, translation

from teams.channels.addresses import opened
from teams.channels.outcomes import NotDelivered, Rejected, Unclear
from teams.channels.quiet import end_of_rest
from teams.clock import zone_names
from teams.models import Notice, NoticeChannel, NoticeDelivery, QuietHours, User

log = logging.getLogger(__name__)

ATTEMPTS = 5
BACK_OFF = tuple(timedelta(minutes=minutes) for minutes in (2, 10, 60, 240))
MOST_UNCLEAR = 2  # attempts whose end nobody knows: the first, and the one repetition
MAIL = "mail"
# How the release before this one noted on the notice itself what is now counted on its delivery.
IN_FLIGHT = "claimed, and no word since"
REPEATED = "claimed again after a break, and no word since"
CHANNEL_TEST = "channel_test"
CHAT_LENGTH = 500


@dataclass(frozen=True)
class Mail:
    """What a notice says, already in the recipient's language. Without `html` it is plain text. A chat gets the subject and
    the `link` alone: a robot speaks to a whole group, and the page asks who opens it."""

    subject: str
    text: str
    html: str = ""
    link: str = ""


Render = Callable[[Notice], Mail | None]


@dataclass(frozen=True)
class Kind:
    """One kind of notice. An urgent one wakes people, and cannot be switched off everywhere."""

    name: str
    render: Render
    title: Any
    is_urgent: bool
    concerns: Callable[[User], bool]


_kinds: dict[str, Kind] = {}


def register(
    kind: str,
    render: Render,
    *,
    title: Any,
    is_urgent: bool = False,
    concerns: Callable[[User], bool] = lambda person: True,
) -> None:
    """Make a kind of notice known, in `AppConfig.ready()`. `render` is called when sending, in the recipient's language
    and zone; it asks again whether the recipient may read this, and None drops the notice. `title` and `concerns` say how
    the kind is called, and for whom, on the page where people choose."""
    _kinds[kind] = Kind(kind, render, title, is_urgent, concerns)


def forget(kind: str) -> None:
    """Take a kind out again; a notice of it fails like any kind that this release does not know."""
    _kinds.pop(kind, None)


def kinds() -> list[Kind]:
    return list(_kinds.values())


def title_of(name: str) -> Any:
    """How a kind of notice is called; its name where this release does not know it."""
    kind = _kinds.get(name)
    return kind.title if kind is not None else name


def kinds_for(person: User) -> list[Kind]:
    """The kinds that `person` can get and choose channels for, urgent ones first."""
    found = [kind for kind in _kinds.values() if kind.name != CHANNEL_TEST and kind.concerns(person)]
    return sorted(found, key=lambda kind: not kind.is_urgent)


def deliver_due(now: datetime | None = None, limit: int = 200) -> int:
    """Share out and send what is due, oldest first, at most `limit`; returns how many deliveries left."""
    now = now or timezone.now()
    for _turn in range(limit):
        if not _share_out(now):
            break
    sent = 0
    for _turn in range(limit):
        delivery = _claim(now)
        if delivery is None:
            break
        sent += _deliver(delivery)
    return sent


# -- which ways ----------------------------------------------------------------------------------------------------------


@transaction.atomic
def _share_out(now: datetime) -> bool:
    """Turn the oldest waiting notice into deliveries, or put it off to the end of the recipient's rest. False: none waits."""
    waiting = Notice.objects.filter(state=Notice.State.WAITING, due_at__lte=now).order_by("due_at", "pk")
    notice = waiting.select_for_update(of=("self",), skip_locked=True).select_related("recipient").first()
    if notice is None:
        return False
    rest = _rest(notice, now)
    if rest is not None:
        notice.due_at = rest
        notice.save(update_fields=["due_at"])
        return True
    found = ways(notice)
    NoticeDelivery.objects.bulk_create(
        [_first_delivery(notice, way, channel, now) for way, channel in found.items()], ignore_conflicts=True
    )
    notice.state = Notice.State.UNDER_WAY if found else Notice.State.DROPPED
    notice.save(update_fields=["state"])
    return True


def ways(notice: Notice) -> dict[str, NoticeChannel | None]:
    """The channels that the recipient wants this notice by. Nobody to send to, or nothing wanted: none."""
    person = notice.recipient
    if not person.is_active:
        return {}
    channels = list(NoticeChannel.objects.filter(owner=person).order_by("pk"))
    if notice.kind == CHANNEL_TEST:
        wanted = [channel for channel in channels if channel.pk == notice.details.get("channel")]
        return {channel.way: channel for channel in wanted} or ({MAIL: None} if person.email else {})
    found: dict[str, NoticeChannel | None] = {
        channel.way: channel for channel in channels if notice.kind not in channel.unwanted
    }
    if not person.email:
        found.pop(MAIL, None)
    elif not any(channel.kind == MAIL for channel in channels):
        found = {MAIL: None, **found}
    return found


def _first_delivery(notice: Notice, way: str, channel: NoticeChannel | None, now: datetime) -> NoticeDelivery:
    """A mail that an earlier release has begun keeps what was tried."""
    delivery = NoticeDelivery(notice=notice, way=way, channel=channel, due_at=now)
    if way == MAIL:
        delivery.attempts = notice.attempts
        delivery.unclear = {IN_FLIGHT: 1, REPEATED: MOST_UNCLEAR}.get(notice.error, 0)
    return delivery


def _rest(notice: Notice, now: datetime) -> datetime | None:
    """When the recipient's quiet hours end, if they have begun and this can wait."""
    kind = _kinds.get(notice.kind)
    if kind is not None and kind.is_urgent:
        return None
    hours = QuietHours.objects.filter(owner=notice.recipient_id).first()
    return end_of_rest(hours.begins, hours.ends, now, _zone(notice.recipient)) if hours else None


# -- one delivery --------------------------------------------------------------------------------------------------------


@transaction.atomic
def _claim(now: datetime) -> NoticeDelivery | None:
    """Take the oldest unsent delivery and count the attempt; until `due_at` nobody else takes it."""
    rows = NoticeDelivery.objects.filter(state=NoticeDelivery.State.WAITING, due_at__lte=now).order_by("due_at", "pk")
    rows = rows.select_related("notice__recipient").select_for_update(of=("self",), skip_locked=True)
    while delivery := rows.first():
        if delivery.unclear >= MOST_UNCLEAR or delivery.attempts >= ATTEMPTS:
            _close(delivery, NoticeDelivery.State.PARKED, delivery.error or "no word of what became of it, twice")
            continue
        rest = _rest(delivery.notice, now)
        if rest is not None:
            delivery.due_at = rest
            delivery.save(update_fields=["due_at"])
            continue
        delivery.attempts += 1
        delivery.unclear += 1
        delivery.error = ""
        delivery.due_at = now + BACK_OFF[min(delivery.attempts, len(BACK_OFF)) - 1]
        delivery.save(update_fields=["attempts", "unclear", "due_at", "error"])
        return delivery
    return None


def _deliver(claimed: NoticeDelivery) -> bool:
    """Send one claimed delivery. It waits for the row: another task that looked for work at the moment of the claim may hold
    it for an instant, and to pass it by would spend the attempt."""
    try:
        with transaction.atomic():
            delivery = (
                NoticeDelivery.objects.select_for_update(of=("self",))
                .select_related("notice__recipient", "channel")
                .filter(pk=claimed.pk, state=NoticeDelivery.State.WAITING, attempts=claimed.attempts)
                .first()
            )
            if delivery is None:
                return False
            mail = _written(delivery)
            if mail is None:
                _close(delivery, NoticeDelivery.State.DROPPED)
                return False
            _send(delivery, mail)
            delivery.sent_at = timezone.now()
            _close(delivery, NoticeDelivery.State.SENT)
            return True
    except Exception as error:
        log.warning("notice %d was not sent by %s: %s", claimed.notice_id, claimed.way.partition(":")[0], _words(error))
        _record_failure(claimed, error)
        return False


def _written(delivery: NoticeDelivery) -> Mail | None:
    """The notice in the recipient's words and zone; None if there is nobody to send it to, or no right to it any more."""
    notice = delivery.notice
    person = notice.recipient
    if not person.is_active or delivery.way not in ways(notice):
        return None
    kind = _kinds.get(notice.kind)
    if kind is None:
        raise LookupError(f"no notice is called {notice.kind!r} in this release")
    with translation.override(person.language or settings.LANGUAGE_CODE), timezone.override(_zone(person)):
        return kind.render(notice)


def _zone(person: User) -> str:
    return person.zone if person.zone in zone_names() else "UTC"


def _send(delivery: NoticeDelivery, mail: Mail) -> None:
    if delivery.way != MAIL:
        _send_to_chat(delivery, mail)
        return
    host = urlsplit(settings.OUTPOST_URL).hostname or "localhost"
    message = EmailMultiAlternatives(
        subject=" ".join(mail.subject.split()),
        body=mail.text,
        to=[delivery.notice.recipient.email],
        headers={"Message-ID": f"<{delivery.notice.message_id}@{host}>", "Auto-Submitted": "auto-generated"},
    )
    if mail.html:
        message.attach_alternative(mail.html, "text/html")
    message.send()


def _send_to_chat(delivery: NoticeDelivery, mail: Mail) -> None:
    from teams.channels import gateways  # only a process that sends pays for loading Apprise

    if delivery.channel is None:
        raise LookupError("the channel has gone")
    subject = " ".join(mail.subject.split())[:CHAT_LENGTH]
    gateways.send(opened(delivery.channel.sealed), "Outpost", f"{subject}\n{mail.link}".strip())


def _words(error: Exception) -> str:
    """What may be told of a failure: its kind and code. A server's own words can repeat addresses and text."""
    if isinstance(error, NotDelivered):
        return str(error)
    code = f" {error.smtp_code}" if isinstance(error, SMTPResponseException) else ""
    return f"{type(error).__name__}{code}"


@transaction.atomic
def _record_failure(claimed: NoticeDelivery, error: Exception) -> None:
    """Wait for the next attempt, or give up: after five, at once where it will never be taken, after two unclear ends."""
    delivery = NoticeDelivery.objects.select_for_update(of=("self",)).select_related("notice").get(pk=claimed.pk)
    if delivery.state != NoticeDelivery.State.WAITING or delivery.attempts != claimed.attempts:
        return
    delivery.error = _words(error)[:300]
    if not isinstance(error, Unclear):
        delivery.unclear -= 1
    is_over = isinstance(error, Rejected) or delivery.attempts >= ATTEMPTS or delivery.unclear >= MOST_UNCLEAR
    delivery.save(update_fields=["error", "unclear"])
    if is_over:
        _close(delivery, NoticeDelivery.State.PARKED, delivery.error)


def drop(delivery: NoticeDelivery) -> None:
    """Close a locked delivery whose channel goes away."""
    _close(delivery, NoticeDelivery.State.DROPPED)


def _close(delivery: NoticeDelivery, state: str, error: str = "") -> None:
    delivery.state, delivery.error = state, error
    delivery.save(update_fields=["state", "error", "sent_at"])
    _conclude(delivery.notice_id)


def _conclude(pk: int) -> None:
    """Once no delivery of a notice is open: it was sent if one was, else given up if one was, else no longer due."""
    notice = Notice.objects.select_for_update().get(pk=pk)
    rows = list(NoticeDelivery.objects.filter(notice=pk).order_by("pk"))
    states = {row.state for row in rows}
    if NoticeDelivery.State.WAITING in states or notice.state == Notice.State.SENT:
        return
    order = (NoticeDelivery.State.SENT, NoticeDelivery.State.PARKED, NoticeDelivery.State.DROPPED)
    notice.state = next(state for state in order if state in states)
    notice.sent_at = max((row.sent_at for row in rows if row.sent_at), default=None)
    notice.attempts = max(row.attempts for row in rows)
    notice.error = "; ".join(f"{row.way}: {row.error}" for row in rows if row.error)
    notice.save(update_fields=["state", "sent_at", "attempts", "error"])
