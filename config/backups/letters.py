"""What the operators are told about backups and the disk, in their own language."""

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from teams.models import Backup, Notice
from teams.outbox import Mail
from teams.services.safekeeping import told


def bad_backup(notice: Notice) -> Mail | None:
    """Which backup is none, and why; nothing if it has passed since, or if the reader is no operator any more."""
    if not notice.recipient.is_superuser or Backup.objects.filter(name=notice.about, state=Backup.State.GOOD).exists():
        return None
    good = Backup.objects.filter(state=Backup.State.GOOD).first()
    findings = [told(each) for each in notice.details.get("findings", [])]
    words = {"about": notice.about, "findings": findings, "good": good, "link": _list()}
    return Mail(_("A backup failed: %(name)s") % {"name": notice.about}, render_to_string("mail/backup_bad.txt", words))


def little_room(notice: Notice) -> Mail | None:
    if not notice.recipient.is_superuser:
        return None
    words = {"place": notice.details.get("place"), "percent": notice.details.get("percent")}
    return Mail(_("The disk is %(percent)s %% full") % words, render_to_string("mail/disk_low.txt", words))


def log_behind(notice: Notice) -> Mail | None:
    if not notice.recipient.is_superuser:
        return None
    words = {"minutes": notice.details.get("minutes"), "link": _list()}
    return Mail(
        _("The database's log has not been kept for %(minutes)s minutes") % words,
        render_to_string("mail/archive_behind.txt", words),
    )


def _list() -> str:
    return settings.OUTPOST_URL + reverse("admin:teams_backup_changelist")
