"""The tray: names of agents and queues at a source that nobody has mapped yet, and the verbs that settle them.

Settling a name places the facts that wait for it: agent, queue, team, zone and day are decided again by the same statement
as at intake, the rows themselves stay what they are, so each is counted once; the night hears of the days concerned.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils.translation import gettext_lazy as _

from performance.intake import placing
from performance.models import AgentAlias, Queue, QueueAlias, Source
from teams.acting import system_scope
from teams.audit import delete_with_history, save_with_history
from teams.errors import OutOfReach, Refused
from teams.models import Agent, User

AGENT, QUEUE = "agent", "queue"
SHOWN = 500


@dataclass(frozen=True)
class Waiting:
    """A name in the tray, with how many facts wait for it and on which days they lie."""

    kind: str
    source: Source
    external: str
    facts: int
    first_day: date | None
    last_day: date | None
    is_ignored: bool


COUNTED = {
    AGENT: """
    SELECT coalesce(a.source_id, f.source_id), coalesce(a.external, f.external), coalesce(a.is_ignored, false),
           coalesce(f.n, 0), f.since, f.until
    FROM (SELECT source_id, external, bool_and(is_ignored) AS is_ignored FROM performance_agentalias
          WHERE agent_id IS NULL AND source_id = ANY(%(sources)s) GROUP BY source_id, external) a
    FULL JOIN (
        SELECT source_id, agent_external AS external, sum(n) AS n, min(since) AS since, max(until) AS until FROM (
            SELECT source_id, agent_external, count(*) n, min(day) since, max(day) until FROM performance_contact
            WHERE agent_id IS NULL AND agent_external <> '' AND source_id = ANY(%(sources)s) GROUP BY 1, 2
            UNION ALL
            SELECT source_id, agent_external, count(*), min(day), max(day) FROM performance_leg
            WHERE agent_id IS NULL AND source_id = ANY(%(sources)s) GROUP BY 1, 2
            UNION ALL
            SELECT source_id, agent_external, count(*), min(day), max(day) FROM performance_stateinterval
            WHERE agent_id IS NULL AND source_id = ANY(%(sources)s) GROUP BY 1, 2
        ) facts GROUP BY 1, 2
    ) f ON f.source_id = a.source_id AND f.external = a.external
    ORDER BY 3, 4 DESC, 1, 2 LIMIT %(most)s""",
    QUEUE: """
    SELECT a.source_id, a.external, a.is_ignored, coalesce(sum(f.n), 0), min(f.since), max(f.until)
    FROM performance_queuealias a
    LEFT JOIN (
        SELECT source_id, queue_external, count(*) n, min(day) since, max(day) until FROM performance_contact
        WHERE queue_id IS NULL AND queue_external <> '' AND source_id = ANY(%(sources)s) GROUP BY 1, 2
        UNION ALL
        SELECT i.source_id, i.queue_external, count(*), min((i.started_at AT TIME ZONE s.zone)::date),
               max((i.started_at AT TIME ZONE s.zone)::date)
        FROM performance_intervalfact i JOIN performance_source s ON s.id = i.source_id
        WHERE i.queue_id IS NULL AND i.source_id = ANY(%(sources)s) GROUP BY 1, 2
    ) f ON f.source_id = a.source_id AND f.queue_external = a.external
    WHERE a.queue_id IS NULL AND a.source_id = ANY(%(sources)s)
    GROUP BY a.source_id, a.external, a.is_ignored ORDER BY a.is_ignored, 4 DESC, 1, 2 LIMIT %(most)s""",
}


def waiting(user: User, kind: str) -> list[Waiting]:
    """What waits at the sources this person manages, most facts first, ignored names last; at most 500 names."""
    sources = {source.pk: source for source in Source.objects.manageable_by(user)}
    with (
        system_scope("what waits has no team yet; it is shown to who manages its source"),
        connection.cursor() as cursor,
    ):
        cursor.execute(COUNTED[kind], {"sources": list(sources), "most": SHOWN})
        return [
            Waiting(kind, sources[source], external, int(facts), first, last, ignored)
            for source, external, ignored, facts, first, last in cursor.fetchall()
        ]


@transaction.atomic
def map_agent(source_pk: Any, external: str, agent_pk: Any, *, since: date | None = None, by: User) -> int:
    """This name is that agent from `since` (always, if None) until the next agent of the name begins.

    Returns how many facts were placed. Raises OutOfReach, also for an agent the person does not lead.
    """
    source = _source(source_pk, by)
    agent = Agent.objects.manageable_by(by).filter(pk=_whole(agent_pk)).first()
    if agent is None:
        raise OutOfReach
    aliases = list(AgentAlias.objects.select_for_update().filter(source=source, external=external).order_by("pk"))
    if not aliases:
        raise OutOfReach
    later = [a.span.lower for a in aliases if a.agent_id and a.span.lower and (since is None or a.span.lower > since)]
    until = min(later, default=None)
    for alias in aliases:
        _make_room(alias, since, until, by=by)
    alias = AgentAlias(source=source, external=external, agent=agent, span=DateRange(since, until))
    save_with_history(alias, by=by, reason="mapped")
    return replace(source, agent_external=external)


@transaction.atomic
def unmap_agent(alias_pk: Any, *, by: User) -> int:
    """Undo a mapping: the name goes back to the tray for these days, its facts wait again. Returns how many facts."""
    alias = AgentAlias.objects.manageable_by(by).take(alias_pk)
    source = Source.objects.take(alias.source_id)  # whose names one manages, one manages
    if alias.agent_id is None:
        raise Refused("not_mapped", _("This name is not mapped; there is nothing to undo."))
    alias.agent = None
    save_with_history(alias, "agent", by=by, reason="mapping undone")
    return replace(source, agent_external=alias.external)


@transaction.atomic
def map_queue(source_pk: Any, external: str, queue_pk: Any, *, by: User) -> int:
    """This name is that queue. Returns how many facts were placed. Raises OutOfReach, Refused."""
    source = _source(source_pk, by)
    queue = Queue.objects.manageable_by(by).filter(pk=_whole(queue_pk)).first()
    alias = QueueAlias.objects.select_for_update().filter(source=source, external=external).first()
    if queue is None or alias is None:
        raise OutOfReach
    alias.queue, alias.is_ignored = queue, False
    save_with_history(alias, "queue", "is_ignored", by=by, reason="mapped")
    return replace(source, queue_external=external)


@transaction.atomic
def unmap_queue(alias_pk: Any, *, by: User) -> int:
    """Undo a mapping of a queue: its facts wait again. Returns how many."""
    alias = QueueAlias.objects.manageable_by(by).take(alias_pk)
    source = Source.objects.take(alias.source_id)
    if alias.queue_id is None:
        raise Refused("not_mapped", _("This name is not mapped; there is nothing to undo."))
    alias.queue = None
    save_with_history(alias, "queue", by=by, reason="mapping undone")
    return replace(source, queue_external=alias.external)


@transaction.atomic
def set_ignored(kind: str, source_pk: Any, external: str, is_ignored: bool, *, by: User) -> None:
    """Say that a name is no person or no queue of ours, or take that back. Its facts stay, uncounted."""
    source = _source(source_pk, by)
    model = AgentAlias if kind == AGENT else QueueAlias
    rows = model.objects.select_for_update().filter(source=source, external=external, **{kind: None}).order_by("pk")
    if not rows:
        raise OutOfReach
    for row in rows:
        row.is_ignored = is_ignored
        save_with_history(row, "is_ignored", by=by, reason="ignored" if is_ignored else "no longer ignored")


# -- within ------------------------------------------------------------------------------------------------------------


def _source(pk: Any, by: User) -> Source:
    return Source.objects.manageable_by(by).take(pk)


def _whole(pk: Any) -> int:
    try:
        return int(pk)
    except (TypeError, ValueError) as error:
        raise OutOfReach from error


def _make_room(alias: AgentAlias, since: date | None, until: date | None, *, by: User) -> None:
    """Cut `alias` back to the days outside [since, until)."""
    lower, upper = alias.span.lower, alias.span.upper
    if (upper is not None and since is not None and upper <= since) or (
        until is not None and lower is not None and lower >= until
    ):
        return
    before = since is not None and (lower is None or lower < since)
    after = until is not None and (upper is None or upper > until)
    if before:
        alias.span = DateRange(lower, since)
        save_with_history(alias, "span", by=by, reason="ends where another agent begins")
    else:
        delete_with_history(alias, by=by, reason="another agent has taken its place")
    if after:
        rest = AgentAlias(
            source_id=alias.source_id, external=alias.external, agent_id=alias.agent_id, is_ignored=alias.is_ignored
        )
        rest.span = DateRange(until, upper)
        save_with_history(rest, by=by, reason="goes on where another agent ends")


FACTS = {
    "performance_contact": ("opened_at", "coalesce(ended_at, opened_at)", "shift_started_at", "queue_external"),
    "performance_leg": ("started_at", "coalesce(ended_at, started_at)", "NULL::timestamptz", "''"),
    "performance_stateinterval": ("started_at", "started_at", "NULL::timestamptz", "''"),
}
TAKEN = """
CREATE TEMPORARY TABLE tray_facts ON COMMIT DROP AS
SELECT id, {start} AS starts, {at} AS at, {shift} AS shift_at, agent_external, {queue} AS queue_external,
       zone AS old_zone, day AS old_day, {old_queue} AS old_queue
FROM {table} WHERE source_id = {source} AND {column} = %s
"""
PLACED = "CREATE TEMPORARY TABLE tray_placed ON COMMIT DROP AS {placed}"
UPDATE = """
UPDATE {table} f SET agent_id = p.agent_id, team_id = p.team_id, zone = p.zone, day = p.day {more}
FROM tray_placed p WHERE f.id = p.id AND f.{start} = p.starts
"""
OF_QUEUE = """, queue_id = p.queue_id, complexity = CASE WHEN f.has_own_complexity THEN f.complexity
ELSE coalesce(p.queue_complexity, 'simple') END"""
TOUCHED = """
SELECT old_zone AS zone, old_day AS day FROM tray_placed UNION SELECT zone, day FROM tray_placed
UNION SELECT queue_zone, (starts AT TIME ZONE queue_zone)::date FROM tray_placed WHERE queue_id IS NOT NULL
UNION SELECT q.zone, (starts AT TIME ZONE q.zone)::date FROM tray_placed p JOIN performance_queue q ON q.id = p.old_queue
"""
HALF_HOURS = """
WITH placed AS (
    UPDATE performance_intervalfact i SET queue_id = a.queue_id
    FROM performance_queuealias a, performance_intervalfact old
    WHERE i.source_id = {source} AND i.queue_external = %s AND a.source_id = i.source_id AND a.external = i.queue_external
      AND old.id = i.id
    RETURNING i.started_at, i.queue_id, old.queue_id AS old_queue
)
SELECT q.zone, (p.started_at AT TIME ZONE q.zone)::date AS day, count(*) FROM placed p
JOIN performance_queue q ON q.id IN (p.queue_id, p.old_queue) GROUP BY 1, 2
"""


@system_scope("the facts of a name belong to whoever bears it")
def replace(source: Source, *, agent_external: str = "", queue_external: str = "") -> int:
    """Place the facts of one name anew; returns how many. The caller holds the lock of the source."""
    column, name = ("agent_external", agent_external) if agent_external else ("queue_external", queue_external)
    count = 0
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL jit = off")
        for table, (start, at, shift, queue) in FACTS.items():
            is_contact = table == "performance_contact"
            if queue_external and not is_contact:
                continue
            cursor.execute("DROP TABLE IF EXISTS pg_temp.tray_facts, pg_temp.tray_placed")
            old_queue = "queue_id" if is_contact else "NULL::bigint"
            cursor.execute(
                TAKEN.format(
                    table=table, start=start, at=at, shift=shift, queue=queue, old_queue=old_queue,
                    source=int(source.pk), column=column,
                ),
                [name],
            )  # fmt: skip
            cursor.execute(PLACED.format(placed=placing.placed(cursor, source, "tray_facts")))
            cursor.execute(UPDATE.format(table=table, start=start, more=OF_QUEUE if is_contact else ""))
            count += cursor.rowcount
            placing.touch(cursor, TOUCHED)
        cursor.execute("DROP TABLE IF EXISTS pg_temp.tray_facts, pg_temp.tray_placed")
        if queue_external:
            cursor.execute(HALF_HOURS.format(source=int(source.pk)), [name])
            days = cursor.fetchall()
            count += sum(number for _zone, _day, number in days)
            if days:
                cursor.execute(
                    "CREATE TEMPORARY TABLE tray_facts ON COMMIT DROP AS "
                    "SELECT * FROM unnest(%s::text[], %s::date[]) t(zone, day)",
                    [[zone for zone, _day, _number in days], [day for _zone, day, _number in days]],
                )
                placing.touch(cursor, "SELECT zone, day FROM tray_facts")
                cursor.execute("DROP TABLE tray_facts")
    return count
