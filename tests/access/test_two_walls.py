"""Two walls apart: the crawl of test_canary with the filter switched off, with row security switched off, and the answers of
both walls compared with those of one.

A filter that is forgotten shows here: with row security off its rows come through.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.db import connection, models, transaction
from django.db.models import Q
from django.utils import timezone

from teams import acting, stencil, walls
from teams.models import Agent, Compensation
from tests.access import test_canary as canary
from tests.access import world as worlds
from tests.access.addresses import ODD_DOORS
from tests.access.test_canary import thin, world  # noqa: F401 - fixtures

pytestmark = pytest.mark.walls
# What differs from one answer to the next: tokens, numbers of requests, headers with moments and lengths, the moment inside
# a spreadsheet.
OF_THE_MOMENT = re.compile(
    r'(csrfmiddlewaretoken" value=|csrftoken=|X-CSRFToken": |X-CSRFTOKEN"\] = )"?[\w-]+|'
    r"X-Request-ID: [0-9a-f]{32}|"
    r"<dcterms:\w+[^>]*>[^<]*|"
    r"^(Expires|Last-Modified|Content-Length|Vary|Cache-Control|Set-Cookie): .*$",
    re.MULTILINE,
)


# Counters; a secret made up for each look; the moment of the log-in that each walk begins with; archives, which hold moments
# where their CSV does not.
NEW_EACH_TIME = re.compile(r"^/metrics$|^/account/second-factor/$|^/admin/teams/user/|xlsx")


def filters() -> Iterator[tuple[type[models.QuerySet], str]]:
    """Every word of the filter, with the class that says it. Where a model stands outside the second wall the filter is all
    there is, and stays: its reason is in `walls.OUTSIDE`."""
    outside = {each for model in apps.get_models() if walls.is_outside(model) for each in _querysets(model)}
    walled = {each for model in apps.get_models() for each in _querysets(model)} - outside
    for queryset in walled:
        yield from ((queryset, word) for word in LETTING_THROUGH if word in vars(queryset))


def _querysets(model: type[models.Model]) -> list[type[models.QuerySet]]:
    return [each for each in type(model._default_manager.all()).__mro__ if issubclass(each, models.QuerySet)]


LETTING_THROUGH: dict[str, Callable[..., Any]] = {
    "visible_to": lambda rows, user: rows,
    "manageable_by": lambda rows, user: rows,
    "about": lambda rows, user: rows,
    "in_teams": lambda rows, teams: Q(pk__isnull=False),
    "at_home_in": lambda rows, teams: rows,
}


@contextmanager
def filter_off() -> Iterator[None]:
    """Every scoped queryset lets everything through. Only a test can do this: there is no switch in the code."""
    with pytest.MonkeyPatch.context() as patch:
        for queryset, word in list(filters()):
            patch.setattr(queryset, word, LETTING_THROUGH[word])
        stencil.forget()
        try:
            yield
        finally:
            stencil.forget()


@contextmanager
def row_security_off() -> Iterator[None]:
    """The owner of the tables walks past policies that are not forced."""
    with transaction.atomic():
        _force(False)
        yield
        transaction.set_rollback(True)


def _force(wanted: bool) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in walls.declared()[0]:
            cursor.execute(f'ALTER TABLE "{table}" {"" if wanted else "NO "}FORCE ROW LEVEL SECURITY')


class Walk(canary.Crawl):
    """A crawl that keeps what each address answered."""

    def __init__(self, world: worlds.World, role: str) -> None:  # noqa: F811
        super().__init__(world, role)
        self.answers: dict[str, str] = {}

    def note(self, where: str, text: str) -> None:
        super().note(where, text)
        packed = text.find("PK\x03\x04")
        if packed >= 0:  # the archive itself holds moments; what is in it has been read out behind it
            text = text[:packed] + text[text.rfind("PK\x05\x06") :].partition("<")[2]
        self.answers[where] = OF_THE_MOMENT.sub("", text).strip()

    def everywhere(self, world: worlds.World) -> "Walk":  # noqa: F811
        """As the lead about every row there is, as the others about two rows of each route, by all side doors."""
        rows = canary.addresses(world)
        status = self.through([*(rows if self.role == "lead" else canary.ends(rows)), *canary.side_doors(world)])
        for address, queries in canary.list_doors(world, self.role):
            asked = [*queries, *(ODD_DOORS if self.role == "lead" else ())]
            for query in asked if status[address] == 200 else asked[:1]:  # a closed list is closed before it is asked
                self.get(f"{address}?{query}")
        return self


@pytest.mark.usefixtures("thin")
@pytest.mark.parametrize("role", sorted(worlds.ROLES, key=lambda role: role != "lead"))  # the longest walk first
def test_each_wall_holds_alone(world: worlds.World, role: str) -> None:  # noqa: F811
    """No foreign mark comes through either wall alone. The answers of the filter alone are those of both, as the lead sees
    them: the second wall takes away nothing that the filter gives."""
    # At one moment: pages that tell how long something lasts tell the same each time.
    with time_machine.travel(timezone.now(), tick=False):
        with row_security_off():
            only_filter = Walk(world, role).everywhere(world)
        with filter_off():
            only_policies = Walk(world, role).everywhere(world)
        both = Walk(world, role).everywhere(world) if role == "lead" else None
    assert only_filter.fetched > 500
    canary.judge([only_filter])
    assert not only_policies.leaks, "row security alone lets through:\n" + "\n".join(only_policies.leaks[:100])
    assert worlds.expected_sights(role) <= only_filter.seen
    if both is not None:
        canary.judge([both])
        _compare(both, only_filter)


def _compare(both: Walk, only_filter: Walk) -> None:
    different = [
        where
        for where, text in both.answers.items()
        if only_filter.answers[where] != text and not NEW_EACH_TIME.search(where)
    ]
    told = "\n".join(f"{where}\n{_first_difference(both, only_filter, where)}" for where in different[:20])
    assert not different, f"{both.role}: {len(different)} answers differ with row security off:\n{told}"


def _first_difference(both: Walk, one: Walk, where: str) -> str:
    left, right = both.answers[where].splitlines(), one.answers[where].splitlines()
    for mine, theirs in zip(left, right, strict=False):
        if mine != theirs:
            return f"  both: {mine.strip()[:160]}\n  filter alone: {theirs.strip()[:160]}"
    return f"  {len(left)} lines, and {len(right)} with the filter alone"


def test_the_switches_do_switch(world: worlds.World) -> None:  # noqa: F811
    """Without either wall a lead sees the sibling team, so the runs above prove something."""
    with filter_off(), row_security_off():
        crawl = Walk(world, "lead")
        crawl.get("/admin/teams/agent/")
    assert any("bravo" in line for line in crawl.leaks)


@pytest.mark.parametrize("role", ("lead", "lead above"))
def test_wages_stay_closed_to_a_lead_without_the_filter(world: worlds.World, role: str) -> None:  # noqa: F811
    """Data classes hold in the second wall as well: also of the own team, also in the history."""
    wages = Compensation.objects.count()
    assert wages == Compensation.history.count() > 0
    with acting.acting_for(world.actors[role]):
        assert Agent.objects.exists()
        assert not Compensation.objects.exists() and not Compensation.history.exists()
    with acting.acting_for(world.actors["payroll"]):
        assert Compensation.objects.count() == Compensation.history.count() == wages
