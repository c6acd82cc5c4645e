"""The blacklist from asking to its end: who may, what holds when, what is counted, and what no table ever holds."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from approvals.letters import blacklist as block_letters
from approvals.models import ApprovalRequest, BlockEntry, BlockHit
from approvals.services import applying, blacklist, clocks, deciding, requests
from approvals.services.blacklist import keeping
from approvals.services.blacklist.checking import Asked
from performance.intake import customers
from teams import personal, retention
from teams.errors import OutOfReach, Refused
from teams.models import Notice, PrivacyRules
from teams.scoping import Grant
from tests import make
from tests.approvals.blocks import MASK, NUMBER, ask, blocked, check, entry
from tests.approvals.test_engine import refused, told, trace

State, Entry = ApprovalRequest.State, BlockEntry.State


@pytest.fixture
def case(north, south, hub):
    return SimpleNamespace(north=north, south=south, hub=hub, agent=north.agent.user)


def later(**span):
    return time_machine.travel(timezone.now() + timedelta(**span), tick=False)


def lasts(row):
    return row.span.upper - row.span.lower


# -- asking, approving -------------------------------------------------------------------------------------------------


def test_asked_by_an_agent_approved_by_a_lead_and_met(case):
    request = ask(case.north.team, case.agent)
    assert (request.state, request.subject_label, check(case.agent)) == (State.IN_REVIEW, MASK, [""])
    request = deciding.approve(request.pk, by=case.north.lead)
    row = request.block_entries.get()
    assert (row.state, row.effect, row.mask, row.requested_by, row.approved_by) == (
        Entry.ACTIVE, "block", MASK, case.agent, case.north.lead
    )  # fmt: skip
    assert lasts(row) == timedelta(days=7)
    assert check(case.agent, "0044 20 79460018") == ["block"]
    version = row.history.get()
    assert (version.history_user, version.history_change_reason) == (case.north.lead, f"request {request.pk}")


@pytest.mark.parametrize(
    ("term", "length"),
    [("1h", timedelta(hours=1)), ("8h", timedelta(hours=8)), ("1d", timedelta(days=1)), ("7d", timedelta(days=7))],
)
def test_terms_begin_with_the_approval(case, term, length):
    assert lasts(blocked(case, term=term)) == length


def test_a_moment_of_choice_is_ahead_and_not_too_far(case):
    ends = timezone.now() + timedelta(days=30)
    assert blocked(case, term="custom", until=ends).span.upper == ends
    for until in (None, timezone.now() - timedelta(hours=1), timezone.now() + timedelta(days=800)):
        refused("bad_payload", ask, case.north.team, case.agent, "+442079460019", term="custom", until=until)


def test_for_ever_needs_two_leads_and_a_day_of_review(case):
    request = ask(case.north.team, case.agent, term="permanent")
    request = deciding.approve(request.pk, by=case.north.lead)
    assert (request.state, check(case.agent)) == (State.IN_REVIEW, [""])
    refused("already_decided", deciding.approve, request.pk, by=case.north.lead)
    request = deciding.approve(request.pk, by=case.hub.lead)
    row = request.block_entries.get()
    assert (request.state, row.span.upper) == (State.APPLIED, None)
    assert row.review_on == (timezone.now() + timedelta(days=180)).date()
    with later(days=4000):
        assert check(case.agent) == ["block"]


def test_an_end_named_by_the_approver_counts_where_it_is_sooner(case):
    sooner = timezone.now() + timedelta(hours=2)
    request = ask(case.north.team, case.agent)
    assert deciding.approve(request.pk, by=case.north.lead, ends_at=sooner).block_entries.get().span.upper == sooner
    request = ask(case.north.team, case.agent, "+442079460019", term="1h")
    row = deciding.approve(request.pk, by=case.north.lead, ends_at=sooner).block_entries.get()
    assert lasts(row) == timedelta(hours=1)


def test_who_may_ask_for_which_team(case):
    with pytest.raises(OutOfReach):
        ask(case.south.team, case.agent)
    with pytest.raises(OutOfReach):
        ask(case.hub.team, case.north.lead)
    with pytest.raises(OutOfReach):
        ask(case.north.team, case.hub.trainer)
    assert ask(case.south.team, case.hub.lead).state == State.IN_REVIEW
    assert not ApprovalRequest.objects.exclude(team=case.south.team).exists()


def test_a_number_is_dialled_where_the_team_is_or_where_the_form_says(case):
    case.north.team.zone = "Asia/Shanghai"
    case.north.team.save()
    assert ask(case.north.team, case.agent, "138 1234 5678").subject_label == "+86 *********78"
    assert ask(case.north.team, case.agent, "020 7946 0018", country="GB").subject_label == MASK
    refused("bad_subject", ask, case.south.team, case.south.agent.user, "138 1234 5678")


def test_one_open_request_and_one_live_entry_per_subject_and_team(case):
    request = ask(case.north.team, case.agent)
    refused("already_open", ask, case.north.team, case.north.lead, "020 7946 0018", country="GB")
    deciding.approve(request.pk, by=case.north.lead)
    refused("already_listed", ask, case.north.team, case.agent)
    assert ask(case.south.team, case.south.agent.user).state == State.IN_REVIEW
    row = BlockEntry.objects.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        BlockEntry.objects.create(
            **{
                name: getattr(row, name)
                for name in ("team", "subject_kind", "digest", "mask", "span", "state", "requested_by")
            }
        )


def test_a_hash_under_another_mask_is_refused(case):
    request = ask(case.north.team, case.agent)
    edited = {**request.content, "mask": "+49 *******11"}
    refused("bad_payload", requests.edit, request.pk, edited, by=case.agent)
    edited = {**request.content, "effect": "mute", "term": "1d"}
    request = requests.edit(request.pk, edited, by=case.agent)
    row = deciding.approve(request.pk, by=case.north.lead).block_entries.get()
    assert (row.effect, lasts(row)) == ("mute", timedelta(days=1))


def test_the_difference_and_what_would_follow_are_said(case):
    from approvals.kinds import kind_of

    entry(case.north.team, case.agent, state="lapsed", begins=-48, ends=-24)
    BlockHit.objects.create(entry=BlockEntry.objects.get(), mask=MASK)
    request = ask(case.north.team, case.agent, channels=["chat", "phone"])
    kind = kind_of("blacklist")
    wish = kind.wish(request.content)
    lines = {str(line.label): line.new for line in kind.difference(wish, {})}
    assert lines["telephone number"] == MASK and lines["channels"] == "chat, telephone"
    assert lines["blocked"] == "7 days, from the approval or from when it was held"
    assert kind.effects(wish, {}, timezone.now()) == ["Met 1 time in the last 30 days.", "Blocked 1 time before."]


# -- holding -----------------------------------------------------------------------------------------------------------


def test_held_now_and_approved_later_counts_from_the_hold(case):
    with time_machine.travel(timezone.now(), tick=False):
        request = ask(case.north.team, case.north.lead, hold_now=True)
        row = request.block_entries.get()
        assert (row.state, lasts(row), row.approved_by) == (Entry.HELD, timedelta(hours=24), None)
        assert (request.state, check(case.agent)) == (State.IN_REVIEW, ["block"])
    with later(hours=3):
        refused("own_request", deciding.approve, request.pk, by=case.north.lead)
        deciding.approve(request.pk, by=case.hub.lead)
    after = BlockEntry.objects.get()
    assert (after.pk, after.state, after.span.lower, lasts(after)) == (
        row.pk, Entry.ACTIVE, row.span.lower, timedelta(days=7)
    )  # fmt: skip


def test_a_hold_ends_by_itself_without_any_sweep(case):
    ask(case.north.team, case.north.lead, hold_now=True)
    with later(hours=23, minutes=59):
        assert check(case.agent) == ["block"]
    with later(hours=24, minutes=1):
        assert check(case.agent) == [""]
        assert BlockEntry.objects.get().state == Entry.HELD
        assert (blacklist.lapse(timezone.now()), blacklist.lapse(timezone.now())) == (1, 0)
        assert BlockEntry.objects.get().state == Entry.LAPSED


def test_a_hold_is_never_longer_than_what_is_asked(case):
    ask(case.north.team, case.north.lead, term="1h", hold_now=True)
    assert lasts(BlockEntry.objects.get()) == timedelta(hours=1)


def test_approved_after_the_hold_has_lapsed_it_begins_anew(case):
    request = ask(case.north.team, case.north.lead, hold_now=True)
    with later(hours=30):
        request = deciding.approve(request.pk, by=case.hub.lead)
        assert request.state == State.APPLIED
        row = request.block_entries.get(state=Entry.ACTIVE)
        assert (row.span.lower, lasts(row)) == (timezone.now(), timedelta(days=7))


@pytest.mark.parametrize("end", ["rejected", "withdrawn", "expired"])
def test_a_hold_ends_with_its_request(case, end):
    request = ask(case.north.team, case.north.lead, hold_now=True)
    assert check(case.agent) == ["block"]
    if end == "rejected":
        deciding.reject(request.pk, by=case.hub.lead, words="mistaken")
    elif end == "withdrawn":
        requests.withdraw(request.pk, by=case.north.lead)
    else:
        ApprovalRequest.objects.update(expire_at=timezone.now(), next_due_at=timezone.now())
        clocks.sweep(timezone.now() + timedelta(seconds=1))
    request.refresh_from_db()
    assert (request.state, check(case.agent)) == (end, [""])
    assert BlockEntry.objects.get().state == Entry.LAPSED


def test_only_who_leads_the_team_holds(case):
    refused("not_yours", ask, case.north.team, case.agent, hold_now=True)
    watcher = make.user("watcher", is_staff=True)
    make.grant(watcher, case.north.team, Grant.OBSERVE)
    refused("not_yours", ask, case.north.team, watcher, hold_now=True)
    assert not BlockEntry.objects.exists() and not ApprovalRequest.objects.exists()


# -- extending, lifting, undoing -----------------------------------------------------------------------------------------


def test_extended_from_the_present_end_with_a_note(case):
    row = blocked(case)
    refused("bad_payload", blacklist.extend, row.pk, by=case.agent, note=" ")
    request = blacklist.extend(row.pk, by=case.agent, note="Called again on Monday", term="1d")
    assert check(case.agent) == ["block"] and lasts(BlockEntry.objects.get()) == timedelta(days=7)
    deciding.approve(request.pk, by=case.north.lead)
    after = BlockEntry.objects.get()
    assert (lasts(after), after.review_note) == (timedelta(days=8), "Called again on Monday")
    applying.undo(request.pk, by=case.north.lead, words="no")
    assert lasts(BlockEntry.objects.get()) == timedelta(days=7)


def test_the_old_entry_stays_until_the_second_agrees_to_the_lift(case):
    row = blocked(case)
    request = blacklist.lift(row.pk, by=case.agent, note="Says it was his brother")
    assert check(case.agent) == ["block"]
    assert told("approval_waits") == {"north-lead", "hub-lead"}
    deciding.approve(request.pk, by=case.hub.lead)
    after = BlockEntry.objects.get()
    assert (after.state, after.appeal_note, check(case.agent)) == (Entry.LIFTED, "Says it was his brother", [""])
    applying.undo(request.pk, by=case.hub.lead, words="it was him")
    assert (BlockEntry.objects.get().state, check(case.agent)) == (Entry.ACTIVE, ["block"])


def test_whoever_agreed_to_an_entry_does_not_decide_on_its_lift(case):
    row = blocked(case)
    request = blacklist.lift(row.pk, by=case.agent, note="appeal")
    refused("own_request", deciding.approve, request.pk, by=case.north.lead)
    assert not request.seats.filter(user=case.north.lead).exists()
    second = make.user("second", is_staff=True)
    make.grant(second, case.north.team, Grant.LEAD)
    permanent = ask(case.north.team, case.agent, "+442079460019", term="permanent")
    for who in (second, case.north.lead):
        deciding.approve(permanent.pk, by=who)
    request = blacklist.lift(permanent.block_entries.get().pk, by=case.agent, note="appeal")
    for who in (second, case.north.lead):
        refused("own_request", deciding.approve, request.pk, by=who)
    assert deciding.approve(request.pk, by=case.hub.lead).state == State.APPLIED


def test_what_has_ended_or_is_only_held_is_not_extended_or_lifted(case):
    request = ask(case.north.team, case.north.lead, hold_now=True)
    held = request.block_entries.get()
    refused("only_held", blacklist.lift, held.pk, by=case.north.lead, note="x")
    ended = entry(case.north.team, case.agent, "+442079460019", ends=-0.5)
    refused("not_live", blacklist.extend, ended.pk, by=case.agent, note="x")
    for_ever = entry(case.north.team, case.agent, "+442079460020", ends=None)
    refused("is_permanent", blacklist.extend, for_ever.pk, by=case.agent, note="x")
    for who in (case.south.lead, case.north.agents[1].user):
        with pytest.raises(OutOfReach):
            blacklist.lift(for_ever.pk, by=who, note="x")
    for pk in (10**9, 10**30, "x", None):
        with pytest.raises(OutOfReach):
            blacklist.extend(pk, by=case.north.lead, note="x")


def test_an_entry_that_ends_before_the_decision_sends_the_request_back(case):
    row = blocked(case, term="1h")
    request = blacklist.extend(row.pk, by=case.agent, note="again")
    with later(hours=2):
        request = deciding.approve(request.pk, by=case.north.lead)
    assert request.state == State.CHANGES_REQUESTED and "conflict" in trace(request)


def test_undone_within_a_week_it_is_lifted(case):
    row = blocked(case)
    applying.undo(row.request_id, by=case.north.lead, words="wrong number")
    row.refresh_from_db()
    assert (row.state, check(case.agent)) == (Entry.LIFTED, [""])
    other = blocked(case, "+442079460019")
    with later(days=8):
        refused("too_late", applying.undo, other.request_id, by=case.north.lead, words="late")


def test_reviewed_by_one_and_nothing_else_changes(case):
    row = blocked(case)
    on = timezone.localdate() + timedelta(days=30)
    refused("day_has_passed", blacklist.review, row.pk, on=timezone.localdate(), note="x", by=case.north.lead)
    refused("no_words", blacklist.review, row.pk, on=on, note=" ", by=case.north.lead)
    with pytest.raises(OutOfReach):
        blacklist.review(row.pk, on=on, note="x", by=case.agent)
    after = blacklist.review(row.pk, on=on, note="still calls", by=case.north.lead)
    assert (after.review_on, after.span, after.history.latest().history_user) == (on, row.span, case.north.lead)


def test_leads_are_told_once_that_reviews_are_due_and_how_many(case):
    today = timezone.now().date()
    for number, on in ((1, today), (2, today - timedelta(days=1)), (3, today + timedelta(days=1)), (4, None)):
        entry(case.north.team, case.agent, f"+44207946010{number}", ends=None, review_on=on)
    entry(
        case.south.team, case.south.agent.user, review_on=today - timedelta(days=3)
    )  # nobody swept for long: not told now
    for _twice in range(2):
        blacklist.tell_reviews(timezone.now())
    (notice,) = Notice.objects.filter(kind="block_review_due")
    assert notice.recipient == case.north.lead
    mail = block_letters.review_due(notice)
    assert "2 entries" in mail.text and mail.link.endswith("/admin/approvals/blockentry/?when=review")
    BlockEntry.objects.update(review_on=today + timedelta(days=9))
    assert block_letters.review_due(notice) is None
    with later(days=9):
        blacklist.tell_reviews(timezone.now())
    assert Notice.objects.filter(kind="block_review_due", recipient=case.north.lead).count() == 2


# -- checking ----------------------------------------------------------------------------------------------------------


def test_what_has_expired_never_matches_and_no_sweep_is_needed(case):
    entry(case.north.team, case.agent, begins=-2, ends=-1)
    entry(case.north.team, case.agent, "+442079460019", begins=1, ends=2)
    entry(case.north.team, case.agent, "203.0.113.0/24", "network", begins=-2, ends=-1)
    entry(case.north.team, case.agent, "+442079460020", state="lifted")
    assert check(case.agent, NUMBER, "+442079460019", "+442079460020") == ["", "", ""]
    assert check(case.agent, "203.0.113.7", kind="ip") == [""]
    assert not BlockHit.objects.exists()


def test_an_entry_counts_for_its_team_and_all_below_and_for_nobody_else(case):
    entry(case.north.team, case.agent)
    entry(case.hub.team, case.hub.lead, "+442079460019", effect="mute")
    both = (NUMBER, "+442079460019")
    assert check(case.agent, *both) == ["block", "mute"]
    assert check(case.south.agent.user, *both) == ["", "mute"]
    assert check(case.south.lead, *both) == ["", "mute"]
    assert check(case.hub.lead, *both) == ["block", "mute"]
    assert check(case.hub.lead, *both, team=case.south.team.pk) == ["", "mute"]
    for who in (case.hub.trainer, case.hub.payroll, make.user("nobody")):
        with pytest.raises(OutOfReach):
            check(who)
    with pytest.raises(OutOfReach):
        check(case.agent, team=case.south.team.pk)


def test_the_strongest_effect_counts_and_then_the_longest(case):
    entry(case.north.team, case.agent, effect="mute", ends=None)
    entry(case.hub.team, case.hub.lead, effect="divert", ends=3, reason_code="spam")
    (answer,) = blacklist.check([Asked("phone", NUMBER)], by=case.agent)
    assert (answer.effect, answer.reason, answer.is_permanent, answer.mask) == ("divert", "spam", False, MASK)
    assert BlockHit.objects.count() == 2


def test_addresses_are_found_in_networks(case):
    entry(case.north.team, case.agent, "203.0.113.0/24", "network", effect="divert")
    entry(case.north.team, case.agent, "203.0.113.7", "ip")
    entry(case.north.team, case.agent, "2001:db8::/32", "network", effect="mute")
    asked = ("203.0.113.7", "203.0.113.8", "::ffff:203.0.113.9", "203.0.114.1", "2001:db8:5::1", "2001:db9::1")
    assert check(case.agent, *asked, kind="ip") == ["block", "divert", "divert", "", "mute", ""]
    assert check(case.agent, "203.0.113.128/25", "203.0.112.0/23", kind="network") == ["divert", ""]


def test_channels_of_an_entry(case):
    entry(case.north.team, case.agent, channels=["chat"])
    assert [check(case.agent, channel=each) for each in ("chat", "phone", "")] == [["block"], [""], ["block"]]
    refused("unknown_channel", check, case.agent, channel="smoke")


def test_a_bad_subject_harms_only_itself(case):
    entry(case.north.team, case.agent)
    assert check(case.agent, "call me", NUMBER, "") == [
        "Write the number with + and the country, as in +44 20 7946 0018, or choose the country.",
        "block",
        "Write what identifies the customer.",
    ]
    refused("too_many", check, case.agent, *["1"] * 501)


def test_each_hit_is_kept_with_who_asked_and_no_number(case):
    row = entry(case.north.team, case.agent)
    check(case.north.agents[1].user, NUMBER, "+442079460019", NUMBER, channel="phone")
    hits = list(BlockHit.objects.values_list("entry", "mask", "channel", "by__username"))
    assert hits == [(row.pk, MASK, "phone", "north-agent-2")] * 2


def test_a_check_costs_the_same_queries_for_one_and_for_many(case):
    entry(case.north.team, case.agent)
    counts = []
    for many in (1, 400):
        numbers = [f"+4420794{number:05d}" for number in range(many)]
        with CaptureQueriesContext(
            connection,
        ) as caught:
            blacklist.check([Asked("phone", each) for each in [*numbers, NUMBER]], by=case.agent)
        counts.append(len(caught))
    assert counts[0] == counts[1] <= 6


def test_an_entry_of_a_former_key_is_found_while_that_key_is_known(case, settings):
    entry(case.north.team, case.agent)
    former = settings.SEAL_KEY
    settings.SEAL_KEY, settings.SEAL_KEYS_BEFORE = "another key of at least fifty signs, made for a test only", [former]
    assert check(case.agent) == ["block"] and keeping.keys_are_known().state == "ok"
    refused("already_listed", ask, case.north.team, case.agent)
    settings.SEAL_KEYS_BEFORE = []
    assert check(case.agent) == [""]
    assert "OUTPOST_SEAL_KEYS_BEFORE" in keeping.keys_are_known().remedy


# -- finding -----------------------------------------------------------------------------------------------------------


def test_found_by_the_whole_value_in_ones_own_sight(case):
    row = entry(case.north.team, case.agent)
    network = entry(case.north.team, case.agent, "203.0.113.0/24", "network")

    def found(by, value=NUMBER, kind="phone"):
        return blacklist.find(subject_kind=kind, subject=value, by=by).pk

    assert found(case.north.lead, "0044 20 7946 0018") == row.pk
    assert found(case.hub.lead, "203.0.113.9", "ip") == network.pk
    for value in ("+44 20 7946 001", "+44 20 7946 0019"):
        refused("not_listed", found, case.north.lead, value)
    refused("not_listed", found, case.south.lead)


# -- nothing in clear ----------------------------------------------------------------------------------------------------

CELLS = """
SELECT table_name, column_name FROM information_schema.columns
WHERE table_schema = current_schema() AND data_type IN ('text', 'character varying', 'jsonb', 'json', 'ARRAY', 'inet')
"""


def cells_with(*needles):
    """Every column of the database that holds one of `needles`, digits compared without what stands between them."""
    found = []
    with connection.cursor() as cursor:
        cursor.execute(CELLS)
        for table, column in cursor.fetchall():
            cursor.execute(
                f'SELECT count(*) FROM "{table}" WHERE lower("{column}"::text) LIKE ANY (%s) '
                f"""OR regexp_replace("{column}"::text, '[^0-9]', '', 'g') LIKE ANY (%s)""",
                [[f"%{each.lower()}%" for each in needles], [f"%{each}%" for each in needles if each.isdigit()]],
            )
            if cursor.fetchone()[0]:
                found.append(f"{table}.{column}")
    return found


def test_no_table_holds_the_number_after_a_whole_round(case):
    said = "He called from 020 7946 0018 and wrote as +44 (20) 7946-0018"
    request = ask(case.north.team, case.north.lead, evidence=said, words=said, hold_now=True)
    request = deciding.send_back(request.pk, by=case.hub.lead, words="say when")
    request = requests.edit(
        request.pk,
        {**request.content, "subject": NUMBER, "evidence": said + " at noon", "until": None, "review_on": None},
        by=case.north.lead,
    )
    request = deciding.approve(request.pk, by=case.hub.lead)
    row = request.block_entries.get()
    check(case.agent, NUMBER)
    second = make.user("second", is_staff=True)
    make.grant(second, case.north.team, Grant.LEAD)
    deciding.approve(blacklist.extend(row.pk, by=second, note="calls on from 020-79460018!").pk, by=case.north.lead)
    blacklist.review(row.pk, on=timezone.localdate() + timedelta(days=3), note=f"{NUMBER} again", by=case.north.lead)
    deciding.approve(blacklist.lift(row.pk, by=case.north.lead, note="says 0044 2079460018 is his").pk, by=second)
    mail = ask(case.north.team, case.agent, "Jane.Roe@Example.org", "mail", evidence="wrote as jane.roe@example.org")
    deciding.approve(mail.pk, by=case.north.lead)
    row.refresh_from_db()
    assert row.evidence == f"He called from {MASK} and wrote as {MASK} at noon" and BlockHit.objects.exists()
    assert (row.review_note, row.appeal_note) == (f"{MASK} again", f"says {MASK} is his")
    assert cells_with("442079460018", "2079460018", "02079460018", "jane.roe") == []
    BlockHit.objects.update(mask="+44 20 7946 0018")
    assert cells_with("442079460018") == ["approvals_blockhit.mask"]  # the search itself finds what is there


def test_a_refusal_does_not_repeat_what_was_typed(case):
    for kind, subject in (("phone", "0123"), ("mail", "jane.roe@"), ("ip", "300.1.1.1")):
        with pytest.raises(Refused) as refusal:
            ask(case.north.team, case.agent, subject, kind)
        assert subject not in str(refusal.value)


# -- keeping -----------------------------------------------------------------------------------------------------------


def test_ended_entries_and_old_hits_go_in_their_time(case):
    old = entry(case.north.team, case.agent, begins=-24 * 900, ends=-24 * 800, state="lapsed")
    old.history.update(evidence="x")
    live = entry(case.north.team, case.agent, "+442079460019", begins=-24 * 900, ends=None)
    now = timezone.now()
    for row, at in ((old, now), (live, now - timedelta(days=500)), (live, now)):
        BlockHit.objects.create(entry=row, mask="x", at=at)
    rules = PrivacyRules.objects.get_or_create()[0]
    classes = {each.code: each for each in retention.classes()}
    hits, ended = classes["block_hits"], classes["blacklist"]
    assert (hits.kept(rules), ended.kept(rules)) == (12, 24)
    assert hits.let_go(hits.cutoff(rules, now)) == 1
    assert ended.count(ended.cutoff(rules, now)) == 1
    assert ended.let_go(ended.cutoff(rules, now)) == 1
    assert list(BlockEntry.objects.all()) == [live] and BlockHit.objects.get().entry == live
    assert not BlockEntry.history.filter(id=old.pk).exists()


def test_erasing_a_customer_takes_the_words_at_once_and_the_hash_at_the_end(case, settings):
    live = blocked(case, NUMBER, evidence="he said his name is Roe")
    ended = entry(case.north.team, case.agent, NUMBER, begins=-48, ends=-24, state="lapsed")
    other = entry(case.north.team, case.agent, "+442079460019")
    BlockHit.objects.create(entry=ended, mask=MASK)
    key = customers.key_of("020 7946 0018", customers.derive_key(settings.SECRET_KEY))
    erase = next(each for each in personal.of_customers() if each.__module__.startswith("approvals"))
    before = timezone.now() + timedelta(seconds=1)
    assert erase(key, before=before, dry_run=True) == {"blacklist entries": 2}
    assert cells_with("name is roe")
    erase(key, before=before, dry_run=False)
    live.refresh_from_db()
    assert (live.evidence, check(case.agent)) == ("", ["block"])
    assert set(BlockEntry.objects.values_list("pk", flat=True)) == {live.pk, other.pk}
    assert cells_with("name is roe") == []
