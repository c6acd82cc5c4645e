"""The two questions of the screen, a filter by time zone, and how long data is kept."""

from datetime import date

import pytest

from training.plain.screening import (
    Answer,
    Asked,
    Check,
    Outcome,
    Predictor,
    erase_on,
    screen,
    zone_filter_lacks,
)

REMOTE = {Predictor.REMOTE: Answer(18, Check.REFERENCE)}
OWN = {Predictor.OWN_WORK: Answer(6, Check.PORTFOLIO)}


@pytest.mark.parametrize(
    ("answers", "asked", "outcome"),
    [
        (REMOTE, Asked.EITHER, Outcome.PASSED),
        (OWN, Asked.EITHER, Outcome.PASSED),
        (REMOTE, Asked.BOTH, Outcome.FAILED),
        (REMOTE | OWN, Asked.BOTH, Outcome.PASSED),
        ({}, Asked.EITHER, Outcome.FAILED),
        ({Predictor.REMOTE: Answer(5, Check.CONTRACT)}, Asked.EITHER, Outcome.FAILED),
        ({Predictor.REMOTE: Answer(40, Check.CONTRACT, is_full_time=False)}, Asked.EITHER, Outcome.FAILED),
        ({Predictor.REMOTE: Answer(40, Check.NOT_YET)}, Asked.EITHER, Outcome.TO_CHECK),
        (OWN | {Predictor.REMOTE: Answer(40, Check.NOT_YET)}, Asked.BOTH, Outcome.TO_CHECK),
    ],
)
def test_what_the_answers_come_to(answers, asked, outcome):
    assert screen(answers, asked).outcome is outcome


def test_what_was_found_is_told():
    found = screen({Predictor.REMOTE: Answer(40, Check.CONTRACT, is_full_time=False)}, Asked.EITHER)
    assert found.words == (
        "40 months of full-time remote work, but part time: that does not count.",
        "No freelance work or an own business.",
        "This vacancy asks for more: reject with this reason, or ask for an exception.",
    )
    assert screen({Predictor.REMOTE: Answer(1, Check.CONTRACT)}, Asked.EITHER).words[0] == (
        "1 month of full-time remote work, at least 6 are asked for."
    )
    assert screen(OWN, Asked.EITHER).words[1] == "6 months of freelance work or an own business, checked."
    assert screen(REMOTE | OWN, Asked.BOTH).met == set(Predictor)


def test_an_exception_goes_on_and_is_named_as_one():
    found = screen({}, Asked.BOTH, has_exception=True)
    assert (found.outcome, found.met, found.words[-1]) == (
        Outcome.BY_EXCEPTION,
        frozenset(),
        "Goes on by an exception that was approved.",
    )
    assert screen(REMOTE, Asked.EITHER, has_exception=True).outcome is Outcome.PASSED


def test_a_filter_by_time_zone_needs_a_reason():
    assert zone_filter_lacks([], "") == zone_filter_lacks(["Asia/Tokyo"], "calls in Japan from 9 to 12") == ""
    assert "Time zones tell nothing" in zone_filter_lacks(["Asia/Tokyo"], "  wanted   ")


@pytest.mark.parametrize(
    ("more", "wanted"),
    [
        ({}, date(2027, 2, 28)),
        ({"months": 3}, date(2026, 11, 30)),
        ({"agreed_until": date(2027, 8, 31)}, date(2027, 8, 31)),
        ({"agreed_until": date(2026, 9, 1)}, date(2027, 2, 28)),
        ({"is_held": True}, None),
    ],
)
def test_what_is_known_of_rejected_people_is_erased(more, wanted):
    assert erase_on(date(2026, 8, 31), **more) == wanted


def test_data_is_kept_a_month_at_least():
    with pytest.raises(ValueError, match="at least one month"):
        erase_on(date(2026, 8, 31), months=0)
