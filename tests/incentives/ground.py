"""A plan of the brief on made-up days: who is paid what, where a test says so."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db.backends.postgresql.psycopg_any import DateRange

from incentives.models import DayRecord, Plan, PlanVersion
from performance.models import AgentDay, Target
from teams.models import Agent, Compensation, Team, User
from tests import make
from tests.incentives.plans import terms

MONTH = date(2026, 3, 1)
LATER = date(2026, 4, 20)  # when March is over and its late facts are in


def plan(
    team: Team, by: User, *, since: date = date(2026, 1, 1), name: str = "Bonus", code: str = "BONUS", **more: Any
) -> Plan:
    """A published plan with one version; `more` are its terms where they differ from those of the brief, "volume" measured."""
    more.setdefault("measures", [{"metric": "volume", "weight": "1", "is_ratio": False}])
    made = Plan.objects.create(team=team, name=name, earning_code=code, made_by=by, roles=more.pop("roles", []))
    PlanVersion.objects.create(
        plan=made, number=1, terms=terms(**more), span=DateRange(since, None), state="published", made_by=by
    )
    return made


def version(plan: Plan) -> PlanVersion:
    return PlanVersion.objects.filter(plan=plan).order_by("-number")[0]


def target(team: Team, value: int = 100, since: date = make.LONG_AGO, metric: str = "volume", **more: Any) -> Target:
    return Target.objects.create(team=team, metric=metric, value=Decimal(value), span=DateRange(since, None), **more)


def wage(
    agent: Agent, amount: Any = "300.00", basis: str = "daily", currency: str = "CNY", **more: Any
) -> Compensation:
    span = DateRange(more.pop("since", make.LONG_AGO), more.pop("until", None))
    return Compensation.objects.create(agent=agent, basis=basis, amount=Decimal(amount), currency=currency, span=span)


def day(agent: Agent, on: date | int, closed: int, *, well: tuple[int, int] = (95, 100), **more: Any) -> AgentDay:
    """An agent day with so many closed, all simple; `well`: of ratings and outcomes alike. An int is a day of March 2026."""
    when = on if isinstance(on, date) else MONTH + timedelta(days=on - 1)
    good, every = well
    counts = {
        "contacts": closed, "closed": closed, "closed_simple": closed, "rated": every, "satisfied": good, "judged": every,
        "resolved": good, **more,
    }  # fmt: skip
    return AgentDay.objects.create(agent=agent, team=agent.team, zone="UTC", day=when, **counts)


def recorded(agent: Agent, on: int, what: str, amount: Any, by: User) -> DayRecord:
    return DayRecord.objects.create(
        agent=agent, day=MONTH + timedelta(days=on - 1), what=what, amount=Decimal(amount), made_by=by, reason="told"
    )
