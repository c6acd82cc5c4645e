"""What keeps statuses true by themselves: those over their time are told, the queue is served, whoever is no longer employed
is offline. Repeatable: a notice is made once for each break and person.

No source tells of lost connections yet; nobody is set offline for silence.
"""

import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction

from approvals.models import Base, StatusSpan, TeamCover
from approvals.services import approvers, on_duty
from approvals.services.statuses import covering, people, queue
from approvals.services.statuses.covering import MINUTE
from approvals.services.statuses.setting import set_status
from teams.acting import system_scope
from teams.models import Notice

log = logging.getLogger(__name__)

OLDEST = timedelta(days=1)  # a break that ended before has been told of
USUAL_PATIENCE = TeamCover._meta.get_field("lead_told_after_minutes").default


def sweep(now: datetime) -> None:
    """All of it, for all teams; what fails of one holds back no other."""
    _each(_absent(), partial(set_status, base=Base.OFFLINE, by=None))
    tell_overruns(now)
    _each(_with_queue(), partial(_serve, now=now))


def _each(pks: Iterable[int], work: Callable[[int], object]) -> None:
    for pk in list(pks):
        try:
            work(pk)
        except Exception:
            log.exception("the sweep of statuses failed at %d", pk)


def _absent() -> Iterable[int]:
    """Agents who are not employed to work, and whose line goes on."""
    rows = StatusSpan.objects.open().exclude(base=Base.OFFLINE).exclude(agent__status__in=people.AT_WORK)
    return rows.values_list("agent", flat=True)


def _with_queue() -> Iterable[int]:
    return queue.waiting().order_by("team").values_list("team", flat=True).distinct()


@transaction.atomic
def _serve(team: int, *, now: datetime) -> None:
    with system_scope("the queue of a team is served for everybody in it"):
        covering.hold(team)
        queue.serve(team, now)


@transaction.atomic
def tell_overruns(now: datetime) -> None:
    """Tell agents whose break is over, and the leads where it has been for longer than the team leaves it to the agent."""
    with system_scope("whose break is over is looked up in all teams"):
        over = StatusSpan.objects.open().filter(back_at__lte=now, back_at__gt=now - OLDEST)
        rows = list(over.select_related("agent").order_by("pk"))
        covers = TeamCover.objects.filter(team__in={row.team_id for row in rows})
        patience = dict(covers.values_list("team", "lead_told_after_minutes"))
        late = [row for row in rows if _over_since(row) + patience.get(row.team_id, USUAL_PATIENCE) * MINUTE <= now]
        leads = {team: sorted(leads_of(team)) for team in sorted({row.team_id for row in late})}
        Notice.objects.bulk_create(
            [
                *(_notice("break_over", row, row.agent.user_id) for row in rows if row.agent.user_id is not None),
                *(_notice("break_long_over", row, lead) for row in late for lead in leads[row.team_id]),
            ],
            ignore_conflicts=True,
        )


def _over_since(row: StatusSpan) -> datetime:
    """When it was to end; only those with an end are looked at."""
    return row.back_at or row.span.lower


def leads_of(team: int) -> set[int]:
    """Who hears of a break that is long over: leads on duty, else those who were given the lead nearest to the team."""
    everybody = approvers.resolved(approvers.Source("grant", grant="LEAD"), team)
    return on_duty.leads(team, everybody) or approvers.resolved(approvers.Source("lead_above", level=0), team)


def _notice(kind: str, row: StatusSpan, person: int) -> Notice:
    ends = _over_since(row).isoformat()
    return Notice(
        kind=kind, recipient_id=person, about=str(row.agent_id), key=f"{kind}:{row.agent_id}:{ends}:{person}",
        details={"back_at": ends},
    )  # fmt: skip
