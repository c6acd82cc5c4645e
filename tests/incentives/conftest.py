import pytest

from incentives.models import Plan
from tests.incentives import ground


@pytest.fixture
def march(north, hub) -> Plan:
    """The plan of the brief over everybody, a hundred contacts to do a day, and one agent with a wage of 300 a day."""
    ground.target(hub.team)
    ground.wage(north.agent)
    return ground.plan(hub.team, hub.payroll)
