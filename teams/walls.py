"""The second wall: what row security in PostgreSQL lets through, said by the same words as the filter of `teams.scoping`.

A scoped model gets its wall by the one line that gives it a scoped queryset. From what that class declares (`team_path`,
`owner_path`, grants) this module writes four policies for the table, and one set for its history and its many-to-many tables.
They are raised after every `migrate`, not by a frozen statement in each migration: a policy always says what the code says,
and a migration that changes a grant cannot forget it. A table that is not scoped stands in `OUTSIDE` with a reason; one that
is neither fails tests/access/test_walls.py.

Policies ask `outpost_ids` and its like (migration 0010) and nothing else, so that a forgotten filter is not forgotten twice.
Each is evaluated once per statement, as an uncorrelated subquery. Where a policy is wider than the filter, the class says why.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.apps.registry import Apps
from django.db import connection, models

from teams import database_roles
from teams.scoping import Grant, TeamScopedQuerySet

# Tables without a wall, and why none is needed. Ours by model, those of others by app.
OUTSIDE: dict[str, str] = {
    "teams.skill": "vocabulary of the whole organisation; says nothing about people",
    "teams.historicalskill": "vocabulary of the whole organisation; says nothing about people",
    "approvals.statusreason": "vocabulary of the whole organisation; says nothing about people",
    "approvals.historicalstatusreason": "vocabulary of the whole organisation; says nothing about people",
    "teams.user": "read before anybody is known, to know them; names of accounts stand beside what they did",
    "teams.historicaluser": "earlier names of accounts; the page of an account's history is scoped by the filter",
    "teams.user_groups": "who is in which group; read to work out a reach",
    "teams.user_user_permissions": "permissions on a whole model open nothing here",
    "teams.teamlineage": "pairs of ids, no names; kept by a trigger, read to work out a reach",
    "teams.jobrun": "the ledger of jobs: ids and days; pages on it are the operator's",
    "teams.heartbeat": "two moments of the bell",
    "teams.backup": "names, sizes and results of backups; pages on them are the operator's",
    "teams.organisation": "the name and zone of the whole organisation",
    "teams.historicalorganisation": "earlier names of the whole organisation",
    "teams.invitation": "digests of links; read before anybody is known, to know them",
    "teams.historicalinvitation": "digests of links, and when they were used",
    "teams.session": "read before anybody is known, to know them",
    "teams.tokenuse": "when a token was used; read before anybody is known, to know them",
    "teams.historicalentrytry": "who lifted which lock",
    "teams.entrytry": "counts of tries at the log-in; read before anybody is known",
    "teams.privacyrules": "the rules on people's data, for everybody the same",
    "teams.historicalprivacyrules": "earlier rules on people's data",
    "teams.tombstone": "keyed hashes of who was erased; no name, no team",
    "account": "of the package for second factors; not written",
    "mfa": "sealed secrets of second factors; read at the log-in, before a scope is open",
    "approvals.replysearch": "ids and numbers of pieces of text, no word; a reply found by it is read behind its own wall",
    "approvals.replyrules": "the rules for canned replies, for everybody the same",
    "approvals.historicalreplyrules": "earlier rules for canned replies",
    "incentives.keptfacts": "counts of lines by their digest; no person, no team and no money",
    "performance.daytouch": "zones and days with a version, no team and no person",
    "auth": "groups and permissions: names of rights, no rows of teams",
    "contenttypes": "names of models",
    "sessions": "read before anybody is known, to know them",
    "admin": "not used: histories stand in its place",
    "django_celery_beat": "the timetable; no rows of teams",
    "knox": "digests of tokens; read before anybody is known, to know them",
    "guardian": "not used: grants stand in tables of our own",
}

# Tables that only the system and the operator open; whoever is let in by a row that names them comes through a door of ours.
SYSTEM_ONLY: dict[str, str] = {
    "performance.contactsecret": "a sealed number is opened one by one, with a record (`performance.services.phones`)",
    "teams.storedfile": "a file is reached through the row that names it (`teams.edges.filestore`)",
    "teams.storedpart": "a file is reached through the row that names it (`teams.edges.filestore`)",
}


@dataclass(frozen=True)
class Wall:
    """What may be read of a table and what may be written to it, as SQL conditions on its row."""

    table: str
    read: str
    write: str

    def policies(self) -> dict[str, str]:
        """The policies by name, as they follow `CREATE POLICY name ON table`."""
        return {
            "wall_read": f"FOR SELECT USING ({self.read})",
            "wall_insert": f"FOR INSERT WITH CHECK ({self.write})",
            "wall_update": f"FOR UPDATE USING ({self.write}) WITH CHECK ({self.write})",
            "wall_delete": f"FOR DELETE USING ({self.write})",
        }

    @property
    def mark(self) -> str:
        """A fingerprint of the policies, kept as the comment of each."""
        return hashlib.sha256(repr(sorted(self.policies().items())).encode()).hexdigest()[:16]


# -- words of which conditions are made ----------------------------------------------------------------------------------

SEES_ALL = "(SELECT outpost_sees_all())"


def either(*conditions: str) -> str:
    """The system, the operator, or one of `conditions`."""
    return " OR ".join([SEES_ALL, *(condition for condition in conditions if condition)])


def within(column: str, *names: str) -> str:
    """`column` is among the ids that the scope holds under one of `names`."""
    if not names:
        return ""
    asked = " || ".join(f"outpost_ids('{name}')" for name in names)
    return f"{column} IN (SELECT unnest({asked}))"


def is_mine(column: str, name: str) -> str:
    return f"{column} = (SELECT outpost_one('{name}'))"


def names_of(grants: Any) -> list[str]:
    """The settings that hold the teams of `grants`; all of them, and all but SETTLE, are one setting each."""
    if set(grants) == set(Grant):
        return ["open"]
    if set(grants) == set(Grant) - {Grant.SETTLE}:
        return ["roster"]
    return [str(grant).removesuffix("_team") for grant in sorted(set(grants), key=list(Grant).index)]


def along(model: type[models.Model], path: str, last: Any) -> str:
    """The condition that the row at the end of `path` fulfils `last` (a function of its id column)."""
    step, _dot, rest = path.partition("__")
    if step == "pk":
        return last(_own(model, str(model._meta.pk.column)))
    field: Any = model._meta.get_field(step)
    if not rest:
        return last(_own(model, field.column))
    related = field.remote_field.model
    condition = along(related, rest, last)
    return (
        f"{_own(model, field.column)} IN (SELECT {_own(related, related._meta.pk.column)} "
        f"FROM {related._meta.db_table} WHERE {condition})"
    )


def _own(model: type[models.Model], column: str) -> str:
    return f"{model._meta.db_table}.{column}"


# -- what is declared ------------------------------------------------------------------------------------------------------


def wall_of(model: type[models.Model]) -> Wall | None:
    """The wall that a model's queryset declares, or None where it declares none."""
    queryset = type(model._default_manager.all())
    table = model._meta.db_table
    if model._meta.label_lower in SYSTEM_ONLY:
        return Wall(table, either(), either())
    own = getattr(queryset, "wall", None)
    if own is not None:
        read, write = own(model)
        return Wall(table, read, write)
    if not issubclass(queryset, TeamScopedQuerySet):
        return None
    return Wall(table, *scoped(model, queryset))


def scoped(
    model: type[models.Model], queryset: type[TeamScopedQuerySet], *, also: tuple[str, ...] = ()
) -> tuple[str, str]:
    """Conditions to read and to write from the class' own words; `also` names what else may be read."""

    def in_teams(grants: Any) -> str:
        names = names_of(grants)
        return along(model, queryset.team_path, lambda column: within(column, *names)) if names else ""

    return either(in_teams(queryset.read_grants), mine(model, queryset.owner_path), *also), either(
        in_teams(queryset.write_grants)
    )


def mine(model: type[models.Model], owner_path: str | None) -> str:
    """That the row is about the person. The path of an agent stops at the agent, whose id the scope holds."""
    if owner_path is None:
        return ""
    if owner_path == "agent__user":
        return along(model, "agent", lambda column: is_mine(column, "agent"))
    return along(model, owner_path, lambda column: is_mine(column, "user"))


def declared(registry: Apps = apps) -> tuple[dict[str, Wall], list[str]]:
    """The walls of all tables, and the labels of the models that neither have one nor stand outside."""
    walls: dict[str, Wall] = {}
    bare = []
    every = [model for model in registry.get_models(include_auto_created=True) if model._meta.managed]
    for model in every:
        wall = wall_of(model) or _of_a_follower(model)
        if wall is not None:
            walls[wall.table] = wall
        elif not is_outside(model):
            bare.append(model._meta.label_lower)
    return walls, bare


def is_outside(model: type[models.Model]) -> bool:
    return model._meta.label_lower in OUTSIDE or model._meta.app_label in OUTSIDE


def _of_a_follower(model: type[models.Model]) -> Wall | None:
    """The wall of a table that follows another: history, and the pairs of a many-to-many field.

    A version may be read by whoever may read the row as it is now, so wages keep their class in their history; versions of
    rows that are gone are the system's. The row is written before its version: who may not write it does not come so far.
    """
    table = model._meta.db_table
    source: Any = getattr(model, "instance_type", None)
    if source is not None and _has_wall(source):
        pk = source._meta.pk
        there = f"EXISTS (SELECT 1 FROM {source._meta.db_table} now WHERE now.{pk.column} = {table}.{pk.column})"
        return Wall(table, either(there), either(there))
    for field in model._meta.concrete_fields if model._meta.auto_created or _pairs_of_history(model) else ():
        related: Any = field.remote_field.model if field.remote_field else None
        if related is not None and _has_wall(related):
            there = (
                f"EXISTS (SELECT 1 FROM {related._meta.db_table} owner "
                f"WHERE owner.{related._meta.pk.column} = {table}.{field.column})"
            )
            return Wall(table, either(there), either(there))
    return None


def _has_wall(model: type[models.Model]) -> bool:
    return wall_of(model) is not None


def _pairs_of_history(model: type[models.Model]) -> bool:
    return any(field.name == "m2m_history_id" for field in model._meta.concrete_fields)


# -- the catalogue -----------------------------------------------------------------------------------------------------------

STANDING = """
SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity,
       array(SELECT p.polname || ' ' || coalesce(obj_description(p.oid, 'pg_policy'), '') FROM pg_policy p
             WHERE p.polrelid = c.oid ORDER BY p.polname)
FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
"""
OPEN_PARTITIONS = """
SELECT part.relname
FROM pg_inherits i JOIN pg_class whole ON whole.oid = i.inhparent JOIN pg_class part ON part.oid = i.inhrelid
WHERE whole.relnamespace = current_schema()::regnamespace AND whole.relforcerowsecurity
  AND NOT (part.relrowsecurity AND part.relforcerowsecurity)
"""


def raise_all(registry: Apps = apps) -> list[str]:
    """Bring the policies of the database to what the code declares; returns the tables that were changed.

    Cheap where nothing has changed: one query. A partition of a walled table is closed outright: it is read through the whole.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regproc('outpost_enter') IS NOT NULL")
        if not cursor.fetchone()[0]:
            return []
        cursor.execute(STANDING)
        standing = {table: (is_forced, policies) for table, is_forced, policies in cursor.fetchall()}
        changed = []
        for table, wall in declared(registry)[0].items():
            if table not in standing:
                continue
            wanted = [f"{name} {wall.mark}" for name in sorted(wall.policies())]
            if standing[table] != (True, wanted):
                for statement in statements(wall, [line.partition(" ")[0] for line in standing[table][1]]):
                    cursor.execute(statement)
                changed.append(table)
        cursor.execute(OPEN_PARTITIONS)
        for (part,) in cursor.fetchall():
            cursor.execute(f'ALTER TABLE "{part}" ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY')
            changed.append(part)
    return changed


def statements(wall: Wall, former: list[str]) -> list[str]:
    """What replaces the policies named `former` of a table by those of `wall`."""
    made = [f'DROP POLICY "{name}" ON "{wall.table}"' for name in former]
    for name, clause in wall.policies().items():
        made.append(f'CREATE POLICY {name} ON "{wall.table}" {clause}')
        made.append(f"COMMENT ON POLICY {name} ON \"{wall.table}\" IS '{wall.mark}'")
    made.append(f'ALTER TABLE "{wall.table}" ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY')
    return made


def lower() -> None:
    """Take the wall down as a whole: the way back of the migration that brought it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relrowsecurity AND relnamespace = current_schema()::regnamespace"
        )
        for (table,) in cursor.fetchall():
            cursor.execute(f'ALTER TABLE "{table}" DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY')
            cursor.execute("SELECT polname FROM pg_policy WHERE polrelid = %s::regclass", [f'"{table}"'])
            for (name,) in cursor.fetchall():
                cursor.execute(f'DROP POLICY "{name}" ON "{table}"')


def raise_after_migrate(**signal: Any) -> None:
    """The receiver of `post_migrate`. Rights are given by `migrate` only, not by each flush of a test database."""
    raise_all()
    if "plan" in signal:
        database_roles.give_rights()
