"""Looking at the suite as somebody else: the operator's, read-only, with a reason, for at most half an hour, and on record."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from teams.acting import system_scope
from teams.errors import OutOfReach, Refused
from teams.models import User, ViewAs

LONGEST = timedelta(minutes=30)


@transaction.atomic
def start_viewing(pk: int, *, by: User, reason: str) -> ViewAs:
    """Begin to look as the person of account `pk`. A look that still runs is ended first.

    Raises OutOfReach unless `by` is the operator, or Refused: own_account, another_operator, closed_account.
    """
    if not (by.is_active and by.is_superuser):
        raise OutOfReach
    person = User.objects.select_for_update().filter(pk=pk).first()
    if person is None:
        raise OutOfReach
    if person == by:
        raise Refused("own_account", _("You see with your own eyes already."))
    if person.is_superuser:
        raise Refused("another_operator", _("Nobody looks as another operator. Choose somebody else."))
    if not person.is_active:
        raise Refused("closed_account", _("This account is closed: its owner sees nothing."))
    now = timezone.now()
    ViewAs.objects.filter(viewer=by, ended_at=None, until__gt=now).update(ended_at=now)
    return ViewAs.objects.create(viewer=by, person=person, reason=reason, started_at=now, until=now + LONGEST)


@transaction.atomic
@system_scope("while one looks as somebody else, the record of it is out of reach")
def stop_viewing(pk: int, *, by: User) -> None:
    """End a look. Again, or after it ended by itself: nothing changes."""
    now = timezone.now()
    ViewAs.objects.filter(pk=pk, viewer=by, ended_at=None, until__gt=now).update(ended_at=now)
