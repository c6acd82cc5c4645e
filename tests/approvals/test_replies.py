"""Canned replies: who sees and changes them, what a request does to a shared one, what counts as a use."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.core.files.base import ContentFile
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

from approvals.kinds import kind_of
from approvals.models import (
    ApprovalRequest,
    CannedReply,
    CannedReplyVersion,
    ReplyAttachment,
    ReplyCategory,
    ReplyHeat,
    ReplyRules,
    ReplySearch,
    ReplyUse,
)
from approvals.plain import heat, variables
from approvals.services import applying, deciding, replies, reply_rules, reply_uses, requests
from teams import acting, personal, retention
from teams.errors import OutOfReach, Refused
from teams.models import Loan
from teams.scoping import Grant
from tests import make
from tests.approvals.replies import change, live, new, texts

State = ApprovalRequest.State


def refused(code, verb, *args, **kwargs):
    with pytest.raises(Refused) as refusal:
        verb(*args, **kwargs)
    assert refusal.value.code == code, refusal.value
    return str(refusal.value)


@pytest.fixture
def desk(north, south, hub):
    """The teams, and `ask`: a request by north's first agent."""
    desk = SimpleNamespace(north=north, south=south, hub=hub, agent=north.agent.user, other=north.agents[1].user)
    desk.ask = lambda content, by=None: requests.ask("canned_reply", content, by=by or desk.agent, words="better so")
    desk.settle = lambda content, by=None: deciding.approve(desk.ask(content, by).pk, by=hub.lead)
    return desk


def titles(user):
    with acting.acting_for(user):
        filtered = set(CannedReply.objects.visible_to(user).values_list("title", flat=True))
        assert filtered == set(CannedReply.objects.values_list("title", flat=True)), "the walls differ"
        versions = set(CannedReplyVersion.objects.values_list("title", flat=True))
        assert versions == filtered == set(CannedReplyVersion.objects.visible_to(user).values_list("title", flat=True))
    return filtered


# -- who sees what -----------------------------------------------------------------------------------------------------


def test_both_walls_let_the_same_replies_through(desk):
    annex = make.team("Annex", desk.north.team)
    deep = make.agent(annex, user=make.user("deep")).user
    observer = make.user("observer", is_staff=True)
    make.grant(observer, annex, Grant.OBSERVE)
    for name, team in (
        ("hub", desk.hub.team),
        ("north", desk.north.team),
        ("south", desk.south.team),
        ("annex", annex),
    ):
        live(name, name, team=team)
    live("all", "all")
    live("mine", "mine", owner=desk.agent)
    assert titles(desk.agent) == {"hub", "north", "all", "mine"}
    assert titles(desk.other) == {"hub", "north", "all"}
    assert titles(desk.north.lead) == {"hub", "north", "annex", "all"}, "a lead reads no personal reply"
    assert titles(deep) == {"hub", "north", "annex", "all"}
    assert titles(observer) == {"hub", "north", "annex", "all"}
    assert titles(desk.south.lead) == {"hub", "south", "all"}
    assert titles(desk.hub.reviewer) == {"hub", "north", "south", "annex", "all"}
    assert titles(desk.hub.payroll) == {"all"}, "SETTLE opens no reply of a team"
    assert titles(make.user("stranger")) == {"all"}
    assert titles(desk.hub.operator) == {"hub", "north", "south", "annex", "all", "mine"}
    assert titles(make.user("gone", is_active=False)) == set()
    today = timezone.now().date()
    Loan.objects.create(
        agent=desk.north.agents[1], team=desk.south.team, span=DateRange(today, today + timedelta(days=2))
    )
    assert titles(desk.other) == {"hub", "north", "south", "all"}


def test_nobody_writes_a_shared_reply_past_the_engine(desk):
    reply = live(team=desk.north.team)
    mine = live("mine", "mine", owner=desk.agent)
    for who in (desk.agent, desk.north.lead):
        with acting.acting_for(who):
            assert CannedReply.objects.filter(pk=reply.pk).update(title="taken over") == 0
            assert list(CannedReply.objects.manageable_by(who)) == ([mine] if who == desk.agent else [])
            with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
                CannedReply.objects.create(scope="all", title="x", short_code="x", body="x")
    for verb in (replies.retire_personal, lambda pk, by: replies.save_personal(texts(), by=by, pk=pk)):
        with pytest.raises(OutOfReach):
            verb(reply.pk, by=desk.north.lead)
        with pytest.raises(OutOfReach):
            verb(mine.pk, by=desk.north.lead)


# -- personal ----------------------------------------------------------------------------------------------------------


def test_a_personal_reply_needs_no_approval_and_keeps_its_versions(desk):
    with acting.acting_for(desk.agent):
        reply = replies.save_personal(texts("Mine", "mine"), by=desk.agent)
        assert (reply.status, reply.scope, reply.version) == ("live", "personal", 1)
        reply = replies.save_personal(texts("Mine again", "mine"), by=desk.agent, pk=reply.pk, version=1)
        assert refused("stale", replies.save_personal, texts(), by=desk.agent, pk=reply.pk, version=1)
        replies.retire_personal(reply.pk, by=desk.agent)
        assert replies.retire_personal(reply.pk, by=desk.agent).version == 3, "again changes nothing"
    assert list(reply.versions.values_list("number", "title")) == [(3, "Mine again"), (2, "Mine again"), (1, "Mine")]
    assert not ApprovalRequest.objects.exists()


def test_a_short_code_is_live_once_per_place_and_language(desk):
    replies.save_personal(texts("One", "code"), by=desk.agent)
    refused("code_taken", replies.save_personal, texts("Two", "CODE"), by=desk.agent)
    replies.save_personal(texts("Eins", "code", language="de"), by=desk.agent)
    replies.save_personal(texts("Hers", "code"), by=desk.other)
    live("Team's", "code", team=desk.north.team)
    assert CannedReply.objects.filter(short_code="code").count() == 4
    with pytest.raises(IntegrityError), transaction.atomic():
        CannedReply.objects.create(scope="team", team=desk.north.team, title="x", short_code="Code", body="x")


# -- shared ------------------------------------------------------------------------------------------------------------


def test_an_agent_proposes_a_reply_and_a_lead_decides(desk):
    request = desk.ask(new(desk.north.team, title="Refund", code="refund", tags=["money", "money"]))
    assert request.state == State.IN_REVIEW and not CannedReply.objects.exists()
    assert {seat.user for seat in request.seats.all()} == {desk.north.lead, desk.hub.lead}
    request = deciding.approve(request.pk, by=desk.north.lead)
    reply = CannedReply.objects.get()
    assert (request.state, reply.status, reply.team, reply.tags) == (State.APPLIED, "live", desk.north.team, ["money"])
    version = reply.versions.get()
    assert (version.number, version.request, version.made_by) == (1, request, desk.agent)
    assert reply.search.is_live and reply.search.place == desk.north.team.pk


def test_t93_the_old_text_stays_live_until_the_second_person_agrees(desk):
    reply = live(team=desk.north.team, body="Old text.")
    request = desk.ask(change(reply, body="New text."), by=desk.north.lead)
    reply.refresh_from_db()
    assert (reply.body, reply.version) == ("Old text.", 1)
    refused("own_request", deciding.approve, request.pk, by=desk.north.lead)
    deciding.approve(request.pk, by=desk.hub.lead)
    reply.refresh_from_db()
    assert (reply.body, reply.version) == ("New text.", 2)


def test_what_is_for_everybody_is_decided_on_the_top_team(desk):
    request = desk.ask(new(None, title="Hello"))
    assert request.team == desk.hub.team
    assert {seat.user for seat in request.seats.all()} == {desk.hub.lead}
    deciding.approve(request.pk, by=desk.hub.lead)
    assert CannedReply.objects.get().scope == "all"


def test_out_of_reach_and_missing_are_one_answer(desk):
    foreign = live(team=desk.south.team)
    private = live("Hers", "hers", owner=desk.other)
    for content in (
        new(desk.south.team),
        {"action": "retire", "reply": foreign.pk},
        {"action": "retire", "reply": private.pk},
        change(foreign, title="x"),
        {"action": "retire", "reply": 10**9},
        {**new(None), "scope": "team", "team": 10**9},
    ):
        with pytest.raises(OutOfReach):
            desk.ask(content)  # fmt: skip
    mine = live("Mine", "mine", owner=desk.agent)
    refused("personal", desk.ask, {"action": "retire", "reply": mine.pk})


def test_what_is_wrong_is_named_with_its_field_and_nothing_is_kept(desk):
    assert "Title" in refused("bad_payload", desk.ask, {**new(desk.north.team), "title": ""})
    assert "Reply" in refused("bad_payload", desk.ask, {"action": "retire"})
    assert "Team" in refused("bad_payload", desk.ask, {**new(desk.north.team), "team": None})
    assert "Version" in refused("bad_payload", desk.ask, {"action": "roll_back", "reply": 1})
    said = refused("bad_payload", desk.ask, new(desk.north.team, body="Dear {{custmer}}"))
    assert "{{custmer}}" in said and "{{customer_name}}" in said
    assert "broken" in refused("bad_payload", desk.ask, new(desk.north.team, body="Dear {{customer_name}"))
    assert "Short code" in refused("bad_payload", desk.ask, new(desk.north.team, code="two words"))
    day = timezone.now().date()
    refused("bad_payload", desk.ask, new(desk.north.team, valid_from=day, valid_until=day - timedelta(days=1)))
    refused("bad_payload", desk.ask, new(desk.north.team, language="tlh"))
    refused("unknown_category", desk.ask, new(desk.north.team, category=77))
    refused("unknown_file", desk.ask, {**new(desk.north.team), "attachments": [77]})
    assert not ApprovalRequest.objects.exists()


def test_sensitive_words_are_named_at_submit(desk):
    with pytest.raises(OutOfReach):
        reply_rules.set_rules(half_life_days=14, words=["idiot"], by=desk.hub.lead)
    reply_rules.set_rules(half_life_days=14, words=["idiot", "笨蛋", " "], by=desk.hub.operator, reason="manners")
    assert ReplyRules.current().words == ["idiot", "笨蛋"]
    assert "idiot" in refused("bad_payload", desk.ask, new(desk.north.team, body="You IDIOT."))
    assert "笨蛋" in refused("bad_payload", desk.ask, new(desk.north.team, title="别当笨蛋"))
    assert desk.ask(new(desk.north.team, body="Idiotic is another word.")).state == State.IN_REVIEW


def test_a_taken_short_code_is_refused_when_asked_and_when_carried_out(desk):
    live(team=desk.north.team)
    refused("code_taken", desk.ask, new(desk.north.team, code="REFUND"))
    request = desk.ask(new(desk.north.team, code="other"))
    live("Meanwhile", "other", team=desk.north.team)
    request = deciding.approve(request.pk, by=desk.hub.lead)
    assert request.state == State.APPLY_FAILED and "other" in request.error


def test_one_open_request_per_reply_and_per_new_code(desk):
    reply = live(team=desk.north.team)
    desk.ask(change(reply, title="A"))
    refused("already_open", desk.ask, {"action": "retire", "reply": reply.pk})
    desk.ask(new(desk.north.team, code="fresh"))
    refused("already_open", desk.ask, new(desk.north.team, code="Fresh"), desk.other)
    assert desk.ask(new(desk.north.team, code="fresh", language="de")).state == State.IN_REVIEW


def test_a_reply_that_moved_meanwhile_is_a_conflict(desk):
    reply = live(team=desk.north.team)
    request = desk.ask(change(reply, title="A"))
    replies.write(reply, by=None)
    request = deciding.approve(request.pk, by=desk.hub.lead)
    assert request.state == State.CHANGES_REQUESTED
    assert CannedReply.objects.get(pk=reply.pk).title == "Refund"


def test_asking_for_what_stands_is_refused(desk):
    reply = live(team=desk.north.team)
    refused("no_change", desk.ask, change(reply))
    refused("no_change", desk.ask, {"action": "roll_back", "reply": reply.pk, "number": 1})
    refused("no_such_version", desk.ask, {"action": "roll_back", "reply": reply.pk, "number": 9})
    desk.settle({"action": "retire", "reply": reply.pk})
    refused("already_retired", desk.ask, {"action": "retire", "reply": reply.pk})


def test_rolling_back_brings_an_approved_version_again_as_the_next_one(desk):
    reply = live(team=desk.north.team, body="First.")
    desk.settle(change(reply, body="Second."))
    reply.refresh_from_db()
    desk.settle(change(reply, body="Third."))
    request = desk.settle({"action": "roll_back", "reply": reply.pk, "number": 1})
    reply.refresh_from_db()
    assert (reply.body, reply.version) == ("First.", 4)
    assert reply.versions.get(number=4).request == request
    desk.settle({"action": "retire", "reply": reply.pk})
    desk.settle({"action": "roll_back", "reply": reply.pk, "number": 2})
    reply.refresh_from_db()
    assert (reply.body, reply.status) == ("Second.", "live"), "rolling back brings a retired reply back"


def test_undo_within_seven_days_restores_the_former_version(desk):
    reply = live(team=desk.north.team, body="First.")
    request = desk.settle(change(reply, body="Second."))
    applying.undo(request.pk, by=desk.hub.lead, words="wrong")
    reply.refresh_from_db()
    assert (reply.body, reply.version) == ("First.", 3)
    request = desk.settle({"action": "retire", "reply": reply.pk})
    applying.undo(request.pk, by=desk.hub.lead, words="wrong")
    reply.refresh_from_db()
    assert reply.status == "live" and reply.search.is_live
    request = desk.settle(new(desk.north.team, code="fresh"))
    applying.undo(request.pk, by=desk.hub.lead, words="wrong")
    assert CannedReply.objects.get(short_code="fresh").status == "retired"
    request = desk.settle(change(reply, body="Fourth."))
    reply.refresh_from_db()
    desk.settle(change(reply, body="Fifth."))
    refused("moved_on", applying.undo, request.pk, by=desk.hub.lead, words="wrong")
    ApprovalRequest.objects.filter(pk=request.pk).update(applied_at=timezone.now() - timedelta(days=8))
    refused("too_late", applying.undo, request.pk, by=desk.hub.lead, words="wrong")


def test_the_difference_and_the_effects_are_in_words(desk):
    reply = live(team=desk.north.team, body="Old.")
    live("Everybody's", "refund")
    reply_uses.use(reply.pk, "c1", by=desk.agent)
    tomorrow = timezone.localdate() + timedelta(days=2)
    request = desk.ask(change(reply, body="Dear {{customer_name}}.", tags=["a", "b"], valid_from=tomorrow))
    kind = kind_of("canned_reply")
    wish = kind.wish(request.content)
    lines = {str(line.label): line for line in kind.difference(wish, request.stood)}
    assert set(lines) == {"Text", "Tags", "Valid from"}
    assert (lines["Text"].old, lines["Text"].new, lines["Text"].is_text) == ("Old.", "Dear {{customer_name}}.", True)
    assert (lines["Tags"].old, lines["Tags"].new) == ("", "a, b")
    said = " ".join(map(str, kind.effects(wish, request.stood, timezone.now())))
    for words in (
        "North and the teams below it see it: 2 agents.",
        "used 1 time in 90 days",
        "Everybody's",
        "It is live from",
        "Dear Maria Chen.",
    ):
        assert words in said  # fmt: skip
    assert request.plan["measured"] == {"action": "edit", "scope": "team", "language": "en", "uses": 1}
    retire = {"action": "retire", "reply": reply.pk}
    (line,) = kind.difference(kind.wish(kind.checked(retire)), request.stood)
    assert (line.old, line.new) == ("live", "retired")


# -- files -------------------------------------------------------------------------------------------------------------


def test_files_belong_to_the_version_that_names_them(desk):
    with acting.acting_for(desk.agent):
        file = replies.bring_file(ContentFile(b"%PDF-1", "map.pdf"), by=desk.agent, team=desk.north.team.pk)
    assert file.file.read() == b"%PDF-1"
    for who, is_seen in ((desk.agent, True), (desk.north.lead, True), (desk.other, False), (desk.south.lead, False)):
        with acting.acting_for(who):
            assert ReplyAttachment.objects.exists() == is_seen == ReplyAttachment.objects.visible_to(who).exists()
    reply = live(team=desk.north.team)
    desk.settle({**change(reply), "attachments": [file.pk]})
    assert list(reply.attachments.all()) == [file] == list(reply.versions.get(number=2).attachments.all())
    with acting.acting_for(desk.other):
        assert list(ReplyAttachment.objects.visible_to(desk.other)) == [file]
    desk.settle({"action": "roll_back", "reply": reply.pk, "number": 1})
    assert not reply.attachments.exists()
    refused("unknown_file", desk.ask, {**new(desk.south.team), "attachments": [file.pk]}, desk.south.lead)


def test_files_of_odd_kinds_and_sizes_are_refused(desk):
    refused("wrong_kind", replies.bring_file, ContentFile(b"x", "run.exe"), by=desk.agent)
    refused("wrong_kind", replies.bring_file, ContentFile(b"<svg/>", "mark.svg"), by=desk.agent)
    refused("empty_file", replies.bring_file, ContentFile(b"", "a.pdf"), by=desk.agent)
    refused("too_large", replies.bring_file, ContentFile(b"x" * (replies.MOST_BYTES + 1), "a.pdf"), by=desk.agent)
    assert replies.bring_file(ContentFile(b"x", "../../etc/a.pdf"), by=desk.agent).name == "a.pdf"


def test_files_that_none_has_go_after_a_month_and_no_other(desk, django_capture_on_commit_callbacks):
    kept = next(each for each in retention.classes() if each.code == "reply_files")
    names = ("withdrawn", "waits", "live")
    files = {name: replies.bring_file(ContentFile(b"x", f"{name}.pdf"), by=desk.agent) for name in names}
    asked = {name: {**new(desk.north.team, code=name), "attachments": [file.pk]} for name, file in files.items()}
    requests.withdraw(desk.ask(asked["withdrawn"]).pk, by=desk.agent)
    desk.ask(asked["waits"])
    desk.settle(asked["live"])
    assert kept.count(timezone.now() - timedelta(days=30)) == 0
    with django_capture_on_commit_callbacks(execute=True):
        assert kept.count(timezone.now()) == kept.let_go(timezone.now()) == 1
    storage, stored = files["live"].file.storage, {name: file.file.name for name, file in files.items()}
    assert [name for name in names if storage.exists(stored[name])] == ["waits", "live"]
    assert {row.name for row in ReplyAttachment.objects.all()} == {"waits.pdf", "live.pdf"}


# -- uses and heat -----------------------------------------------------------------------------------------------------


def counted(reply):
    return {
        "all": ReplySearch.objects.get(reply=reply).uses,
        **{(row.team.name, row.agent_id): row.uses for row in ReplyHeat.objects.filter(reply=reply)},
    }


def test_a_contact_counts_once_and_own_team_and_all_are_kept_apart(desk):
    reply = live()
    one, two, far = desk.north.agents[0], desk.north.agents[1], desk.south.agent
    assert reply_uses.use(reply.pk, "c1", by=one.user)
    assert not reply_uses.use(reply.pk, "c1", by=one.user)
    assert not reply_uses.use(reply.pk, " c1 ", by=two.user)
    assert reply_uses.use(reply.pk, "c2", by=two.user, edited=Decimal("0.25"))
    assert reply_uses.use(reply.pk, "c3", by=far.user)
    assert counted(reply) == {
        "all": 3, ("North", None): 2, ("North", one.pk): 1, ("North", two.pk): 1, ("South", None): 1, ("South", far.pk): 1
    }  # fmt: skip
    assert ReplyUse.objects.get(contact="c2").edited_share == Decimal("0.250")


def test_without_a_contact_the_agent_and_ten_minutes_count_once(desk):
    reply = live()
    at = datetime(2026, 11, 26, 9, 41, tzinfo=UTC)
    told = [(0, desk.agent), (8, desk.agent), (8, desk.other), (9, desk.agent)]
    assert [reply_uses.use(reply.pk, by=who, at=at + timedelta(minutes=past)) for past, who in told] == [
        True, False, True, True
    ]  # fmt: skip


def test_who_may_not_use_is_told_why(desk):
    reply, foreign = live(team=desk.north.team), live("S", "s", team=desk.south.team)
    refused("no_agent", reply_uses.use, reply.pk, "c", by=desk.north.lead)
    for share in (Decimal("1.01"), Decimal("-0.1"), Decimal("NaN")):
        refused("wrong_share", reply_uses.use, reply.pk, "c", by=desk.agent, edited=share)
    with pytest.raises(OutOfReach):
        reply_uses.use(foreign.pk, "c", by=desk.agent)
    desk.settle({"action": "retire", "reply": reply.pk})
    refused("not_live", reply_uses.use, reply.pk, "c", by=desk.agent)
    assert not ReplyUse.objects.exists()


def test_heat_halves_at_the_half_life_and_adds_up_as_arithmetic_says(desk):
    reply, now = live(), datetime(2026, 11, 26, tzinfo=UTC)
    for number, days in enumerate((28, 14, 14, 0)):
        reply_uses.use(reply.pk, f"c{number}", by=desk.agent, at=now - timedelta(days=days))
    level = ReplySearch.objects.get(reply=reply).level
    assert heat.heat(level, now, 14) == pytest.approx(0.25 + 0.5 + 0.5 + 1, abs=1e-9)
    assert heat.heat(level, now + timedelta(days=14), 14) == pytest.approx(2.25 / 2, abs=1e-9)
    assert {row.level for row in ReplyHeat.objects.all()} == {level}
    by_python = heat.COLD
    for days in (28, 14, 14, 0):
        by_python = heat.joined(by_python, heat.half_lives(now - timedelta(days=days), 14))
    assert level == pytest.approx(by_python, abs=1e-12)


def test_a_use_told_late_counts_at_its_moment_and_ages_apart_add_nothing(desk):
    reply, now = live(), datetime(2026, 11, 26, tzinfo=UTC)
    reply_uses.use(reply.pk, "new", by=desk.agent, at=now)
    reply_uses.use(reply.pk, "old", by=desk.agent, at=now - timedelta(days=14 * 400))
    row = ReplySearch.objects.get(reply=reply)
    assert heat.heat(row.level, now, 14) == 1.0 and row.uses == 2 and row.last_used_at == now


def test_another_half_life_works_out_all_heat_anew(desk):
    one, two, unused = live(), live("Two", "two"), live("Three", "three")
    now = timezone.now()
    for number, days in enumerate((30, 10, 0)):
        reply_uses.use(one.pk, f"c{number}", by=desk.agent, at=now - timedelta(days=days))
    reply_uses.use(two.pk, "c", by=desk.south.agent.user, at=now - timedelta(days=10))
    reply_rules.set_rules(half_life_days=10, words=[], by=desk.hub.operator)
    levels = dict(ReplySearch.objects.values_list("reply", "level"))
    assert heat.heat(levels[one.pk], now, 10) == pytest.approx(1 / 8 + 1 / 2 + 1, abs=1e-9)
    assert heat.heat(levels[two.pk], now, 10) == pytest.approx(1 / 2, abs=1e-9)
    assert levels[unused.pk] == heat.COLD
    own = ReplyHeat.objects.get(reply=one, agent=desk.north.agent)
    assert own.level == pytest.approx(levels[one.pk]) and own.uses == 3


# -- categories, variables ----------------------------------------------------------------------------------------------


def test_categories_are_written_by_leads_and_for_everybody_by_the_operator(desk):
    with pytest.raises(OutOfReach):
        reply_rules.add_category(name="Money", team=None, parent=None, by=desk.north.lead)
    with pytest.raises(OutOfReach):
        reply_rules.add_category(name="Money", team=desk.south.team.pk, parent=None, by=desk.north.lead)
    top = reply_rules.add_category(name="Money", team=None, parent=None, by=desk.hub.operator)
    refused("name_taken", reply_rules.add_category, name="money", team=None, parent=None, by=desk.hub.operator)
    own = reply_rules.add_category(name="Refunds", team=desk.north.team.pk, parent=top.pk, by=desk.north.lead)
    refused(
        "unknown_category",
        reply_rules.add_category,
        name="x",
        team=desk.south.team.pk,
        parent=own.pk,
        by=desk.south.lead,
    )
    for who, names in ((desk.agent, {"Money", "Refunds"}), (desk.south.lead, {"Money"}), (desk.hub.payroll, {"Money"})):
        with acting.acting_for(who):
            assert set(ReplyCategory.objects.values_list("name", flat=True)) == names
            assert set(ReplyCategory.objects.visible_to(who).values_list("name", flat=True)) == names
    reply = live(team=desk.north.team, category=own.pk)
    refused("in_use", reply_rules.remove_category, own.pk, by=desk.north.lead)
    refused("in_use", reply_rules.remove_category, top.pk, by=desk.hub.operator)
    with pytest.raises(OutOfReach):
        reply_rules.rename_category(top.pk, name="y", by=desk.north.lead)
    before = reply.search.names
    reply_rules.rename_category(own.pk, name="Paybacks", by=desk.north.lead)
    assert ReplySearch.objects.get(reply=reply).names != before
    empty = reply_rules.add_category(name="Empty", team=desk.north.team.pk, parent=own.pk, by=desk.north.lead)
    reply_rules.remove_category(empty.pk, by=desk.north.lead)
    step = own.pk
    for depth in range(3):
        step = reply_rules.add_category(name=f"d{depth}", team=desk.north.team.pk, parent=step, by=desk.north.lead).pk
    refused("too_deep", reply_rules.add_category, name="d", team=desk.north.team.pk, parent=step, by=desk.north.lead)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Hello", ""), ("{{customer_name}} {{ today }}", ""), ("{{x}}", "x"), ("{{Customer_Name}}", "Customer_Name"),
        ("{{customer_name}", "broken"), ("customer_name}}", "broken"), ("{{}}", "variable"), ("{one brace}", ""),
        ("{{{customer_name}}}", ""), ("{{customer name}}", "customer name"),
    ],
)  # fmt: skip
def test_variables_are_known_and_whole(text, named):
    said = variables.complaint(text)
    assert bool(said) == bool(named) and named in said
    assert variables.filled("{{agent_name}} {{order_number}}", {"agent_name": "Li"}) == "Li {{order_number}}"


# -- people's data -----------------------------------------------------------------------------------------------------


def test_personal_replies_go_with_the_person_and_uses_after_two_years(desk):
    live("Mine", "mine", owner=desk.agent)
    kept = live()
    reply_uses.use(kept.pk, "new", by=desk.agent)
    reply_uses.use(kept.pk, "old", by=desk.agent, at=timezone.now() - timedelta(days=800))
    (uses,) = [each for each in retention.classes() if each.code == "reply_uses"]
    assert retention.let_go(uses, timezone.now()) == 1
    assert counted(kept)["all"] == 2, "the counts stay"
    entered = {each.code: each for each in personal.classes()}
    person = personal.Subject.of_agent(desk.north.agent)
    assert entered["approvals.cannedreply"].is_deleted
    entered["approvals.cannedreply"].about(person).delete()
    assert list(CannedReply.objects.all()) == [kept]
    assert [each for each in personal.forgotten() if "reply" in each.lower()] == []


def test_the_search_keys_hold_no_word(desk):
    live("Verysecretword", "verysecretcode", body="Verysecretbody 秘密", tags=["verysecrettag"], owner=desk.agent)
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(search)::text FROM approvals_replysearch search")
        assert "secret" not in cursor.fetchone()[0]
