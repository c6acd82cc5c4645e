"""The made-up calls need a library of requirements/dev.txt, which the plain run of the tests does without."""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from config.runtime.testing import SET_ASIDE
from tests.approvals import kinds

CALLED = {"test_api.py", "test_forged.py", "test_reads.py"}


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Pass over what the plain run sets aside anyway; a run that asks for it fails at the import, which names the library."""
    if config.option.markexpr == SET_ASIDE and collection_path.name in CALLED and find_spec("schemathesis") is None:
        return True
    return None


@pytest.fixture(autouse=True)
def _kind_of_the_tests() -> Iterator[None]:
    """Requests of the ground are of a kind whose effects can be counted."""
    kinds.register()
    yield
    kinds.forget()
