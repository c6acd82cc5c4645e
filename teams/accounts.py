"""What people settle about their own account: the language of the pages and the zone of the times shown to them."""

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from teams import audit
from teams.clock import zone_names
from teams.errors import Refused
from teams.models import User

LANGUAGE_CODES = frozenset(code for code, _name in settings.LANGUAGES)


@transaction.atomic
def remember_language(language: str, *, by: User) -> User:
    """Keep `language` on the account, so that the next log-in on another machine speaks it. Raises Refused."""
    if language not in LANGUAGE_CODES:
        raise Refused("unknown_language", _("This language is not offered here; choose English or Simplified Chinese."))
    account = User.objects.select_for_update().get(pk=by.pk)
    if account.language != language:
        account.language = language
        audit.save_with_history(account, "language", by=by, reason="language")
    return account


@transaction.atomic
def choose_zone(zone: str, *, by: User) -> User:
    """Show times to this account in `zone`. An agent's working days keep the agent's own zone. Raises Refused."""
    if zone not in zone_names():
        raise Refused(
            "unknown_zone",
            _("%(name)s is not a time zone; write it as in Asia/Shanghai.") % {"name": zone[:64]},
        )
    account = User.objects.select_for_update().get(pk=by.pk)
    if account.zone != zone:
        account.zone = zone
        audit.save_with_history(account, "zone", by=by, reason="zone")
    return account
