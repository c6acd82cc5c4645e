"""Which statuses and reasons may be chosen, and whether they fit each other."""

from django.utils.translation import gettext as _

from approvals.models import Base, StatusReason
from approvals.models.statuses import WITH_REASON
from teams.errors import Refused

BY_PEOPLE = (Base.READY, Base.ON_CONTACT, Base.WRAP_UP, Base.NOT_READY, Base.BREAK, Base.OFFLINE)
CHOICES = [(each.value, each.label) for each in BY_PEOPLE]


def reason_of(code: str) -> StatusReason:
    """A reason that people may choose. Raises Refused: unknown_reason."""
    reason = StatusReason.objects.filter(code=code, is_active=True, is_system=False).first()
    if reason is None:
        raise Refused("unknown_reason", _("There is no such reason. Choose one of the list."))
    return reason


def fitting(base: str, code: str, *, is_system: bool = False) -> StatusReason | None:
    """The reason behind a code if it belongs to the status; None where a status needs none. The system may note more of both.

    Raises Refused: unknown_status, no_reason, unknown_reason, system_only, reason_of_another.
    """
    if base not in (Base.values if is_system else BY_PEOPLE):
        raise Refused("unknown_status", _("There is no such status to choose. Choose one of the list."))
    if not code:
        if base in WITH_REASON:
            raise Refused("no_reason", _("“%(status)s” needs a reason. Choose one.") % {"status": Base(base).label})
        return None
    reason = StatusReason.objects.filter(code=code, is_active=True).first()
    if reason is None:
        raise Refused("unknown_reason", _("There is no such reason. Choose one of the list."))
    if reason.is_system and not is_system:
        raise Refused(
            "system_only", _("“%(reason)s” is noted by the system and chosen by nobody.") % {"reason": reason}
        )
    if reason.base != base:
        raise Refused(
            "reason_of_another",
            _("“%(reason)s” is a reason of “%(status)s”.") % {"reason": reason, "status": Base(reason.base).label},
        )
    return reason
