"""What comes of it: a team's day served contact by contact, so that waiting, giving up and load follow from each other."""

import math
import random
from datetime import date
from typing import NamedTuple

from config.demo.cast import BAD_STORY, GOOD_STORY, Cast, DemoTeam
from config.demo.rota import STORY_DAYS, Turn
from config.demo.rows import ContactRow, LegRow
from config.demo.traffic import Arrivals
from config.demo.words import comment_on, topics_of

SIMPLE, COMPLEX = (math.log(222), 0.50), (math.log(900), 0.45)  # of the logarithm of handling seconds
LEARNING_DAYS = 24.0  # in which a newcomer loses two thirds of the handicap
STRANGER_AGENT, STRANGER_QUEUE = "2999", "8199"  # in the telephone system, and known to nobody here
RATED = {"phone": 0.20, "chat": 0.30, "mail": 0.14}
PATIENCE = {"phone": 540.0, "chat": 800.0}  # mean seconds
LAST_START_SECONDS = 120  # before the end of a shift nobody takes another contact
NOBODY_WAITS = 3600


class Work(NamedTuple):
    """A mail waiting for somebody to have time."""

    opened_at: int
    external_id: str
    customer: str


class Seat:
    """An agent at work for a day: when free again, what pauses are due, and what has been done."""

    __slots__ = ("agent", "arrives", "eagerness", "free_at", "grip", "leaves", "log", "pace", "pauses", "warmth")

    def __init__(self, turn: Turn, day: int, starts_at: int, rng: random.Random) -> None:
        agent = turn.agent
        handicap = 0.75 * math.exp(-(day - agent.since) / LEARNING_DAYS) if day - agent.since < 150 else 0.0
        self.agent = agent
        self.pace = agent.pace * (1.0 + handicap)
        self.warmth = agent.warmth - handicap
        self.grip = agent.grip - handicap
        self.eagerness = agent.eagerness
        if agent.story and day in STORY_DAYS:
            self._tell(agent.story)
        self.arrives = self.free_at = starts_at + turn.begins * 3600 + rng.randrange(-120, 240)
        self.leaves = starts_at + turn.ends * 3600
        self.pauses = _pauses(turn, starts_at, rng)
        self.log: list[tuple[int, int, str, str]] = []  # from, until, state, reason

    def _tell(self, story: str) -> None:
        if story == GOOD_STORY:
            self.pace, self.warmth, self.grip, self.eagerness = self.pace * 0.46, 3.5, 2.2, 420
        elif story == BAD_STORY:
            self.pace, self.warmth, self.grip = self.pace * 2.1, -2.2, -1.5

    def rest(self) -> None:
        """Take the pause that is due."""
        due, seconds, base, reason = self.pauses.pop(0)
        begins = max(due, self.free_at)
        self.free_at = begins + seconds
        self.log.append((begins, self.free_at, base, reason))


def _pauses(turn: Turn, starts_at: int, rng: random.Random) -> list[tuple[int, int, str, str]]:
    """Rests and meals off the peaks; a lead's meetings; for everybody a quarter of an hour one-to-one now and then."""
    begins = starts_at + turn.begins * 3600
    plan = [(95, 15, "break", "rest"), (315, 30, "break", "meal"), (405, 15, "break", "rest")]
    if turn.begins >= 15:
        plan = [(75, 15, "break", "rest"), (150, 30, "break", "meal"), (390, 15, "break", "rest")]
    if turn.agent.role == "lead":
        plan = [(30, 60, "not_ready", "meeting"), (210, 45, "break", "meal"), (300, 90, "not_ready", "coaching")]
    elif rng.random() < 0.3:
        plan.insert(2, (345 if turn.begins < 15 else 200, 15, "not_ready", "coaching"))
    return [(begins + (minute + rng.randrange(-12, 20)) * 60, long * 60, base, why) for minute, long, base, why in plan]


class Floor:
    """One day of a team in the making; `contacts` and `legs` are what the platforms will deliver."""

    def __init__(self, cast: Cast, team: DemoTeam, on: date, rng: random.Random, *, has_strangers: bool) -> None:
        self.contacts: list[ContactRow] = []
        self.legs: list[LegRow] = []
        self._rng = rng
        self._team = team
        self._phones = cast.phone_source(team.code)
        self._queues = {queue.channel: queue.external for queue in cast.queues if queue.team == team.code}
        self._mark = f"{team.line}-{on:%y%m%d}"
        self._topics = topics_of(team)
        self._has_strangers = has_strangers

    def serve(self, seats: list[Seat], arrivals: Arrivals, backlog: list[Work]) -> None:
        """Serve the day. Mails are taken up while somebody is idle; those nobody came to stay in `backlog`."""
        rng, mails, taken = self._rng, arrivals.mail, 0
        for number, (at, channel) in enumerate(arrivals.live):
            while taken < len(mails) and mails[taken] <= at:
                backlog.append(Work(mails[taken], f"{self._mark}-M{taken:03d}", self._customer("mail")))
                taken += 1
            external_id = f"{self._mark}-{number:04d}"
            if channel == "chat" and rng.random() < 0.05:
                self._answer_by_bot(external_id, at)
                continue
            if self._has_strangers and channel == "phone" and rng.random() < 0.035:
                self._meet_stranger(external_id, at)
                continue
            seat, idle = self._pick(seats, at, None)
            wait = NOBODY_WAITS if seat is None else max(0, seat.free_at - at) + rng.randrange(2, 9)
            patience = int(15 + rng.expovariate(1.0 / PATIENCE[channel]))
            if wait > patience or seat is None:
                self._give_up(external_id, channel, at, patience)
                continue
            self._handle(seats, seat, external_id, channel, at, wait)
            if backlog and idle > 1:
                spare, _ = self._pick(seats, at, None)
                if spare is not None and spare.free_at <= at:
                    self._write_mail(spare, backlog.pop(0), at)
        for late in range(taken, len(mails)):
            backlog.append(Work(mails[late], f"{self._mark}-M{late:03d}", self._customer("mail")))

    def _pick(self, seats: list[Seat], at: int, but: Seat | None) -> tuple[Seat | None, int]:
        """Who serves next, and how many are idle: the longest idle (with routing's preference), else the first free."""
        best: Seat | None = None
        soonest: Seat | None = None
        best_key, idle = 0, 0
        for seat in seats:
            if seat.arrives > at + 600 or seat is but:
                continue
            while seat.pauses and seat.pauses[0][0] <= (at if at > seat.free_at else seat.free_at):
                seat.rest()
            free_at = seat.free_at
            if (free_at if free_at > at else at) >= seat.leaves - LAST_START_SECONDS:
                continue
            if free_at <= at:
                idle += 1
                key = free_at - seat.eagerness
                if best is None or key < best_key:
                    best, best_key = seat, key
            elif soonest is None or free_at < soonest.free_at:
                soonest = seat
        return best or soonest, idle

    def _handle(self, seats: list[Seat], seat: Seat, external_id: str, channel: str, at: int, wait: int) -> None:
        rng = self._rng
        start = at + wait
        is_complex = rng.random() < self._team.complex_share
        seconds = self._seconds(seat, is_complex)
        if channel == "chat":
            seconds = max(20, seconds * 3 // 4)
        transfers = 0
        source = self._phones if channel == "phone" else "helpdesk"
        if rng.random() < (0.04 if channel == "phone" else 0.02):
            other, _ = self._pick(seats, start, seat)
            if other is not None:
                transfers = 1
                passed = start + rng.randrange(50, 190)
                again = max(passed, other.free_at) + rng.randrange(3, 15)
                self._occupy(seat, start, passed, 8)
                self.legs.append(LegRow(source, external_id, _name(seat, channel), start, passed, None, "transferred"))
                end = again + seconds
                self.legs.append(LegRow(source, external_id, _name(other, channel), again, end, None, "ended"))
                self._occupy(other, again, end, 15)
                seat, seconds = other, seconds + passed - start
        if not transfers:
            end = start + seconds
        wrap = min(seconds // 4, rng.randrange(6, 30)) if channel == "phone" else 0
        if not transfers:
            self._occupy(seat, start, end, wrap)
        reply = start if channel == "phone" else start + rng.randrange(4, 26)
        replies = None if channel == "phone" else 2 + min(40, seconds // 55)
        resolved, reopened, stars, comment = self._judge(seat, channel, wait, is_complex)
        ended = end - wrap if channel == "phone" else end + seconds // 3  # a chat ends after the customer's last pause
        self.contacts.append(
            ContactRow(
                source, external_id, channel, self._queues[channel], _name(seat, channel), self._topic(is_complex),
                "complex" if is_complex else "simple", at, start, reply, ended, wait, reply - at, seconds,
                "measured" if channel == "phone" else "gap", reopened, transfers, replies, True, False, resolved,
                False, rng.random() < 0.002, stars, comment, self._customer(channel),
                ended + (rng.randrange(1200, 90000) if reopened else 0),
            )
        )  # fmt: skip

    def _write_mail(self, seat: Seat, work: Work, at: int) -> None:
        rng = self._rng
        start = at + rng.randrange(2, 20)
        is_complex = rng.random() < 0.3 + self._team.complex_share
        seconds = self._seconds(seat, is_complex)
        end = start + seconds
        self._occupy(seat, start, end, 0)
        resolved, reopened, stars, comment = self._judge(seat, "mail", 0, is_complex)
        waited = start - work.opened_at
        self.contacts.append(
            ContactRow(
                "helpdesk", work.external_id, "mail", self._queues["mail"], seat.agent.mail, self._topic(is_complex),
                "complex" if is_complex else "simple", work.opened_at, start, end, end, waited, end - work.opened_at,
                seconds, "accounted", reopened, 0, 1, True, False, resolved, False, False, stars, comment,
                work.customer, end + (rng.randrange(3600, 200000) if reopened else 0),
            )
        )  # fmt: skip

    def _give_up(self, external_id: str, channel: str, at: int, patience: int) -> None:
        self._unserved(external_id, channel, at, at + patience, patience, is_abandoned=True)

    def _answer_by_bot(self, external_id: str, at: int) -> None:
        self._unserved(external_id, "chat", at, at + self._rng.randrange(40, 200), None, is_abandoned=False)

    def _unserved(
        self, external_id: str, channel: str, at: int, end: int, wait: int | None, *, is_abandoned: bool
    ) -> None:
        self.contacts.append(
            ContactRow(
                self._phones if channel == "phone" else "helpdesk", external_id, channel, self._queues[channel], "",
                self._topic(False) if channel == "chat" else "", "simple", at, None, None, end, wait, None, None, "none",
                0, 0, None, False, is_abandoned, None, not is_abandoned, False, None, "", self._customer(channel), end,
            )
        )  # fmt: skip

    def _meet_stranger(self, external_id: str, at: int) -> None:
        """A call taken by an agency's agent, or on a line, that nobody has mapped yet: it waits in the tray."""
        rng = self._rng
        is_agent_known = rng.random() < 0.4
        agent = "" if is_agent_known else STRANGER_AGENT
        wait, seconds = rng.randrange(3, 40), int(math.exp(rng.gauss(*SIMPLE)))
        self.contacts.append(
            ContactRow(
                self._phones, external_id, "phone", STRANGER_QUEUE if is_agent_known else self._queues["phone"], agent,
                "", "simple", at, at + wait if agent else None, at + wait if agent else None,
                at + wait + (seconds if agent else 0), wait, wait if agent else None, seconds if agent else None,
                "measured" if agent else "none", 0, 0, None, bool(agent), not agent, None, False, False, None, "",
                self._customer("phone"), at + wait + seconds,
            )
        )  # fmt: skip

    # -- the small decisions -----------------------------------------------------------------------------------

    def _seconds(self, seat: Seat, is_complex: bool) -> int:
        middle, spread = COMPLEX if is_complex else SIMPLE
        return max(20, min(5400, int(math.exp(self._rng.gauss(middle, spread)) * seat.pace)))

    @staticmethod
    def _occupy(seat: Seat, start: int, end: int, wrap: int) -> None:
        seat.log.append((start, end - wrap, "on_contact", ""))
        if wrap:
            seat.log.append((end - wrap, end, "wrap_up", ""))
        seat.free_at = end

    def _judge(self, seat: Seat, channel: str, wait: int, is_complex: bool) -> tuple[bool | None, int, int | None, str]:
        """Whether it was solved, how often it came back, and what the customer said of it (1 to 5)."""
        rng = self._rng
        is_solved = rng.random() < 1.0 / (1.0 + math.exp(-(2.35 + seat.grip - 0.6 * is_complex)))
        reopened = 1 if rng.random() < (0.022 if is_solved else 0.14) else 0
        stars, comment = None, ""
        if rng.random() < RATED[channel]:
            odds = 2.95 + seat.warmth - min(1.8, wait / 240.0) - 0.35 * is_complex - (0.0 if is_solved else 1.7)
            is_glad = rng.random() < 1.0 / (1.0 + math.exp(-odds))
            roll = rng.random()
            stars = (5 if roll < 0.66 else 4) if is_glad else (3 if roll < 0.4 else 2 if roll < 0.65 else 1)
            if rng.random() < 0.12:
                comment = comment_on(self._team, stars, wait, rng)
        return (None if rng.random() < 0.05 else is_solved), reopened, stars, comment

    def _topic(self, is_complex: bool) -> str:
        simple, hard = self._topics
        return self._rng.choice(hard if is_complex else simple)

    def _customer(self, channel: str) -> str:
        """One of some thousand customers: the same person calls again."""
        number = int(self._rng.random() ** 1.5 * 9000)
        if channel == "phone":
            return f"{self._team.dial}{1000000 + number * 917 % 8999999}"
        return f"customer{number}.{self._team.line}@mail.example"


def _name(seat: Seat, channel: str) -> str:
    """How the platform of a channel calls the agent."""
    return seat.agent.extension if channel == "phone" else seat.agent.mail
