"""iCalendar out, read by a calendar library; and in, from files that nobody checked."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from scheduling.plain import icalin
from scheduling.plain.ical import Shift, hours_in, hours_out, of_plan, of_shifts
from scheduling.plain.timeplan import Closure, Kind, Special, open_spans
from tests.scheduling.plans import OFFICE, closure, plan, special, week

NEW_YORK = ZoneInfo("America/New_York")
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
WORKED = ((540, 1080),)


def shift(begins, ends, **more):
    return Shift("s1", begins, ends, "早班；第一组, A", NOON, **more)


def events(raw):
    return list(Calendar.from_ical(raw).walk("VEVENT"))


# -- out -------------------------------------------------------------------------------------------------------------------


def test_a_shift_is_read_back_with_its_zone_block_across_a_clock_change():
    night = shift(
        datetime(2026, 3, 8, 1, tzinfo=NEW_YORK), datetime(2026, 3, 8, 9, tzinfo=NEW_YORK), note="a\nb", place="家"
    )
    raw = of_shifts([night], zone="America/New_York", name="张伟")
    zones = Calendar.from_ical(raw).walk("VTIMEZONE")
    assert [str(zone["tzid"]) for zone in zones] == ["America/New_York"]
    assert b"TZOFFSETFROM:-0500\r\nTZOFFSETTO:-0400" in raw
    [event] = events(raw)
    assert (event["dtstart"].dt, event["dtend"].dt) == (night.begins, night.ends)
    assert event["dtend"].dt - event["dtstart"].dt == timedelta(hours=8)  # of the wall clock; seven have passed
    assert (str(event["summary"]), str(event["description"]), str(event["location"])) == (
        "早班；第一组, A",
        "a\nb",
        "家",
    )
    assert str(event["status"]) == "CONFIRMED" and event["uid"] == "s1@outpost"
    assert raw == of_shifts([night], zone="America/New_York", name="张伟")


def test_the_hour_that_comes_twice_is_told_in_utc():
    begins = datetime(2026, 11, 1, 6, 30, tzinfo=UTC)  # 01:30 for the second time
    [event] = events(of_shifts([shift(begins, begins + timedelta(hours=8))], zone="America/New_York", name="A"))
    assert event["dtstart"].dt == begins
    assert event["dtend"].dt == begins + timedelta(hours=8)


def test_a_cancelled_shift_is_struck_out_by_a_higher_revision():
    raw = of_shifts([shift(NOON, NOON + timedelta(hours=1), revision=3, is_cancelled=True)], zone="UTC", name="A")
    [event] = events(raw)
    assert (str(event["status"]), event["sequence"]) == ("CANCELLED", 3)


def test_control_characters_and_line_breaks_cannot_add_lines():
    odd = Shift(
        "s1\r\nX:1", NOON, NOON + timedelta(hours=1), "a\x00\x07b\r\nBEGIN:VEVENT", NOON, note="c\r\nEND:VEVENT"
    )
    raw = of_shifts([odd], zone="UTC", name="x\r\nEND:VCALENDAR, y")
    [event] = events(raw)
    assert (str(event["summary"]), str(event["description"])) == ("ab BEGIN:VEVENT", "c\nEND:VEVENT")
    assert str(Calendar.from_ical(raw)["x-wr-calname"]) == "x END:VCALENDAR\\, y"
    assert raw.count(b"\r\nEND:VCALENDAR") == 1 and b"\x00" not in raw and b"\r\nX:1" not in raw


def test_no_shifts_are_a_calendar_still():
    assert events(of_shifts([], zone="Asia/Shanghai", name="A")) == []


def test_shifts_that_are_none_are_refused():
    with pytest.raises(ValueError, match="ends before it begins"):
        of_shifts([shift(NOON, NOON)], zone="UTC", name="A")
    with pytest.raises(ValueError, match="has a zone"):
        of_shifts([shift(NOON.replace(tzinfo=None), NOON)], zone="UTC", name="A")


FULL = plan(
    zone="America/New_York",
    weeks=[week(*[[["22:00", "06:00"]]] * 7)],
    workdays=[special("2026-03-07", [["09:00", "12:00"], ["22:00", "06:00"]], kind="make_up", name="补班")],
    holidays=[
        special("2026-03-05", kind="statutory", name="Day, one; \\ two"),
        special("2026-03-06", OFFICE, kind="swapped"),
        special("2026-05-06"),
    ],
    closures=[closure("2026-03-08T01:00", "2026-03-08T04:15", "迁移"), closure("2026-06-01T01:00", "2026-06-01T02:00")],
)
SINCE, UNTIL = date(2026, 3, 1), date(2026, 4, 1)


def out():
    return of_plan(FULL, SINCE, UNTIL, uid="plan7", name="夜间", changed_at=NOON)


def test_a_plan_shows_its_open_spans():
    begins, ends = datetime(2026, 3, 1, tzinfo=NEW_YORK), datetime(2026, 4, 1, tzinfo=NEW_YORK)
    told = [event for event in events(out()) if str(event["x-outpost-kind"]) == "open"]
    assert [(event["dtstart"].dt, event["dtend"].dt) for event in told] == open_spans(FULL, begins, ends)
    assert {str(event["summary"]) for event in told} == {"夜间"}
    uids = [event["uid"] for event in events(out())]
    assert len(set(uids)) == len(uids)


def test_a_plan_is_read_back_with_kinds_and_hours():
    found = icalin.read(out(), zone="America/New_York", since=SINCE, until=UNTIL)
    assert found.holidays == FULL.holidays[:2]
    assert found.workdays == FULL.workdays
    assert found.closures == FULL.closures[:1]
    assert found.remarks == ()


@pytest.mark.parametrize("hours", [(), ((0, 1440),), ((540, 720), (1320, 1800))])
def test_hours_as_text(hours):
    assert hours_in(hours_out(hours)) == hours


@pytest.mark.parametrize("text", ["9:00-18:00", "09:00", "09:00-18:00-19:00", "25:00-26:00", "x", "09:75-10:00"])
def test_hours_changed_by_hand_are_refused(text):
    with pytest.raises(ValueError, match=r".+"):
        hours_in(text)


# -- in --------------------------------------------------------------------------------------------------------------------


def file(*lines, ends="\r\n"):
    return (ends.join(["BEGIN:VCALENDAR", "VERSION:2.0", *lines, "END:VCALENDAR"]) + ends).encode()


def event(*lines):
    return ["BEGIN:VEVENT", "UID:e1", *lines, "END:VEVENT"]


def read(*lines, hours=WORKED, since=date(2026, 1, 1), until=date(2027, 1, 1), zone="Asia/Shanghai"):
    return icalin.read(file(*lines), zone=zone, since=since, until=until, make_up_hours=hours)


def off(on, name="Holiday"):
    return Special(date.fromisoformat(on), name, Kind.OWN, ())


def test_whole_days_are_holidays_and_the_end_is_not_one_of_them():
    found = read(*event("DTSTART;VALUE=DATE:20261001", "DTEND;VALUE=DATE:20261004", "SUMMARY:国庆节（休）"))
    assert [str(day.on) for day in found.holidays] == ["2026-10-01", "2026-10-02", "2026-10-03"]
    assert {(day.name, day.kind, day.hours) for day in found.holidays} == {("国庆节（休）", Kind.OWN, ())}
    assert (found.workdays, found.closures, found.remarks) == ((), (), ())


@pytest.mark.parametrize(
    "more",
    [
        (),
        ("DURATION:P1D",),
        ("DTEND;VALUE=DATE:20261001",),  # some programs take the end to be the day itself
    ],
)
def test_one_day_however_it_is_written(more):
    assert read(*event("DTSTART;VALUE=DATE:20261001", *more, "SUMMARY:Holiday")).holidays == (off("2026-10-01"),)


@pytest.mark.parametrize(
    "lines",
    [
        ("SUMMARY:国庆节（班）",),
        ("SUMMARY:国庆节 补班",),
        ("SUMMARY:Work", "X-APPLE-SPECIAL-DAY:ALTERNATE-WORKDAY"),
    ],
)
def test_make_up_workdays_are_known_by_their_marks(lines):
    found = read(*event("DTSTART;VALUE=DATE:20261010", *lines))
    assert [(str(day.on), day.kind, day.hours) for day in found.workdays] == [("2026-10-10", Kind.MAKE_UP, WORKED)]
    assert found.holidays == ()
    without = read(*event("DTSTART;VALUE=DATE:20261010", *lines), hours=())
    assert without.workdays == () and "choose hours and read again" in without.remarks[0]


@pytest.mark.parametrize(
    ("begins", "ends", "expected"),
    [
        (":20260305T060000Z", ":20260305T080000Z", ("14:00", "16:00")),
        (":20260305T140000", ":20260305T160000", ("14:00", "16:00")),  # of the plan's own clock
        (";TZID=Asia/Tokyo:20260305T140000", ";TZID=Asia/Tokyo:20260305T160000", ("13:00", "15:00")),
        (";TZID=China Standard Time:20260305T140000", ";TZID=China Standard Time:20260305T160000", ("14:00", "16:00")),
        (";TZID=Office:20260305T140000", ";TZID=Office:20260305T160000", ("16:30", "18:30")),  # by the zone of the file
        (":20260305T060030Z", ":20260305T080001Z", ("14:00", "16:01")),
    ],
)
def test_spans_of_hours_are_closures_on_the_clock_of_the_plan(begins, ends, expected):
    office = ["BEGIN:VTIMEZONE", "TZID:Office", "BEGIN:STANDARD", "DTSTART:19700101T000000", "TZOFFSETFROM:+0530"]
    office += ["TZOFFSETTO:+0530", "END:STANDARD", "END:VTIMEZONE"]
    found = read(*office, *event(f"DTSTART{begins}", f"DTEND{ends}", "SUMMARY:Works"))
    assert found.remarks == ()
    [closed] = found.closures
    assert (f"{closed.begins:%d %H:%M}", f"{closed.ends:%d %H:%M}") == (f"05 {expected[0]}", f"05 {expected[1]}")


# -- repeats ---------------------------------------------------------------------------------------------------------------


def starts(*lines):
    found = read(*event("SUMMARY:Holiday", *lines))
    return [str(day.on) for day in found.holidays], list(found.remarks)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("FREQ=YEARLY", ["2026-05-04"]),
        ("FREQ=YEARLY;BYMONTH=11;BYDAY=4TH", ["2026-11-26"]),
        ("FREQ=MONTHLY;BYMONTHDAY=-1;UNTIL=20260228", ["2026-01-31", "2026-02-28"]),
        ("FREQ=WEEKLY;INTERVAL=2;UNTIL=20260131", ["2026-01-05", "2026-01-19"]),
        ("FREQ=YEARLY;COUNT=3", []),
        ("FREQ=YEARLY;UNTIL=20251231T235959Z", []),
    ],
)
def test_repeats_within_the_dates_asked_for(rule, expected):
    assert starts("DTSTART;VALUE=DATE:20200504", f"RRULE:{rule}") == (expected, [])


def test_repeats_left_out_added_and_moved():
    found = read(
        *event(
            "DTSTART;TZID=Asia/Shanghai:20260105T120000",
            "DTEND;TZID=Asia/Shanghai:20260105T130000",
            "RRULE:FREQ=WEEKLY;COUNT=4",
            "EXDATE;TZID=Asia/Shanghai:20260112T120000",
            "RDATE;TZID=Asia/Shanghai:20260114T120000",
            "SUMMARY:Meeting",
        ),
        *event(
            "RECURRENCE-ID:20260119T040000Z",
            "DTSTART;TZID=Asia/Shanghai:20260120T150000",
            "DTEND;TZID=Asia/Shanghai:20260120T160000",
            "SUMMARY:Meeting",
        ),
    )
    assert [f"{each.begins:%d %H:%M}" for each in found.closures] == ["05 12:00", "14 12:00", "20 15:00", "26 12:00"]
    assert found.remarks == ()


def test_a_repeat_keeps_its_clock_across_a_clock_change():
    found = read(
        *event(
            "DTSTART;TZID=America/New_York:20260301T090000",
            "DTEND;TZID=America/New_York:20260301T100000",
            "RRULE:FREQ=WEEKLY;UNTIL=20260315T130000Z",
            "SUMMARY:Meeting",
        ),
        zone="UTC",
    )
    assert [f"{each.begins:%d %H:%M}" for each in found.closures] == ["01 14:00", "08 13:00", "15 13:00"]


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=SECONDLY",
        "FREQ=HOURLY",
        "FREQ=DAILY;BYHOUR=1,2,3",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=WEEKLY;BYSETPOS=5;BYDAY=MO",
        "GARBAGE",
        "FREQ=YEARLY;X=1",
    ],
)
def test_repeats_that_could_run_for_ever_are_left_out(rule):
    days, remarks = starts("DTSTART;VALUE=DATE:20260504", f"RRULE:{rule}")
    assert days == []
    assert remarks == ["“Holiday” was left out: its repeat is too unusual to follow; enter its days by hand."]


# -- odd files -------------------------------------------------------------------------------------------------------------

NO_CALENDAR = "This is not an iCalendar file; export the calendar again, as .ics."


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", NO_CALENDAR),
        (b"name,date\nA,2026-10-01\n", NO_CALENDAR),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), NO_CALENDAR),
        (b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:2026", "broken off or damaged"),
        (b"x" * 2_000_001, "The file is larger than 2 MB; export fewer years."),
        (file(*event("DTSTART;VALUE=DATE:20261001") * 5001), "The file has 5001 events, at most 5000 are read"),
    ],
)
def test_what_is_no_calendar_is_refused(raw, said):
    with pytest.raises(ValueError) as told:
        icalin.read(raw, zone="Asia/Shanghai", since=SINCE, until=UNTIL)
    assert said in str(told.value)


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ((), "it has no beginning."),
        (("DTSTART:garbage",), "it cannot be read; enter it by hand."),
        (("DTSTART;TZID=Nowhere/City:20261001T090000", "DURATION:PT1H"), "its time zone “Nowhere/City” is not known"),
        (("DTSTART;VALUE=DATE:20261001", "DTEND:20261002T000000Z"), "written in different ways"),
        (("DTSTART:20261001T090000", "DTEND:20261001T100000Z"), "written in different ways"),
        (("DTSTART;VALUE=DATE:20261002", "DTEND;VALUE=DATE:20261001"), "it ends before it begins"),
        (("DTSTART:20261001T100000Z", "DTEND:20261001T090000Z"), "it ends before it begins"),
        (("DTSTART:20261001T100000Z",), "it has no length; give it an end."),
        (("DTSTART;VALUE=DATE:20261001", "DURATION:P400D"), "it lasts longer than a year"),
        (("DTSTART;VALUE=DATE:18000101", "RRULE:FREQ=DAILY"), "it repeats since before 1900"),
        (("DTSTART;VALUE=DATE:20261001", "X-OUTPOST-KIND:holiday-mine"), "its mark was changed by hand"),
        (("DTSTART;VALUE=DATE:20261001", "X-OUTPOST-KIND:workday-own", "X-OUTPOST-HOURS:9-5"), "its mark was changed"),
    ],
)
def test_an_odd_event_is_left_out_with_a_remark_and_costs_no_other(lines, why):
    found = read(
        *event("SUMMARY:Odd", *lines),
        *event("DTSTART;VALUE=DATE:20261101", "SUMMARY:Holiday"),
    )
    assert found.holidays == (off("2026-11-01"),)
    assert found.closures == ()
    [remark] = found.remarks
    assert remark.startswith("“Odd” was left out: ") and why in remark


def test_odd_lines_names_and_encodings_are_borne():
    lines = ["SUMMARY:元旦", "SUMMARY:again", "DTSTART;VALUE=DATE:20260101", "NO COLON HERE", "X-ODD;;=:1"]
    assert read(*event(*lines)).holidays == (off("2026-01-01", "元旦"),)
    for raw in (
        file(*event("SUMMARY:元旦", "DTSTART;VALUE=DATE:20260101"), ends="\n"),
        b"\xef\xbb\xbf" + file(*event("SUMMARY:元旦", "DTSTART;VALUE=DATE:20260101")),
        file(*event("SUMMARY:元旦", "DTSTART;VALUE=DATE:20260101")).decode().encode("gb18030"),
        file(*event("SUMMARY:元旦", "DTSTART;VALUE=DATE:20260101")) * 2,
    ):
        found = icalin.read(raw, zone="Asia/Shanghai", since=date(2026, 1, 1), until=date(2027, 1, 1))
        assert found.holidays == (off("2026-01-01", "元旦"),)


def test_cancelled_events_and_shifts_are_passed_over():
    found = read(
        *event("DTSTART;VALUE=DATE:20260101", "STATUS:CANCELLED"),
        *event("DTSTART:20260101T000000Z", "DURATION:PT1H", "X-OUTPOST-KIND:shift"),
    )
    assert found == icalin.Found((), (), (), ())


def test_two_events_on_a_day_are_one_day_with_both_names_and_days_outside_are_counted():
    found = read(
        *event("DTSTART;VALUE=DATE:20260101", "SUMMARY:元旦"),
        *event("DTSTART;VALUE=DATE:20260101", "SUMMARY:New Year"),
        *event("DTSTART;VALUE=DATE:20250101", "SUMMARY:New Year"),
        *event("DTSTART:20280101T000000Z", "DURATION:PT1H"),
    )
    assert found.holidays == (off("2026-01-01", "元旦 / New Year"),)
    assert found.remarks == ("Outside 2026-01-01 to 2026-12-31: 2.",)


def test_remarks_come_to_an_end():
    found = read(*event("SUMMARY:Odd") * 60)
    assert len(found.remarks) == 51 and found.remarks[-1] == "10 more were left out."


PIECES = """BEGIN:VEVENT
END:VEVENT
BEGIN:VTIMEZONE
END:VTIMEZONE
BEGIN:VCALENDAR
END:VCALENDAR
UID:1
SUMMARY:班
DTSTART:20260101
DTSTART;VALUE=DATE:20260101
DTSTART;TZID=X:20260101T000000
DTSTART:99999999
DTSTART:00010101T000000Z
DTEND:20260102T000000Z
DTEND;VALUE=DATE:99991231
DURATION:-P1D
RRULE:FREQ=DAILY;COUNT=5
RRULE:FREQ=YEARLY;UNTIL=1
EXDATE:20260101
RDATE;VALUE=PERIOD:20260101T000000Z/PT1H
RECURRENCE-ID:20260101
TZOFFSETTO:+9999
 folded""".splitlines()


@settings(max_examples=150, deadline=None)
@example(lines=["RECURRENCE-ID:20260101", " folded"], cut=0)
@given(lines=st.lists(st.sampled_from(PIECES) | st.text(max_size=20), max_size=14), cut=st.integers(0, 40))
def test_no_file_does_more_than_be_refused_with_a_sentence(lines, cut):
    raw = file("BEGIN:VEVENT", "UID:1", "SUMMARY:x", *lines, "END:VEVENT")
    for each in (raw, raw[: len(raw) - cut]):
        try:
            found = icalin.read(
                each, zone="Asia/Shanghai", since=date(2026, 1, 1), until=date(2027, 1, 1), make_up_hours=WORKED
            )
        except ValueError as told:
            assert str(told).endswith((".", ".ics.")) and "export" in str(told)
        else:
            assert all(isinstance(each, Closure) and each.begins < each.ends for each in found.closures)
            assert all(date(2026, 1, 1) <= day.on < date(2027, 1, 1) for day in (*found.holidays, *found.workdays))
