"""Looks at a restored copy, in a process of its own whose DATABASE_URL is that copy; prints what is wrong, line by line.

Asked are: rows of each table against the note of the backup, and against the last good backup; migrations; constraints and
indexes the database holds for valid, and every foreign key, followed row by row; the tree against what it is derived from; done
runs of the ledger; and a log-in, by Django's own `authenticate`. Anything may be written into the copy: it is thrown away.
"""

import json
import secrets
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import django

django.setup()

from django.contrib.auth import authenticate  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.test import RequestFactory  # noqa: E402
from django.utils.translation import gettext_noop as _  # noqa: E402

from config.backups import counts  # noqa: E402
from config.runtime import backups  # noqa: E402
from teams.models import User  # noqa: E402
from teams.services.safekeeping import finding  # noqa: E402

FEWER = 2  # a copy with less than half the rows of the last good one is not believed
FOREIGN_KEYS = """
SELECT k.conname, k.conrelid::regclass::text, k.confrelid::regclass::text,
       (SELECT string_agg(format('child.%%I = parent.%%I', a.attname, b.attname), ' AND ')
        FROM unnest(k.conkey, k.confkey) AS pair (own, theirs)
        JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = pair.own
        JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = pair.theirs),
       (SELECT string_agg(format('child.%%I IS NOT NULL', a.attname), ' AND ')
        FROM unnest(k.conkey) AS own JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = own)
FROM pg_constraint k WHERE k.contype = 'f' AND k.conparentid = 0
"""
INVALID = """
SELECT 'constraint ' || conname FROM pg_constraint WHERE NOT convalidated
UNION ALL SELECT 'index ' || indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid
"""
TREE = """
WITH RECURSIVE walk AS (
    SELECT id AS ancestor_id, id AS descendant_id FROM teams_team
    UNION ALL SELECT walk.ancestor_id, team.id FROM walk JOIN teams_team team ON team.parent_id = walk.descendant_id)
SELECT count(*) FROM walk FULL JOIN teams_teamlineage held USING (ancestor_id, descendant_id)
WHERE walk.ancestor_id IS NULL OR held.ancestor_id IS NULL
"""


def rows(note: backups.Note, last_good: dict[str, tuple[int, int]] | None) -> Iterator[str]:
    with connection.cursor() as cursor:
        held = counts.count(cursor).rows
    for table, (least, most) in note.tables.items():
        if table not in held:
            yield finding(_("the table %(table)s is missing"), table=table)
        elif not least <= held[table] <= most:
            values = {"table": table, "held": held[table], "least": least, "most": most}
            words = (
                _("%(table)s has %(held)s rows, the database had %(least)s")
                if least == most
                else _("%(table)s has %(held)s rows, the database had %(least)s to %(most)s")
            )
            yield finding(words, **values)
    if not note.tables:
        yield finding(_("the note of the backup names no table"))
    if last_good:
        before, now = sum(least for least, _ in last_good.values()), sum(held.values())
        if now * FEWER < before:
            words = _("it holds %(now)s rows in all, the last good backup held %(before)s")
            yield finding(words, now=now, before=before)


def migrations(note: backups.Note) -> Iterator[str]:
    with connection.cursor() as cursor:
        if counts.migrations(cursor) != note.migrations:
            yield finding(_("other migrations are applied than were in the database"))
    if not note.migrations:
        yield finding(_("no migration is applied"))


def constraints() -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute(INVALID)
        yield from (finding(_("not valid: %(name)s"), name=name) for (name,) in cursor.fetchall())
        cursor.execute(FOREIGN_KEYS, [])
        for name, child, parent, join, is_set in cursor.fetchall():
            cursor.execute(
                f"SELECT count(*) FROM {child} child WHERE {is_set} "  # noqa: S608 - names quoted by the server
                f"AND NOT EXISTS (SELECT FROM {parent} parent WHERE {join})"
            )
            lost = cursor.fetchone()[0]
            if lost:
                words = _("%(lost)s rows of %(table)s point to nothing (%(name)s)")
                yield finding(words, lost=lost, table=child, name=name)


def sums() -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute(TREE)
        if wrong := cursor.fetchone()[0]:
            yield finding(_("the tree of teams and what is derived from it differ in %(wrong)s rows"), wrong=wrong)
        cursor.execute("SELECT count(*) FROM teams_jobrun WHERE state = 'done' AND finished_at IS NULL")
        if wrong := cursor.fetchone()[0]:
            yield finding(_("%(wrong)s runs of the ledger are done without an end"), wrong=wrong)


def log_in() -> Iterator[str]:
    """Some operator is there, and an account made in the copy is recognised by its password."""
    if not User.objects.filter(is_superuser=True, is_active=True).exists():
        yield finding(_("nobody could log in as operator: there is no active operator account"))
    password, name = secrets.token_urlsafe(24), f"drill-{secrets.token_hex(4)}"
    with transaction.atomic():
        trial = User(username=name, full_name=name)
        trial.set_password(password)
        trial.save()
        found = authenticate(RequestFactory().post("/log-in/"), username=name, password=password)
        if found is None or found.pk != trial.pk:
            yield finding(_("an account with its right password is not let in"))
        transaction.set_rollback(True)


def main() -> None:
    """Arguments: the folder of the backup, and the last good one's, if there is one."""
    note = backups.read(Path(sys.argv[1])).note
    last_good = backups.read(Path(sys.argv[2])).note.tables if len(sys.argv) > 2 else None
    checks: tuple[Callable[[], Iterator[str]], ...] = (
        lambda: rows(note, last_good), lambda: migrations(note), constraints, sums, log_in,
    )  # fmt: skip
    findings: list[Any] = []
    for check in checks:
        try:
            findings += check()
        except Exception as error:
            said = f"{type(error).__name__}: {str(error).strip()[:300]}"
            findings.append(finding(_("it cannot be asked: %(said)s"), said=said))
            connection.close()
    print(json.dumps(findings))  # noqa: T201 - this is what the drill reads


if __name__ == "__main__":
    main()
