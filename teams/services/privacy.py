"""The organisation's rules for people's data."""

from ipaddress import ip_network

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from teams import retention
from teams.audit import save_with_history
from teams.errors import OutOfReach, Refused
from teams.models import PrivacyRules, User

MOST_KEPT = {"days": 3650, "months": 240}


@transaction.atomic
def set_rules(*, networks: str, reveals_a_day: int, kept: dict[str, int], reason: str, by: User) -> PrivacyRules:
    """Allowed networks (empty: the installation's), shown telephones a day, how long each class is kept. The operator's.

    Raises OutOfReach, or Refused: bad_network, bad_number, no_reason.
    """
    if not (by.is_superuser and by.is_active):
        raise OutOfReach
    if not reason.strip():
        raise Refused("no_reason", _("Say why: the reason is kept with the change."))
    PrivacyRules.objects.get_or_create(pk=1)
    rules = PrivacyRules.objects.select_for_update().get(pk=1)
    rules.networks = "\n".join(_network(each) for each in networks.replace(",", " ").split())
    if not 1 <= reveals_a_day <= 1000:
        raise Refused("bad_number", _("Telephones shown in 24 hours: write a number from 1 to 1000."))
    rules.reveals_a_day = reveals_a_day
    for each in retention.classes():
        count = kept.get(each.code, each.kept(rules))
        if not 1 <= count <= MOST_KEPT[each.unit]:
            raise Refused(
                "bad_number",
                _("%(what)s: write a number from 1 to %(most)d.") % {"what": each.label, "most": MOST_KEPT[each.unit]},
            )
        rules.kept[each.code] = count
    save_with_history(rules, "networks", "reveals_a_day", "kept", by=by, reason=reason)
    return rules


def _network(text: str) -> str:
    try:
        return str(ip_network(text))
    except ValueError as error:
        raise Refused(
            "bad_network",
            _("“%(text)s” is no network. Write it as in 10.20.0.0/16, one in each line.") % {"text": text[:60]},
        ) from error
