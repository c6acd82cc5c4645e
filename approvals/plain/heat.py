"""Heat of canned replies: uses that fade. One use is 1 when it happens and half of that a half-life later.

What is kept is a level: the binary logarithm of the heat as it would stand at the epoch below. A level is the same tomorrow,
so nothing is rewritten as time passes, and replies are sorted by it as it is. A reply that was never used has level 0.
"""

import math
from datetime import UTC, datetime

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
COLD = 0.0
NEGLIGIBLE = 60.0  # beyond this many half-lives the smaller of two heats changes no digit of their sum
OWN, TEAM, ALL = 6, 3, 1  # how much the three count in the rank; own uses are uses of the team too, and of all
DAY_SECONDS = 86400.0


def half_lives(moment: datetime, half_life_days: int) -> float:
    """How many half-lives after the epoch `moment` lies: the level of a single use at that moment."""
    return (moment - EPOCH).total_seconds() / DAY_SECONDS / half_life_days


def joined(one: float, other: float) -> float:
    """The level of two heats together."""
    if COLD in (one, other):
        return max(one, other)
    gap = abs(one - other)
    return max(one, other) + (math.log2(1 + 2.0**-gap) if gap < NEGLIGIBLE else 0.0)


def heat(level: float, now: datetime, half_life_days: int) -> float:
    """The heat at `now`: the number of uses, each halved once for every half-life since."""
    if level == COLD:
        return 0.0
    return float(2.0 ** min(level - half_lives(now, half_life_days), NEGLIGIBLE))


def weighed(own: float, team: float, everybody: float) -> float:
    """What ranks: a use of one's own counts ten times as much as one far away, a colleague's four times. To the hundredth, so
    that what is shown is what ranks, and last year's uses do not outweigh a newer text."""
    return round(OWN * own + TEAM * team + ALL * everybody, 2)


# The same sum where the database keeps it: `kept` is the level that stands, `level` that of the use that comes on top.
JOINED_SQL = (
    "CASE WHEN {kept} = 0 THEN {level} ELSE greatest({kept}, {level})"
    " + ln(1 + power(2.0::float8, -least(abs({kept} - {level}), 60))) / ln(2.0::float8) END"
)
