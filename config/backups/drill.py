"""The drill: a backup counts as one only after its restore has passed. Into a scratch folder, in a cluster of its own."""

import json
import os
import shutil
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext_noop as _

from config.runtime import backups, postgres, restore
from config.runtime.backups import Backup
from config.runtime.places import Unable
from config.runtime.postgres import Cluster
from teams.services.safekeeping import finding

SCRATCH = "drill"
LEFT_SECONDS = 86400


def examine(backup: Backup, last_good: Backup | None = None) -> list[str]:
    """Restore the backup beside everything else and look at it; returns what is wrong, nothing if it is good."""
    scratch, sockets = _scratch(), Path(tempfile.mkdtemp(prefix="outpost-drill-"))
    cluster = Cluster(scratch / "postgres", sockets, scratch / "postgres.log", is_durable=False)
    try:
        if backup.note.kind == backups.BASE:
            if backup.note.major != postgres.major(postgres.binaries()):
                words = _("it was made by PostgreSQL %(major)s, whose programs are not here")
                return [finding(words, major=backup.note.major)]
            backups.unpack_base(backup, cluster.data)
            log = backup.folder.parent / backup.note.life
            backups.set_recovery(cluster.data, log, target="immediate")
        with restore.served(cluster, backup):
            return _look(cluster, backup, last_good)
    except (Unable, OSError) as error:
        return [str(error)]
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        shutil.rmtree(sockets, ignore_errors=True)


def _scratch() -> Path:
    """A private folder in the home. What a drill that was killed left behind is removed by the next one a day later."""
    place = Path(settings.OUTPOST_HOME) / SCRATCH
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left in place.iterdir():
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > LEFT_SECONDS:
                shutil.rmtree(left, ignore_errors=True)
    return Path(tempfile.mkdtemp(dir=place))


def _look(cluster: Cluster, backup: Backup, last_good: Backup | None) -> list[str]:
    environment = os.environ | {
        "DATABASE_URL": f"postgresql://postgres@/{backup.note.database}?host={cluster.sockets}",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "OUTPOST_SECRET_KEY": settings.SECRET_KEY,
        "OUTPOST_HOME": str(settings.OUTPOST_HOME),
    }
    command = [sys.executable, "-m", "config.backups.examine", str(backup.folder)]
    command += [str(last_good.folder)] if last_good is not None else []
    said = backups.run_program(command, "The restored copy cannot be looked at", environment)
    findings: list[str] = json.loads(said.strip().splitlines()[-1])
    return findings
