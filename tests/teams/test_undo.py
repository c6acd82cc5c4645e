"""Undo: to the row as it was, by who did it, within ten minutes, and only while nothing has moved since."""

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from performance.models import AgentAlias, Contact, QueueAlias, Target
from performance.services import targets, tray
from teams import services, undoing
from teams.errors import OutOfReach, Refused
from teams.models import Agent, Loan, Membership, Skill, TeamGroupGrant, TeamUserGrant, UndoOffer
from teams.scoping import Grant
from tests import make
from tests.performance.intake.build import GOOD_LINES, take


def today():
    """Asked anew each time: a run of all tests may well pass midnight."""
    return timezone.now().date()


def soon():
    return today() + timedelta(days=5)


def rows(model: Any, *fields: str) -> list[tuple]:
    return sorted(model.objects.values_list("pk", *fields), key=str)


def people() -> dict[str, list[tuple]]:
    """All that the verbs below change, by value."""
    agents = [(agent.pk, agent.team_id, agent.status, sorted(agent.skills.values_list("code", flat=True)))
              for agent in Agent.objects.order_by("pk")]  # fmt: skip
    return {
        "agents": agents,
        "memberships": rows(Membership, "agent", "team", "span", "reason"),
        "loans": rows(Loan, "agent", "team", "span", "reason"),
        "targets": rows(Target, "team", "metric", "role", "value", "span"),
        "grants": rows(
            TeamUserGrant, "user", "permission", "content_object", "until", "reason", "since", "on_behalf_of"
        ),
        "groups": rows(TeamGroupGrant, "group", "permission", "content_object", "until", "reason"),
        "names": rows(AgentAlias, "external", "agent", "span", "is_ignored"),
        "queues": rows(QueueAlias, "external", "queue", "is_ignored"),
        "kept out": rows(services.people.User, "is_active", "is_suspended"),
    }


def do(client: Any, who: Any, address: str, **wish: Any) -> UndoOffer:
    """Do it through its page; the offer that the message makes."""
    client.force_login(who)
    before = set(UndoOffer.objects.values_list("pk", flat=True))
    answer = client.post(address, wish)
    assert answer.status_code == 302, answer.content.decode()[:3000]
    offered = UndoOffer.objects.exclude(pk__in=before).get()
    said = "".join(str(message) for message in client.get(answer["Location"]).context["messages"])
    assert reverse("undo", args=[offered.pk]) in said, "the message offers the way back"
    assert offered.owner == who
    return offered


def verb(model: str, slug: str, pk: Any = None) -> str:
    return reverse(f"admin:{model}_{slug}", args=[pk] if pk else [])


def scenes(hub: Any, north: Any, south: Any) -> dict[str, tuple[Any, Any, Any]]:
    """By name: who does it, how, and a later change of the same rows."""
    agent, other = north.agent, north.agents[1]
    make.grant(north.lead, south.team, Grant.LEAD)
    skill = Skill.objects.create(code="fr", name="French")
    source, queue = make.source(north.team, "Desk"), make.queue(north.team, "Line")
    for external in ("ann", "bot"):
        AgentAlias.objects.create(source=source, external=external)
        QueueAlias.objects.create(source=source, external=external)
    planned = {"team": south.team.pk, "on": soon().isoformat(), "reason": "needed there"}
    a = "teams_agent"
    operator, permission = hub.operator, Grant.OBSERVE.value
    given = services.give_grant(user=hub.hr.pk, team=north.team.pk, grant=permission, reason="audit", by=operator)
    target = Target.objects.create(team=north.team, metric="volume", value=50, span=make.DateRange(make.LONG_AGO, None))
    group = undoing.apps.get_model("auth.Group").objects.create(name="Watch")
    whole = {"team_pk": north.team.pk, "metric": "volume", "role": "", "value": "60", "since": soon().isoformat()}
    group_grant = TeamGroupGrant.objects.get(
        pk=services.give_grant(group=group.pk, team=north.team.pk, grant=permission, reason="watch", by=operator).pk
    )
    names = reverse("intake_tray")
    name = {"source": source.pk, "external": "ann"}

    def again_give() -> None:
        services.give_grant(user=hub.trainer.pk, team=north.team.pk, grant=permission, reason="more", by=operator)

    return {
        "move": (north.lead, lambda c: do(c, north.lead, verb(a, "move", agent.pk), **planned),
                 lambda: services.cancel_planned_transfer(agent.pk, by=north.lead, reason="no")),
        "lend": (north.lead, lambda c: do(c, north.lead, verb(a, "lend", agent.pk), team=south.team.pk, reason="help",
                                          start=soon().isoformat(), last_day=soon().isoformat()),
                 lambda: services.end_loan(Loan.objects.get().pk, by=north.lead, reason="no")),
        "skills": (north.lead, lambda c: do(c, north.lead, verb(a, "skills", agent.pk), skills=[skill.pk], reason="course"),
                   lambda: services.set_skills(agent.pk, [], by=north.lead)),
        "target": (north.lead, lambda c: do(c, north.lead, verb("performance_target", "set"), reason="up", **whole),
                   lambda: _end(Target.objects.latest("pk"), north.lead)),
        "target end": (north.lead, lambda c: do(c, north.lead, verb("performance_target", "end", target.pk), reason="over",
                                                on=soon().isoformat()),
                       lambda: _end(target, north.lead, soon() - timedelta(days=1))),
        "grant given": (operator, lambda c: do(c, operator, verb("teams_teamusergrant", "give"), user=hub.trainer.pk,
                                               team=north.team.pk, grant=permission, reason="look"), again_give),
        "grant taken": (operator, lambda c: do(c, operator, verb("teams_teamusergrant", "take", given.pk), reason="over"),
                        None),
        "group grant taken": (operator, lambda c: do(c, operator, verb("teams_teamgroupgrant", "take", group_grant.pk),
                                                     reason="over"), None),
        "name mapped": (north.lead, lambda c: do(c, north.lead, names, do="map_agent", agent=other.number, **name),
                        lambda: tray.unmap_agent(AgentAlias.objects.get(agent=other).pk, by=north.lead)),
        "name ignored": (north.lead, lambda c: do(c, north.lead, names, do="ignore_agent", **name),
                         lambda: tray.set_ignored("agent", source.pk, "ann", False, by=north.lead)),
        "queue mapped": (north.lead, lambda c: do(c, north.lead, names, do="map_queue", queue=queue.pk, **name),
                         lambda: tray.unmap_queue(QueueAlias.objects.get(queue=queue).pk, by=north.lead)),
        "queue ignored": (north.lead, lambda c: do(c, north.lead, names, do="ignore_queue", **name),
                          lambda: tray.set_ignored("queue", source.pk, "ann", False, by=north.lead)),
    }  # fmt: skip


def _end(target: Target, by: Any, on: Any = None) -> None:
    targets.end_target(target.pk, on=on or soon() + timedelta(days=9), by=by, reason="end")


NAMES = ("move", "lend", "skills", "target", "target end", "grant given", "grant taken", "group grant taken",
         "name mapped", "name ignored", "queue mapped", "queue ignored")  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_undo_restores_to_the_row_and_refuses_others_late_and_moved(name, client, hub, north, south):
    who, act, _change = scenes(hub, north, south)[name]
    before = people()
    offered = act(client)
    assert people() != before
    page = reverse("undo", args=[offered.pk])
    shown = client.get(page).content.decode()
    assert "You can undo this until" in shown and "<del>" not in shown
    stranger = hub.lead if who != hub.lead else north.lead
    client.force_login(stranger)
    assert client.get(page).status_code == 404 and client.post(page).status_code == 404
    with pytest.raises(OutOfReach):
        undoing.undo(offered.pk, by=stranger)
    client.force_login(who)
    UndoOffer.objects.filter(pk=offered.pk).update(until=timezone.now())
    with pytest.raises(Refused) as refusal:
        undoing.undo(offered.pk, by=who)
    assert refusal.value.code == "undo_late" and people() != before
    UndoOffer.objects.filter(pk=offered.pk).update(until=offered.until)
    assert client.post(page, {"reason": "a slip"}).status_code == 302
    assert people() == before, "every row is as it was, by its id and its values"
    told = str(undoing.of_offer(offered).title)
    for label, pk, *_versions in offered.steps:
        newest = undoing.apps.get_model(label).history.filter(id=pk).order_by("-history_id").first()
        assert newest.history_user == who and newest.history_change_reason == f"undone: {told} (a slip)"
    assert undoing.undo(offered.pk, by=who).undone_at and people() == before, "twice changes nothing"


@pytest.mark.parametrize("name", [name for name in NAMES if "taken" not in name])
def test_undo_after_a_further_change_names_it_and_changes_nothing(name, client, hub, north, south):
    who, act, change = scenes(hub, north, south)[name]
    offered = act(client)
    change()
    moved = people()
    with pytest.raises(Refused) as refusal:
        undoing.undo(offered.pk, by=who)
    assert refusal.value.code == "moved_on" and "has been changed since" in str(refusal.value)
    assert people() == moved and UndoOffer.objects.get(pk=offered.pk).undone_at is None


def test_a_grant_given_again_after_it_was_taken_is_not_doubled(client, hub, north, south):
    _who, act, _change = scenes(hub, north, south)["grant taken"]
    offered = act(client)
    services.give_grant(user=hub.hr.pk, team=north.team.pk, grant=Grant.OBSERVE.value, reason="anew", by=hub.operator)
    with pytest.raises(Refused) as refusal:
        undoing.undo(offered.pk, by=hub.operator)
    assert refusal.value.code == "in_the_way"
    held = TeamUserGrant.objects.filter(user=hub.hr, permission__codename=Grant.OBSERVE.value)
    assert [row.reason for row in held] == ["anew"]


def test_what_has_begun_is_not_offered_and_rights_are_asked_again(client, hub, north, south):
    make.grant(north.lead, south.team, Grant.LEAD)
    client.force_login(north.lead)
    wish = {"team": south.team.pk, "on": today().isoformat(), "reason": "now"}
    assert client.post(verb("teams_agent", "move", north.agents[1].pk), wish).status_code == 302
    assert not UndoOffer.objects.exists(), "facts of today may count for the new team already"
    offered = do(client, north.lead, verb("teams_agent", "move", north.agent.pk), **wish | {"on": soon().isoformat()})
    TeamUserGrant.objects.filter(user=north.lead).delete()
    with pytest.raises(OutOfReach):
        undoing.undo(offered.pk, by=north.lead)
    assert Membership.objects.filter(agent=north.agent).count() == 2


@pytest.mark.parametrize("name", ["skills", "target", "target end", "name mapped", "queue mapped"])
def test_undo_asks_again_whether_one_still_may(name, client, hub, north, south):
    who, act, _change = scenes(hub, north, south)[name]
    offered = act(client)
    TeamUserGrant.objects.filter(user=who).delete()
    moved = people()
    with pytest.raises(OutOfReach):
        undoing.undo(offered.pk, by=who)
    assert people() == moved
    assert client.get(reverse("undo", args=[offered.pk])).context["row"] is None, "nor is the row named"


def test_the_history_of_the_row_offers_it_to_the_one_who_did_it_alone(client, hub, north, south):
    offered = scenes(hub, north, south)["move"][1](client)
    trail = reverse("admin:teams_agent_history", args=[north.agent.pk])
    page = reverse("undo", args=[offered.pk])
    shown = client.get(trail).content.decode()
    assert page in shown
    client.force_login(hub.lead)
    assert page not in client.get(trail).content.decode()
    client.force_login(north.lead)
    client.post(page)
    assert page not in client.get(trail).content.decode(), "what is undone is not offered again"


def test_skills_given_and_taken_back_are_told_by_name(client, hub, north, south):
    offered = scenes(hub, north, south)["skills"][1](client)
    assert "French" in client.get(reverse("undo", args=[offered.pk])).content.decode()
    undoing.undo(offered.pk, by=north.lead)
    trail = client.get(reverse("admin:teams_agent_history", args=[north.agent.pk])).content.decode()
    assert "<del>–</del> → <ins>French</ins>" in trail and "<del>French</del> → <ins>–</ins>" in trail
    assert "undone: Skills" in trail


def test_a_name_taken_back_lets_its_contacts_wait_again(client, north, tmp_path, partitions):
    source = make.source(north.team, "Desk")
    take(tmp_path, source, GOOD_LINES)
    contact = Contact.objects.get()
    assert contact.agent is None
    wish = {"do": "map_agent", "agent": north.agent.number, "source": source.pk, "external": "ann"}
    offered = do(client, north.lead, reverse("intake_tray"), **wish)
    contact.refresh_from_db()
    assert (contact.agent, contact.team) == (north.agent, north.team)
    undoing.undo(offered.pk, by=north.lead)
    contact.refresh_from_db()
    assert (contact.agent, contact.team) == (None, None)
    assert [(name.agent, name.external) for name in AgentAlias.objects.all()] == [(None, "ann")]
