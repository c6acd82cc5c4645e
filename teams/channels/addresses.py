"""Addresses of chat robots: which are accepted, how they are shown, and which hosts may be called at all.

Whoever has the address of a robot can write to its group, so it is kept sealed and shown as its last signs only. A
robot lives at one of four services. Any other place is called only if the operator has named it; places inside the own
network would otherwise be reached by whoever may type an address.
"""

import hashlib
import hmac
import ipaddress
import json
import re
import socket
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from teams import sealing
from teams.errors import Refused

PURPOSE = "chat robot"
LONGEST = 500
SECRET = re.compile(r"[A-Za-z0-9_-]{8,128}")


@dataclass(frozen=True)
class Service:
    """Where a service's robots live, and the part of the address that tells them apart."""

    hosts: frozenset[str]
    path: re.Pattern[str]
    parameter: str = ""
    token: re.Pattern[str] = re.compile(r"[A-Za-z0-9_-]{8,128}")


SERVICES = {
    "wecom": Service(frozenset({"qyapi.weixin.qq.com"}), re.compile(r"/cgi-bin/webhook/send"), "key"),
    "dingtalk": Service(
        frozenset({"oapi.dingtalk.com"}), re.compile(r"/robot/send"), "access_token", re.compile(r"[A-Za-z0-9]{8,128}")
    ),
    "feishu": Service(frozenset({"open.feishu.cn"}), re.compile(r"/open-apis/bot/v2/hook/([A-Za-z0-9_-]{8,128})/?")),
    "slack": Service(
        frozenset({"hooks.slack.com"}),
        re.compile(r"/services/([A-Z0-9]{1,12}/[A-Z0-9]{1,12}/[A-Za-z0-9]{20,64})/?", re.IGNORECASE),
    ),
}


@dataclass(frozen=True)
class Robot:
    """A robot's address in its parts. `secret` signs what is sent to DingTalk; the others have none."""

    kind: str
    origin: str
    token: str
    secret: str = ""

    @property
    def hint(self) -> str:
        """What may be shown: the host and the last four signs."""
        return f"{urlsplit(self.origin).hostname} …{self.token[-4:]}"

    @property
    def fingerprint(self) -> str:
        said = f"{self.kind} {self.origin} {self.token}".encode()
        return hmac.new(settings.SECRET_KEY.encode(), said, hashlib.sha256).hexdigest()

    def sealed(self) -> str:
        return sealing.seal(json.dumps([self.kind, self.origin, self.token, self.secret]), PURPOSE)

    def __repr__(self) -> str:
        return f"<robot at {self.hint}>"  # an address must not turn up in a traceback


def opened(sealed: str) -> Robot:
    """The robot that was sealed. Raises sealing.Unopenable."""
    return Robot(*json.loads(sealing.unseal(sealed, PURPOSE)))


def read(kind: str, address: str, secret: str = "") -> Robot:
    """The robot at an address as its service shows it. Raises Refused: unknown_service, not_an_address, ..."""
    service = SERVICES.get(kind)
    if service is None:
        raise Refused("unknown_service", _("Choose the service: WeCom, DingTalk, Feishu or Slack."))
    address, secret = address.strip(), secret.strip()
    try:
        parts = urlsplit(address)
        origin = f"{parts.scheme}://{parts.netloc}".lower()
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _no_address() from None
    is_allowed = origin in settings.CHAT_ORIGINS
    if (
        len(address) > LONGEST
        or not host
        or parts.username
        or parts.password
        or not (parts.scheme == "https" or is_allowed)
    ):
        raise _no_address()
    if not is_allowed and (host not in service.hosts or port not in (None, 443)):
        raise Refused(
            "foreign_host",
            _(
                "This address does not belong to the chosen service. Choose the service it comes from, or ask the operator."
            ),
        )
    match = service.path.fullmatch(parts.path)
    token = parse_qs(parts.query).get(service.parameter, [""])[0] if service.parameter else (match[1] if match else "")
    if match is None or not (service.token.fullmatch(token) or (not service.parameter and token)):
        raise _no_address()
    if secret and (kind != "dingtalk" or not SECRET.fullmatch(secret)):
        raise Refused(
            "no_secret", _("Only a DingTalk robot has a secret; it begins with SEC. Leave the field empty otherwise.")
        )
    refuse_private(origin)
    return Robot(kind, origin, token, secret)


def _no_address() -> Refused:
    return Refused(
        "not_an_address",
        _("This is not the address of a robot. Copy it whole from the service, beginning with https://."),
    )


def refuse_private(origin: str) -> None:
    """Raises Refused if the host of `origin` leads into the own network. A host that does not answer now may later:
    it is asked again, on the very connection, before anything is sent."""
    if origin in settings.CHAT_ORIGINS:
        return
    for found in _resolved(urlsplit(origin).hostname or ""):
        if not is_public(found):
            raise Refused("private_host", _("This address leads into our own network and is not called."))


def _resolved(host: str) -> list[str]:
    try:
        return [str(entry[4][0]) for entry in socket.getaddrinfo(host, 443, proto=socket.IPPROTO_TCP)]
    except OSError:
        return []


def is_public(address: str) -> bool:
    """Whether an IP address lies in the open Internet: not loopback, link-local, private, shared, multicast or reserved."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None) or getattr(found, "sixtofour", None)
    if mapped is not None:
        return is_public(str(mapped))
    return found.is_global and not (found.is_multicast or found.is_reserved)
