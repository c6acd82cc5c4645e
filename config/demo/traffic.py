"""What customers want: arrivals of a team's day. Poisson within a day, days of differing size, two peaks."""

import random
from dataclasses import dataclass

OPENS, CLOSES = 7, 23
# Weight of each half hour from 07:00 to 23:00 by the queue's clock: peaks at 10-12 and 19-21.
HALF_HOURS = (
    0.40, 0.50, 0.65, 0.80, 0.95, 1.10, 1.45, 1.55, 1.50, 1.40, 1.10, 1.00, 0.90, 0.90, 0.90, 0.90,
    0.90, 0.95, 0.95, 1.00, 1.00, 1.00, 1.05, 1.15, 1.42, 1.52, 1.48, 1.38, 1.05, 0.85, 0.60, 0.40,
)  # fmt: skip
WEEKDAYS = (1.14, 1.07, 1.02, 1.00, 1.01, 0.80, 0.74)  # from Monday
CHAT_SHARE, MAIL_SHARE = 0.27, 0.20
DAY_SPREAD, COMPANY_SPREAD = 0.11, 0.05  # relative, beyond Poisson
OUTAGE_DAY = -23  # the helpdesk was down for three hours; who could not write telephoned
OUTAGE_HOURS_UTC = (12, 15)


@dataclass(frozen=True)
class Arrivals:
    """Moments (seconds since 1970) at which contacts were opened, in order."""

    live: list[tuple[int, str]]  # with channel
    mail: list[int]


def day_factor(seed: int, team: str, day: int) -> float:
    """How much larger than usual the day is, for all teams together and for this one."""
    common = random.Random(f"{seed}/day/{day}").gauss(1.0, COMPANY_SPREAD)
    own = random.Random(f"{seed}/day/{team}/{day}")
    shape = 1.0 / DAY_SPREAD**2
    return max(0.6, common) * own.gammavariate(shape, 1.0 / shape)


def arrivals(rng: random.Random, expected: float, starts_at: int, opens_at: int, outage: tuple[int, int]) -> Arrivals:
    """`expected` contacts of a day that begins at `starts_at`, served from `opens_at`. `outage`: helpdesk down."""
    unit = expected * (1.0 - MAIL_SHARE) / sum(HALF_HOURS)
    live: list[tuple[int, str]] = []
    for half_hour, weight in enumerate(HALF_HOURS):
        begins = opens_at + half_hour * 1800
        is_down = outage[0] <= begins < outage[1]
        rate = unit * weight * (1.35 if is_down else 1.0) / 1800.0
        at = begins + rng.expovariate(rate)
        ends = begins + 1800
        while at < ends:
            is_chat = rng.random() < CHAT_SHARE and not outage[0] <= at < outage[1]
            live.append((int(at), "chat" if is_chat else "phone"))
            at += rng.expovariate(rate)
    mail = []
    rate = expected * MAIL_SHARE / 86400.0
    at = starts_at + rng.expovariate(rate)
    while at < starts_at + 86400:
        if not outage[0] <= at < outage[1]:
            mail.append(int(at))
        at += rng.expovariate(rate)
    return Arrivals(live, mail)
