from typing import Any

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


def is_operator(person: Any) -> bool:
    return bool(person.is_superuser)


class OutpostConfig(AppConfig):
    name = "config"
    verbose_name = _("Settings")

    def ready(self) -> None:
        """Make our Celery application the one that tasks are sent by, in every process; name the checks of `doctor` and the
        jobs that keep data safe."""
        from config import celery, checks  # noqa: F401
        from config.backups import letters, nightly
        from teams import jobs, outbox
        from teams.services import safekeeping

        checks.register_own()
        jobs.register(nightly.BACK_UP, nightly.back_up, nightly.expected_backups, words=_("Backup and restore drill"))
        jobs.register(nightly.WATCH, nightly.watch_room, nightly.expected_watches, words=_("Watch over the disk"))
        for kind, render, title in (
            (safekeeping.BAD_BACKUP, letters.bad_backup, _("A backup failed")),
            (safekeeping.LITTLE_ROOM, letters.little_room, _("The disk is filling up")),
            (safekeeping.LOG_BEHIND, letters.log_behind, _("The archive of the database is behind")),
        ):
            outbox.register(kind, render, title=title, is_urgent=True, concerns=is_operator)
