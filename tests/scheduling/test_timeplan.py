"""Time plans: the fixed order of the rules, and every answer against a clock that is read minute by minute."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduling.plain import planform
from scheduling.plain.probe import explain
from scheduling.plain.timeplan import (
    Layer,
    after,
    between,
    hours_in_words,
    impact,
    next_change,
    open_spans,
    segments,
    state_at,
)
from tests.scheduling.plans import OFFICE, WORKING_WEEK, closure, made, plan, special, week

SHANGHAI = ZoneInfo("Asia/Shanghai")
ALWAYS = week(*[[["00:00", "24:00"]]] * 7)


def at(text, zone=SHANGHAI):
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def spans(which, first, last, zone=SHANGHAI):
    """Open spans of some days as local texts."""
    return [
        (f"{a.astimezone(zone):%d %H:%M}", f"{b.astimezone(zone):%d %H:%M}")
        for a, b in open_spans(which, at(first, zone), at(last, zone))
    ]


# -- the order -------------------------------------------------------------------------------------------------------------

HOLIDAY = special("2026-03-04", name="Founding day")
WORKDAY = special("2026-03-04", [["10:00", "16:00"]], name="Stocktaking")
EMERGENCY = closure("2026-03-04T11:00:00+08:00", None, "Power cut")


@pytest.mark.parametrize(
    ("more", "is_open", "layer", "words"),
    [
        ({}, True, "weekly", "Open by the weekly hours of Wednesday."),
        ({"holidays": [HOLIDAY]}, False, "holiday", "Closed by the holiday “Founding day” of 2026-03-04."),
        (
            {"holidays": [HOLIDAY], "workdays": [WORKDAY]},
            True,
            "workday",
            "Open by the custom workday “Stocktaking” of 2026-03-04.",
        ),
        (
            {
                "holidays": [HOLIDAY],
                "workdays": [WORKDAY],
                "closures": [closure("2026-03-04T11:00", "2026-03-04T13:00")],
            },
            False,
            "closure",
            "Closed by the one-off closure “Works”.",
        ),
        (
            {
                "holidays": [HOLIDAY],
                "workdays": [WORKDAY],
                "closures": [closure("2026-03-04T11:00", "2026-03-04T13:00")],
                "emergencies": [EMERGENCY],
            },
            False,
            "emergency",
            "Closed by the emergency closure “Power cut”.",
        ),
    ],
)
def test_the_stronger_rule_decides_and_says_so(more, is_open, layer, words):
    state = state_at(plan(**more), at("2026-03-04T12:00"))
    assert (state.is_open, state.rule.layer, state.words) == (is_open, layer, words)
    lines = explain(plan(**more), at("2026-03-04T12:00"))
    assert [line.layer for line in lines] == list(Layer)
    assert [(line.layer, line.words) for line in lines if line.decides] == [(layer, words)]


def test_the_probe_tells_what_was_overruled():
    which = plan(
        holidays=[HOLIDAY],
        workdays=[WORKDAY],
        closures=[closure("2026-03-04T11:00", "2026-03-04T13:00")],
        emergencies=[EMERGENCY],
    )
    assert [line.words for line in explain(which, at("2026-03-04T12:00"))] == [
        "Closed by the emergency closure “Power cut”.",
        "“Works”, overruled",
        "“Stocktaking”, overruled",
        "“Founding day”, overruled",
        "Weekly hours of Wednesday: 09:00–18:00, overruled",
    ]
    quiet = explain(plan(), at("2026-03-07T12:00"))
    assert [line.words for line in quiet] == [
        "No emergency closure.",
        "No one-off closure.",
        "No custom workday.",
        "No holiday.",
        "Closed: outside the weekly hours of Saturday.",
    ]


OFF, OWN_OFF = special("2026-02-16", kind="statutory"), special("2026-02-16")
MAKE_UP, OWN_WORK = special("2026-02-16", OFFICE, kind="make_up"), special("2026-02-16", OFFICE)


@pytest.mark.parametrize(
    ("both", "workday", "holiday", "is_open"),
    [
        ("workday", OWN_WORK, OFF, True),
        ("holiday", OWN_WORK, OFF, False),
        ("holiday", MAKE_UP, OWN_OFF, False),
        ("law", OWN_WORK, OFF, False),
        ("law", OWN_WORK, special("2026-02-16", kind="swapped"), False),
        ("law", MAKE_UP, OWN_OFF, True),
        ("law", OWN_WORK, OWN_OFF, True),
    ],
)
def test_a_workday_within_a_holiday_is_decided_by_the_choice_of_the_plan(both, workday, holiday, is_open):
    which = plan(both=both, workdays=[workday], holidays=[holiday])
    assert state_at(which, at("2026-02-16T12:00")).is_open is is_open


def test_a_make_up_workday_opens_a_saturday_and_is_called_so():
    which = plan(workdays=[special("2026-02-14", OFFICE, kind="make_up", name="Spring Festival")])
    state = state_at(which, at("2026-02-14T09:00"))
    assert state.words == "Open by the make-up workday “Spring Festival” of 2026-02-14."
    late = state_at(which, at("2026-02-14T18:00"))
    assert late.words == "Closed: outside the hours of the custom workday “Spring Festival” of 2026-02-14."


def test_part_of_a_holiday_is_open():
    which = plan(holidays=[special("2026-02-16", [["09:00", "12:00"]], name="New Year's Eve")])
    assert state_at(which, at("2026-02-16T11:59")).words.startswith("Open by the hours kept on the holiday")
    assert state_at(which, at("2026-02-16T12:00")).words.startswith("Closed by the holiday")
    assert spans(which, "2026-02-16T00:00", "2026-02-17T00:00") == [("16 09:00", "16 12:00")]


NIGHTS = week(*[[["22:00", "06:00"]]] * 7)


def test_a_night_belongs_to_the_day_on_which_it_begins():
    which = plan(weeks=[week([["22:00", "06:00"]], *[[]] * 6)])
    assert spans(which, "2026-03-01T00:00", "2026-03-04T00:00") == [("02 22:00", "03 06:00")]
    assert state_at(which, at("2026-03-03T03:00")).words == "Open by the weekly hours of Monday."
    assert hours_in_words(which.weeks[0].days[0]) == "22:00–06:00 (next day)"
    assert hours_in_words(()) == "no hours"


@pytest.mark.parametrize(
    ("nights", "expected"),
    [
        ("run_on", [("02 22:00", "03 06:00"), ("04 22:00", "05 06:00")]),
        ("end_at_midnight", [("02 22:00", "03 00:00"), ("04 22:00", "05 06:00")]),
    ],
)
def test_whether_a_night_runs_on_into_a_holiday_is_chosen(nights, expected):
    which = plan(weeks=[NIGHTS], holidays=[special("2026-03-03")], nights=nights)
    assert spans(which, "2026-03-02T12:00", "2026-03-05T12:00") == expected


def test_weekly_hours_hold_from_their_date():
    summer = week(*[[["08:00", "14:00"]]] * 5, [], [], since="2026-07-01")
    which = plan(weeks=[week(*WORKING_WEEK, since="2026-06-30"), summer])
    assert spans(which, "2026-06-28T00:00", "2026-07-02T00:00") == [("30 09:00", "30 18:00"), ("01 08:00", "01 14:00")]
    early = state_at(which, at("2026-06-29T12:00"))
    assert (early.is_open, early.words) == (False, "Closed: the first weekly hours of this plan begin later.")


def test_the_last_night_of_old_hours_is_worked_to_its_end():
    which = plan(weeks=[NIGHTS, week(*WORKING_WEEK, since="2026-07-01")])
    assert spans(which, "2026-06-30T12:00", "2026-07-02T00:00") == [("30 22:00", "01 06:00"), ("01 09:00", "01 18:00")]


# -- next change -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moment", "when", "opens"),
    [
        ("2026-03-06T08:59", "2026-03-06T09:00", True),
        ("2026-03-06T09:00", "2026-03-06T18:00", False),
        ("2026-03-06T18:00", "2026-03-09T09:00", True),
    ],
)
def test_next_change(moment, when, opens):
    change = next_change(plan(), at(moment))
    assert (change.at, change.becomes.is_open) == (at(when), opens)
    assert change.becomes == state_at(plan(), change.at)


def test_what_is_always_open_never_changes_until_something_is_entered():
    assert next_change(plan(weeks=[ALWAYS]), at("2026-03-06T12:00")) is None
    years_ahead = plan(weeks=[ALWAYS], holidays=[special("2029-01-01")])
    assert next_change(years_ahead, at("2026-03-06T12:00")).at == at("2029-01-01T00:00")


def test_an_emergency_without_an_end_lasts():
    which = plan(emergencies=[EMERGENCY])
    assert next_change(which, at("2026-03-04T09:30")).at == at("2026-03-04T11:00")
    assert next_change(which, at("2026-03-04T11:00")) is None
    with pytest.raises(ValueError, match="do not fit into 400 days"):
        after(which, at("2026-03-04T12:00"), 1)


# -- open time -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "minutes", "due"),
    [
        ("2026-03-06T17:00", 30, "2026-03-06T17:30"),
        ("2026-03-06T17:00", 60, "2026-03-06T18:00"),
        ("2026-03-06T17:00", 61, "2026-03-09T09:01"),
        ("2026-03-07T12:00", 0, "2026-03-09T09:00"),
        ("2026-03-06T12:00", 0, "2026-03-06T12:00"),
    ],
)
def test_after(start, minutes, due):
    assert after(plan(), at(start), minutes) == at(due)


@pytest.mark.parametrize(
    ("first", "last", "seconds"),
    [
        ("2026-03-06T17:59:30", "2026-03-09T09:00:15", 45),
        ("2026-03-07T00:00", "2026-03-09T00:00", 0),
        ("2026-03-06T18:00", "2026-03-06T12:00", 0),
        ("2026-03-02T00:00", "2026-03-09T00:00", 5 * 9 * 3600),
    ],
)
def test_between(first, last, seconds):
    assert between(plan(), at(first), at(last)) == seconds


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("America/New_York", "2026-03-08", 23),
        ("America/New_York", "2026-11-01", 25),
        ("Australia/Lord_Howe", "2026-04-05", 24.5),
        ("Australia/Lord_Howe", "2026-10-04", 23.5),
        ("Africa/Cairo", "2026-04-24", 23),  # 00:00 is skipped
        ("Asia/Beirut", "2026-03-29", 23),  # 00:00 is skipped
        ("America/Havana", "2026-11-01", 25),  # 00:00 comes twice
        ("Pacific/Apia", "2011-12-30", 0),  # the day is left out
        ("Asia/Shanghai", "2026-03-08", 24),
    ],
)
def test_a_whole_day_has_the_hours_it_has(zone, day, hours):
    on = date.fromisoformat(day)
    which = plan(zone=zone, weeks=[week(*[[]] * 7)], workdays=[special(day, [["00:00", "24:00"]])])
    around = datetime.combine(on, time(), UTC)
    assert between(which, around - timedelta(days=2), around + timedelta(days=3)) == hours * 3600


@pytest.mark.parametrize(
    ("day", "frame", "expected"),
    [
        ("2026-03-08", ["02:30", "05:00"], ("03:00", "05:00", 2.0)),  # begins when the clock has passed it
        ("2026-03-08", ["01:00", "02:30"], ("01:00", "03:00", 1.0)),
        ("2026-03-08", ["02:10", "02:50"], None),  # a frame the clock leaves out
        ("2026-11-01", ["01:30", "02:30"], ("01:30", "02:30", 2.0)),  # opens once, at the first 01:30
        ("2026-11-01", ["00:30", "01:30"], ("00:30", "01:30", 1.0)),  # closes once, at the first 01:30
    ],
)
def test_hours_within_a_clock_change_open_once_and_close_once(day, frame, expected):
    zone = ZoneInfo("America/New_York")
    which = plan(zone=str(zone), weeks=[week(*[[]] * 7)], workdays=[special(day, [frame])])
    found = open_spans(which, at(f"{day}T00:00", zone), at(f"{day}T23:00", zone))
    told = [
        (f"{a.astimezone(zone):%H:%M}", f"{b.astimezone(zone):%H:%M}", (b - a) / timedelta(hours=1)) for a, b in found
    ]
    assert told == ([expected] if expected else [])


def test_moments_without_a_zone_and_negative_minutes_are_refused():
    naive = datetime(2026, 3, 6, 12)  # noqa: DTZ001
    for asked in (lambda: state_at(plan(), naive), lambda: after(plan(), naive, 5), lambda: next_change(plan(), naive)):
        with pytest.raises(ValueError, match="has a zone"):
            asked()
    with pytest.raises(ValueError, match="runs forward"):
        after(plan(), at("2026-03-06T12:00"), -1)


# -- impact ----------------------------------------------------------------------------------------------------------------


def test_impact_lists_what_opens_and_what_closes():
    later = [["10:00", "19:00"]]
    new = plan(weeks=[week(*[later] * 5, [], [])], holidays=[special("2026-03-03", name="Founding day")])
    found = impact(plan(), new, at("2026-03-02T00:00"), at("2026-03-04T00:00"))
    told = [
        (f"{each.begins.astimezone(SHANGHAI):%d %H:%M}", f"{each.ends.astimezone(SHANGHAI):%d %H:%M}", each.opens)
        for each in found
    ]
    assert told == [
        ("02 09:00", "02 10:00", False),
        ("02 18:00", "02 19:00", True),
        ("03 09:00", "03 18:00", False),
    ]
    assert (found[2].was.layer, found[2].becomes.name) == (Layer.WEEKLY, "Founding day")
    assert impact(plan(), plan(), at("2026-03-02T00:00"), at("2027-03-02T00:00")) == []


def test_impact_across_zones():
    found = impact(plan(), plan(zone="Asia/Tokyo"), at("2026-03-02T00:00"), at("2026-03-03T00:00"))
    assert [(each.begins, each.ends, each.opens) for each in found] == [
        (at("2026-03-02T08:00"), at("2026-03-02T09:00"), True),
        (at("2026-03-02T17:00"), at("2026-03-02T18:00"), False),
    ]


# -- the form --------------------------------------------------------------------------------------------------------------

FULL = made(
    weeks=[week(*WORKING_WEEK), week(*[[["22:00", "06:00"], ["08:00", "12:00"]]] * 7, since="2026-07-01")],
    workdays=[special("2026-02-14", OFFICE, kind="make_up")],
    holidays=[special("2026-02-16", kind="statutory"), special("2026-02-20", [["09:00", "12:00"]], kind="swapped")],
    closures=[closure("2026-03-05T14:00", "2026-03-05T16:00")],
    emergencies=[EMERGENCY, closure("2026-05-01T00:00:00+00:00", "2026-05-01T01:00:00+00:00")],
)


def test_a_plan_read_and_written_is_the_same_plan():
    read = planform.read(FULL)
    assert planform.read(planform.as_json(read)) == read
    assert planform.as_json(read)["weeks"][1]["days"][0] == [["08:00", "12:00"], ["22:00", "06:00"]]


@pytest.mark.parametrize("name", sorted(planform.CHOICES))
def test_nothing_is_assumed(name):
    incomplete = made()
    del incomplete[name]
    with pytest.raises(ValueError, match=f"“{name}”: nothing is assumed"):
        planform.read(incomplete)


def days(*hours):
    return [week(list(hours), *[[]] * 6)]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"zone": "Beijing"}, "Beijing is not a time zone; write it as in Asia/Shanghai."),
        ({"zone": ["Asia/Shanghai"]}, "is not a time zone"),
        ({"both": "maybe"}, "In the time plan “both” has to be one of: workday, holiday, law."),
        ({"nights": None}, "“nights” has to be one of: run_on, end_at_midnight"),
        ({"extra": 1}, "there is no choice named “extra”"),
        ({"weeks": []}, "Of “weekly hours” there have to be 1 to 50, in a list."),
        ({"weeks": [week(*[[]] * 6)]}, "In weekly hours 1 there have to be seven days, Monday first."),
        ({"weeks": [week(*[[]] * 7)]}, "The time plan is never open; enter hours on at least one day."),
        (
            {"weeks": days(["09:00", "18:00"], ["17:00", "20:00"])},
            "In day 1 of weekly hours 1 the span to 18:00 overlaps the one",
        ),
        ({"weeks": days(["22:00", "06:00"], ["23:00", "23:30"])}, "the span to 06:00 overlaps the one from 23:00"),
        ({"weeks": days(["09:00", "09:00"])}, "for a whole day write 00:00, 24:00"),
        ({"weeks": days(["24:00", "06:00"])}, "to begin before 24:00"),
        ({"weeks": days(["9:00", "18:00"])}, "In day 1 of weekly hours 1 write times as in 09:00, up to 24:00."),
        ({"weeks": days(["09:00", "24:30"])}, "write times as in 09:00"),
        ({"weeks": days(["09:00"])}, "a span is a pair such as 09:00, 18:00"),
        ({"weeks": days(*[["09:00", "10:00"]] * 13)}, "a list of at most 12 spans"),
        (
            {"weeks": [week(*WORKING_WEEK)] * 2},
            "Only the first weekly hours hold without a date; say from when weekly hours 2 hold.",
        ),
        (
            {"weeks": [week(*WORKING_WEEK, since="2026-07-01")] * 2},
            "Weekly hours 2 do not begin after those before; sort them by date",
        ),
        (
            {"weeks": [week(*WORKING_WEEK, since="1 July")]},
            "In weekly hours 1 write dates as in 2026-10-01, from 2000 to 2099.",
        ),
        ({"workdays": [special("2026-02-14")]}, "In custom workday 1 enter hours; for a closed day enter a holiday."),
        ({"workdays": [special("2026-02-14", OFFICE, kind="statutory")]}, "has to be one of: own, make_up"),
        ({"holidays": [special("2026-02-16", kind="make_up")]}, "has to be one of: own, statutory, swapped"),
        ({"holidays": [special("2026-02-16", name=" ")]}, "In holiday 1 write a name of at most 200 characters."),
        ({"holidays": [special("2026-02-16")] * 2}, "2026-02-16 stands twice as a holiday; take one of them out."),
        ({"holidays": [special("2026-02-30")]}, "In holiday 1 write dates as in"),
        ({"holidays": [special(20260216)]}, "In holiday 1 write dates as in"),
        ({"holidays": ["2026-02-16"]}, "In holiday 1 the choices are missing."),
        ({"holidays": "2026-02-16"}, "Of “holiday” there have to be 0 to 2000"),
        ({"workdays": [MAKE_UP], "holidays": [OFF]}, "is a make-up workday and a day off by law"),
        (
            {"closures": [closure("2026-03-05T16:00", "2026-03-05T14:00")]},
            "In closure 1 the end is not after the beginning; swap them.",
        ),
        (
            {"closures": [closure("2026-03-05T14:00+08:00", None)]},
            "In closure 1 write local times as in 2026-10-01T14:00",
        ),
        (
            {"emergencies": [closure("2026-03-05T14:00", None)]},
            "In emergency closure 1 write moments with their offset",
        ),
        (
            {"emergencies": [closure("2026-03-05T14:00:00+08:00", "2026-03-05T05:00:00+00:00")]},
            "In emergency closure 1 the end is not after the beginning",
        ),
    ],
)
def test_refusals_name_the_place_and_the_remedy(more, said):
    with pytest.raises(ValueError) as told:
        planform.read(made(**more))
    assert said in str(told.value)


@pytest.mark.parametrize("odd", [None, 3, "plan", [], {"zone": "UTC"}])
def test_odd_forms_are_refused(odd):
    with pytest.raises(ValueError, match="In the time plan"):
        planform.read(odd)


def test_a_timetable_of_approvals_becomes_the_plan_that_says_the_same():
    timetable = {"zone": "Asia/Shanghai", "week": [[["09:00", "18:00"]]] * 5 + [[], []]}
    assert planform.read(planform.of_timetable(timetable)) == plan()


def test_copying_a_year_takes_own_days_and_leaves_those_by_law():
    which = plan(
        holidays=[
            special("2028-02-29"),
            special("2028-06-01", name="Founding day"),
            special("2028-10-01", kind="statutory"),
            special("2029-06-02", name="Second"),
        ],
        workdays=[special("2028-03-04", OFFICE)],
    )
    copied = planform.with_year_copied(which, 2028, 2029)
    assert [str(day.on) for day in copied.holidays if day.on.year == 2029] == ["2029-06-01", "2029-06-02"]
    assert [str(day.on) for day in copied.workdays] == ["2028-03-04", "2029-03-04"]
    assert planform.with_year_copied(copied, 2028, 2029) == copied


# -- minute by minute ------------------------------------------------------------------------------------------------------

CHANGES = {  # a moment shortly before a change of the clock, or an ordinary one
    "America/New_York": ("2026-03-08", "2026-11-01"),
    "Europe/London": ("2026-03-29", "2026-10-25"),
    "Australia/Lord_Howe": ("2026-04-05", "2026-10-04"),
    "Africa/Cairo": ("2026-04-24", "2026-10-30"),
    "Asia/Beirut": ("2026-03-29", "2026-10-25"),
    "America/Havana": ("2026-03-08", "2026-11-01"),
    "America/Santiago": ("2026-04-05", "2026-09-06"),
    "America/St_Johns": ("2006-04-02", "2006-10-29"),  # at one minute past midnight
    "Pacific/Apia": ("2011-12-30",),
    "Antarctica/Troll": ("2026-03-29", "2026-10-25"),
    "Asia/Shanghai": ("2026-02-16",),
    "Asia/Kathmandu": ("2026-02-16",),
}
MINUTE = timedelta(minutes=1)
WINDOW = 4 * 24 * 60


@lru_cache(maxsize=64)
def walk(zone, day):
    """For each minute of four days around `day`: the moment, and the latest wall clock that was shown so far."""
    tz, start = ZoneInfo(zone), datetime.combine(date.fromisoformat(day) - timedelta(days=2), time(), UTC)
    shown, latest = [], datetime.min  # noqa: DTZ901
    for minute in range(-24 * 60, WINDOW):
        moment = start + minute * MINUTE
        latest = max(latest, moment.astimezone(tz).replace(tzinfo=None))
        shown.append((moment, latest))
    return shown[24 * 60 :]


def says(form, wall, moment):
    """Whether a declared plan is open, read off the declaration alone."""

    def within(hours, day):
        for first, until in hours:
            begins = datetime.combine(day, time.fromisoformat(first))
            until_day = day if until > first else day + timedelta(days=1)
            midnight = until == "24:00"
            ends = datetime.combine(
                until_day + timedelta(days=midnight), time.fromisoformat("00:00" if midnight else until)
            )
            if begins <= wall < ends:
                return True
        return False

    def hours_of(day):
        workday = next((each for each in form["workdays"] if each["on"] == day.isoformat()), None)
        holiday = next((each for each in form["holidays"] if each["on"] == day.isoformat()), None)
        if workday and holiday:
            by_law = holiday["kind"] != "own" and workday["kind"] != "make_up"
            holiday_wins = {"workday": False, "holiday": True, "law": by_law}[form["both"]]
            workday, holiday = (None, holiday) if holiday_wins else (workday, None)
        if workday or holiday:
            return (workday or holiday)["hours"], bool(holiday)
        weeks = [each for each in form["weeks"] if each["from"] is None or each["from"] <= day.isoformat()]
        return (weeks[-1]["days"][day.weekday()] if weeks else []), False

    if any(moment >= datetime.fromisoformat(each["from"]) for each in form["emergencies"]):
        return False
    if any(each["from"] <= wall.isoformat() < each["until"] for each in form["closures"]):
        return False
    today, is_holiday = hours_of(wall.date())
    if within(today, wall.date()):
        return True
    if is_holiday and form["nights"] == "end_at_midnight":
        return False
    yesterday = wall.date() - timedelta(days=1)
    return within(hours_of(yesterday)[0], yesterday)


@st.composite
def declared(draw):
    """A plan whose every rule lies around a change of the clock, in half hours and odd minutes."""
    zone = draw(st.sampled_from(sorted(CHANGES)))
    day = draw(st.sampled_from(CHANGES[zone]))
    minute = st.sampled_from([0, 1, 30, 60, 75, 90, 120, 150, 180, 300, 540, 1080, 1320, 1380, 1439, 1440])
    around = [str(date.fromisoformat(day) + timedelta(days=away)) for away in (-2, -1, 0, 1)]

    def clock(number):
        return f"{number // 60:02d}:{number % 60:02d}"

    def hours(least=0):
        marks = sorted(draw(st.lists(minute, min_size=2 * least, max_size=4, unique=True)))
        found = [[clock(a), clock(b)] for a, b in zip(marks[::2], marks[1::2], strict=False)]
        if found and draw(st.booleans()) and found[-1][0] > found[0][0] != "00:00":
            found[-1][1] = found[0][0]
        return found

    def specials(kinds, least):
        on = draw(st.lists(st.sampled_from(around), max_size=2, unique=True))
        return [special(each, hours(least), kind=draw(st.sampled_from(kinds))) for each in on]

    daily = hours(1)
    weeks = [week(*[daily] * 7)]
    if draw(st.booleans()):
        weeks.append(week(*[hours() for _day in range(7)], since=around[1]))
    walls = sorted(
        draw(st.lists(st.tuples(st.sampled_from(around), minute.filter(lambda m: m < 1440)), max_size=2, unique=True))
    )
    texts = [f"{on}T{clock(number)}" for on, number in walls]
    late = draw(st.booleans()) and draw(st.booleans())
    return day, made(
        zone=zone,
        weeks=weeks,
        workdays=specials(["own"], 1),
        holidays=specials(["own", "statutory"], 0),
        closures=[closure(*texts)] if len(texts) == 2 else [],
        emergencies=[closure(f"{around[3]}T07:00:00+00:00", None)] if late else [],
        both=draw(st.sampled_from(["workday", "holiday", "law"])),
        nights=draw(st.sampled_from(["run_on", "end_at_midnight"])),
    )


@settings(max_examples=100, deadline=None)
@given(given_plan=declared(), first=st.integers(0, WINDOW - 1), minutes=st.integers(0, 2000))
def test_every_answer_is_that_of_a_clock_read_minute_by_minute(given_plan, first, minutes):
    day, form = given_plan
    which, minutes_of = planform.read(form), walk(form["zone"], day)
    opens = [says(form, wall, moment) for moment, wall in minutes_of]
    since, until = minutes_of[0][0], minutes_of[-1][0] + MINUTE

    pieces = list(segments(which, since, until))
    assert pieces[0].begins == since and pieces[-1].ends == until
    assert all(earlier.ends == later.begins for earlier, later in pairwise(pieces))
    found = [piece.is_open for piece in pieces for _minute in range((piece.ends - piece.begins) // MINUTE)]
    assert found == opens

    moment = minutes_of[first][0]
    assert state_at(which, moment).is_open is opens[first]
    assert between(which, moment, until) == 60 * sum(opens[first:])
    flips = next((place for place in range(first, WINDOW) if opens[place] != opens[first]), None)
    if flips is not None:
        assert next_change(which, moment).at == minutes_of[flips][0]
    counted = [place for place in range(first, WINDOW) if opens[place]]
    if 0 < minutes <= len(counted):
        assert after(which, moment, minutes) == minutes_of[counted[minutes - 1]][0] + MINUTE


@settings(max_examples=40, deadline=None)
@given(old=declared(), new=declared())
def test_impact_is_the_difference_of_two_plans(old, new):
    (day, form), (_day, other) = old, new
    first, second = planform.read(form), planform.read(other)
    since = datetime.combine(date.fromisoformat(day) - timedelta(days=2), time(), UTC)
    until = since + timedelta(days=4)
    gained = between(second, since, until) - between(first, since, until)
    found = impact(first, second, since, until)
    assert gained == sum((1 if each.opens else -1) * (each.ends - each.begins).total_seconds() for each in found)
    for each in found:
        assert state_at(first, each.begins).is_open is not each.opens
        assert state_at(second, each.begins).is_open is each.opens
        assert state_at(second, each.begins).rule == each.becomes
