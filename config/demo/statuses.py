"""Today's status lines of the demo organisation: whoever's shift has begun is ready, on a contact or away. In each team one is
on a break and one waits for it; the two requests go the way of every request."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from approvals.models import Base, StatusReason, StatusSpan, TeamCover
from approvals.plain.timeline import Piece
from approvals.services import statuses
from config.demo.cast import Cast
from config.demo.rota import Turn, on_duty
from teams import audit
from teams.clock import day_start, local_day
from teams.errors import Refused
from teams.models import Agent, Team

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
REASON = "demo"
SHORT_OF = 1  # how many fewer agents are needed than are ready, so that one break is granted and the next one waits


def take_in(cast: Cast, seed: int, now: datetime) -> int:
    """Write the lines of today up to `now` and the cover of each team; returns how many agents are at work."""
    agents = {row.number: row for row in Agent.objects.select_related("user")}
    reasons = {row.code: row for row in StatusReason.objects.all()}
    at_work = 0
    for team in Team.objects.filter(code__in=[each.code for each in cast.floors]).order_by("code"):
        rows = []
        for turn in _turns(cast, seed, team, now):
            line = list(_line(turn, team, reasons, seed, now))
            rows += [_row(piece, agents[turn.agent.number]) for piece in line]
        StatusSpan.objects.bulk_create(rows)
        ready = [row.agent for row in rows if row.base == Base.READY and row.span.upper is None]
        at_work += sum(row.base != Base.OFFLINE and row.span.upper is None for row in rows)
        cover = TeamCover(team=team, needed=max(len(ready) - SHORT_OF, 0))
        audit.save_with_history(cover, by=None, reason=REASON)
        for agent in ready[:2] if cover.needed else ():
            _ask(agent)
    return at_work


def _turns(cast: Cast, seed: int, team: Team, now: datetime) -> Iterator[Turn]:
    """Shifts of the team's local today that have begun."""
    today = local_day(now, team.zone)
    for turn in on_duty(cast, seed, team.code, 0, today.weekday(), today.toordinal() // 7):
        if turn.agent.status != Agent.Status.HIRED and _hour(team, now, turn.begins) < now:
            yield turn


def _hour(team: Team, now: datetime, hour: int) -> datetime:
    return day_start(local_day(now, team.zone), team.zone) + hour * HOUR


def _line(turn: Turn, team: Team, reasons: dict[str, StatusReason], seed: int, now: datetime) -> Iterator[Piece]:
    """A shift: ready, a rest after two hours, a meal after four, and in between now and then a contact or its wrap-up."""
    rng = random.Random(f"{seed}/status/{turn.agent.number}")
    at, ends = _hour(team, now, turn.begins) + rng.randint(0, 9) * MINUTE, _hour(team, now, turn.ends)
    plan = [
        (Base.READY, "", 100 + rng.randint(0, 40)),
        (Base.BREAK, "rest", 15),
        (Base.ON_CONTACT, "", 5 + rng.randint(0, 15)),
        (Base.READY, "", 80 + rng.randint(0, 40)),
        (Base.BREAK, "meal", 45),
        (Base.READY, "", 60 + rng.randint(0, 30)),
        (rng.choice([Base.ON_CONTACT, Base.WRAP_UP]), "", 10 + rng.randint(0, 10)),
        (Base.READY, "", 600),
    ]
    for base, code, minutes in plan:
        until = min(at + minutes * MINUTE, ends)
        if at >= min(now, ends):
            break
        reason = reasons[code] if code else None
        back_at = at + (reason.longest_minutes or minutes) * MINUTE if reason is not None else None
        yield Piece(at, until if until <= now else None, team.pk, base, reason.pk if reason else None, back_at)
        at = until
    if ends <= now:
        yield Piece(ends, None, team.pk, Base.OFFLINE)


def _row(piece: Piece, agent: Agent) -> StatusSpan:
    return StatusSpan(
        agent=agent, team_id=piece.team, base=piece.base, reason_id=piece.reason, back_at=piece.back_at, by=agent.user,
        span=DateTimeTZRange(piece.since, piece.until),
    )  # fmt: skip


def _ask(agent: Agent) -> None:
    """As the agent would: granted by the cover, or put into the queue."""
    if agent.user is None:
        return
    try:
        statuses.ask_break(agent.pk, "rest", 10, by=agent.user)
    except Refused:  # the rests of this shift are used up
        statuses.ask_break(agent.pk, "meal", 30, by=agent.user)
