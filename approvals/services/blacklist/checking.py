"""Is this customer blocked? One call for many subjects, one statement that answers and logs what matched.

The statement looks up hashes by one index, and by another each of the few dozen ranges around an address. Whether an entry
still holds is asked of the time in it, so one whose end has passed never matches, whoever has or has not swept.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from approvals import digests
from approvals.models import BlockEntry
from approvals.plain.normal import IP, NETWORK, PHONE, Normal, lengths_around
from approvals.services.blacklist import subjects
from approvals.services.blacklist.places import counting_for, teams_of
from teams.acting import system_scope
from teams.errors import OutOfReach, Refused
from teams.models import User

MOST = 500


@dataclass(frozen=True)
class Asked:
    """A subject in clear, as it came in; `country` is where a number without + is dialled."""

    kind: str
    value: str
    country: str = ""


@dataclass(frozen=True)
class Answer:
    """What holds for one subject now. `problem` is a sentence where the subject could not be read; then nothing was asked."""

    kind: str
    mask: str
    is_blocked: bool = False
    effect: str = ""
    reason: str = ""
    until: datetime | None = None
    is_permanent: bool = False
    is_held: bool = False
    problem: str = ""


CHECK = """
WITH asked AS (
    SELECT * FROM unnest(%(places)s::int[], %(digests)s::text[]) AS a (place, digest)
), ranges AS MATERIALIZED ( -- computed before the join: under row security an index is not asked with what may leak
    SELECT place, network(set_masklen(address, length))::inet AS range
    FROM unnest(%(homes)s::int[], %(addresses)s::inet[], %(lengths)s::int[]) AS a (place, address, length)
), found AS MATERIALIZED (
    SELECT asked.place, entry.id, entry.effect, entry.reason_code, entry.span, entry.state, entry.channels, entry.team_id
    FROM asked JOIN approvals_blockentry entry ON entry.digest = asked.digest
    WHERE entry.state IN ('held', 'active')
    UNION
    SELECT ranges.place, entry.*
    FROM ranges CROSS JOIN LATERAL (
        SELECT id, effect, reason_code, span, state, channels, team_id FROM approvals_blockentry
        WHERE network = ranges.range AND state IN ('held', 'active') AND network IS NOT NULL
        OFFSET 0 -- asked once for each range: a join would walk through all networks
    ) entry
), matched AS (
    SELECT * FROM found
    WHERE span @> %(now)s::timestamptz AND team_id = ANY (%(teams)s::bigint[])
        AND (channels = '{}' OR %(channel)s = '' OR %(channel)s = ANY (channels))
), logged AS (
    INSERT INTO approvals_blockhit (entry_id, at, channel, mask, by_id)
    SELECT id, %(now)s, %(channel)s, (%(masks)s::text[])[place + 1], %(by)s FROM matched
)
SELECT DISTINCT ON (place) place, effect, reason_code, upper(span), state
FROM matched
ORDER BY place, array_position(ARRAY['block', 'divert', 'mute'], effect::text), upper(span) DESC NULLS FIRST, id
"""


def check(asked: Sequence[Asked], *, by: User, channel: str = "", team: int | None = None) -> list[Answer]:
    """What holds for each of `asked` at this moment, in their order: the strongest effect of the entries of the teams that `by`
    may ask for and of all above them, or those of `team` and above. `channel` empty: whatever channel an entry is for.

    At most 500 at once. Each match is logged. Raises OutOfReach, or Refused: too_many, unknown_channel.
    """
    if len(asked) > MOST:
        raise Refused("too_many", _("At most %(most)d can be checked at once.") % {"most": MOST})
    if channel and channel not in BlockEntry.Channel.values:
        raise Refused(
            "unknown_channel",
            _("There is no such channel; choose one of: %(known)s.") % {"known": ", ".join(BlockEntry.Channel.values)},
        )
    places = teams_of(by)
    places = places.filter(pk=team) if team is not None else places
    counting = counting_for(places)
    if not counting:
        raise OutOfReach
    zone = ""
    if any(each.kind == PHONE and not each.country and not each.value.startswith(("+", "00")) for each in asked):
        zone = places.order_by("pk").values_list("zone", flat=True).first() or ""
    read = [_read(each, zone) for each in asked]
    found = _matched(read, counting, by=by, channel=channel)
    return [
        _answer(each, subject, found.get(place)) for place, (each, subject) in enumerate(zip(asked, read, strict=True))
    ]


def _read(asked: Asked, zone: str) -> Normal | str:
    """The subject, or what is wrong with it."""
    try:
        return subjects.read(asked.kind, asked.value, asked.country, zone)
    except Refused as refusal:
        return str(refusal.message)


def _matched(read: Sequence[Normal | str], teams: list[int], *, by: User, channel: str) -> dict[int, tuple[Any, ...]]:
    known = [(place, subject) for place, subject in enumerate(read) if isinstance(subject, Normal)]
    hashed = [(place, each) for place, subject in known for each in digests.digests(subject)]
    ranges = [
        (place, subject.value, length)
        for place, subject in known
        if subject.kind in (IP, NETWORK)
        for length in lengths_around(subject.value)
    ]
    if not known:
        return {}
    with system_scope("entries of the teams above count for those below"), connection.cursor() as cursor:
        cursor.execute(
            CHECK,
            {
                "places": [place for place, _hash in hashed],
                "digests": [each for _place, each in hashed],
                "homes": [place for place, _address, _length in ranges],
                "addresses": [address for _place, address, _length in ranges],
                "lengths": [length for _place, _address, length in ranges],
                "masks": [subject.mask if isinstance(subject, Normal) else "" for subject in read],
                "now": timezone.now(),
                "teams": teams,
                "channel": channel,
                "by": by.pk,
            },
        )
        return {place: tuple(rest) for place, *rest in cursor.fetchall()}


def _answer(asked: Asked, subject: Normal | str, found: tuple[Any, ...] | None) -> Answer:
    if isinstance(subject, str):
        return Answer(asked.kind, "", problem=subject)
    if found is None:
        return Answer(subject.kind, subject.mask)
    effect, reason, until, state = found
    return Answer(
        subject.kind, subject.mask, is_blocked=True, effect=effect, reason=reason, until=until, is_permanent=until is None,
        is_held=state == BlockEntry.State.HELD,
    )  # fmt: skip
