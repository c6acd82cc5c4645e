"""A small cast whose rights everybody knows: sibling teams `north` and `south` under `hub`."""

import os
from dataclasses import dataclass
from typing import IO, Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.utils import translation
from hypothesis import settings as cases

from teams import acting, walls
from teams.models import Agent, Team, User
from teams.scoping import Grant
from tests import make, template

# How long one case takes says nothing about the code on a machine that does other things beside.
cases.register_profile("untimed", deadline=None)
cases.load_profile("untimed")
acting.whole_process("tests build their world; each request in them gets the reach of whoever asks")


@pytest.fixture(scope="session")
def template_lock(django_db_blocker: Any) -> IO[bytes]:
    """Open while this process makes the database that others copy."""
    held = template.lock()
    with django_db_blocker.unblock():
        if template.stands():
            held.close()
    return held


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None, template_lock: IO[bytes]) -> None:
    """The names of the databases are settled, and what they are copied from, before they are made."""


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, template_lock: IO[bytes], django_db_blocker: Any) -> None:
    """With OUTPOST_TEST_WALL=off the tests stand behind the filter alone (benchmarks.mutants)."""
    with django_db_blocker.unblock():
        if not template_lock.closed:
            template.keep()
            template_lock.close()
        if os.environ.get("OUTPOST_TEST_WALL") == "off":
            with connection.cursor() as cursor:
                for table in walls.declared()[0]:
                    cursor.execute(f'ALTER TABLE "{table}" NO FORCE ROW LEVEL SECURITY')
            walls.raise_all = list  # type: ignore[assignment]


@dataclass(frozen=True)
class Cast:
    """A team with its lead and two agents who have accounts."""

    team: Team
    lead: User
    agents: tuple[Agent, Agent]

    @property
    def agent(self) -> Agent:
        return self.agents[0]


@dataclass(frozen=True)
class Hub:
    """The team above, and those whose grants reach everything below it."""

    team: Team
    lead: User
    hr: User
    trainer: User
    payroll: User
    reviewer: User
    operator: User


def _cast(name: str, parent: Team) -> Cast:
    team = make.team(name, parent)
    (lead,) = make.users(f"{name.lower()}-lead", is_staff=True)
    make.grants(team, [(lead, Grant.LEAD)])
    accounts = make.users(f"{name.lower()}-agent-1", f"{name.lower()}-agent-2")
    one, other = make.agents(team, [(f"{name} Agent {n}", user) for n, user in enumerate(accounts, 1)])
    return Cast(team, lead, (one, other))


@pytest.fixture
def hub(db: None) -> Hub:
    team = make.team("Hub")
    held = {
        "lead": [Grant.LEAD],
        "hr": [Grant.ONBOARD, Grant.SETTLE],
        "trainer": [Grant.ONBOARD],
        "payroll": [Grant.SETTLE],
        "reviewer": [Grant.REVIEW],
    }
    people = dict(zip(held, make.users(*(f"hub-{role}" for role in held), is_staff=True), strict=True))
    make.grants(team, [(people[role], each) for role, each_held in held.items() for each in each_held])
    return Hub(team=team, operator=make.user("operator", is_staff=True, is_superuser=True), **people)


@pytest.fixture
def north(hub: Hub) -> Cast:
    return _cast("North", hub.team)


@pytest.fixture
def south(hub: Hub) -> Cast:
    return _cast("South", hub.team)


@pytest.fixture
def partitions(db: None) -> None:
    """Months for the facts of tests; real doors make their own."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT performance_make_partitions('2026-01-01', '2026-12-31')")


@pytest.fixture(autouse=True)
def _as_if_alone() -> None:
    """Nothing cached, and no language left over from whoever asked last."""
    cache.clear()
    translation.activate(settings.LANGUAGE_CODE)
