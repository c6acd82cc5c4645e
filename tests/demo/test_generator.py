"""What the generator makes up: the same again from the same seed, in the shape the brief asks for. No database."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from config.demo.cast import ACCOUNTS, BAD_STORY, DAYS, GOOD_STORY, cast
from config.demo.facts import facts
from config.demo.traffic import OUTAGE_DAY
from teams.clock import local_day

NOW = datetime(2026, 3, 18, 15, 20, tzinfo=UTC)
SEED = 20


@pytest.fixture(scope="module")
def people():
    return cast(SEED)


@pytest.fixture(scope="module")
def batches(people):
    return list(facts(people, SEED, NOW))


@pytest.fixture(scope="module")
def served(people, batches):
    """Contacts by agent's username, of agents who are known."""
    names = {agent.extension: agent.username for agent in people.agents}
    names |= {agent.mail: agent.username for agent in people.agents}
    rows = {}
    for batch in batches:
        for row in batch.contacts:
            if row.agent in names and row.is_answered:
                rows.setdefault(names[row.agent], []).append((batch, row))
    return rows


def test_the_same_seed_tells_the_same_again_and_another_does_not(people, batches):
    again = facts(cast(SEED), SEED, NOW)
    for _, batch, repeated in zip(range(100), batches, again, strict=False):
        assert repeated == batch
    other = next(facts(cast(SEED + 1), SEED + 1, NOW))
    assert other.contacts != batches[0].contacts


def test_three_levels_eight_teams_sixty_agents_four_zones(people):
    depth = {None: 0}
    for team in people.teams:
        depth[team.code] = depth[team.parent] + 1
    assert len(people.teams) == 8
    assert max(depth.values()) == 3
    assert len(people.agents) == 60
    assert len({agent.username for agent in people.agents} | {account.username for account in ACCOUNTS}) == 68
    assert {agent.zones[-1][0] for agent in people.agents} == {
        "Asia/Shanghai", "Asia/Kathmandu", "Europe/Lisbon", "America/Sao_Paulo",
    }  # fmt: skip
    statuses = Counter(agent.status for agent in people.agents)
    assert statuses == {"active": 53, "probation": 4, "left": 1, "hired": 2}
    assert Counter(team.locale for team in people.floors) == {"zh-hans": 2, "en": 3}


def test_every_team_has_ninety_days_and_today_up_to_now(people, batches):
    for team in people.floors:
        days = [batch.day for batch in batches if batch.team == team.code]
        today = local_day(NOW, team.zone)
        assert days == [today + timedelta(days=offset) for offset in range(-DAYS, 1)]
    assert all(batch.contacts for batch in batches)
    latest = max(row.opened_at for batch in batches for row in batch.contacts)
    assert NOW.timestamp() - 900 < latest <= NOW.timestamp()


def test_nothing_is_told_that_has_not_happened_yet(batches):
    until = int(NOW.timestamp())
    rows = [row for batch in batches for row in batch.contacts]
    for name in ("opened_at", "assigned_at", "first_reply_at", "ended_at", "updated_at"):
        assert all(value is None or value <= until for value in (getattr(row, name) for row in rows))
    going_on = [row for row in rows if row.ended_at is None]
    assert 1 <= len(going_on) < 60
    assert all(row.handle_seconds is None and row.rating is None for row in going_on)
    states = [row for batch in batches for row in batch.states]
    assert all(row.started_at <= until and (row.ended_at or 0) <= until for row in states)


def test_moments_of_a_contact_stand_in_order(batches):
    for batch in batches:
        for row in batch.contacts:
            known = [m for m in (row.opened_at, row.assigned_at, row.ended_at) if m is not None]
            assert known == sorted(known), row
            assert row.ended_at is None or row.ended_at <= row.updated_at, row


def test_ids_are_never_given_twice(batches):
    ids = Counter((row.source, row.external_id) for batch in batches for row in batch.contacts)
    assert ids.most_common(1)[0][1] == 1
    assert 120_000 < len(ids) < 250_000


def test_peaks_are_at_ten_to_twelve_and_nineteen_to_twenty_one_local(people, batches):
    for team in people.floors:
        zone = ZoneInfo(team.zone)
        halves = Counter()
        for batch in batches:
            if batch.team == team.code:
                for row in batch.contacts:
                    at = datetime.fromtimestamp(row.opened_at, zone)
                    halves[at.hour, at.minute // 30] += 1
        highest = {half for half, _ in halves.most_common(8)}
        assert highest == {(hour, half) for hour in (10, 11, 19, 20) for half in (0, 1)}, team.code


def test_levels_are_those_of_a_real_team(people, batches):
    for team in people.floors:
        rows = [row for batch in batches if batch.team == team.code for row in batch.contacts]
        done = [row for row in rows if row.handle_seconds]
        rated = [row for row in done if row.rating]
        live = [row for row in rows if row.channel != "mail" and not row.is_bot_only]
        judged = [row for row in done if row.is_resolved is not None]

        def mean(complexity, done=done):
            seconds = [row.handle_seconds for row in done if row.complexity == complexity]
            return sum(seconds) / len(seconds)

        assert 200 < mean("simple") < 330
        assert 780 < mean("complex") < 1300
        assert 0.87 < sum(row.rating >= 4 for row in rated) / len(rated) < 0.94
        assert 0.02 < sum(row.is_abandoned for row in live) / len(live) < 0.18
        assert 0.85 < sum(row.is_resolved for row in judged) / len(judged) < 0.93
        assert 0.02 < sum(row.reopen_count for row in done) / len(done) < 0.06


def test_who_waits_longer_is_less_content(batches):
    rated = [row for batch in batches for row in batch.contacts if row.rating and row.channel == "phone"]
    soon = [row.rating >= 4 for row in rated if row.wait_seconds < 30]
    late = [row.rating >= 4 for row in rated if row.wait_seconds > 180]
    assert sum(soon) / len(soon) > sum(late) / len(late) + 0.03


def test_days_vary_more_than_chance(people, batches):
    counts = [len(b.contacts) for b in batches if b.team == "lisbon-care" and b.day.weekday() in range(1, 5)][:-1]
    mean = sum(counts) / len(counts)
    variance = sum((count - mean) ** 2 for count in counts) / (len(counts) - 1)
    assert variance > 1.5 * mean


def test_newcomers_get_faster(served):
    rows = [row for _, row in served["zhu.lin"] if row.handle_seconds and row.complexity == "simple"]
    first, last = rows[: len(rows) // 4], rows[-len(rows) // 4 :]
    assert sum(r.handle_seconds for r in first) / len(first) > 1.25 * sum(r.handle_seconds for r in last) / len(last)


def test_each_works_where_the_day_says(people, batches, served):
    today = {team.code: local_day(NOW, team.zone) for team in people.floors}

    def teams_of(username, low, high):
        return {batch.team for batch, _ in served[username] if low <= (batch.day - today[batch.team]).days < high}

    assert teams_of("zhou.jie", -90, -35) == {"shanghai-orders"}
    assert teams_of("zhou.jie", -34, 1) == {"shanghai-aftersales"}
    assert teams_of("felipe.moura", -90, -10) == {"saopaulo-sales"}
    assert teams_of("felipe.moura", -9, 1) == {"lisbon-care"}
    assert teams_of("tang.yu", -20, 1) == set()
    assert not {"sofia.antunes", "umesh.bhandari"} & set(served)
    assert all((batch.day - today[batch.team]).days >= -30 for batch, _ in served["thiago.correa"])


def test_last_days_hold_a_good_and_a_bad_story(people, served):
    def share(username, since, until):
        team_today = local_day(NOW, "Europe/Lisbon")
        rows = [r for b, r in served[username] if r.rating and since <= (b.day - team_today).days < until]
        return sum(row.rating >= 4 for row in rows) / len(rows)

    good = next(agent.username for agent in people.agents if agent.story == GOOD_STORY)
    bad = next(agent.username for agent in people.agents if agent.story == BAD_STORY)
    assert share(good, -1, 0) > 0.93
    assert share(bad, -1, 0) < share(bad, -90, -1) - 0.2


def test_outage_leaves_no_chat_and_more_calls(batches):
    by_channel = Counter()
    for batch in batches:
        for row in batch.contacts:
            at = datetime.fromtimestamp(row.opened_at, UTC)
            if 12 <= at.hour < 15 and at.date() == (NOW + timedelta(days=OUTAGE_DAY)).date():
                by_channel[row.channel] += 1
    assert by_channel["chat"] == by_channel["mail"] == 0
    assert by_channel["phone"] > 50


def test_transferred_contacts_have_a_leg_for_each_hand(batches):
    for batch in batches:
        moved = {row.external_id for row in batch.contacts if row.transfer_count}
        assert moved <= {leg.contact for leg in batch.legs}
    legs = [leg for batch in batches[:-50] for leg in batch.legs]
    assert Counter(Counter(leg.contact for leg in legs).values()).keys() == {2}


def test_states_have_no_gap_and_no_overlap(batches):
    last = {}
    for batch in batches:
        for row in batch.states:
            before = last.get((row.agent, batch.day))
            assert before is None or before == row.started_at, row
            assert row.ended_at is None or row.ended_at > row.started_at
            last[row.agent, batch.day] = row.ended_at
    assert len(last) > 400
