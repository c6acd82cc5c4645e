"""From where sensitive data may be read: wages, revealed telephones, exports and copies of other people.

The operator's list in the rules for people's data decides; where it is empty, OUTPOST_SENSITIVE_NETWORKS; where that is
empty too, every place is allowed. One's own data is never kept from oneself by this.
"""

from ipaddress import ip_network

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from teams.edges.addresses import client_address
from teams.errors import Refused
from teams.models import PrivacyRules


def is_allowed(request: HttpRequest) -> bool:
    """Whether sensitive data may be shown to where this request comes from. An address nobody knows is not allowed."""
    networks = in_force()
    if not networks:
        return True
    address = client_address(request)
    return address is not None and any(address in ip_network(network) for network in networks)


def require(request: HttpRequest) -> None:
    """Raises Refused (outside_network) with what to do."""
    if not is_allowed(request):
        raise Refused(
            "outside_network",
            _(
                "Wages, telephone numbers and files about people open only from the networks of the organisation. "
                "Connect to one of them (VPN) and try again; the operator keeps the list."
            ),
        )


def in_force() -> list[str]:
    """The networks that count now; none: no restriction."""
    return PrivacyRules.current().networks.split() or [str(network) for network in settings.SENSITIVE_NETWORKS]
