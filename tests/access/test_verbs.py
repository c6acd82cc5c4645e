"""Every verb that is given an id: of a row out of reach it answers as if there were none, and changes nothing.

Whoever asks here holds every grant, of a sibling team. The operator's verbs are asked by them as well.
"""

import inspect
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.utils import timezone

from approvals.services import blacklist, employment, replies, reply_proposals, reply_rules, reply_uses, statuses
from performance.services import intake, phones, starting, targets, tray
from teams import inviting, jobs, services, undoing
from teams.entry import services as entries
from teams.entry import tries
from teams.errors import OutOfReach
from teams.models import ColumnSet, Invitation, SavedFilter, Session, User
from teams.scoping import Grant
from teams.services import channels, copies, erasure, lists, pay, people, tree
from tests import make
from tests.access import actors

Call = Callable[[], Any]


@pytest.fixture
def world(hub: Any, north: Any, south: Any) -> actors.World:
    return actors.build(hub, north, south)


@pytest.fixture
def stranger(world: actors.World) -> User:
    user = make.user("stranger", is_staff=True)
    make.grant(user, world.south.team, *Grant)
    return user


def calls(world: actors.World, by: User) -> Iterator[tuple[str, Call]]:
    """Each verb with a row of north, by its name; where it takes two rows, once with each of them foreign."""
    rows, team, agent = world.rows, world.north.team.pk, world.north.agent.pk
    today = timezone.now().date()
    own_team, own_agent = world.south.team.pk, world.south.agents[1].pk
    own_source, own_queue = make.source(world.south.team, "Own desk").pk, make.queue(world.south.team, "Own line").pk
    file = ContentFile(b"id\n", "x.csv")
    kept = ColumnSet.objects.create(user=world.north.lead, listed="teams.agent", name="theirs")
    narrowed = SavedFilter.objects.create(user=world.north.lead, listed="teams.agent", name="theirs")
    invitation = Invitation.objects.create(user=world.north.lead, until=timezone.now() + timedelta(days=1))
    Session.objects.create(
        session_key="theirs", session_data="", expire_date=timezone.now() + timedelta(days=1), user=world.north.lead
    )

    def of(verb: Callable[..., Any], *given: Any, **more: Any) -> tuple[str, Call]:
        asked = {"reason": "x"} if "reason" in inspect.signature(verb).parameters and "reason" not in more else {}
        return f"{verb.__module__}.{verb.__name__}", lambda: verb(*given, by=by, **{**asked, **more})

    yield of(tree.rename_team, team, name="Taken", zone="UTC")
    yield of(tree.move_team, team, own_team, today)
    yield of(tree.cancel_planned_move, team)
    yield of(tree.close_team, team)
    yield of(tree.reopen_team, team)
    yield of(tree.create_team, name="Below", code="below", zone="UTC", parent=team)
    yield of(people.add_agent, number="n", name="n", zone="UTC", team=team, on=today)
    yield of(people.edit_agent, agent, name="Taken", locale="en", role="agent")
    yield of(people.change_zone, agent, "Asia/Tokyo")
    yield of(people.move_agent, agent, own_team, today)
    yield of(people.move_agent, own_agent, team, today)
    yield of(people.cancel_planned_transfer, agent)
    yield of(people.lend_agent, agent, own_team, today, today)
    yield of(people.set_status, agent, "active")
    yield of(people.leave, agent, today)
    yield of(people.return_agent, agent, own_team, today)
    yield of(people.set_skills, agent, [])
    yield of(pay.set_compensation, agent, basis="daily", amount=Decimal(1), currency="CNY", on=today)
    yield of(pay.cancel_compensation, rows["teams.compensation"])
    yield of(services.link_account, agent, None)
    blocked = rows["approvals.blockentry"]
    yield of(blacklist.extend, blocked, note="x")
    yield of(blacklist.lift, blocked, note="x")
    yield of(blacklist.review, blocked, on=today + timedelta(days=9), note="x")
    yield of(blacklist.ask, team=team, subject_kind="ip", subject="203.0.113.7", reason_code="spam", evidence="x")
    yield of(blacklist.check, [], team=team)
    yield of(services.delegate, team=team, grant="lead_team", deputy=by.pk, since=None, until=timezone.now())
    yield of(lists.use_columns, kept.pk)
    yield of(lists.forget_columns, kept.pk)
    yield of(lists.rename_filter, narrowed.pk, "mine")
    yield of(lists.open_with, narrowed.pk, is_default=True)
    yield of(lists.forget_filter, narrowed.pk)
    yield of(channels.remove_robot, rows["teams.noticechannel"])
    yield of(channels.try_channel, f"robot:{rows['teams.noticechannel']}")
    yield of(copies.ask_copy, agent)
    yield of(copies.open_copy, rows["teams.datacopy"])
    yield of(erasure.ask_erasure, agent)
    yield of(erasure.ask_customer_erasure, "0" * 32)
    yield of(erasure.confirm_erasure, rows["teams.erasure"])
    yield of(erasure.withdraw_erasure, rows["teams.erasure"])
    yield of(intake.receive, rows["performance.source"], file, layout="contacts")
    yield of(intake.map_columns, rows["performance.importrun"], {})
    yield of(intake.check, rows["performance.importrun"])
    yield of(intake.take_in, rows["performance.importrun"])
    yield of(intake.withdraw, rows["performance.importrun"])
    yield of(intake.rotate_token, rows["performance.source"])
    yield of(intake.revoke_token, rows["performance.source"])
    yield of(phones.reveal, rows["performance.contact"], reason="call_back", note="asked for it", address=None)
    yield of(targets.set_target, team, "volume", Decimal(1), since=today)
    yield of(targets.end_target, rows["performance.target"], on=today)
    yield of(starting.first_source, team, "Mine", "UTC")
    yield of(tray.map_agent, rows["performance.source"], "somebody", own_agent)
    yield of(tray.map_agent, own_source, "somebody", agent)
    yield of(tray.unmap_agent, rows["performance.agentalias"])
    yield of(tray.map_queue, rows["performance.source"], "some line", own_queue)
    yield of(tray.map_queue, own_source, "some line", rows["performance.queue"])
    yield of(tray.unmap_queue, rows["performance.queuealias"])
    yield of(tray.set_ignored, tray.AGENT, rows["performance.source"], "somebody", True)
    yield of(statuses.set_status, agent, "ready", note="why")
    yield of(statuses.come_back, agent, note="why")
    yield of(statuses.ask_break, agent, reason="rest")
    yield of(statuses.ask_correction, agent, timezone.now(), timezone.now(), "ready", words="why")
    yield of(statuses.set_needed, team, 1)
    yield of(statuses.set_cover, team, needed=1, lead_told_after_minutes=1, grant_after_minutes=None)
    yield of(employment.ask_status, agent, "active")
    yield of(employment.ask_employment, agent, "move", "south")
    yield of(jobs.retry, rows["teams.jobrun"])
    yield of(jobs.cancel, rows["teams.jobprogress"])
    yield of(inviting.invite, world.north.lead.pk)
    yield of(inviting.link_for, invitation.pk)
    yield of(inviting.revoke, invitation.pk)
    yield of(entries.end_all_of, world.north.lead.pk)
    yield of(tries.lift, rows["teams.entrytry"])
    yield of(undoing.undo, rows["teams.undooffer"])
    reply = rows["approvals.cannedreply"]
    texts = {"title": "t", "short_code": "t", "body": "t"}
    yield of(replies.save_personal, texts, pk=reply)
    yield of(replies.retire_personal, reply)
    yield of(reply_uses.use, reply)
    yield of(reply_proposals.propose_new, texts, team=team)
    yield of(reply_proposals.propose_change, reply, texts)
    yield of(reply_proposals.propose_retirement, reply)
    yield of(reply_proposals.propose_version, reply, 1)
    yield of(reply_rules.add_category, name="x", team=team, parent=None)
    yield of(reply_rules.rename_category, rows["approvals.replycategory"], name="x")
    yield of(reply_rules.remove_category, rows["approvals.replycategory"])
    yield of(reply_rules.set_rules, half_life_days=1, words=[])


def test_a_verb_does_not_find_what_is_out_of_reach(world: actors.World, stranger: User) -> None:
    wrong = []
    for name, call in calls(world, stranger):
        try:
            call()
        except OutOfReach:
            continue
        except Exception as error:
            wrong.append(f"{name}: {error!r}")
        else:
            wrong.append(f"{name}: done")
    assert not wrong, "\n".join(wrong)


def test_what_others_have_arranged_on_their_screens_stays(north: Any, south: Any) -> None:
    """Names, limits, and what is in use are each person's own."""
    for lead in (south.lead, north.lead):
        for number in range(lists.MOST_SETS):
            ColumnSet.objects.create(user=lead, listed="teams.agent", name=f"set {number}", is_used=not number)
            SavedFilter.objects.create(user=lead, listed="teams.agent", name=f"filter {number}", is_default=not number)
    ColumnSet.objects.create(user=south.lead, listed="teams.agent")
    SavedFilter.objects.filter(user=north.lead, name="filter 1").delete()
    ColumnSet.objects.filter(user=north.lead, name="set 1").delete()
    before = [list(model.objects.filter(user=south.lead).order_by("pk").values()) for model in (ColumnSet, SavedFilter)]
    mine = lists.save_filter("teams.agent", "mine", {"q": ["x"]}, by=north.lead, is_default=True)
    lists.open_with(SavedFilter.objects.get(user=north.lead, name="filter 2").pk, by=north.lead, is_default=True)
    lists.rename_filter(mine.pk, "filter 1", by=north.lead)  # a name that only the other one uses
    lists.arrange_columns("teams.agent", [("name", None)], by=north.lead, name="mine")
    lists.use_columns(ColumnSet.objects.get(user=north.lead, name="set 2").pk, by=north.lead)
    lists.reset_columns("teams.agent", by=north.lead)
    after = [list(model.objects.filter(user=south.lead).order_by("pk").values()) for model in (ColumnSet, SavedFilter)]
    assert after == before
