"""Verbs about one's own channels: nobody, the operator included, chooses for another."""

from collections.abc import Iterable, Mapping
from datetime import time

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from teams import outbox, sealing
from teams.acting import system_scope
from teams.audit import delete_with_history, save_with_history
from teams.channels import addresses
from teams.errors import Refused
from teams.models import Notice, NoticeChannel, NoticeDelivery, QuietHours, User
from teams.scoping import TeamScopedQuerySet

MOST_ROBOTS = 5


def reseal() -> int:
    """Seal the robots' addresses anew, with the newest key; returns how many. Raises Unopenable."""
    return sealing.reseal(NoticeChannel.objects.all(), addresses.PURPOSE)


@transaction.atomic
def settle(wanted: Mapping[str, Iterable[str]], begins: time | None, ends: time | None, *, by: User) -> None:
    """The whole page at once: both choices are kept, or neither. Raises Refused as they do."""
    choose_ways(wanted, by=by)
    keep_quiet_hours(begins, ends, by=by)


@transaction.atomic
def choose_ways(wanted: Mapping[str, Iterable[str]], *, by: User) -> None:
    """By which channels each kind of notice comes: kinds by the way of a channel. What the page does not name stays as it is.

    Raises Refused: urgent_needs_a_way.
    """
    person = User.objects.select_for_update().get(pk=by.pk)
    offered = {kind.name: kind for kind in outbox.kinds_for(person)}
    channels = {channel.way: channel for channel in NoticeChannel.objects.select_for_update().filter(owner=person)}
    if person.email and outbox.MAIL not in channels:
        channels[outbox.MAIL] = NoticeChannel(owner=person, kind=outbox.MAIL)
    reached: set[str] = set()
    for way, channel in channels.items():
        chosen = set(wanted.get(way, ())) & set(offered)
        unwanted = sorted((set(channel.unwanted) - set(offered)) | (set(offered) - chosen))
        reached |= chosen if way != outbox.MAIL or person.email else set()
        if unwanted != sorted(channel.unwanted) or (channel.pk is None and unwanted):
            channel.unwanted = unwanted
            save_with_history(channel, by=by, reason="notices")
    for kind in offered.values():
        if kind.is_urgent and kind.name not in reached and channels:
            raise Refused(
                "urgent_needs_a_way",
                _("“%(kind)s” is urgent and must reach you: choose at least one channel for it.")
                % {"kind": kind.title},
            )


@transaction.atomic
def keep_quiet_hours(begins: time | None, ends: time | None, *, by: User) -> QuietHours | None:
    """When notices that are not urgent wait; both None: never. Raises Refused: half_of_the_hours, no_length."""
    if (begins is None) != (ends is None):
        raise Refused(
            "half_of_the_hours", _("Give both the begin and the end of the quiet hours, or leave both empty.")
        )
    User.objects.select_for_update().get(pk=by.pk)
    hours = QuietHours.objects.select_for_update().filter(owner=by).first()
    if begins is None or ends is None:
        if hours is not None:
            delete_with_history(hours, by=by, reason="quiet hours")
        return None
    if begins == ends:
        raise Refused("no_length", _("Quiet hours that end when they begin have no length. Change one of the two."))
    hours = hours or QuietHours(owner=by)
    if (hours.begins, hours.ends) != (begins, ends):
        hours.begins, hours.ends = begins, ends
        save_with_history(hours, by=by, reason="quiet hours")
    return hours


@transaction.atomic
def add_robot(kind: str, address: str, secret: str = "", *, by: User) -> NoticeChannel:
    """A robot of a chat group as a further channel, for every kind of notice at first. Given again, it stays one.

    Raises Refused: unknown_service, not_an_address, foreign_host, private_host, no_secret, too_many_robots.
    """
    robot = addresses.read(kind, address, secret)
    person = User.objects.select_for_update().get(pk=by.pk)
    robots = NoticeChannel.objects.select_for_update().filter(owner=person).exclude(kind=outbox.MAIL)
    channel = next((each for each in robots if each.fingerprint == robot.fingerprint), None)
    if channel is None and len(robots) >= MOST_ROBOTS:
        raise Refused("too_many_robots", _("Five robots are the most. Remove one that you do not need any more."))
    channel = channel or NoticeChannel(owner=person, kind=kind, fingerprint=robot.fingerprint)
    channel.sealed, channel.hint = robot.sealed(), robot.hint
    save_with_history(channel, by=by, reason="robot")
    return channel


@transaction.atomic
def remove_robot(pk: int, *, by: User) -> None:
    """Take a robot away; what still waits for it is no longer due. Raises OutOfReach."""
    channel = TeamScopedQuerySet.take(NoticeChannel.objects.manageable_by(by).exclude(kind=outbox.MAIL), pk)  # type: ignore[arg-type]
    left = list(NoticeChannel.objects.filter(owner=by).exclude(pk=channel.pk))
    has_mail = bool(by.email) and not any(each.kind == outbox.MAIL for each in left)
    for kind in outbox.kinds_for(by):
        reached = has_mail or any(
            kind.name not in each.unwanted for each in left if each.kind != outbox.MAIL or by.email
        )
        if kind.is_urgent and not reached and (left or by.email):
            raise Refused(
                "urgent_needs_a_way",
                _("“%(kind)s” is urgent and must reach you: choose at least one channel for it.")
                % {"kind": kind.title},
            )
    waiting = NoticeDelivery.objects.filter(channel=channel, state=NoticeDelivery.State.WAITING)
    with system_scope("what is due is dropped by the system, as it is sent by it"):
        for delivery in waiting.select_for_update(of=("self",)).order_by("pk"):
            outbox.drop(delivery)
    delete_with_history(channel, by=by, reason="robot")


@transaction.atomic
@system_scope("what is written to the outbox is written by the system")
def try_channel(way: str, *, by: User) -> Notice:
    """A message to one's own channel, to see that it arrives; once a minute.

    Raises OutOfReach, or Refused: no_mail, just_tried.
    """
    channel = None
    if way == outbox.MAIL:
        if not by.email:
            raise Refused("no_mail", _("Your account has no mail address. The operator enters it."))
    else:
        pk = way.partition(":")[2]
        channel = TeamScopedQuerySet.take(NoticeChannel.objects.manageable_by(by), pk)  # type: ignore[arg-type]
    key = f"{outbox.CHANNEL_TEST}:{by.pk}:{way}:{timezone.now():%Y%m%d%H%M}"
    try:
        with transaction.atomic():
            return Notice.objects.create(
                kind=outbox.CHANNEL_TEST, recipient=by, key=key, details={"channel": channel.pk if channel else None}
            )
    except IntegrityError:
        raise Refused("just_tried", _("A test is on its way already. Wait a minute before the next.")) from None
