"""The canary crawl, of those doors alone that touch the line of a mutant (benchmarks.mutants).

A door is the number of an address in the list of the crawl, which is the same in each world with one PYTHONHASHSEED.
OUTPOST_DOORS names those to ask, as `role number`; without it all are asked, and it is noted what each touches. This is no
part of the suite, as the crawl itself is.
"""

import os
from collections.abc import Iterator

import pytest

from benchmarks.mutating import while_asking
from tests.access import test_canary as canary
from tests.access import world as worlds
from tests.access.addresses import ODD_DOORS
from tests.access.test_canary import thin, world  # noqa: F401 - fixtures


def doors(world: worlds.World) -> Iterator[str]:  # noqa: F811
    yield from canary.addresses(world)
    yield from canary.side_doors(world)
    for address, queries in canary.list_doors(world):
        yield from (f"{address}?{query}" for query in [*queries, *ODD_DOORS])


@pytest.mark.usefixtures("thin")
@pytest.mark.parametrize("role", [role for role in worlds.ROLES if worlds.forbidden(role)])
def test_doors(db: None, request: pytest.FixtureRequest, role: str) -> None:
    named = os.environ.get("OUTPOST_DOORS")
    wanted = None if named is None else {door for door in named.split(",") if door.startswith(f"{role} ")}
    if wanted == set():
        return
    world: worlds.World = request.getfixturevalue("world")  # noqa: F811
    crawl = canary.Crawl(world, role)
    closed: set[str] = set()
    for number, address in enumerate(doors(world)):
        door, (path, _mark, query) = f"{role} {number}", address.partition("?")
        if (wanted is None and not (query and path in closed)) or (wanted is not None and door in wanted):
            with while_asking(door):
                if crawl.get(address) != 200 and not query:
                    closed.add(path)
    canary.judge([crawl])
