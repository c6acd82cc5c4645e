"""A backup is made while the suite runs, restored up to a moment, and believed only after its restore."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from config.runtime import backups, postgres
from tests.live.kills import SECRET, Home
from tests.runtime.outpost import Outpost, wait

pytestmark = pytest.mark.live


def manage(outpost: Outpost, *arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=outpost.checkout, env=outpost.environment() | settings,
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip


def operator_link(outpost: Outpost) -> psycopg.Connection:
    """As the superuser of the cluster, who may switch the log and make roles."""
    return psycopg.connect(f"host={outpost.record()['sockets']} user=postgres dbname=app", autocommit=True)


@pytest.fixture
def stores(launch, home, tmp_path):
    """The embedded servers of an organised home, and its folder of backups."""
    running = launch(home, OUTPOST_BACKUPS=str(tmp_path / "backups")).start("database")
    running.wait_until_ready()
    Home(running).organise()
    return running


@pytest.fixture
def place(tmp_path) -> Path:
    return tmp_path / "backups"


def skills(outpost: Outpost) -> list[str]:
    with operator_link(outpost) as link:
        return [code for (code,) in link.execute("SELECT code FROM teams_skill ORDER BY code").fetchall()]


def add_skill(outpost: Outpost, code: str) -> None:
    with operator_link(outpost) as link:
        link.execute("INSERT INTO teams_skill (code, name) VALUES (%s, %s)", [code, code])


def test_a_restore_reaches_any_moment_and_the_end_of_the_archive(stores, place, launch, tmp_path):
    add_skill(stores, "before")
    made = manage(stores, "backup", "--check")
    assert made.returncode == 0, made.stdout + made.stderr
    assert "Restored and examined: good." in made.stdout
    assert place.stat().st_mode & 0o077 == 0
    assert (place / "secret_key").stat().st_mode & 0o077 == 0
    with stores.connect() as link:
        assert link.execute("SELECT state, finding FROM teams_backup").fetchall() == [("good", "")]

    add_skill(stores, "first")
    time.sleep(1.1)
    between = datetime.now(UTC).isoformat()
    time.sleep(1.1)
    add_skill(stores, "second")
    with operator_link(stores) as link:
        segment = link.execute("SELECT pg_walfile_name(pg_switch_wal())").fetchone()[0]
        assert link.execute("SHOW archive_timeout").fetchone()[0] == "2min", "at most 5 minutes may be lost"
    wait(lambda: list(place.glob(f"log-*/{segment}.gz")), 30, "the segment is not archived")
    stores.kill()
    wait(lambda: not stores.alive(), 15, "processes left")  # and what it had on its own disk is not asked for any more
    secret = (stores.home / "secret_key").read_text()
    shutil.rmtree(stores.home / "postgres")

    refused = manage(stores, "restore", "--from", str(place))
    assert refused.returncode == 1 and "is in use already" in refused.stderr, refused.stderr

    for asked, told in (([], ["before", "first", "second"]), (["--at", between], ["before", "first"])):
        other = launch(tmp_path / f"other{len(told)}", OUTPOST_BACKUPS=str(place))
        done = manage(other, "restore", "--from", str(place), *asked)
        assert done.returncode == 0, done.stdout + done.stderr
        assert (other.home / "secret_key").read_text() == secret
        other.start("database").wait_until_ready()
        assert skills(other) == told
        again = manage(other, "backup", "--check")  # a restored database has an archive of its own beside the old one
        assert again.returncode == 0, again.stdout + again.stderr
        other.stop()
    assert len(list(place.glob("log-*"))) == 3

    late = launch(tmp_path / "late", OUTPOST_BACKUPS=str(place))
    refused = manage(late, "restore", "--from", str(place), "--at", "2999-01-01T00:00:00Z")
    assert refused.returncode == 1 and "archive ends before" in refused.stderr, refused.stderr
    assert not (late.home / "postgres").exists()


def test_a_bad_backup_is_told_apart_and_alarms_the_operator(stores, place):
    good = manage(stores, "backup", "--check")
    assert good.returncode == 0, good.stdout + good.stderr
    (first,) = backups.found(place)

    cut = copy(first, "2026-01-02-000000-base")
    with (cut / backups.BASE_FILE).open("r+b") as file:
        file.truncate(file.seek(0, os.SEEK_END) * 2 // 3)
    assert "damaged or not whole" in refusal(stores, cut)

    nothing = copy(first, "2026-01-03-000000-base")
    (nothing / backups.BASE_FILE).write_bytes(b"")
    assert "damaged or not whole" in refusal(stores, nothing)

    flipped = copy(first, "2026-01-04-000000-base")
    note = json.loads((flipped / backups.NOTE).read_text())
    note["tables"]["public.teams_agent"] = [13, 13]
    (flipped / backups.NOTE).write_text(json.dumps(note))
    assert "teams_agent has 12 rows, the database had 13" in refusal(stores, flipped)

    with stores.connect() as link:
        states = dict(link.execute("SELECT name, state FROM teams_backup").fetchall())
        assert states.pop(first.folder.name) == "good"
        assert set(states.values()) == {"bad"} and len(states) == 3
        told = link.execute("SELECT about FROM teams_notice WHERE kind = 'backup_bad' ORDER BY about").fetchall()
        assert [about for (about,) in told] == [cut.name, nothing.name, flipped.name]


def test_a_copy_by_a_role_that_sees_nothing_is_no_backup(stores, place):
    sockets = stores.record()["sockets"]
    with operator_link(stores) as link:
        link.execute("CREATE ROLE blind LOGIN")
        link.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO blind")
        link.execute("GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO blind")
    by = {"DATABASE_URL": f"postgresql://{{}}@/app?host={sockets}", "OUTPOST_SECRET_KEY": SECRET}
    refused = manage(stores, "backup", **by | {"DATABASE_URL": by["DATABASE_URL"].format("blind")})
    assert refused.returncode == 1, refused.stderr
    assert re.search(r"sees only some rows of \d+ tables", refused.stderr), refused.stderr
    assert not backups.found(place) and not list(place.glob("*.new"))

    seeing = by | {"DATABASE_URL": by["DATABASE_URL"].format("postgres")}
    whole = manage(stores, "backup", "--check", **seeing)
    assert whole.returncode == 0, whole.stdout + whole.stderr
    (dump,) = backups.found(place)
    assert dump.note.kind == backups.DUMP

    # The same dump by a role to which one table is closed; it would be taken for a whole one if nobody counted.
    with operator_link(stores) as link:
        for (table,) in link.execute("SELECT relname FROM pg_stat_user_tables").fetchall():
            if table != "teams_agentzone":
                link.execute(f'ALTER TABLE "{table}" DISABLE ROW LEVEL SECURITY')
    blind = copy(dump, "2026-01-02-000000-dump")
    dump_blindly(sockets, blind)
    assert "teams_agentzone has 0 rows, the database had 12" in refusal(stores, blind)

    # By a role that sees nothing at all, with a note counted by the same blind eyes.
    with operator_link(stores) as link:
        for (table,) in link.execute("SELECT relname FROM pg_stat_user_tables").fetchall():
            link.execute(f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY')
    dump_blindly(sockets, blind)
    note = json.loads((blind / backups.NOTE).read_text())
    note |= {"tables": {name: [0, 0] for name in note["tables"]}, "migrations": []}
    (blind / backups.NOTE).write_text(json.dumps(note))
    said = refusal(stores, blind)
    assert "no active operator" in said and "no migration is applied" in said, said


def dump_blindly(sockets: str, folder: Path) -> None:
    program = str(postgres.binaries() / "pg_dump")
    backups.run_program(
        [
            program,
            "-Fc",
            "--enable-row-security",
            "-f",
            str(folder / backups.DUMP_FILE),
            f"postgresql://blind@/app?host={sockets}",
        ],
        "no dump",
    )


def copy(backup: backups.Backup, name: str) -> Path:
    return Path(shutil.copytree(backup.folder, backup.folder.with_name(name)))


def refusal(outpost: Outpost, folder: Path) -> str:
    said = manage(outpost, "backup", "--examine", str(folder))
    assert said.returncode == 1, said.stdout + said.stderr
    return said.stderr
