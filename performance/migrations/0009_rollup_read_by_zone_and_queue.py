"""The night reads a zone's day and a queue's day by an index of each; the index by day alone is a part of the former.

Made month by month beside those who write: nobody waits for an index. Interrupted, it is called again and goes on.
"""

from django.db import migrations

TABLE = "performance_contact"
FORTH = {
    "contact_by_zone_and_team": "(day, zone, team_id)",
    "contact_by_queue": "(queue_id, opened_at)",
}
BACK = {"contact_by_day": "(day)"}
PARTS = """
SELECT part.relname FROM pg_inherits i JOIN pg_class part ON part.oid = i.inhrelid
WHERE i.inhparent = %s::regclass ORDER BY part.relname
"""
STANDING = """
SELECT index.indisvalid, inherits.inhparent IS NOT NULL FROM pg_index index
LEFT JOIN pg_inherits inherits ON inherits.inhrelid = index.indexrelid
WHERE index.indexrelid = to_regclass(%s)
"""


def made(schema_editor, indexes):
    """Each index: first for the months to come, then for each month that is there. The whole is valid with its last part."""
    with schema_editor.connection.cursor() as cursor:
        for name, columns in indexes.items():
            cursor.execute(f"CREATE INDEX IF NOT EXISTS {name} ON ONLY {TABLE} {columns}")
            cursor.execute(PARTS, [TABLE])
            for (part,) in cursor.fetchall():
                own = f"{part.replace(TABLE, name)}"
                cursor.execute(STANDING, [own])
                is_valid, is_attached = cursor.fetchone() or (None, False)
                if is_attached or _has_one(cursor, name, part):
                    continue
                if is_valid is False:
                    cursor.execute(f"DROP INDEX CONCURRENTLY {own}")
                if not is_valid:
                    cursor.execute(f"CREATE INDEX CONCURRENTLY {own} ON {part} {columns}")
                cursor.execute(f"ALTER INDEX {name} ATTACH PARTITION {own}")


def _has_one(cursor, name, part):
    """Whether a month that was made since brought its part of the index along."""
    cursor.execute(
        "SELECT EXISTS (SELECT FROM pg_inherits i JOIN pg_index own ON own.indexrelid = i.inhrelid"
        " WHERE i.inhparent = to_regclass(%s) AND own.indrelid = to_regclass(%s))",
        [name, part],
    )
    return cursor.fetchone()[0]


def dropped(schema_editor, indexes):
    with schema_editor.connection.cursor() as cursor:
        for name in indexes:
            cursor.execute(f"DROP INDEX IF EXISTS {name}")


def forth(apps, schema_editor):
    made(schema_editor, FORTH)
    dropped(schema_editor, BACK)


def back(apps, schema_editor):
    made(schema_editor, BACK)
    dropped(schema_editor, FORTH)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("performance", "0008_privacy_reveals_stay")]

    operations = [migrations.RunPython(forth, back)]
