"""Many who approve, reject, edit and withdraw one and the same request at one moment, on real connections.

However they meet: one outcome, one effect of what was last asked, and everybody else is told so. The control is the same with
the lock off: it must show more than one outcome or effect, or the test proves nothing.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import connection, connections, transaction

from approvals.models import ApprovalEvent, ApprovalRequest
from approvals.services import deciding, flow, requests
from teams.errors import Refused
from teams.models import Skill
from teams.scoping import Grant
from tests import make
from tests.approvals import kinds
from tests.approvals.kinds import effects, lead, steps
from tests.races.together import without_row_locks

pytestmark = pytest.mark.django_db(transaction=True)
State = ApprovalRequest.State
ENDS = ("approved", "rejected", "withdrawn")
TOLD = {"settled", "over", "already_decided", "stale"}
SIZES = [
    pytest.param(8, 6, id="few"),
    pytest.param(50, 200, id="many", marks=pytest.mark.drill),
]
MEET_SECONDS = 60


@dataclass
class Round:
    """What became of one request: the verbs that went through, the codes of the others, and what stands."""

    done: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


class Crowd:
    """Threads with connections of their own that do their deeds all at once, round after round."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.start, self.end = threading.Barrier(size + 1), threading.Barrier(size + 1)
        self.deeds: list[Callable[[], Any]] = []
        self.results: list[Any] = [None] * size
        self.threads = [threading.Thread(target=self._live, args=(place,), daemon=True) for place in range(size)]
        for thread in self.threads:
            thread.start()

    def _live(self, place: int) -> None:
        try:
            while True:
                self.start.wait(MEET_SECONDS)
                if not self.deeds:
                    return
                try:
                    self.results[place] = self.deeds[place]()
                except Exception as error:
                    self.results[place] = error
                self.end.wait(MEET_SECONDS)
        except threading.BrokenBarrierError:
            return
        finally:
            connections.close_all()

    def do(self, deeds: list[Callable[[], Any]]) -> list[Any]:
        self.deeds = deeds
        self.start.wait(MEET_SECONDS)
        self.end.wait(MEET_SECONDS)
        return list(self.results)

    def leave(self) -> None:
        self.deeds = []
        self.start.wait(MEET_SECONDS)
        for thread in self.threads:
            thread.join(10)


@pytest.fixture
def crowd(request: pytest.FixtureRequest) -> Iterator[Callable[[int], Crowd]]:
    made: list[Crowd] = []

    def make_one(size: int) -> Crowd:
        made.append(Crowd(size))
        return made[0]

    yield make_one
    for each in made:
        each.leave()


@pytest.fixture
def leads(case):
    """Enough approvers that each presses for themselves, or twice."""
    people = [case.north.lead, case.hub.lead]
    for number in range(10):
        person = make.user(f"lead-{number}", is_staff=True)
        make.grant(person, case.north.team, Grant.LEAD)
        people.append(person)
    return people


def deeds_on(pk: int, size: int, case: Any, leads: list[Any]) -> list[tuple[str, Callable[[], Any]]]:
    """Of ten: four approve, three reject, two edit, one withdraws; one who approves has read the first version."""
    made: list[tuple[str, Callable[[], Any]]] = []
    for place in range(size):
        who, turn = leads[place % len(leads)], place % 10
        if turn < 4:
            version = 2 if turn == 3 else None
            made.append(("approved", lambda who=who, version=version: deciding.approve(pk, by=who, version=version)))
        elif turn < 7:
            made.append(("rejected", lambda who=who: deciding.reject(pk, by=who, words="no")))
        elif turn < 9:
            content = kinds.wish(case.skill, case.north.team, f"Edited {place}")
            made.append(("edited", lambda content=content: requests.edit(pk, content, by=case.agent)))
        else:
            made.append(("withdrawn", lambda: requests.withdraw(pk, by=case.agent)))
    return made


def judge(pk: int, deeds: list[tuple[str, Any]], results: list[Any], skill: Skill, before: int) -> Round:
    """Compare what the callers were told with what stands."""
    found = Round()
    withdrawn = 0
    for (name, _deed), result in zip(deeds, results, strict=True):
        if isinstance(result, Refused):
            found.codes[result.code] += 1
        elif isinstance(result, Exception):
            found.faults.append(f"{name}: {result!r}")
        elif name == "withdrawn":
            withdrawn += 1  # to withdraw twice is no second outcome: it changes nothing
        else:
            found.done[name] += 1
    found.done["withdrawn"] = min(withdrawn, 1)
    row = ApprovalRequest.objects.get(pk=pk)
    ends = sum(found.done[name] for name in ENDS)
    if ends != 1:
        found.faults.append(f"{ends} outcomes: {dict(found.done)}")
    marks = row.events.filter(kind__in=["approved", "rejected", "withdrawn"]).count()
    if marks != 1:
        found.faults.append(f"{marks} outcomes in the trace")
    done = effects(skill) - before
    if done != found.done["approved"] or done != row.events.filter(kind="applied").count():
        found.faults.append(f"{done} effects of {found.done['approved']} approvals")
    wanted = {"approved": State.APPLIED, "rejected": State.REJECTED, "withdrawn": State.WITHDRAWN}
    if ends == 1 and row.state != next(wanted[name] for name in ENDS if found.done[name]):
        found.faults.append(f"it is {row.state} after {dict(found.done)}")
    if row.state == State.APPLIED and Skill.objects.get(pk=skill.pk).name != row.content["name"]:
        found.faults.append("the effect is not that of the last content")
    if row.revision != 1 + found.done["edited"]:
        found.faults.append(f"{found.done['edited']} edits made revision {row.revision}")
    if set(found.codes) - TOLD:
        found.faults.append(f"told otherwise: {dict(found.codes)}")
    line = row.events.filter(kind="approved").first()
    if line is not None and line.content_hash != row.content_hash:
        found.faults.append("approved was another content than what was carried out")
    return found


def play(size: int, rounds: int, case: Any, leads: list[Any], crowd: Any) -> list[Round]:
    case.kind.policy = steps(lead())
    people, played = crowd(size), []
    for number in range(rounds):
        request = case.ask(name=f"Round {number}")
        before = effects(case.skill)
        deeds = deeds_on(request.pk, size, case, leads)
        deeds = deeds[number % size :] + deeds[: number % size]
        results = people.do([deed for _name, deed in deeds])
        played.append(judge(request.pk, deeds, results, case.skill, before))
        state = ApprovalRequest.objects.get(pk=request.pk).state
        if state not in flow.FINAL:  # the control may leave anything behind
            ApprovalRequest.objects.filter(pk=request.pk).update(subject_key=f"gone:{request.pk}")
    return played


@pytest.mark.parametrize(("size", "rounds"), SIZES)
def test_one_outcome_and_one_effect_however_many_press_at_once(size, rounds, case, leads, crowd):
    played = play(size, rounds, case, leads, crowd)
    assert [each.faults for each in played if each.faults] == []
    outcomes = Counter(name for each in played for name in ENDS if each.done[name])
    told = sum((each.codes for each in played), Counter())
    print(f"{size} at once, {rounds} rounds: {dict(outcomes)}, told otherwise {dict(told)}")
    assert sum(outcomes.values()) == rounds
    assert sum(told.values()) >= rounds, "nobody met anybody"


@pytest.mark.parametrize(("size", "rounds"), SIZES)
def test_without_the_lock_the_same_shows_more_than_one_outcome(size, rounds, case, leads, crowd, monkeypatch):
    """The control. Locks are taken for reading, and those who read a request meet before they go on."""
    meeting = threading.Barrier(2)
    take = requests.take

    def met(*args: Any, **kwargs: Any) -> Any:
        row = take(*args, **kwargs)
        try:
            meeting.wait(0.02)
        except threading.BrokenBarrierError:
            meeting.reset()
        return row

    without_row_locks(monkeypatch)
    monkeypatch.setattr(deciding, "take", met)
    played = play(size, min(rounds, 10), case, leads, crowd)
    assert any(each.faults for each in played), "the control shows no fault, so this test is void"


def test_two_approvers_of_one_step_leave_one_decision(case, leads, crowd):
    """One person presses twice, another once: one decision in the trace, one notice to who asked."""
    request = case.ask()
    results = crowd(3).do(
        [lambda who=who: deciding.approve(request.pk, by=who) for who in (leads[0], leads[0], leads[1])]
    )
    codes = sorted(result.code for result in results if isinstance(result, Refused))
    assert len(codes) == 2 and set(codes) <= {"settled", "already_decided"}
    assert ApprovalEvent.objects.filter(request=request, kind="approved").count() == 1
    assert effects(case.skill) == 1


def test_asked_twice_at_once_is_one_request(case, crowd):
    def ask(number: int) -> Any:
        try:
            with transaction.atomic():
                return case.ask(name=f"Name {number}")
        finally:
            connection.close()

    results = crowd(6).do([lambda number=number: ask(number) for number in range(6)])
    codes = [result.code for result in results if isinstance(result, Refused)]
    assert codes == ["already_open"] * 5
    assert ApprovalRequest.objects.count() == 1
