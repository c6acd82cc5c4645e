"""The mails about nightly reports: figures of last night, or which days were caught up. One mail per person.

Whether the recipient may read each report is asked here, when the mail leaves: a right that has lapsed takes the report
out, and with the last one the mail.
"""

from dataclasses import dataclass

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from performance.models import NightlyReport
from performance.reports import nightly
from teams.models import Notice, TeamLineage, User
from teams.outbox import Mail

MOST_IN_FULL, MOST_NAMED = 3, 40


@dataclass(frozen=True)
class Entry:
    page: nightly.Page
    link: str


@dataclass(frozen=True)
class Digest:
    """The reports of the topmost teams in full, the others as a line each, and how many more there are."""

    full: tuple[Entry, ...]
    brief: tuple[Entry, ...]
    more: int
    list_link: str


def concerns(person: User) -> bool:
    """Reports go to people of the admin site; whether one of them reads this one is asked when it leaves."""
    return person.is_staff


def last_night(notice: Notice) -> Mail | None:
    reports = _readable(notice)
    if not reports:
        return None
    digest = _digest(reports, notice.recipient)
    subject = _("Report of %(day)s: %(team)s") % {
        "day": date_format(reports[0].day, "DATE_FORMAT"),
        "team": ", ".join(entry.page.team for entry in digest.full),
    }
    context = {"digest": digest, "person": notice.recipient}
    return Mail(
        subject,
        render_to_string("mail/report.txt", context),
        render_to_string("mail/report.html", context),
        link=digest.full[0].link if len(reports) == 1 else digest.list_link,
    )


def caught_up(notice: Notice) -> Mail | None:
    """Names the days, and says plainly that they are not last night's."""
    reports = _readable(notice)
    if not reports:
        return None
    entries = [Entry(page, _link(page.report)) for page in nightly.pages(reports[:MOST_NAMED], notice.recipient)]
    days = sorted({report.day for report in reports})
    context = {"entries": entries, "days": days, "more": len(reports) - len(entries), "person": notice.recipient}
    context["list_link"] = link = settings.OUTPOST_URL + reverse("admin:performance_nightlyreport_changelist")
    return Mail(
        _("Reports caught up: %(first)s to %(last)s")
        % {"first": date_format(days[0], "DATE_FORMAT"), "last": date_format(days[-1], "DATE_FORMAT")},
        render_to_string("mail/report_catch_up.txt", context),
        render_to_string("mail/report_catch_up.html", context),
        link=link,
    )


def _readable(notice: Notice) -> list[NightlyReport]:
    """What the recipient may read now of what the notice speaks of, oldest day first."""
    rows = NightlyReport.objects.visible_to(notice.recipient).filter(pk__in=notice.details["reports"])
    return list(rows.select_related("team").order_by("day", "team__name", "pk"))


def _digest(reports: list[NightlyReport], reader: User) -> Digest:
    teams = {report.team_id for report in reports}
    below = set(
        TeamLineage.objects.filter(ancestor__in=teams, descendant__in=teams, depth__gt=0).values_list(
            "descendant", flat=True
        )
    )
    top = [report for report in reports if report.team_id not in below][:MOST_IN_FULL]
    rest = [report for report in reports if report not in top]
    return Digest(
        full=tuple(Entry(page, _link(page.report)) for page in nightly.pages(top, reader)),
        brief=tuple(Entry(page, _link(page.report)) for page in nightly.pages(rest[:MOST_NAMED], reader)),
        more=max(0, len(rest) - MOST_NAMED),
        list_link=settings.OUTPOST_URL + reverse("admin:performance_nightlyreport_changelist"),
    )


def _link(report: NightlyReport) -> str:
    return settings.OUTPOST_URL + reverse("admin:performance_nightlyreport_change", args=[report.pk])
