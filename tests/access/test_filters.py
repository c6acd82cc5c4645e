"""The filter asked by itself, model by model: the rows are there, and each verb keeps them from whoever they are not for."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.utils import timezone

from approvals.models import ReplyRules
from incentives.models import KeptFacts
from performance.models import ContactSecret, DayTouch
from teams.grants import known_people
from teams.ledger import copy_mail, parked_mail
from teams.models import (
    Backup,
    ColumnSet,
    DataCopy,
    EntryTry,
    Invitation,
    JobRun,
    Notice,
    NoticeChannel,
    NoticeDelivery,
    PrivacyRules,
    QuietHours,
    SavedFilter,
    Session,
    Team,
    TeamGroupGrant,
    TeamUserGrant,
    Tombstone,
    UndoOffer,
    User,
    ViewAs,
)
from teams.scoping import Grant, TeamScopedQuerySet, shown
from tests.access import world as worlds

VERBS = ("visible_to", "manageable_by", "about")
OPERATORS = (
    Backup,
    EntryTry,
    Invitation,
    JobRun,
    PrivacyRules,
    Tombstone,
    DayTouch,
    ReplyRules,
)  # nobody else's to read
KEPT_BY_OPERATORS = (*OPERATORS, TeamUserGrant, TeamGroupGrant, User, ViewAs, NoticeDelivery)  # nobody else's to change
PRIVATE = (ColumnSet, SavedFilter, DataCopy, ContactSecret, KeptFacts)  # not even the operator's to read
OWN = (*PRIVATE, UndoOffer, NoticeChannel, QuietHours)  # not even the operator's to change


@pytest.fixture
def world(db: None) -> worlds.World:
    return worlds.build_whole()


def scoped() -> Iterator[tuple[type[models.Model], models.QuerySet]]:
    """Each model that says who sees it, with all its rows."""
    for model in apps.get_models():
        rows = model._default_manager.all()
        if hasattr(rows, "visible_to"):
            yield model, rows
    yield Session, Session.entries.all()


def got(rows: models.QuerySet, verb: str, user: Any) -> set[Any]:
    return set(getattr(rows, verb)(user).values_list("pk", flat=True)) if hasattr(rows, verb) else set()


def test_whoever_we_do_not_know_gets_no_row(world: worlds.World) -> None:
    unknown = [AnonymousUser(), world.actors["lead"], world.actors["operator"], world.actors["agent"]]
    for user in unknown[1:]:
        user.is_active = False
    wrong = []
    for model, rows in scoped():
        assert rows.exists(), f"no {model.__name__} is there to be found"
        wrong += [f"{model.__name__}.{verb}({user})" for verb in VERBS for user in unknown if got(rows, verb, user)]
        wrong += [f"shown {model.__name__} to {user}" for user in unknown if shown(rows, user).exists()]
    wrong += [f"reach of {user}" for user in unknown if Team.objects.in_reach_of(user, *Grant).exists()]
    assert not wrong


def test_whose_names_one_knows(world: worlds.World) -> None:
    """Of accounts those of the people in reach, beside leads and operators; nobody's where we do not know who asks."""
    assert not known_people(AnonymousUser()).exists()
    known = set(known_people(world.actors["lead"]))
    accounts = {side.name: {agent.user for agent in side.agents if agent.user} for side in (world.alpha, world.bravo)}
    assert accounts["alpha"] <= known and not accounts["bravo"] & known and world.bravo.lead not in known


def test_mails_about_runs_and_copies_are_for_whoever_may_see_them_when_they_leave(world: worlds.World) -> None:
    run = JobRun.objects.create(job="probe", subject="parked", due_at=timezone.now(), state=JobRun.State.PARKED)
    copy = DataCopy.objects.filter(state=DataCopy.State.READY).first()
    for mail, about, seer in ((parked_mail, run, world.actors["operator"]), (copy_mail, copy, copy.asked_by)):
        for reader in (seer, world.actors["lead"], world.actors["lead above"]):
            told = mail(Notice(kind="probe", recipient=reader, about=about.pk))
            assert (told is not None) is (reader == seer), (mail, reader)


@pytest.mark.parametrize(("role", "foreign"), [("lead", "bravo"), ("sibling lead", "alpha"), ("agent", "bravo")])
def test_no_row_of_the_sibling_team_is_among_ones_own(world: worlds.World, role: str, foreign: str) -> None:
    user, side = world.actors[role], getattr(world, foreign)
    wrong, asked = [], 0
    for model, rows in scoped():
        theirs = {row.pk for row in side.rows.get(model, ())}
        asked += bool(theirs)
        wrong += [f"{model.__name__}.{verb}" for verb in VERBS if got(rows, verb, user) & theirs]
    assert not wrong
    assert asked > 30


def test_what_is_the_operators_is_nobody_elses(world: worlds.World) -> None:
    for user in (world.actors["lead"], world.actors["lead above"], world.actors["agent"]):
        for model in OPERATORS:
            assert not got(model._default_manager.all(), "visible_to", user), model
        for model in KEPT_BY_OPERATORS:
            assert not got(model._default_manager.all(), "manageable_by", user), model


def test_what_is_ones_own_is_not_even_the_operators(world: worlds.World) -> None:
    operator = world.actors["operator"]
    for model in PRIVATE:
        assert not got(model._default_manager.all(), "visible_to", operator), model
    for model in OWN:
        assert not got(model._default_manager.all(), "manageable_by", operator), model
    for model, rows in scoped():
        if issubclass(type(rows), TeamScopedQuerySet):
            assert not got(rows, "about", operator), model
