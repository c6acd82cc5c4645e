"""Public days: China's 2025 and 2026 as the State Council published them, and no silent answer beyond the notices."""

from datetime import date, timedelta

import pytest

from scheduling.plain import publicdays
from scheduling.plain.publicdays import DayKind, Kind, NotAnnounced, calendar_of, is_announced, missing_notice
from scheduling.plain.timeplan import next_change
from tests.scheduling.plans import plan
from tests.scheduling.test_timeplan import at

# 国办发明电〔2024〕12号
OF_2025 = {
    "statutory": "01-01 01-28 01-29 01-30 01-31 04-04 05-01 05-02 05-31 10-01 10-02 10-03 10-06",
    "swapped": "02-03 02-04 05-05 06-02 10-07 10-08",
    "make_up": "01-26 02-08 04-27 09-28 10-11",
}
# 国办发明电〔2025〕7号
OF_2026 = {
    "statutory": "01-01 02-16 02-17 02-18 02-19 04-05 05-01 05-02 06-19 09-25 10-01 10-02 10-03",
    "swapped": "01-02 02-20 02-23 04-06 05-04 05-05 10-05 10-06 10-07",
    "make_up": "01-04 02-14 02-28 05-09 09-20 10-10",
}
SPELLS = {  # the same notices as they are worded: first and last day off
    2025: ("01-01 01-01", "01-28 02-04", "04-04 04-06", "05-01 05-05", "05-31 06-02", "10-01 10-08"),
    2026: ("01-01 01-03", "02-15 02-23", "04-04 04-06", "05-01 05-05", "06-19 06-21", "09-25 09-27", "10-01 10-07"),
}


def dates(year, text):
    return [date.fromisoformat(f"{year}-{each}") for each in text.split()]


@pytest.mark.parametrize(("year", "official"), [(2025, OF_2025), (2026, OF_2026)])
def test_chinese_days_are_those_of_the_notice_with_their_kind(year, official):
    calendar = calendar_of("CN", year)
    for kind, days in official.items():
        assert [day.on for day in calendar.days if day.kind == kind] == dates(year, days)
    assert len(calendar.days) == sum(len(days.split()) for days in official.values())
    assert not calendar.is_guess and calendar.source.startswith("holidays ")


@pytest.mark.parametrize("year", [2025, 2026])
def test_working_days_are_those_of_the_notice_all_year_round(year):
    calendar = calendar_of("CN", year)
    off, worked = set(), set(dates(year, {2025: OF_2025, 2026: OF_2026}[year]["make_up"]))
    for spell in SPELLS[year]:
        first, last = dates(year, spell)
        off |= {first + timedelta(days=number) for number in range((last - first).days + 1)}
    day = date(year, 1, 1)
    while day.year == year:
        assert calendar.is_working_day(day) == (day in worked or (day not in off and day.weekday() < 5)), day
        day += timedelta(days=1)


def test_days_have_names_in_the_language_asked_for():
    chinese, english = calendar_of("CN", 2026, language="zh_CN"), calendar_of("CN", 2026, language="en_US")
    assert chinese.by_date[date(2026, 10, 1)].name == "国庆节"
    assert english.by_date[date(2026, 10, 1)].name == "National Day"
    for calendar in (chinese, english):
        assert calendar.by_date[date(2026, 10, 10)].name == "Workday in exchange for 2026-10-07"
        assert calendar.by_date[date(2026, 10, 5)].kind is DayKind.SWAPPED


def test_a_year_without_a_notice_is_refused_and_a_guess_says_that_it_is_one():
    with pytest.raises(NotAnnounced) as told:
        calendar_of("CN", 2091)
    assert str(told.value) == ("The public days of 2091 in CN are not announced yet; enter the notice when it is out.")
    assert not is_announced("CN", 2091)
    guess = calendar_of("CN", 2091, accept_guess=True)
    assert guess.is_guess and guess.by_date[date(2091, 10, 1)].kind is DayKind.STATUTORY


@pytest.mark.parametrize("country", ["HU", "VN", "RU", "TW"])
def test_other_countries_that_swap_days_are_refused_beyond_their_decrees(country):
    with pytest.raises(NotAnnounced):
        calendar_of(country, 2091)


def test_countries_that_go_by_rule_are_answered():
    britain = calendar_of("GB", 2027, language="en_GB")
    observed = britain.by_date[date(2027, 12, 27)]
    assert (observed.kind, observed.is_estimated) == (DayKind.STATUTORY, False)
    assert not britain.is_working_day(observed.on) and britain.is_working_day(date(2027, 12, 29))
    scotland = calendar_of("GB", 2027, region="SCT", language="en_GB")
    assert date(2027, 11, 30) in scotland.by_date and date(2027, 11, 30) not in britain.by_date


def test_days_by_the_moon_are_marked_as_estimated():
    days = calendar_of("ID", 2028, language="en_US").days
    assert {
        day.name: day.is_estimated for day in days if "Eid al-Fitr (" in day.name or day.name == "Christmas Day"
    } == {
        "Eid al-Fitr (estimated)": True,
        "Christmas Day": False,
    }


def test_a_weekend_is_that_of_the_country():
    assert not calendar_of("IL", 2026).is_working_day(date(2026, 3, 6))
    assert calendar_of("IL", 2026).is_working_day(date(2026, 3, 8))


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("XX", 2026), "No public days are known for “XX”; write the country as two letters, such as CN."),
        (("CN", 1999), "Public days are known for the years 2000 to 2099."),
        (("CN", 2100), "Public days are known for the years 2000 to 2099."),
    ],
)
def test_what_is_not_known_is_refused(asked, said):
    with pytest.raises(ValueError) as told:
        calendar_of(*asked)
    assert str(told.value) == said


def test_an_unknown_region_is_refused():
    with pytest.raises(ValueError, match="GB has no region “ZZ” with days of its own; leave it out"):
        calendar_of("GB", 2026, region="ZZ")


# -- our own notices -------------------------------------------------------------------------------------------------------


def row(on, kind="statutory", name="元旦"):
    return {"on": on, "name": name, "kind": kind}


def notice(*rows, year=2091, complete=True, **more):
    return {
        "country": "CN",
        "year": year,
        "source": "国办发明电〔2090〕9号",
        "complete": complete,
        "days": list(rows),
    } | more


def test_a_complete_notice_is_the_year_and_names_its_source():
    own = publicdays.read(notice(row("2091-01-01"), row("2091-01-02", "swapped"), row("2090-12-31", "make_up")))
    calendar = calendar_of("CN", 2091, own=[own])
    assert [(str(day.on), day.kind) for day in calendar.days] == [
        ("2091-01-01", "statutory"),
        ("2091-01-02", "swapped"),
    ]
    assert (calendar.source, calendar.is_guess) == ("国办发明电〔2090〕9号", False)
    assert is_announced("CN", 2091, own=[own]) and not is_announced("CN", 2092, own=[own])
    before = calendar_of("CN", 2090, own=[own], accept_guess=True)
    assert before.by_date[date(2090, 12, 31)].kind is DayKind.MAKE_UP and before.is_guess


def test_an_amendment_changes_its_days_alone():
    late = publicdays.read(
        notice(row("2026-09-03", name="抗战胜利"), row("2026-10-10", "ordinary", "不上班"), year=2026, complete=False)
    )
    known, amended = calendar_of("CN", 2026), calendar_of("CN", 2026, own=[late])
    assert set(amended.by_date) - set(known.by_date) == {date(2026, 9, 3)}
    assert set(known.by_date) - set(amended.by_date) == {date(2026, 10, 10)}
    assert amended.source.endswith("; 国办发明电〔2090〕9号")
    with pytest.raises(NotAnnounced):
        calendar_of("CN", 2091, own=[publicdays.read(notice(row("2091-01-01"), complete=False))])


def test_notices_of_another_country_change_nothing():
    own = publicdays.read(notice(row("2026-09-03"), year=2026, complete=False))
    assert calendar_of("GB", 2026, own=[own]) == calendar_of("GB", 2026)


def test_a_notice_read_and_written_is_the_same_notice():
    own = publicdays.read(notice(row("2091-01-02", "swapped"), row("2091-01-01")))
    assert publicdays.read(publicdays.as_json(own)) == own


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ("2091-01-01", "A notice has a country, a year, a source, whether it is complete, and days."),
        (notice(row("2091-01-01"), extra=1), "A notice has a country, a year"),
        (notice(row("2091-01-01"), country=86), "Write the country as two letters"),
        (notice(row("2091-01-01"), country="XX"), "No public days are known for “XX”"),
        (notice(row("2091-01-01"), year=True), "the year as a number"),
        (notice(row("2091-01-01"), complete="yes"), "Say yes or no: is the notice the whole year?"),
        (notice(row("2091-01-01"), source=""), "In the source write a text of at most 200 characters."),
        (notice(), "A notice has 1 to 120 days, in a list."),
        (notice(row("2091-01-01"), row("2091-01-01")), "2091-01-01 stands twice in the notice; take one of them out."),
        (notice(row("2092-01-01")), "In day 1 of the notice write a date of 2091, as in 2091-10-01."),
        (notice(row("1 January")), "In day 1 of the notice write a date of 2091"),
        (notice(row("2091-01-01", "holiday")), "the kind has to be one of: statutory, swapped, make_up, ordinary."),
        (notice(row("2091-01-01", name=3)), "In day 1 of the notice write a text"),
        (notice({"on": "2091-01-01"}), "In day 1 of the notice write a date, a name and a kind."),
        (notice(row("2091-01-02", "make_up")), "2091-01-02 is a Tuesday, worked anyway"),
        (notice(row("2091-01-06", "swapped")), "2091-01-06 is a Saturday, free anyway"),
        (notice(row("2091-01-06", "ordinary")), "A complete notice names no ordinary days"),
    ],
)
def test_odd_notices_are_refused(made, said):
    with pytest.raises(ValueError) as told:
        publicdays.read(made)
    assert said in str(told.value)


def test_the_dashboard_warns_from_november_on():
    assert missing_notice("CN", date(2026, 10, 31)) is None
    warned = missing_notice("CN", date(2090, 11, 1), own=[publicdays.read(notice(row("2090-01-01"), year=2090))])
    assert warned == "The public days of 2091 in CN are not announced yet; enter the notice when it is out."
    assert "of 2090 in CN" in missing_notice("CN", date(2090, 2, 1))
    assert missing_notice("GB", date(2026, 12, 1)) is None


# -- into a time plan ------------------------------------------------------------------------------------------------------


def test_a_year_enters_a_time_plan_with_its_kinds():
    holidays, workdays = calendar_of("CN", 2026).specials(((540, 1080),))
    assert {day.kind for day in holidays} == {Kind.STATUTORY, Kind.SWAPPED}
    assert {day.kind for day in workdays} == {Kind.MAKE_UP} and len(workdays) == 6
    assert calendar_of("CN", 2026).specials(())[1] == ()
    which = plan(
        holidays=[plan_row(day) for day in holidays],
        workdays=[plan_row(day) | {"hours": [["09:00", "18:00"]]} for day in workdays],
    )
    change = next_change(which, at("2026-02-13T18:00"))
    assert change.at == at("2026-02-14T09:00")
    assert change.becomes.words.startswith("Open by the make-up workday “Workday in exchange for 2026-02-20”")
    assert next_change(which, at("2026-02-14T18:00")).at == at("2026-02-24T09:00")


def plan_row(day):
    return {"on": day.on.isoformat(), "name": day.name, "kind": day.kind.value, "hours": []}
