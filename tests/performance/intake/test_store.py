"""Typing, refusing, comparing, storing."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateRange, DateTimeTZRange

from performance import partitions
from performance.models import AgentAlias, Contact, ContactKey, DayTouch, ImportRun, IntervalFact, Leg, StateInterval
from performance.services import intake
from teams.errors import Refused
from teams.models import Loan, Membership
from tests import make
from tests.performance.intake.build import SIMPLE, contact, counts, line, lines, name, refused, source, take

pytestmark = pytest.mark.django_db
GOOD = "1,2026-01-02 03:04:05,2026-01-02 03:10:00,ann,sales,200,Y,4"


def with_field(field: str, rule) -> dict:
    return {**SIMPLE, "fields": {**SIMPLE["fields"], field: rule}}


def test_one_file_twice_counts_once(tmp_path):
    here = source()
    assert counts(take(tmp_path, here, lines(GOOD)), "rows", "new") == (1, 1)
    again = take(tmp_path, here, lines(GOOD))
    assert counts(again, "rows", "new", "newer", "same", "days") == (1, 0, 0, 1, 0)
    kept = contact()
    assert (kept.handle_seconds, kept.rating, kept.rating_scale, kept.is_answered) == (200, 0.75, 5, True)
    assert kept.opened_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_bad_rows_are_kept_with_their_reason_and_the_mended_file_adds_what_lacks(tmp_path):
    here = source()
    bad = [
        "2,2026-02-30 03:04:05,,ann,sales,200,Y,4",
        "3,2026-01-02 03:04:05,,ann,sales,long,Y,9",
        ",2026-01-02 03:04:05,,ann,sales,200,perhaps,4",
        "5,2026-01-02 03:04:05,2026-01-01 00:00:00,ann,sales,1,Y,4",
        "6,0001-01-01 00:00:00,,ann,sales,1,Y,4",
        "7,9999-12-31 00:00:00,,ann,sales,1,Y,4",
        "8,too,few",
        "x" * 130 + ",2026-01-02 03:04:05,,ann,sales,1,Y,4",
    ]
    run = take(tmp_path, here, lines(GOOD, *bad))
    assert counts(run, "rows", "new", "refused") == (9, 1, 8)
    assert refused(run) == [
        (3, "opened_at", "no_such_day"),
        (4, "handle_seconds", "not_a_duration"),
        (4, "rating", "not_a_rating"),
        (5, "external_id", "missing"),
        (5, "is_answered", "not_yes_or_no"),
        (6, "ended_at", "ends_before_opening"),
        (7, "opened_at", "year"),
        (8, "opened_at", "year"),
        (9, "agent", "columns"),
        (10, "external_id", "too_long"),
    ]
    assert run.refusals.get(row_number=9).raw == ["8", "too", "few"]
    text = "".join(intake.errors_file(run))
    assert "0001-01-01" in text and "outside 1990 to" in text
    mended = text.replace("2026-02-30", "2026-02-28").replace("long", "20").replace(",9,", ",2,")
    again = take(tmp_path, here, mended)
    assert counts(again, "rows", "new", "same", "refused") == (8, 2, 0, 6)
    assert set(Contact.objects.values_list("external_id", flat=True)) == {"1", "2", "3"}


def test_a_dry_run_tells_the_same_and_leaves_nothing(tmp_path):
    here = source()
    run = take(tmp_path, here, lines(GOOD, "2,nonsense,,,,,,"), dry_run=True)
    assert counts(run, "rows", "new", "refused", "new_agents") == (2, 1, 1, 1)
    assert run.counts["first"] == [[3, "opened_at", "not_a_moment", "nonsense"]]
    for model in (ImportRun, Contact, ContactKey, AgentAlias, DayTouch):
        assert not model.objects.exists()


def contact_key_version() -> datetime:
    return ContactKey.objects.get().version_at


def test_newer_wins_and_older_is_ignored_whatever_the_order(tmp_path):
    here = source()
    mapping = with_field("updated_at", {"column": "updated"})
    head = "id,opened,ended,agent,queue,handle,answered,rating,updated\n"

    def send(handle: int, updated: str) -> ImportRun:
        row = f"1,2026-01-02 03:04:05,2026-01-02 03:10:00,ann,sales,{handle},Y,4,{updated}\n"
        return take(tmp_path, here, head + row, mapping)

    send(100, "2026-01-02 04:00:00")
    assert counts(send(300, "2026-01-02 06:00:00"), "newer") == (1,)
    assert counts(send(200, "2026-01-02 05:00:00"), "older", "newer") == (1, 0)
    assert contact().handle_seconds == 300
    assert counts(send(300, "2026-01-02 08:00:00"), "same") == (1,)
    assert contact().source_updated_at == contact_key_version() == datetime(2026, 1, 2, 8, tzinfo=UTC)
    assert counts(send(200, "2026-01-02 07:00:00"), "older") == (1,)  # the version seen again counts
    assert counts(send(400, "2026-01-02 08:00:00"), "newer") == (1,)  # same version, changed: the later delivery wins
    assert contact().handle_seconds == 400
    assert Contact.objects.count() == ContactKey.objects.count() == 1


def test_a_contact_that_moves_to_another_month_leaves_the_old_one(tmp_path):
    here = source()
    take(tmp_path, here, lines(GOOD))
    before = {(t.zone, t.day): t.version for t in DayTouch.objects.all()}
    take(tmp_path, here, lines(GOOD.replace("2026-01-02", "2026-03-05")))
    assert contact().opened_at.month == 3 and Contact.objects.count() == 1
    after = {(t.zone, t.day): t.version for t in DayTouch.objects.all()}
    assert before == {("UTC", date(2026, 1, 2)): 1}
    assert after == {("UTC", date(2026, 1, 2)): 2, ("UTC", date(2026, 3, 5)): 1}


def test_of_rows_repeated_in_a_file_the_last_counts(tmp_path):
    run = take(tmp_path, source(), lines(GOOD, GOOD.replace(",200,", ",300,"), GOOD.replace("1,", "2,", 1)))
    assert counts(run, "rows", "new", "repeated") == (3, 2, 1)
    assert contact().handle_seconds == 300


def test_two_sources_may_use_the_same_id(tmp_path):
    for _number in range(2):
        take(tmp_path, source(), lines(GOOD))
    assert Contact.objects.filter(external_id="1").count() == 2


def test_cells_that_postgresql_or_a_spreadsheet_would_misread_stay_as_they_are(tmp_path):
    odd = {
        "1": "\\.",
        "2": "a\n\\.\nb",
        "3": "=cmd()",
        "4": "tab\there",
        "5": "back\\slash \\N",
        "6": 'quote"d',
        "7": "%s %(x)s",
    }
    text = "id,opened,topic\n" + "".join(
        '{},2026-01-02 00:00:00,"{}"\n'.format(key, cell.replace('"', '""')) for key, cell in odd.items()
    )
    mapping = {"layout": "contacts", "fields": {"external_id": "id", "opened_at": "opened", "topic": "topic"}}
    run = take(tmp_path, source(), text, mapping)
    assert counts(run, "new", "refused") == (7, 0)
    assert dict(Contact.objects.values_list("external_id", "topic")) == odd


# -- dates ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "text", "expected"),
    [
        ("", "2026-01-02T03:04:05Z", (2026, 1, 2, 3, 4, 5)),
        ("", "2026-01-02T03:04:05+08:00", (2026, 1, 1, 19, 4, 5)),
        ("", "2026-01-02 03:04", (2026, 1, 2, 3, 4)),
        ("", "2024-02-29 23:59:59", (2024, 2, 29, 23, 59, 59)),
        ("", "2026-12-31T23:00:00-0530", (2027, 1, 1, 4, 30)),
        ("", "2026-01-02", (2026, 1, 2)),
        ("dmy", "2/1/2026 3:04", (2026, 1, 2, 3, 4)),
        ("dmy", "13.01.2026 03:04:05", (2026, 1, 13, 3, 4, 5)),
        ("mdy", "01-13-2026 11:04 PM", (2026, 1, 13, 23, 4)),
        ("ymd", "2026年1月2日 3:04", (2026, 1, 2, 3, 4)),
        ("ymd", "2026/1/2", (2026, 1, 2)),
        ("dmy", "02/01/26", (2026, 1, 2)),
        ("yymmdd", "990102 3:04:05", (1999, 1, 2, 3, 4, 5)),
        ("yyyymmdd", "20260102", (2026, 1, 2)),
        ("epoch", "1767323045", (2026, 1, 2, 3, 4, 5)),
        ("epoch_ms", "1767323045000", (2026, 1, 2, 3, 4, 5)),
        ("dmy", "2026-01-02 03:04:05", (2026, 1, 2, 3, 4, 5)),
    ],
)
def test_moments_in_many_shapes(tmp_path, form, text, expected):
    rule = {"column": "opened"} | ({"format": form} if form else {})
    mapping = {"layout": "contacts", "years_from": 1990, "fields": {"external_id": "id", "opened_at": rule}}
    run = take(tmp_path, source(), f"id,opened\n1,{text}\n", mapping)
    assert refused(run) == []
    assert contact().opened_at == datetime(*expected, tzinfo=UTC)


@pytest.mark.parametrize(
    ("form", "text", "code"),
    [
        ("", "2026-02-29 00:00:00", "no_such_day"),
        ("", "2026-13-01 00:00:00", "no_such_day"),
        ("", "2026-01-02 24:00:00", "not_a_moment"),
        ("", "2026-01-02 03:04:05+99:00", "not_a_moment"),
        ("", "01/02/2026", "not_a_moment"),
        ("", "0000-00-00 00:00:00", "year"),
        ("", "1989-12-31 00:00:00", "year"),
        ("dmy", "31/04/2026", "no_such_day"),
        ("ymd", "26/01/02", "two_digit_year"),
        ("mdy", "1/2/2026 13:00 PM", "not_a_moment"),
        ("epoch", "99999999999999", "not_a_moment"),
        ("", "infinity", "not_a_moment"),
        ("", "２０２６-01-02", "not_a_moment"),
    ],
)
def test_moments_that_are_none(tmp_path, form, text, code):
    rule = {"column": "opened"} | ({"format": form} if form else {})
    run = take(
        tmp_path,
        source(),
        f"id,opened\n1,{text}\n",
        {"layout": "contacts", "fields": {"external_id": "id", "opened_at": rule}},
    )
    assert refused(run) == [(2, "opened_at", code)]


def test_mixed_date_orders_are_refused_by_name(tmp_path):
    mapping = {
        "layout": "contacts",
        "fields": {"external_id": "id", "opened_at": {"column": "opened", "format": "dmy"}},
    }
    with pytest.raises(Refused) as refusal:
        take(tmp_path, source(), "id,opened\n1,13/02/2026\n2,03/04/2026\n3,02/14/2026\n", mapping)
    assert refusal.value.code == "mixed_dates" and "row 4" in str(refusal.value) and "opened" in str(refusal.value)
    with pytest.raises(Refused) as refusal:
        take(tmp_path, source(), "id,opened\n1,02/13/2026\n2,03/04/2026\n", mapping)
    assert "month/day/year" in str(refusal.value)
    assert not Contact.objects.exists() and not ImportRun.objects.exists()


@pytest.mark.parametrize(
    ("form", "text", "seconds"),
    [
        ("", "90", 90),
        ("", "1:02:03", 3723),
        ("", "2,5", 3),
        ("minutes", "1.5", 90),
        ("mm:ss", "2:03", 123),
        ("hh:mm", "1:30", 5400),
    ],
)
def test_durations(tmp_path, form, text, seconds):
    rule = {"column": "talk"} | ({"format": form} if form else {})
    mapping = {"layout": "contacts", "fields": {"external_id": "id", "opened_at": "opened", "handle_seconds": rule}}
    take(tmp_path, source(), f'id,opened,talk\n1,2026-01-02,"{text}"\n', mapping)
    assert contact().handle_seconds == seconds


@pytest.mark.parametrize("text", ["1:30", "-5", "99999999999", "1:99:00", "abc"])
def test_durations_that_are_none(tmp_path, text):
    mapping = {"layout": "contacts", "fields": {"external_id": "id", "opened_at": "opened", "handle_seconds": "talk"}}
    run = take(tmp_path, source(), f"id,opened,talk\n1,2026-01-02,{text}\n", mapping)
    assert refused(run) == [(2, "handle_seconds", "not_a_duration")]


@pytest.mark.parametrize(
    ("word", "truth"),
    [("Y", True), ("no", False), ("是", True), ("否", False), ("1", True), ("FALSE", False), ("", None)],
)
def test_yes_and_no(tmp_path, word, truth):
    mapping = {"layout": "contacts", "fields": {"external_id": "id", "opened_at": "opened", "is_resolved": "r"}}
    take(tmp_path, source(), f"id,opened,r\n1,2026-01-02,{word}\n", mapping)
    assert contact().is_resolved is truth


# -- zones, days, teams ----------------------------------------------------------------------------------------------------

WITH_END = {
    "layout": "contacts",
    "fields": {
        "external_id": "id", "opened_at": "opened", "ended_at": "ended", "agent": "agent", "queue": "queue",
        "shift_started_at": "shift",
    },
}  # fmt: skip


def local(tmp_path, zone: str, opened: str, ended: str = "", shift: str = "") -> ImportRun:
    return take(
        tmp_path, source(zone=zone), f"id,opened,ended,agent,queue,shift\n1,{opened},{ended},,,{shift}\n", WITH_END
    )


@pytest.mark.parametrize(
    ("zone", "opened", "utc"),
    [
        ("Europe/Paris", "2026-10-25 02:30:00", (2026, 10, 25, 0, 30)),  # twice: the first
        ("Australia/Lord_Howe", "2026-04-05 01:45:00", (2026, 4, 4, 14, 45)),  # half an hour twice
        ("Asia/Kathmandu", "2026-01-02 00:00:00", (2026, 1, 1, 18, 15)),
        ("Pacific/Apia", "2011-12-31 00:00:00", (2011, 12, 30, 10, 0)),
        ("America/New_York", "2026-03-08 03:00:00", (2026, 3, 8, 7, 0)),
    ],
)
def test_local_times_become_the_right_instant(tmp_path, zone, opened, utc):
    assert refused(local(tmp_path, zone, opened)) == []
    assert contact().opened_at == datetime(*utc, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "opened"),
    [
        ("Europe/Paris", "2026-03-29 02:30:00"),
        ("Australia/Lord_Howe", "2026-10-04 02:15:00"),
        ("Pacific/Apia", "2011-12-30 12:00:00"),
    ],
)
def test_local_times_that_do_not_exist_are_refused(tmp_path, zone, opened):
    assert refused(local(tmp_path, zone, opened)) == [(2, "opened_at", "no_such_time")]


def test_an_ambiguous_end_is_the_one_after_the_beginning(tmp_path):
    local(tmp_path, "Europe/Paris", "2026-10-25 02:50:00", "2026-10-25 02:10:00")
    kept = contact()
    assert kept.ended_at - kept.opened_at == timedelta(minutes=20)


@pytest.mark.parametrize(
    ("zone", "instant", "day"),
    [
        ("America/Los_Angeles", "2026-01-03T05:00:00Z", date(2026, 1, 2)),  # west of the server, in the evening
        ("Pacific/Apia", "2026-01-01T12:00:00Z", date(2026, 1, 2)),  # already in tomorrow
        ("Asia/Kathmandu", "2026-01-01T18:14:59Z", date(2026, 1, 1)),
        ("Asia/Kathmandu", "2026-01-01T18:15:00Z", date(2026, 1, 2)),
        ("Australia/Lord_Howe", "2026-04-04T13:00:00Z", date(2026, 4, 5)),
        ("Australia/Lord_Howe", "2026-04-05T13:29:59Z", date(2026, 4, 5)),
        ("Australia/Lord_Howe", "2026-04-05T13:30:00Z", date(2026, 4, 6)),
    ],
)
def test_the_day_is_that_of_the_agents_zone(tmp_path, north, zone, instant, day):
    here = source(north.team, zone="UTC")
    name(here, "ann", make.agent(north.team, zone=zone))
    take(tmp_path, here, f"id,opened,ended,agent,queue,shift\n1,{instant},,ann,,\n", WITH_END)
    kept = contact()
    assert (kept.zone, kept.day, kept.team) == (zone, day, north.team)
    assert list(DayTouch.objects.values_list("zone", "day", "version")) == [(zone, day, 1)]


def test_the_zone_is_the_one_of_that_instant(tmp_path, north):
    here = source(north.team)
    agent = make.agent(north.team, zone="Asia/Shanghai")
    moved = datetime(2026, 2, 1, tzinfo=UTC)
    agent.zones.update(span=DateTimeTZRange(datetime(2000, 1, 1, tzinfo=UTC), moved))
    agent.zones.create(zone="Europe/Paris", span=DateTimeTZRange(moved, None))
    name(here, "ann", agent)
    rows = "1,2026-01-31T18:00:00Z,,ann,,\n2,2026-02-01T18:00:00Z,,ann,,\n"
    take(tmp_path, here, "id,opened,ended,agent,queue,shift\n" + rows, WITH_END)
    assert (contact("1").zone, contact("1").day) == ("Asia/Shanghai", date(2026, 2, 1))
    assert (contact("2").zone, contact("2").day) == ("Europe/Paris", date(2026, 2, 1))


def test_after_midnight_a_night_shift_still_has_its_day(tmp_path, north):
    here = source(north.team, zone="Asia/Shanghai")
    name(here, "ann", make.agent(north.team, zone="Asia/Shanghai"))
    rows = "1,2026-01-02 23:50,2026-01-03 00:10,ann,,2026-01-02 22:00\n2,2026-01-03 05:00,,ann,,2026-01-02 22:00\n"
    rows += "3,2026-01-03 05:00,,ann,,\n"
    take(tmp_path, here, "id,opened,ended,agent,queue,shift\n" + rows, WITH_END)
    assert [contact(n).day for n in "123"] == [date(2026, 1, 2), date(2026, 1, 2), date(2026, 1, 3)]


def test_without_agent_zone_and_team_are_the_queues_and_else_the_sources(tmp_path, north, south):
    here = source(north.team, zone="Europe/Paris")
    line(here, "sales", make.queue(south.team, zone="Asia/Tokyo", complexity="complex"))
    rows = "1,2026-01-02T23:30:00Z,,,sales,\n2,2026-01-02T23:30:00Z,,,,\n"
    take(tmp_path, here, "id,opened,ended,agent,queue,shift\n" + rows, WITH_END)
    one, two = contact("1"), contact("2")
    assert (one.zone, one.day, one.team, one.complexity, one.is_answered) == (
        "Asia/Tokyo",
        date(2026, 1, 3),
        south.team,
        "complex",
        False,
    )
    assert (two.zone, two.day, two.team, two.complexity) == ("Europe/Paris", date(2026, 1, 3), None, "simple")


def test_the_team_is_that_of_the_day_with_transfers_and_loans(tmp_path, hub, north, south):
    here = source(hub.team)
    east = make.team("East", hub.team)
    agent = make.agent(north.team)
    Membership.objects.filter(agent=agent).update(span=DateRange(date(2000, 1, 1), date(2026, 2, 1)))
    Membership.objects.create(agent=agent, team=south.team, span=DateRange(date(2026, 2, 1), None))
    for team, first in ((south.team, 10), (east, 12)):
        Loan.objects.create(agent=agent, team=team, span=DateRange(date(2026, 1, first), date(2026, 1, 20)))
    name(here, "ann", agent)
    for code, team in (("n", north.team), ("s", south.team), ("h", hub.team)):
        line(here, code, make.queue(team, code))
    days = [
        ("1", 5, 1, ""),
        ("2", 11, 1, ""),
        ("3", 13, 1, ""),
        ("4", 13, 1, "n"),
        ("5", 13, 1, "s"),
        ("6", 13, 1, "h"),
        ("7", 1, 2, ""),
    ]
    rows = "".join(f"{key},2026-{month:02}-{day:02} 12:00,,ann,{queue},\n" for key, day, month, queue in days)
    take(tmp_path, here, "id,opened,ended,agent,queue,shift\n" + rows, WITH_END)
    expected = [north.team, south.team, east, north.team, south.team, east, south.team]
    assert [contact(key).team for key, *_rest in days] == expected


def test_an_alias_holds_for_days_of_the_sources_zone(tmp_path, north):
    here = source(north.team)
    first, second = north.agents
    name(here, "ann", first, DateRange(None, date(2026, 1, 2)))
    name(here, "ann", second, DateRange(date(2026, 1, 2), date(2026, 2, 1)))
    rows = "1,2026-01-01 23:59,,ann,,\n2,2026-01-02 00:00,,ann,,\n3,2026-02-01 00:00,,ann,,\n"
    run = take(tmp_path, here, "id,opened,ended,agent,queue,shift\n" + rows, WITH_END)
    assert [contact(n).agent for n in "123"] == [first, second, None]
    assert counts(run, "waiting", "new_agents") == (1, 0)


# -- customers -----------------------------------------------------------------------------------------------------------


def test_customers_never_stand_in_clear(tmp_path):
    mapping = {
        "layout": "contacts",
        "fields": {"external_id": "id", "opened_at": "opened", "phone": "phone", "customer": "mail"},
    }
    text = "id,opened,phone,mail\n1,2026-01-02,13812345678,ann@example.org\n2,never,13987654321,bob@example.org\n"
    run = take(tmp_path, source(), text, mapping)
    kept = contact()
    assert (kept.phone_mask, len(kept.customer_key)) == ("138******78", 32)
    raw = run.refusals.get().raw
    everything = str(raw) + "".join(intake.errors_file(run)) + str(run.counts) + str(run.mapping)
    assert "13987654321" not in everything and "bob@" not in everything and "139******21" in everything
    again = take(tmp_path, run.source, "".join(intake.errors_file(run)).replace("never", "2026-01-03"), mapping)
    assert counts(again, "new", "refused") == (1, 0)
    assert contact("2").phone_mask == "139******21" and contact("2").customer_key == raw[3][6:]


def test_a_row_of_the_wrong_width_hides_what_may_be_secret(tmp_path):
    mapping = {"layout": "contacts", "fields": {"external_id": "id", "opened_at": "opened", "phone": "phone"}}
    run = take(tmp_path, source(), "id,opened,phone\n1,2026-01-02,x,13812345678\n", mapping)
    assert "13812345678" not in str(run.refusals.get().raw)


# -- other layouts -------------------------------------------------------------------------------------------------------

LEGS = {
    "layout": "legs",
    "fields": {"contact": "c", "agent": "a", "started_at": "s", "ended_at": "e", "reply_count": "n"},
}
STATES = {"layout": "states", "fields": {"agent": "a", "state": "b", "started_at": "s", "ended_at": "e"}}


def test_legs_are_replaced_when_they_change(tmp_path, north):
    here = source(north.team)
    name(here, "ann", north.agent)
    open_leg, closed = (
        "c,a,s,e,n\n1,ann,2026-01-02 10:00,,1\n",
        "c,a,s,e,n\n1,ann,2026-01-02 10:00,2026-01-03 10:30,4\n",
    )
    assert counts(take(tmp_path, here, open_leg, LEGS), "new") == (1,)
    assert counts(take(tmp_path, here, closed, LEGS), "newer", "new") == (1, 0)
    assert counts(take(tmp_path, here, closed, LEGS), "same", "days") == (1, 0)
    leg = Leg.objects.get()
    assert (leg.reply_count, leg.day, leg.team, leg.agent) == (4, date(2026, 1, 3), north.team, north.agent)
    assert set(DayTouch.objects.values_list("day", "version")) == {(date(2026, 1, 2), 2), (date(2026, 1, 3), 1)}


def shown(here) -> list[tuple[str, str, str]]:
    rows = StateInterval.objects.filter(source=here).order_by("agent_external", "started_at")
    return [(r.base, f"{r.started_at:%H:%M}", f"{r.ended_at:%H:%M}" if r.ended_at else "") for r in rows]


def test_states_of_an_agent_never_overlap_and_are_condensed(tmp_path, north):
    here = source(north.team)
    name(here, "ann", north.agent)

    def send(*rows: tuple[str, str, str]) -> ImportRun:
        body = "".join(
            f"ann,{base},2026-01-02 {start},{'2026-01-02 ' + end if end else ''}\n" for base, start, end in rows
        )
        return take(tmp_path, here, "a,b,s,e\n" + body, STATES)

    send(("ready", "09:00", "10:00"), ("ready", "10:00", "11:00"), ("break", "10:30", "12:00"), ("ready", "12:00", ""))
    assert shown(here) == [("ready", "09:00", "10:30"), ("break", "10:30", "12:00"), ("ready", "12:00", "")]
    send(("on_contact", "11:00", "12:30"))
    assert shown(here) == [
        ("ready", "09:00", "10:30"), ("break", "10:30", "11:00"), ("on_contact", "11:00", "12:30"), ("ready", "12:30", ""),
    ]  # fmt: skip
    again = send(("on_contact", "11:00", "12:30"))
    assert counts(again, "new", "newer", "same", "days") == (0, 0, 1, 0)
    send(("break", "08:00", ""))
    assert shown(here)[0] == ("break", "08:00", "09:00")
    assert StateInterval.objects.filter(agent=north.agent, team=north.team).count() == 5


def test_half_hours_are_checked_and_replaced(tmp_path, north):
    here = source(north.team, zone="Asia/Kathmandu")
    line(here, "sales", make.queue(north.team, zone="Asia/Kathmandu"))
    mapping = {"layout": "intervals", "fields": {"queue": "q", "started_at": "s", "offered": "n"}}
    run = take(
        tmp_path,
        here,
        "q,s,n\nsales,2026-01-02 10:30,7\nsales,2026-01-02 10:45,7\nsales,2026-01-02 11:00,-1\n",
        mapping,
    )
    assert refused(run) == [(3, "started_at", "not_a_half_hour"), (4, "offered", "not_a_count")]
    take(tmp_path, here, "q,s,n\nsales,2026-01-02 10:30,9\n", mapping)
    assert list(IntervalFact.objects.values_list("offered", "queue__team")) == [(9, north.team.pk)]
    assert DayTouch.objects.get().version == 2


def test_a_case_with_a_bad_event_is_refused_whole(tmp_path):
    mapping = {
        "layout": "events",
        "closing": ["done"],
        "fields": {"external_id": "c", "activity": "a", "at": "t", "agent": "w"},
    }
    text = "c,a,t,w\n1,open,2026-01-01 10:00,ann\n1,done,2026-01-01 12:00,bob\n1,open,2026-01-02 10:00,\n"
    text += "2,open,2026-01-01 10:00,\n2,done,bad,\n"
    run = take(tmp_path, source(), text, mapping)
    assert refused(run) == [(5, "external_id", "case_has_bad_row"), (6, "at", "not_a_moment")]
    kept = contact()
    assert (kept.ended_at, kept.reopen_count, kept.agent_external, kept.transfer_count) == (None, 1, "bob", 1)


# -- partitions and mappings ---------------------------------------------------------------------------------------------


def test_only_the_months_of_the_delivery_are_made(tmp_path):
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_inherits WHERE inhparent = 'performance_contact'::regclass")
        before = cursor.fetchone()[0]
        take(
            tmp_path,
            source(),
            lines(
                GOOD.replace("2026-01", "1991-05"), GOOD.replace("1,2026-01", "2,2019-07").replace("2026-01", "2019-07")
            ),
        )
        cursor.execute("SELECT count(*) FROM pg_inherits WHERE inhparent = 'performance_contact'::regclass")
        assert cursor.fetchone()[0] == before + 2


def test_partitions_are_made_ahead_once():
    assert partitions.ensure_ahead(date(1995, 11, 30)) == 12
    assert partitions.ensure_ahead(date(1995, 11, 1)) == 0
    assert partitions.ensure(date(1996, 2, 1), date(1996, 3, 31)) == 3


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ([], "object"),
        ({"layout": "nothing"}, "layout"),
        ({"layout": "contacts", "fields": {}}, "fields"),
        ({"layout": "contacts", "fields": {"external_id": "id"}}, "opened_at"),
        (
            {"layout": "contacts", "fields": {"external_id": "id", "opened_at": {"column": "o", "format": "dd/mm"}}},
            "dd/mm",
        ),
        (
            {"layout": "contacts", "fields": {"external_id": "id", "opened_at": {"column": "o", "columns": ["p"]}}},
            "exactly one",
        ),
        ({"layout": "contacts", "fields": {"external_id": "id", "opened_at": "o", "team": "t"}}, "team"),
        ({"layout": "contacts", "zone": "Mars/Base", "fields": {"external_id": "id", "opened_at": "o"}}, "Mars/Base"),
        ({"layout": "contacts", "fields": {"external_id": "id", "opened_at": {"add": ["ended_at"]}}}, "add"),
        (
            {"layout": "contacts", "fields": {"external_id": "id", "opened_at": "o", "phone": {"columns": ["a", "b"]}}},
            "phone",
        ),
        ({"layout": "contacts", "fields": {"external_id": "i\0d", "opened_at": "o"}}, "external_id"),
        ({"layout": "contacts", "drop": 1, "fields": {"external_id": "id"}}, "drop"),
    ],
)
def test_a_mapping_that_cannot_be_right_is_refused_in_words(tmp_path, data, words):
    with pytest.raises(Refused) as refusal:
        take(tmp_path, source(), lines(GOOD), data)
    assert refusal.value.code == "bad_mapping" and words in str(refusal.value)


def test_words_of_a_mapping_cannot_become_sql(tmp_path):
    evil = "'; DROP TABLE performance_contact; --"
    mapping = {
        "layout": "contacts",
        "fields": {
            "external_id": {"columns": ["id", evil], "join": "'||'"[:5]},
            "opened_at": "opened",
            "topic": {"column": evil, "values": {evil: "\\' OR 1=1"}, "empty": ["'", "\\"], "when": {evil: [evil]}},
        },
    }
    run = take(tmp_path, source(), f'id,opened,"{evil}"\n1,2026-01-02,"{evil}"\n', mapping)
    assert counts(run, "new") == (1,)
    assert Contact.objects.get().topic == "\\' OR 1=1"


def test_a_missing_column_is_named(tmp_path):
    with pytest.raises(Refused) as refusal:
        take(tmp_path, source(), "id,opened\n1,2026-01-02\n")
    assert refusal.value.code == "missing_column" and "agent" in str(refusal.value)


def test_the_errors_file_gives_formula_cells_back_unchanged(tmp_path):
    mapping = {"layout": "contacts", "fields": {"external_id": "id", "opened_at": "opened", "topic": "topic"}}
    here = source()
    run = take(tmp_path, here, 'id,opened,topic\n=1,soon,"@SUM(1)"\n', mapping)
    text = "".join(intake.errors_file(run))
    assert "'=1" in text and "'@SUM(1)" in text
    take(tmp_path, here, text.replace("soon", "2026-01-02"), mapping)
    kept = Contact.objects.get()
    assert (kept.external_id, kept.topic) == ("=1", "@SUM(1)")
