"""A span of days or instants as people say it: its last day counts, though a stored span excludes its end."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

ONE_DAY = timedelta(days=1)


def term_words(span: Any) -> str:
    """ "since 13 Nov 2026", "13 Nov 2026 – 3 Dec 2026", in the reader's language and zone."""
    if span is None or span.isempty:
        return "–"
    first, end = _words(span.lower), _words(span.upper, is_end=True)
    if first and end:
        return f"{first} – {end}"
    if first:
        return _("since %(day)s") % {"day": first}
    if end:
        return _("until %(day)s") % {"day": end}
    return _("always")


def _words(bound: Any, *, is_end: bool = False) -> str:
    if bound is None:
        return ""
    if isinstance(bound, datetime):
        return date_format(timezone.localtime(bound), "DATETIME_FORMAT")
    return date_format(bound - ONE_DAY if is_end else bound, "DATE_FORMAT")
