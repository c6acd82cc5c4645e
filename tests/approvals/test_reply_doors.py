"""Doors of canned replies: REST, own pages, admin, files, the report."""

import json
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from approvals.models import ApprovalRequest, CannedReply, ReplyAttachment, ReplyUse
from approvals.reports import replies as reports
from approvals.services import deciding, reply_uses
from teams.scoping import Grant
from tests import make
from tests.approvals.replies import live, texts

API = "/api/v1/canned-replies/"


def client(user):
    made = Client()
    made.force_login(user)
    return made


def post(user, address, **body):
    answer = client(user).post(API + address, json.dumps(body), content_type="application/json")
    return answer.status_code, answer.json()


# -- REST ----------------------------------------------------------------------------------------------------------------


def test_rest_suggests_and_says_why(north):
    live("Refund rules", "rr")
    found = client(north.agent.user).get(API + "suggest/", {"q": "refund", "language": "en", "limit": 5}).json()
    assert [(each["short_code"], each["match"], each["why"]) for each in found] == [
        ("rr", "title", "the title has “refund”")
    ]


@pytest.mark.parametrize(
    "query",
    [
        "q=" + "x" * 81,
        "limit=0",
        "limit=51",
        "limit=a",
        "channel=fax",
        "language=tlh",
        "page=1",
        "q=%00",
        "limit=" + "9" * 40,
    ],
)
def test_rest_refuses_odd_parameters(north, query):
    assert client(north.agent.user).get(f"{API}suggest/?{query}").status_code == 400


def test_rest_counts_a_use_once(north):
    reply = live()
    by = north.agent.user
    assert post(by, f"{reply.pk}/use/", contact="c1", edited_share="0.25") == (200, {"counted": True})
    assert post(by, f"{reply.pk}/use/", contact="c1") == (200, {"counted": False})
    assert post(by, f"{reply.pk}/use/", contact="c1", edited_share=2)[0] == 400
    assert post(by, f"{reply.pk}/use/", contact="a\x00b")[0] == 400
    assert post(north.lead, f"{reply.pk}/use/")[1]["code"] == "no_agent"
    assert post(by, "999999999/use/")[0] == 404
    row = client(by).get(f"{API}{reply.pk}/").json()
    assert (row["uses"], row["heat"], ReplyUse.objects.get().edited_share) == (1, 1.0, Decimal("0.250"))


def test_rest_proposes_and_shows_versions(north):
    status, told = post(north.agent.user, "propose/", action="create", team=north.team.pk, words="new", **texts())
    assert status == 201 and told["state"] == "in_review"
    request = ApprovalRequest.objects.get(pk=told["request"])
    assert request.words == "new"
    deciding.approve(request.pk, by=north.lead)
    reply = CannedReply.objects.get()
    versions = client(north.agent.user).get(f"{API}{reply.pk}/versions/").json()["results"]
    assert [(each["number"], each["request"]) for each in versions] == [(1, request.pk)]
    status, told = post(north.agent.user, "propose/", action="edit", reply=reply.pk, **texts(body="{{nonsense}}"))
    assert status == 400 and "nonsense" in str(told["body"])
    assert post(north.agent.user, "propose/", action="retire", reply=10**9)[0] == 404
    assert post(north.agent.user, "propose/", action="edit", reply=reply.pk, **texts())[1]["code"] == "no_change"


def test_rest_keeps_ones_own(north):
    status, mine = post(north.agent.user, "own/", **texts("Mine", "mine"))
    assert status == 200 and (mine["scope"], mine["team"]) == ("personal", None)
    assert client(north.lead).get(f"{API}{mine['id']}/").status_code == 404
    assert post(north.lead, "own/", reply=mine["id"], **texts())[0] == 404
    assert post(north.agent.user, f"{mine['id']}/retire/")[1]["status"] == "retired"


def test_the_rest_list_costs_the_same_with_one_and_with_many(north):
    def count():
        with CaptureQueriesContext(connection) as asked:
            assert client(north.agent.user).get(API).status_code == 200
        return len(asked)

    live("1", "c1", team=north.team)
    count()
    one = count()
    for number in range(2, 6):
        live(f"{number}", f"c{number}", team=north.team, tags=["a"])
    assert count() == one


# -- own pages -------------------------------------------------------------------------------------------------------------


def test_the_own_page_finds_fills_and_counts(north):
    reply = live("Greeting", "hi", body="Hello, {{agent_name}} of {{team_name}} about {{order_number}}.")
    me = client(north.agent.user)
    page = me.get("/me/replies/", {"q": "gree"}).content.decode()
    assert "Hello, North Agent 1 of North about {{order_number}}." in page and "the title has" in page
    part = me.get("/me/replies/suggest/", {"q": "hi", "language": "x", "channel": "y"}).content.decode()
    assert "<html" not in part and "the short code begins with" in part
    told = me.post(f"/me/replies/{reply.pk}/use/", {"contact": "c9"}, headers={"Accept": "application/json"}).json()
    assert told["words"] == "Copied and counted." and ReplyUse.objects.get().contact == "c9"
    assert me.post(f"/me/replies/{reply.pk}/use/", {"contact": "c9"}).status_code == 302
    assert me.get("/me/replies/", {"q": "\x00nothing fits"}).status_code == 200
    assert me.get("/me/replies/1/use/").status_code == 405, "following a link counts nothing"


def test_the_own_page_writes_ones_own_and_shows_what_is_wrong(north):
    me = client(north.agent.user)
    wish = {"title": "Mine", "short_code": "mine", "body": "Hello {{custmer}}", "language": "en", "channel": "any"}
    page = me.post("/me/replies/new/", wish)
    assert page.status_code == 422 and "{{custmer}}" in page.content.decode()
    assert me.post("/me/replies/new/", {**wish, "body": "Hello", "tags": "a， b"}).status_code == 302
    mine = CannedReply.objects.get()
    assert (mine.owner, mine.tags, mine.body) == (north.agent.user, ["a", "b"], "Hello")
    assert me.post(f"/me/replies/{mine.pk}/", {**wish, "body": "Again", "version": 1}).status_code == 302
    page = me.post(f"/me/replies/{mine.pk}/", {**wish, "body": "Late", "version": 1})
    assert page.status_code == 422 and "has changed since" in page.content.decode()
    assert client(north.agents[1].user).get(f"/me/replies/{mine.pk}/").status_code == 404
    me.post(f"/me/replies/{mine.pk}/retire/")
    mine.refresh_from_db()
    assert (mine.body, mine.status) == ("Again", "retired")


def test_the_own_page_proposes_with_a_file(north, south):
    me = client(north.agent.user)
    wish = {
        "title": "Map",
        "short_code": "map",
        "body": "See the map.",
        "language": "en",
        "channel": "any",
        "words": "asked often",
    }
    file = SimpleUploadedFile("map.pdf", b"%PDF-1")
    assert me.post("/me/replies/propose/", {**wish, "team": north.team.pk, "file": file}).status_code == 302
    request = ApprovalRequest.objects.get()
    assert request.words == "asked often" and request.team == north.team
    attachment = ReplyAttachment.objects.get()
    answer = client(north.lead).get(f"/me/replies/files/{attachment.pk}/")
    assert b"".join(answer.streaming_content) == b"%PDF-1" and "attachment" in answer["Content-Disposition"]
    for other in (south.lead, north.agents[1].user):
        assert client(other).get(f"/me/replies/files/{attachment.pk}/").status_code == 404
    deciding.approve(request.pk, by=north.lead)
    reply = CannedReply.objects.get()
    page = me.get(f"/me/replies/{reply.pk}/").content.decode()
    assert "map.pdf" in page and "Propose this change" in page
    assert me.post(f"/me/replies/{reply.pk}/", {**wish, "body": "See the new map.", "version": 1}).status_code == 302
    assert CannedReply.objects.get().body == "See the map."
    refused = me.post("/me/replies/propose/", {**wish, "short_code": "x", "file": SimpleUploadedFile("a.exe", b"x")})
    assert refused.status_code == 422 and not ReplyAttachment.objects.filter(name="a.exe").exists()


def test_text_is_inert_where_it_is_shown(north):
    reply = live(
        "<script>alert(1)</script>", "xss", body='"><img src=x onerror=alert(1)>', team=north.team, tags=["<b>"]
    )
    CannedReply.objects.update(made_at=timezone.now() - timedelta(days=200))  # unused: the report shows it
    for user, address in (
        (north.agent.user, "/me/replies/?q=xss"), (north.agent.user, f"/me/replies/{reply.pk}/"),
        (north.lead, f"/admin/approvals/cannedreply/{reply.pk}/change/"), (north.lead, "/admin/approvals/cannedreply/report/"),
        (north.lead, f"/admin/approvals/cannedreply/{reply.pk}/history/"),
    ):  # fmt: skip
        page = client(user).get(address).content.decode()
        assert "<script>alert" not in page and "<img src=x" not in page and "xss" in page, address


# -- admin -----------------------------------------------------------------------------------------------------------------


def test_a_lead_proposes_in_the_admin_and_is_told_that_it_waits(north, hub):
    reply = live("Old", "old", team=north.team)
    lead = client(north.lead)
    wish = {**{name: value or "" for name, value in texts("New", "old").items()}, "tags": "a, b", "words": "clearer"}
    answer = lead.post(f"/admin/approvals/cannedreply/{reply.pk}/edit/", wish, follow=True)
    assert "It waits for approval" in answer.content.decode()
    request = ApprovalRequest.objects.get()
    deciding.approve(request.pk, by=hub.lead)
    reply.refresh_from_db()
    assert (reply.title, reply.tags) == ("New", ["a", "b"])
    trail = lead.get(f"/admin/approvals/cannedreply/{reply.pk}/history/").content.decode()
    assert "version 2" in trail and "clearer" in trail and "<del>Old</del>" in trail and "<ins>New</ins>" in trail
    lead.post(f"/admin/approvals/cannedreply/{reply.pk}/roll-back/", {"number": 1, "words": ""})
    assert ApprovalRequest.objects.filter(state="in_review").get().content["number"] == 1
    page = lead.get(f"/admin/approvals/cannedreply/{reply.pk}/change/").content.decode()
    assert "in review" in page


def test_a_lead_brings_a_file_in_the_admin_and_a_refusal_keeps_none(north, hub):
    reply = live("Old", "old", team=north.team)
    lead = client(north.lead)
    wish = {**{name: value or "" for name, value in texts("New", "old").items()}, "tags": "", "words": ""}
    address = f"/admin/approvals/cannedreply/{reply.pk}/edit/"
    lead.post(address, {**wish, "body": "{{nonsense}}", "file": SimpleUploadedFile("a.pdf", b"x")})
    lead.post(address, {**wish, "file": SimpleUploadedFile("a.exe", b"x")})
    assert not ReplyAttachment.objects.exists() and not ApprovalRequest.objects.exists()
    lead.post(address, {**wish, "file": SimpleUploadedFile("a.pdf", b"x")})
    deciding.approve(ApprovalRequest.objects.get().pk, by=hub.lead)
    assert [each.name for each in reply.attachments.all()] == ["a.pdf"]


def test_a_list_costs_the_same_with_one_and_with_many(north):
    def count():
        with CaptureQueriesContext(connection) as asked:
            assert client(north.lead).get("/admin/approvals/cannedreply/").status_code == 200
        return len(asked)

    live("1", "c1", team=north.team)
    count()
    one = count()
    for number in range(2, 6):
        live(f"{number}", f"c{number}", team=north.team)
    assert count() == one


# -- files -----------------------------------------------------------------------------------------------------------------

HEAD = "scope,team,short_code,title,body,channel,language,category,tags,valid_from,valid_until,review_on\n"


def upload(user, lines):
    me = client(user)
    file = SimpleUploadedFile("replies.csv", (HEAD + lines).encode())
    page = me.post("/admin/approvals/cannedreply/import/", {"file": file})
    waiting = page.context["waiting"]
    if waiting:
        return page, me.post("/admin/approvals/cannedreply/import/", {"waiting": waiting}, follow=True)
    return page, None


def test_a_file_becomes_proposals_and_replies_of_ones_own(north):
    live("Old", "old", team=north.team)
    live("Same", "same", team=north.team, body="Same.")
    page, done = upload(
        north.lead,
        "team,north,old,New title,Hello,,,,,,,\nteam,north,fresh,Fresh,Hello,chat,pt,,\"a, b\",2026-01-01,,\n"
        "all,,every,Everybody's,Hello,,,,,,,\npersonal,,mine,Mine,Hello,,,,,,,\nteam,north,same,Same,Same.,,,,,,,\n",
    )  # fmt: skip
    assert [line[1] for line in page.context["lines"]] == ["changed", "new", "new", "new", "unchanged"]
    assert "begin with heat 0" in done.content.decode()
    asked = {request.content["short_code"]: request for request in ApprovalRequest.objects.all()}
    assert {code: request.content["action"] for code, request in asked.items()} == {
        "old": "edit",
        "fresh": "create",
        "every": "create",
    }
    assert (asked["fresh"].content["language"], asked["fresh"].content["tags"]) == ("pt", ["a", "b"])
    mine = CannedReply.objects.get(short_code="mine")
    assert (mine.owner, mine.search.level, mine.search.uses) == (north.lead, 0, 0)
    assert CannedReply.objects.get(short_code="old").title == "Old", "what stands stays until approved"


def test_a_bad_line_is_named_and_nothing_is_written(north, south):
    page, done = upload(
        north.lead,
        "team,north,good,Good,Hello,,,,,,,\nteam,south,x,X,Hello,,,,,,,\nevery,,x,X,Hello,,,,,,,\n"
        "team,north,two words,,Hello {{x}},,,,,,,\n"
        "team,north,y,Y,Hello,fax,tlh,,,1.1.2026,,\nteam,north,z,Z,Hello,,,Nowhere,,,,\n",
    )  # fmt: skip
    assert done is None and not ApprovalRequest.objects.exists()
    told = {number: words for number, _what, words in page.context["lines"]}
    assert set(told) == {3, 4, 5, 6, 7}
    assert "team" in told[3] and "south" in told[3] and "scope" in told[4]
    assert all(name in told[5] for name in ("“title”", "“short_code”", "“body”", "{{x}}"))
    assert all(name in told[6] for name in ("“channel”", "“language”", "“valid_from”")) and "Nowhere" in told[7]


def test_what_goes_out_comes_back_unchanged_and_is_safe_in_a_sheet(north):
    live("=1+1", "calc", team=north.team, body="@SUM(A1)", tags=["-x", "b"])
    me = client(north.lead)
    file = b"".join(me.get("/admin/approvals/cannedreply/export/csv/").streaming_content).decode("utf-8-sig")
    assert "'=1+1" in file and "'@SUM" in file
    page = me.post("/admin/approvals/cannedreply/import/", {"file": SimpleUploadedFile("r.csv", file.encode())})
    assert [line[1] for line in page.context["lines"]] == ["unchanged"], page.context["lines"]


# -- report ----------------------------------------------------------------------------------------------------------------


def test_the_report(north, south):
    now = timezone.now()
    old = now - timedelta(days=200)
    words = "We have received your parcel and pay back the full amount to your card within seven working days of today"
    used = live("Used", "used", team=north.team, body=words)
    twin = live("Twin", "twin", team=north.team, body=words.replace("seven", "five") + ".")
    live("Ends", "ends", team=north.team, valid_until=now.date() + timedelta(days=3), body="a")
    live("Ended", "ended", valid_until=now.date() - timedelta(days=3), body="b")
    live("Look", "look", review_on=now.date(), body="c")
    live("South", "south", team=south.team, body=words)
    CannedReply.objects.exclude(pk=used.pk).update(made_at=old)
    for number in range(6):
        reply_uses.use(used.pk, f"c{number}", by=north.agents[number % 2].user, edited=Decimal("0.5"))
    reply_uses.use(twin.pk, "long ago", by=north.agent.user, at=now - timedelta(days=120))
    made = reports.report(north.lead, now, now.date())
    assert [(line.reply.title, line.uses, line.people) for line in made.most_used] == [("Used", 6, 2)]
    assert [(line.reply.title, line.edited_words) for line in made.edited] == [("Used", "50 %")]
    assert [line.reply.title for line in made.unused] == ["Ends", "Ended", "Look", "Twin"]
    assert [(each.reply.title, each.is_past, each.is_look) for each in made.ending] == [
        ("Ended", True, False), ("Look", False, True), ("Ends", False, False)
    ]  # fmt: skip
    assert [(pair.one.title, pair.other.title) for pair in made.twins] == [("Used", "Twin")]
    assert [(line.team, line.live, line.uses) for line in made.teams] == [("North", 3, 6), (None, 2, 0)]
    of_south = reports.report(south.lead, now, now.date())
    assert not of_south.most_used and {line.team for line in of_south.teams} == {"South", None}
    only = reports.report(north.lead, now, now.date(), north.team)
    assert [line.reply.title for line in only.unused] == ["Ends", "Twin"]
    trainer = make.user("trainer2", is_staff=True)
    make.grant(trainer, north.team, Grant.ONBOARD)
    assert not reports.report(trainer, now, now.date()).most_used, "single uses are not for trainers"
    page = client(north.lead).get("/admin/approvals/cannedreply/report/", {"team": north.team.pk})
    assert page.status_code == 200 and "Twin" in page.content.decode()
