"""What the page of one's own channels shows: which notice comes by which way, and what became of the last one."""

from dataclasses import dataclass
from datetime import time
from typing import Any

from django.utils.translation import gettext as _

from teams import outbox
from teams.models import NoticeChannel, NoticeDelivery, QuietHours, User


@dataclass(frozen=True)
class Way:
    """One channel. `last` is what became of the newest delivery by it, `removable` its id if it is a robot's."""

    way: str
    title: str
    hint: str
    last: NoticeDelivery | None
    problem: str
    removable: int | None


@dataclass(frozen=True)
class Choice:
    """A kind of notice, and for each way whether it is wanted by it."""

    name: str
    title: Any
    is_urgent: bool
    boxes: tuple[tuple[Way, bool], ...]


@dataclass(frozen=True)
class Page:
    ways: tuple[Way, ...]
    choices: tuple[Choice, ...]
    begins: time | None
    ends: time | None
    zone: str
    services: tuple[tuple[str, Any], ...]


def channels_of(person: User) -> Page:
    """The page for `person`: mail first, then the robots in the order they were added."""
    rows = list(NoticeChannel.objects.manageable_by(person).order_by("pk"))
    mail = next((row for row in rows if row.kind == outbox.MAIL), None)
    robots = [row for row in rows if row.kind != outbox.MAIL]
    newest = (
        NoticeDelivery.objects.filter(notice__recipient=person).order_by("way", "-created_at", "-pk").distinct("way")
    )
    last = {delivery.way: delivery for delivery in newest}
    ways, unwanted = [], []
    if person.email:
        ways.append(_way(outbox.MAIL, str(NoticeChannel.Kind.MAIL.label), person.email, last, None))
        unwanted.append(frozenset(mail.unwanted if mail else ()))
    for robot in robots:
        ways.append(_way(robot.way, robot.get_kind_display(), robot.hint, last, robot.pk))
        unwanted.append(frozenset(robot.unwanted))
    choices = tuple(
        Choice(
            kind.name,
            kind.title,
            kind.is_urgent,
            tuple((way, kind.name not in out) for way, out in zip(ways, unwanted, strict=True)),
        )
        for kind in outbox.kinds_for(person)
    )
    hours = QuietHours.objects.filter(owner=person).first()
    services = tuple(choice for choice in NoticeChannel.Kind.choices if choice[0] != outbox.MAIL)
    return Page(
        tuple(ways), choices, hours.begins if hours else None, hours.ends if hours else None, person.zone, services
    )


def _way(way: str, title: str, hint: str, last: dict[str, NoticeDelivery], pk: int | None) -> Way:
    newest = last.get(way)
    problem = problem_in_words(newest.error) if newest is not None and newest.error else ""
    return Way(way, title, hint, newest, problem, pk)


def problem_in_words(error: str) -> str:
    """What a short code of a failed delivery means for the one who set the channel up."""
    if error == "private host":
        return _("The address leads into our own network and is not called.")
    if error in {"unreachable", "certificate"} or error.startswith("status 5") or error == "status 429":
        return _("The service cannot be reached at the moment; it is tried again.")
    if error.startswith(("status", "code")):
        return _(
            "The service refuses: the robot may have been removed, or its rules do not allow this message (%(code)s)."
        ) % {"code": error}
    if error == "Unopenable":
        return _("The address can no longer be read. Remove the robot and add it again.")
    return _("It did not arrive (%(code)s).") % {"code": error}
