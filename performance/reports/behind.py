"""The rows behind a figure: for each measure that counts contacts, which contacts it counts.

A list opened from a figure uses these conditions, so its length is the number the figure showed.
"""

from decimal import Decimal

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from performance.metrics import METRICS, Metric
from performance.models import HandleMethod

COUNTED = Q(agent__isnull=False, team__isnull=False, is_answered=True, is_excluded=False, is_bot_only=False)
CLOSED = COUNTED & Q(ended_at__isnull=False)
RATED = COUNTED & Q(rating__isnull=False)
JUDGED = COUNTED & Q(is_resolved__isnull=False)
TIMED = COUNTED & Q(handle_seconds__isnull=False)

MEASURE_ROWS: dict[str, Q] = {
    "contacts": COUNTED,
    "closed": CLOSED,
    "closed_simple": CLOSED & Q(complexity="simple"),
    "closed_complex": CLOSED & Q(complexity="complex"),
    "judged": JUDGED,
    "resolved": JUDGED & Q(is_resolved=True),
    "rated": RATED,
    "satisfied": RATED & Q(rating__gte=Decimal("0.75")),
    "timed": TIMED,
    "timed_estimated": TIMED & Q(handle_method=HandleMethod.GAP),
    "timed_simple": TIMED & Q(complexity="simple"),
    "timed_complex": TIMED & Q(complexity="complex"),
    "replied_first": COUNTED & Q(first_reply_seconds__isnull=False),
    "reopened": CLOSED & Q(reopen_count__gt=0),
}

MEASURE_WORDS = {
    "contacts": _("Contacts counted"),
    "closed_simple": _("Contacts closed, simple"),
    "closed_complex": _("Contacts closed, complex"),
    "resolved": _("Resolved"),
    "satisfied": _("Satisfied"),
    "timed_estimated": _("Handling time estimated"),
    "reopened": _("Reopened"),
}


def rests_on(metric: Metric) -> str | None:
    """The measure whose contacts a figure rests on: what it divides by, or what it counts."""
    if metric.denominator == "agent_days":
        return "timed"
    measure = metric.denominator or metric.numerator
    return measure if measure in MEASURE_ROWS else None


def hits(metric: Metric) -> str | None:
    """The measure of those among them that make the figure, where it is a share of contacts."""
    return metric.numerator if metric.denominator and metric.numerator in MEASURE_ROWS else None


def rows_of(figure: str, part: str = "") -> Q | None:
    """The condition for the contacts behind `figure` (a metric or a measure); `part` "hit" narrows a share to its hits.

    None where nothing by that name counts contacts.
    """
    metric = METRICS.get(figure)
    if metric is None:
        return MEASURE_ROWS.get(figure)
    measure = (hits(metric) if part == "hit" else None) or rests_on(metric)
    return MEASURE_ROWS[measure] if measure else None


def label_of(figure: str, part: str = "") -> Promise | str:
    """What a list opened from a figure is called; nothing for an unknown name."""
    metric = METRICS.get(figure)
    if metric is None:
        return MEASURE_WORDS.get(figure, "")
    return MEASURE_WORDS.get(hits(metric) or "", metric.label) if part == "hit" else metric.label
