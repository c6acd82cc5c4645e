"""Which canned reply comes first: cases against an expected order, and what may be suggested to whom."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from approvals.models import CannedReply, ReplySearch
from approvals.plain import pieces, ranking, sounds
from approvals.plain.ranking import Match, Query
from approvals.services import reply_uses
from approvals.services.suggesting import _asked, suggest
from teams import acting
from tests import make
from tests.approvals.replies import live


def codes(text, by, **more):
    with acting.acting_for(by):
        return [each.reply.short_code for each in suggest(text, by=by, **more)]


@pytest.fixture
def shelf(north):
    """Replies in two languages, all as warm: none was used. Later ones are newer."""
    rows = [
        ("refund", "Refund after return", "We pay back within {{today}}.", {"tags": ["money"]}),
        ("refund-late", "Refund is late", "Sorry for the wait.", {"tags": ["money", "complaint"]}),
        ("norefund", "No payback possible", "The order cannot be returned.", {}),
        ("ship", "Where is my order", "Your parcel {{tracking_number}} is on its way. Refunds take longer.", {}),
        ("hi", "Greeting", "Hello {{customer_name}}, how can I help?", {"tags": ["refund request"]}),
        ("tk", "退款规则", "收到退货后七天内退款。", {"language": "zh-hans", "tags": ["售后"]}),
        ("退换", "如何退换货", "请保留包装，我们安排上门取件。", {"language": "zh-hans"}),
        ("kd", "快递查询", "您的包裹正在路上，退款另行通知。", {"language": "zh-hans", "tags": ["物流"]}),
        ("saud", "Saudação", "Olá {{customer_name}}, como posso ajudar?", {"language": "pt"}),
    ]
    begins = timezone.now() - timedelta(days=30)
    for place, (code, title, body, more) in enumerate(rows):
        row = live(title, code, body=body, **more)
        CannedReply.objects.filter(pk=row.pk).update(updated_at=begins + timedelta(hours=place))
        ReplySearch.objects.filter(pk=row.pk).update(updated_at=begins + timedelta(hours=place))
    return north.agent.user


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        # short-code prefix, short-code part, title, keyword, text; newer first within a place
        ("refund", ["refund-late", "refund", "norefund", "hi", "ship"]),
        ("REFUND", ["refund-late", "refund", "norefund", "hi", "ship"]),
        ("fund", ["norefund", "refund-late", "refund", "hi"]),
        ("h", ["hi"]),
        ("hello", ["hi"]),
        ("money", ["refund-late", "refund"]),
        ("mon", ["refund-late", "refund"]),
        ("par", ["ship"]),
        ("arcel", []),  # in a text Latin words are found by their beginning
        ("refund late", ["refund-late"]),
        ("late refund", ["refund-late"]),
        ("order returned", ["norefund"]),
        ("order zebra", []),
        # one typing error on words of short code and title: wrong, missing, too many, swapped; not two, not in short words
        ("refumd", ["refund-late", "refund"]),
        ("refnd", ["refund-late", "refund"]),
        ("refuund", ["refund-late", "refund"]),
        ("refnud", ["refund-late", "refund"]),
        ("refxxd", []),
        ("shop", ["ship"]),
        ("hj", []),
        ("greetign", ["hi"]),
        # accents and width
        ("saudacao", ["saud"]),
        ("Saudação", ["saud"]),
        ("ｒｅｆｕｎｄ", ["refund-late", "refund", "norefund", "hi", "ship"]),
        # Chinese without spaces
        ("退款", ["tk", "kd"]),
        ("退", ["退换", "tk"]),
        ("退款规则", ["tk"]),
        ("规则退款", []),
        ("退款 规则", ["tk"]),
        ("售后", ["tk"]),
        ("包装", ["退换"]),
        ("退换货", ["退换"]),
        # pinyin: initials and in full, of titles and short codes, from any character on
        ("tkgz", ["tk"]),
        ("tuikuan", ["tk"]),
        ("gz", ["tk"]),
        ("guize", ["tk"]),
        ("kdcx", ["kd"]),
        ("kuaidichaxun", ["kd"]),
        ("thh", ["退换"]),
        ("tui", ["退换", "tk"]),
        ("uikuan", []),
        ("tk", ["tk"]),
        # nothing that means anything
        ("!!!", []),
        ("%", []),
    ],
)
def test_ranking_cases(shelf, typed, expected):
    assert codes(typed, shelf) == expected


def test_why_is_said(shelf):
    def reasons(typed):
        return {each.reply.short_code: each.why for each in suggest(typed, by=shelf)}

    assert reasons("refund") == {
        "refund": "the short code begins with “refund”", "refund-late": "the short code begins with “refund”",
        "norefund": "the short code has “refund” in it", "hi": "tags or category have “refund”",
        "ship": "the text has “refund”",
    }  # fmt: skip
    assert reasons("tkgz") == {"tk": "the title has “tkgz”, by its sound"}
    assert reasons("refnud")["refund"] == "one letter apart from “refnud”"
    reply_uses.use(CannedReply.objects.get(short_code="hi").pk, "c1", by=shelf)
    assert reasons("refund")["hi"] == "tags or category have “refund”; heat 10 (yours 1, team 1, all 1)"
    assert reasons("")["hi"] == "used most of late; heat 10 (yours 1, team 1, all 1)"
    assert reasons("")["ship"] == "not used yet, among the newest"
    assert reasons("100%s") == {}


# -- heat ------------------------------------------------------------------------------------------------------------------


def used(code, by, times, days=0):
    reply = CannedReply.objects.get(short_code=code)
    at = timezone.now() - timedelta(days=days)
    for number in range(times):
        reply_uses.use(reply.pk, f"{code}-{by.pk}-{days}-{number}", by=by, at=at)


def test_heat_ranks_within_a_place_and_never_across(shelf):
    used("ship", shelf, 30)
    used("refund", shelf, 1)
    assert codes("refund", shelf) == ["refund", "refund-late", "norefund", "hi", "ship"]


def test_empty_text_brings_the_hottest_then_the_newest(shelf):
    used("ship", shelf, 2)
    used("hi", shelf, 3)
    assert codes("", shelf, limit=4) == ["hi", "ship", "saud", "kd"]
    assert codes("   ", shelf, limit=4) == ["hi", "ship", "saud", "kd"]


def test_own_use_outweighs_the_teams_and_that_all_others(shelf, north, south):
    used("refund", shelf, 1)  # 10
    used("refund-late", north.agents[1].user, 2)  # 8
    used("norefund", south.agent.user, 9)  # 9 of all
    assert codes("re", shelf, limit=2) == ["refund", "refund-late"]
    assert codes("re", north.agents[1].user, limit=2) == ["refund-late", "refund"]
    (first, *_others) = suggest("", by=south.agent.user)
    assert (first.reply.short_code, first.own, first.team, first.everybody) == (
        "norefund",
        *[pytest.approx(9, abs=0.01)] * 3,
    )
    lead = suggest("", by=north.lead)
    assert [each.reply.short_code for each in lead[:3]] == ["norefund", "refund-late", "refund"], (
        "who is no agent: all uses"
    )


def test_old_use_gives_way_to_new(shelf):
    used("refund", shelf, 3, days=28)
    used("refund-late", shelf, 1)
    assert codes("refund", shelf, limit=2) == ["refund-late", "refund"]


def test_ties_are_stable_by_newness_then_title_then_id(north):
    moment = timezone.now() - timedelta(days=1)
    rows = [live(title, code) for title, code in (("Beta", "x1"), ("Alpha", "x2"), ("Alpha", "x3"), ("Zulu", "x4"))]
    ReplySearch.objects.update(updated_at=moment)
    CannedReply.objects.update(updated_at=moment)
    CannedReply.objects.filter(pk=rows[3].pk).update(updated_at=moment + timedelta(seconds=1))
    for _again in range(3):
        assert codes("x", north.agent.user) == ["x4", "x2", "x3", "x1"]


def test_a_cap_costs_only_what_is_cold(north, monkeypatch):
    from approvals.services import suggesting

    monkeypatch.setattr(suggesting, "MOST", 3)
    for number in range(12):
        live(f"Refund {number}", f"code{number:02d}", body="x")
    used("code00", north.agent.user, 1)
    used("code01", north.agents[1].user, 1, days=3)
    assert codes("refund", north.agent.user, limit=4)[:2] == ["code00", "code01"]


# -- what may be suggested -----------------------------------------------------------------------------------------------


def test_scope_is_respected(north, south):
    live("All", "r-all")
    live("North", "r-north", team=north.team)
    live("South", "r-south", team=south.team)
    live("Mine", "r-mine", owner=north.agent.user)
    live("Hers", "r-hers", owner=north.agents[1].user)
    assert set(codes("r-", north.agent.user)) == {"r-all", "r-north", "r-mine"}
    assert set(codes("r-", north.agents[1].user)) == {"r-all", "r-north", "r-hers"}
    assert set(codes("r-", north.lead)) == {"r-all", "r-north"}
    assert set(codes("r-", south.lead)) == {"r-all", "r-south"}
    assert codes("r-", make.user("stranger")) == ["r-all"]
    assert codes("r-", make.user("gone", is_active=False)) == []


def test_scope_holds_behind_either_wall_alone(north, south, monkeypatch):
    live("South", "r-south", team=south.team)
    monkeypatch.setattr(
        "approvals.services.suggesting._Search._usable", lambda search, channel: ReplySearch.objects.all()
    )
    assert codes("r-", north.agent.user) == []
    monkeypatch.setattr("approvals.querysets.replies.ReplyQuerySet.visible_to", lambda rows, user: rows)
    assert codes("r-", north.agent.user) == [], "row security alone"


def test_validity_status_channel_and_language(north):
    today = datetime.now(UTC).date()
    for code, more in {
        "v-open": {}, "v-begins": {"valid_from": today}, "v-later": {"valid_from": today + timedelta(days=1)},
        "v-last": {"valid_until": today}, "v-over": {"valid_until": today - timedelta(days=1)},
        "v-mail": {"channel": "mail"}, "v-chat": {"channel": "chat"}, "v-pt": {"language": "pt"},
    }.items():  # fmt: skip
        live(code, code, **more)
    retired = live("v-retired", "v-retired")
    ReplySearch.objects.filter(reply=retired).update(is_live=False)
    usable = {"v-open", "v-begins", "v-last", "v-mail", "v-chat", "v-pt"}
    by = north.agent.user
    assert set(codes("v-", by)) == usable
    assert set(codes("v-", by, channel="mail")) == usable - {"v-chat"}
    wished = codes("v-", by, language="pt")
    assert wished[0] == "v-pt" and set(wished) == usable, "the wanted language first, and not only it"


def test_days_are_those_of_the_agents_zone(north):
    early = make.agent(north.team, user=make.user("early"), zone="Pacific/Kiritimati").user  # UTC+14
    live("tomorrow", "tomorrow", valid_from=datetime(2026, 11, 27, tzinfo=UTC).date())
    noon = datetime(2026, 11, 26, 12, tzinfo=UTC)
    assert codes("tom", early, now=noon) == ["tomorrow"] and codes("tom", north.agent.user, now=noon) == []


def test_a_changed_text_is_found_by_its_new_words_only(north):
    from approvals.services import replies

    reply = live("Before", "before")
    reply.title = reply.short_code = "after"
    replies.write(reply, by=None)
    assert codes("before", north.agent.user) == [] and codes("after", north.agent.user) == ["after"]


def test_odd_texts_break_nothing(shelf):
    for text in (
        "\x00",
        "a\x00b",
        "'; DROP TABLE",
        "x" * 10_000,
        "{{",
        "\\",
        "𝕽𝖊𝖋",
        "أهلا",
        "🙂",
        "re%_",
        " ",
        "-" * 50,
    ):
        assert isinstance(codes(text, shelf), list)
    assert len(codes("", shelf, limit=10**9)) == 9 and len(codes("", shelf, limit=-1)) == 1


def test_the_number_of_queries_hangs_not_on_the_number_of_replies(north):
    def count():
        with CaptureQueriesContext(
            connection,
        ) as asked:
            suggest("zz", by=north.agent.user)
        return len(asked)

    live("zz", "zz")
    count()
    few = count()
    for number in range(30):
        live(f"zz {number}", f"zz{number}")
    assert count() <= few


def test_the_plan_uses_the_index_of_pieces(north):
    """Where rows are many; here the planner is told that reading all of them costs more than it does."""
    live()
    condition = _asked(Query.of("refund"), Match.TITLE, by_sound=False)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_indexscan = off")
        sql, given = ReplySearch.objects.filter(condition, is_live=True).order_by().values("pk").query.sql_with_params()
        cursor.execute(f"EXPLAIN {sql}", given)
        assert "reply_names" in "\n".join(line for (line,) in cursor.fetchall())


# -- pieces: what the index finds is all that ranking would find -----------------------------------------------------------

WORDS = st.sampled_from(
    ["refund", "Rückgabe", "order", "ab", "x", "退款规则", "快递", "换货", "late2", "ação", "internationally"]
)


@given(st.lists(WORDS, min_size=1, max_size=4), st.lists(WORDS, min_size=1, max_size=6), WORDS, st.data())
def test_no_hit_of_the_ranking_is_missed_by_the_index(title, body, code, data):
    """The pieces asked for are a necessary condition of every hit."""
    from approvals.services.replies import search_keys

    reply = CannedReply(scope="all", title=" ".join(title), short_code=code, body=" ".join(body), tags=title[:1],
                        code_sounds=sounds.keys(code), title_sounds=sounds.keys(" ".join(title)))  # fmt: skip
    keys = search_keys(reply)
    source = data.draw(
        st.sampled_from([reply.title, reply.body, code, *reply.title_sounds.split(), *reply.code_sounds.split()])
    )
    start = data.draw(st.integers(0, max(0, len(source) - 1)))
    typed = source[start : start + data.draw(st.integers(1, 12))]
    if data.draw(st.booleans()) and len(typed) > 3:
        typed = typed[:2] + typed[3:]
    doc = ranking.Doc(
        1, reply.title, pieces.folded(code), pieces.folded(reply.title), tuple(map(pieces.folded, reply.tags)),
        pieces.folded(reply.body), tuple(reply.code_sounds.split()), tuple(reply.title_sounds.split()), "en", timezone.now(),
    )  # fmt: skip
    query = Query.of(typed)
    hit = ranking.hit(query, doc)
    if hit is not None and query.whole:
        asked = _asked(query, hit.match, by_sound=hit.by_sound)
        assert asked is not None and _fulfilled(asked, keys), (typed, hit.match)


def _fulfilled(condition, keys):
    def holds(part):
        if not isinstance(part, tuple):
            return _fulfilled(part, keys)
        (column, lookup), wanted = part[0].split("__"), set(part[1])
        return wanted <= set(keys[column]) if lookup == "contains" else bool(wanted & set(keys[column]))

    found = [holds(part) for part in condition.children]
    whole = any(found) if condition.connector == "OR" else all(found)
    return whole != condition.negated


@pytest.mark.parametrize(
    ("one", "other", "is_one"),
    [
        ("refund", "refumd", True), ("refund", "refnd", True), ("refund", "refundd", True), ("refund", "erfund", True),
        ("refund", "refund", False), ("refund", "refxxd", False), ("refund", "fundre", False), ("abcd", "badc", False),
        ("abcd", "abdce", False), ("order", "orders", True), ("order", "oredr", True), ("order", "redro", False),
    ],
)  # fmt: skip
def test_one_typing_error(one, other, is_one):
    assert ranking.one_error_apart(one, other) is is_one is ranking.one_error_apart(other, one)


def test_sounds_of_chinese():
    assert sounds.syllables("退款规则 v2") == [["tui", "kuan", "gui", "ze"]]
    assert sounds.keys("退款") == "tk tuikuan k kuan"
    assert sounds.keys("refund 2") == ""


def test_texts_much_alike_share_a_number_of_their_sketch():
    one = "We received your parcel and will pay back the full amount within seven working days to your card"
    near = one.replace("seven", "five")
    far = "Please keep the box, our courier will come to collect the kettle tomorrow between nine and noon today"
    sketches = [set(pieces.sketch(pieces.folded(text))) for text in (one, near, far)]
    assert sketches[0] & sketches[1] and not sketches[0] & sketches[2]
    assert pieces.alike(one, near) > 0.8 > 0.3 > pieces.alike(one, far)
    assert pieces.sketch("") == []
