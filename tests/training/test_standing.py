"""What is due, late, waiting and missing for a person on a day."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest

from tests.training.lists import checklist, measured, task
from training.plain.checklists import Owner, Who, read
from training.plain.joining import joining
from training.plain.standing import (
    Entry,
    State,
    blocked,
    due_by,
    outside,
    overdue,
    readiness,
    share_done,
    standings,
)
from training.plain.workdays import Calendar, Span

MONDAY = date(2026, 11, 30)
DONE = Entry(MONDAY)
LIST = read(
    checklist(
        task("contract", offset=-5, weight=2),
        task("laptop", offset=-10, owner="it", evidence={"kind": "link", "limits": []}),
        task("network", offset=-3, evidence=measured(), blocks_live=True),
        task("vpn", depends_on=["laptop", "contract"], blocks_live=True),
        task("tour", offset=1, owner="trainer", depends_on=["vpn"]),
        task("photo", offset=-3, is_optional=True),
    )
)


def found(entries, today=MONDAY, calendar=None, starts_on=MONDAY):
    tasks = LIST.for_person(Who("agent"))
    return standings(tasks, entries, starts_on=starts_on, today=today, is_worked=calendar or Calendar())


def keys(rows):
    return [each.task.key for each in rows]


def test_due_days_go_around_public_days_and_weekends():
    public = Calendar(public=frozenset(Span(date(2026, 10, 1), date(2026, 10, 7)).days()))
    due = {each.task.key: each.due_on for each in found({}, calendar=public, starts_on=date(2026, 10, 8))}
    assert due["contract"] == date(2026, 9, 24) and due["network"] == date(2026, 9, 28)
    assert due["vpn"] == date(2026, 10, 8) and due["tour"] == date(2026, 10, 9)


def test_what_waits_is_held_up_by_the_beginnings_of_its_chain():
    rows = {each.task.key: each for each in found({})}
    assert rows["vpn"].state is State.WAITING and rows["contract"].state is State.OPEN
    assert [task.key for task in rows["tour"].held_up_by] == ["laptop", "contract"]
    rows = {each.task.key: each for each in found({"contract": DONE})}
    assert [task.key for task in rows["tour"].held_up_by] == ["laptop"]
    rows = {each.task.key: each for each in found({"contract": DONE, "laptop": Entry(MONDAY, "https://x/1")})}
    assert rows["vpn"].state is State.OPEN and [task.key for task in rows["tour"].held_up_by] == ["vpn"]


def test_blocked_and_overdue_lie_with_whom_they_wait_for():
    rows = found({"contract": DONE}, today=date(2026, 12, 2))
    assert {owner: keys(each) for owner, each in blocked(rows).items()} == {Owner.IT: ["vpn", "tour"]}
    late = overdue(rows)
    assert {owner: keys(each) for owner, each in late.items()} == {
        Owner.HIRE: ["network", "photo"],
        Owner.IT: ["laptop", "vpn", "tour"],
    }
    assert [each.late for each in late[Owner.IT]] == [12, 2, 1]  # working days


def test_a_task_due_today_is_not_late_and_a_weekend_makes_nothing_later():
    friday = found({}, today=date(2026, 11, 27), starts_on=date(2026, 11, 27))
    assert [each.late for each in friday if each.task.key == "vpn"] == [0]
    sunday = found({}, today=date(2026, 11, 29), starts_on=date(2026, 11, 27))
    assert [each.late for each in sunday if each.task.key == "vpn"] == [0]


def test_due_by_a_day_the_longest_due_first():
    assert keys(due_by(found({"contract": DONE}), date(2026, 11, 25))) == ["laptop", "network", "photo"]
    assert keys(due_by(found({"contract": DONE}), date(2026, 11, 24))) == ["laptop"]


def test_readiness_says_what_is_missing_by_how_much_and_who_comes_first():
    told = readiness(found({"contract": DONE, "network": Entry(MONDAY, values={"Download": Decimal("12.5")})}))
    assert not told.is_ready
    assert told.missing == (
        "Network (New colleague, due 2026-11-25): Download is 12.5 Mbit/s, at least 25 needed.",
        "Vpn (New colleague, due 2026-11-30): not done yet. First: Laptop (IT).",
    )
    good = {"network": Entry(MONDAY, values={"Download": Decimal(25)}), "vpn": DONE}
    assert readiness(found(good)) == readiness(()) and readiness(found(good)).is_ready


@pytest.mark.parametrize(
    ("entry", "lacking"),
    [
        (Entry(), "not done yet"),
        (DONE, "the link is missing"),
        (Entry(MONDAY, "  "), "the link is missing"),
        (Entry(left_out_because="no need"), "not done yet"),  # it is not optional
    ],
)
def test_a_tick_without_its_evidence_is_not_green(entry, lacking):
    laptop = next(each for each in found({"laptop": entry}) if each.task.key == "laptop")
    assert laptop.lacking == (lacking,) and not laptop.is_green


def test_what_is_left_out_with_a_reason_is_green_and_weighs_nothing():
    rows = found({"photo": Entry(left_out_because="a shared flat"), "contract": DONE})
    photo = next(each for each in rows if each.task.key == "photo")
    assert photo.state is State.LEFT_OUT and photo.is_green
    assert share_done(rows) == Fraction(2, 6)
    assert share_done(()) == 1


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, ["Delay was not measured"]),
        ({"Delay": Decimal("NaN")}, ["Delay was not measured"]),
        ({"Delay": Decimal(150)}, []),
        ({"Delay": Decimal("150.01")}, ["Delay is 150.01 ms, at most 150 allowed"]),
    ],
)
def test_limits_themselves_are_good(values, said):
    (limits,) = (read(checklist(task("t", evidence=measured("Delay", "ms", None, "150")))).tasks[0].limits,)
    assert list(outside(limits, values)) == said


def test_a_hire_who_has_done_everything_is_ready_and_wholly_done():
    tasks = read(joining()).for_person(Who("agent", "home", "CN"))
    values = {limit.name: limit.at_least or limit.at_most for each in tasks for limit in each.limits}
    values = {name: Decimal(value.numerator) / value.denominator for name, value in values.items()}
    entries = {each.key: Entry(MONDAY, "given", values) for each in tasks}
    rows = standings(tasks, entries, starts_on=MONDAY, today=date(2027, 6, 1), is_worked=Calendar())
    assert readiness(rows).is_ready and share_done(rows) == 1 and overdue(rows) == blocked(rows) == {}
    nothing = standings(tasks, {}, starts_on=MONDAY, today=MONDAY, is_worked=Calendar())
    assert len(readiness(nothing).missing) == 11 and share_done(nothing) == 0
