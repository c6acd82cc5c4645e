from types import SimpleNamespace

import pytest

from approvals.services import requests
from teams.models import Skill
from tests.approvals import kinds


@pytest.fixture
def rename():
    yield kinds.register()
    kinds.forget()


@pytest.fixture
def case(rename, north, south, hub):
    """A word of the vocabulary, and a request of north's first agent about it."""
    skill = Skill.objects.create(code="german", name="German")
    case = SimpleNamespace(skill=skill, north=north, south=south, hub=hub, kind=rename, agent=north.agent.user)
    case.ask = lambda name="Deutsch", by=None, **more: requests.ask(
        "rename", kinds.wish(skill, north.team, name, **more), by=by or case.agent, words="it is called so"
    )
    case.name = lambda: Skill.objects.get(pk=skill.pk).name
    return case
