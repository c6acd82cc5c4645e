"""Whose address a request comes from. What a client says about itself is believed of nobody but our own proxies.

`settings.TRUSTED_PROXIES` are the networks of reverse proxies that write `X-Forwarded-For` themselves. The list in that
header is read from its end: each hop was noted by the one after it, so the first address that is not a proxy of ours is
the client, and whatever a client wrote in front of it is never looked at.
"""

from ipaddress import IPv4Address, IPv6Address, ip_address

from django.conf import settings
from django.http import HttpRequest

Address = IPv4Address | IPv6Address
MOST_HOPS = 20
PASSED_ON = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_VIA")
FORWARDED = tuple(f"HTTP_X_FORWARDED_{name}" for name in ("FOR", "PROTO", "HOST", "PORT")) + ("HTTP_FORWARDED",)


def client_address(request: HttpRequest) -> Address | None:
    """The address of the client, past proxies of ours; None where there is none to rely on (a broken header of a proxy)."""
    nearest = parsed(request.META.get("REMOTE_ADDR", ""))
    if nearest is None or not is_trusted(nearest):
        return nearest
    hops = request.META.get("HTTP_X_FORWARDED_FOR", "")
    if not hops.strip():
        return nearest
    for hop in reversed(hops.split(",")[-MOST_HOPS:]):
        nearest = parsed(hop)
        if nearest is None or not is_trusted(nearest):
            return nearest
    return nearest


def is_trusted(address: Address) -> bool:
    """Whether this is a reverse proxy of ours."""
    return any(address in network for network in settings.TRUSTED_PROXIES)


def parsed(text: str) -> Address | None:
    """An address as proxies write it, perhaps with brackets and a port; IPv4 in IPv6's clothes is IPv4. None: no address."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def came_through_a_proxy(request: HttpRequest) -> bool:
    """Whether anything says that the request was passed on, believed or not: then its nearest address tells nothing."""
    return getattr(request, "was_forwarded", False) or any(name in request.META for name in PASSED_ON)


class OwnProxiesOnly:
    """Takes away what a client that is no proxy of ours says about how it came here, before anything reads it.

    That something was said is kept: behind a proxy nobody has named, everybody seems to come from this machine.
    """

    def __init__(self, get_response: object) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> object:
        nearest = parsed(request.META.get("REMOTE_ADDR", ""))
        if nearest is None or not is_trusted(nearest):
            said = [request.META.pop(name, None) for name in FORWARDED]
            request.was_forwarded = any(each is not None for each in said)  # type: ignore[attr-defined]
        return self.get_response(request)  # type: ignore[operator]
