"""Expiry on three bases, windows, reminders, leave, policy changes, and what lapses."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as some

from training.plain.certificates import (
    Basis,
    Lapse,
    Publication,
    Right,
    Rule,
    Told,
    escalation,
    exception,
    expires_on,
    lapses,
    months_after,
    opens_on,
    reminder,
    told,
    with_leave,
    with_publications,
)
from training.plain.workdays import Span

BY_SIGNING, BY_FORMER = Rule(Basis.SIGNING), Rule(Basis.FORMER_EXPIRY)
BY_DAY = Rule(Basis.FIXED_DAY, fixed=(9, 1))
END = date(2027, 3, 1)


@pytest.mark.parametrize(
    ("rule", "signed_on", "former", "wanted"),
    [
        (BY_SIGNING, date(2026, 3, 1), None, END),
        (BY_SIGNING, date(2027, 2, 20), END, date(2028, 2, 20)),  # ten days early are ten days lost
        (BY_SIGNING, date(2028, 2, 29), None, date(2029, 2, 28)),
        (Rule(Basis.SIGNING, months=1), date(2027, 1, 31), None, date(2027, 2, 28)),
        (Rule(Basis.SIGNING, months=6), date(2026, 8, 31), None, date(2027, 2, 28)),
        (Rule(Basis.SIGNING, months=1), date(2027, 2, 20), END, date(2027, 3, 20)),
        (Rule(Basis.SIGNING, months=1), date(2026, 12, 20), END, END),  # never shorter than it was
        (BY_FORMER, date(2026, 3, 1), None, END),
        (BY_FORMER, date(2026, 12, 31), END, date(2028, 3, 1)),  # the first day of the window
        (BY_FORMER, date(2026, 12, 30), END, date(2027, 12, 30)),  # a day too early: from the signing
        (BY_FORMER, date(2027, 2, 28), END, date(2028, 3, 1)),
        (BY_FORMER, END, END, date(2028, 3, 1)),  # expired: from the signing
        (BY_FORMER, date(2027, 5, 10), END, date(2028, 5, 10)),
        (BY_DAY, date(2026, 3, 1), None, date(2026, 9, 1)),
        (BY_DAY, date(2026, 6, 3), None, date(2026, 9, 1)),  # ninety days before
        (BY_DAY, date(2026, 6, 4), None, date(2027, 9, 1)),
        (BY_DAY, date(2026, 8, 15), date(2026, 9, 1), date(2027, 9, 1)),
        (BY_DAY, date(2026, 1, 15), date(2026, 9, 1), date(2026, 9, 1)),  # early, and not shorter
        (Rule(Basis.FIXED_DAY, fixed=(2, 29)), date(2026, 6, 1), None, date(2027, 3, 1)),
        (Rule(Basis.FIXED_DAY, fixed=(2, 29)), date(2027, 6, 1), None, date(2028, 2, 29)),
    ],
)
def test_expiry(rule, signed_on, former, wanted):
    assert expires_on(rule, signed_on, former) == wanted


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: Rule(Basis.SIGNING, months=0), "at least one month"),
        (lambda: Rule(Basis.FIXED_DAY), "Give the day of the year"),
        (lambda: Rule(Basis.SIGNING, fixed=(9, 1)), "and only there"),
        (lambda: Rule(Basis.FIXED_DAY, fixed=(2, 30)), "such as 1 September"),
    ],
)
def test_rules_that_are_refused(call, said):
    with pytest.raises(ValueError, match=said):
        call()


def test_the_window():
    assert opens_on(BY_SIGNING, END) == date(2026, 12, 31)


@pytest.mark.parametrize(
    ("today", "sent", "wanted"),
    [
        (date(2027, 1, 29), (), None),  # 31 days left
        (date(2027, 1, 30), (), 30),
        (date(2027, 1, 30), (30,), None),
        (date(2027, 2, 10), (30,), None),
        (date(2027, 2, 10), (), 30),  # its night was missed
        (date(2027, 2, 24), (30,), 7),  # that of 14 too: only the latest is sent
        (date(2027, 2, 27), (30, 14, 7), None),
        (date(2027, 2, 28), (30, 14, 7), 1),
        (END, (30, 14, 7), None),  # it is over: that is told otherwise
    ],
)
def test_reminders(today, sent, wanted):
    assert reminder(BY_SIGNING, END, today, sent) == wanted


@pytest.mark.parametrize(
    ("today", "wanted"),
    [
        (date(2027, 1, 29), ()),
        (date(2027, 1, 30), (Told.AGENT,)),
        (date(2027, 2, 21), (Told.AGENT,)),
        (date(2027, 2, 22), (Told.AGENT, Told.LEAD)),
        (date(2027, 2, 28), (Told.AGENT, Told.LEAD)),
        (END, (Told.AGENT, Told.LEAD, Told.HR)),
    ],
)
def test_escalation(today, wanted):
    assert escalation(BY_SIGNING, END, today) == wanted


@pytest.mark.parametrize(
    ("leave", "wanted"),
    [
        (Span(date(2026, 12, 31), date(2027, 2, 28)), date(2027, 3, 8)),  # the whole window: back on 1 March
        (Span(date(2026, 10, 1), date(2027, 6, 30)), date(2027, 7, 8)),
        (Span(date(2027, 1, 1), date(2027, 6, 30)), END),  # one day was left to renew
        (Span(date(2026, 10, 1), date(2027, 2, 27)), END),
    ],
)
def test_a_leave_over_the_whole_window_puts_it_off(leave, wanted):
    assert with_leave(BY_SIGNING, END, [Span(date(2026, 5, 1), date(2026, 5, 9)), leave]) == wanted


def test_who_is_away_while_a_new_policy_comes_out_signs_it_after_coming_back():
    policy = Publication(2, date(2026, 11, 2), 14)
    ends = with_publications(END, 1, [policy])
    away = [Span(date(2026, 10, 26), date(2026, 11, 20))]
    assert ends == date(2026, 11, 16)
    assert with_leave(BY_SIGNING, ends, away) == ends  # of the window of sixty days much was left
    assert with_leave(BY_SIGNING, ends, away, policy.published_on) == date(2026, 11, 28)


def test_a_new_major_version_ends_older_signatures_after_its_grace():
    two, three = Publication(2, date(2026, 11, 2), 30), Publication(3, date(2026, 11, 16), 7)
    assert with_publications(END, 1, [two]) == date(2026, 12, 2)
    assert with_publications(END, 1, [two, three]) == date(2026, 11, 23)
    assert with_publications(END, 2, [two, three]) == date(2026, 11, 23)
    assert with_publications(END, 3, [two, three]) == END
    assert with_publications(date(2026, 11, 5), 1, [two]) == date(2026, 11, 5)  # grace makes nothing longer


NEEDS = {"security": frozenset(Right), "privacy": {Right.EXPORTING}}


def test_rights_end_with_the_first_certificate_they_need():
    found = lapses(NEEDS, {"security": END, "privacy": date(2027, 1, 10)})
    assert found == (
        Lapse(Right.SENSITIVE_QUEUES, END, ("security",)),
        Lapse(Right.APPROVING, END, ("security",)),
        Lapse(Right.EXPORTING, date(2027, 1, 10), ("privacy",)),
    )
    assert not found[0].is_lapsed(date(2027, 2, 28)) and found[0].is_lapsed(END)
    assert lapses(NEEDS, {"security": END})[2] == Lapse(Right.EXPORTING, None, ("privacy",))
    assert lapses(NEEDS, {"security": END, "privacy": END})[2].certificates == ("privacy", "security")
    assert lapses({}, {}) == ()


def test_what_ends_is_told_with_what_to_do():
    lapse = Lapse(Right.EXPORTING, END, ("Privacy",))
    assert told(lapse, date(2027, 2, 1)) == "No exporting from 2027-03-01 on unless this is renewed before: Privacy."
    assert told(lapse, END) == "No exporting since 2027-03-01: renew Privacy."
    assert told(Lapse(Right.APPROVING, None, ("A", "B")), END) == "No approving before this is signed: A, B."


def test_an_exception_gives_a_right_back_for_at_most_seven_days_of_a_lapse():
    lapse = Lapse(Right.APPROVING, END, ("security",))
    first = exception(END, date(2027, 3, 3), 4)
    assert first == Span(date(2027, 3, 3), date(2027, 3, 6))
    assert not lapse.is_lapsed(date(2027, 3, 6), [first]) and lapse.is_lapsed(date(2027, 3, 7), [first])
    assert exception(END, END, 1) == Span(END, END)
    assert exception(END, date(2027, 3, 7), 3, [first]).last == date(2027, 3, 9)
    assert exception(END, date(2027, 3, 5), 5, [first]).last == date(2027, 3, 9)  # the same days count once
    assert exception(END, END, 7, [Span(date(2026, 3, 1), date(2026, 3, 7))]).last == date(
        2027, 3, 7
    )  # of another lapse


@pytest.mark.parametrize(
    ("first", "days", "said"),
    [
        (END, 8, "8 days without a valid certificate, at most 7 are allowed"),
        (date(2027, 3, 10), 5, "9 days without"),
        (date(2027, 2, 28), 2, "Nothing has lapsed by then; ask for an exception from 2027-03-01 on"),
        (END, 0, "at least one day"),
    ],
)
def test_exceptions_that_are_refused(first, days, said):
    with pytest.raises(ValueError, match=said):
        exception(END, first, days, [Span(date(2027, 3, 3), date(2027, 3, 6))] if days == 5 else [])


days = some.dates(date(2024, 1, 1), date(2032, 12, 31))


@effort(max_examples=80, deadline=None)
@given(some.sampled_from([BY_SIGNING, BY_FORMER, BY_DAY]), days, some.none() | days)
def test_a_certificate_holds_on_the_day_it_is_signed_and_renewing_never_makes_it_shorter(rule, signed_on, former):
    found = expires_on(rule, signed_on, former)
    assert found > signed_on and (former is None or found >= former)


@effort(max_examples=60, deadline=None)
@given(days, some.integers(1, 40))
def test_months_later_is_that_month(day, months):
    found = months_after(day, months)
    assert (found.year - day.year) * 12 + found.month - day.month == months
    assert found.day == day.day or (found + timedelta(days=1)).day == 1
