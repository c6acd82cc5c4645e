"""Sending to chat robots through Apprise, whose plugins know the form each service wants.

Two things Apprise leaves to us. It connects wherever a name leads, and follows redirects: so its plugins get a door of ours
in place of the `requests` they import, which looks at the address on the connection itself, before a byte is sent, and goes
no further. And some plugins take any answer with status 200 for a success, though the services refuse with 200 and a code in
the body: so the door keeps the answer, and it is judged here.
"""

import json
import time
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import requests
from apprise import AppriseAsset
from apprise.exception import AppriseException
from apprise.plugins import dingtalk, feishu, slack, wecombot
from apprise.plugins.base import NotifyBase
from django.conf import settings
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from teams.channels.addresses import Robot, is_public
from teams.channels.outcomes import NotDelivered, Rejected, Unclear

CONNECT_SECONDS, READ_SECONDS, WHOLE_SECONDS = 5, 10, 15
LONGEST_ANSWER = 20_000
ASSET = AppriseAsset(app_id="Outpost", app_desc="Outpost", app_url="", http_redirects=False)


@dataclass
class Answer:
    status: int = 0
    body: bytes = b""
    failure: NotDelivered | None = None


_answer: ContextVar[Answer] = ContextVar("answer of a chat service")


def send(robot: Robot, title: str, text: str) -> None:
    """Give a message to a robot; returns once its service has confirmed it. Raises NotDelivered, Rejected or Unclear."""
    answer = Answer()
    mark = _answer.set(answer)
    try:
        plugin = _plugin(robot)
        plugin.send(body=text, title=title) if robot.kind != "wecom" else plugin.send(body=f"{title}\n{text}".strip())
    except (AppriseException, TypeError) as error:
        raise Rejected("address") from error
    finally:
        _answer.reset(mark)
    if answer.failure is not None:
        raise answer.failure
    judge(robot.kind, answer.status, answer.body)


def _plugin(robot: Robot) -> NotifyBase:
    """The plugin for a robot, aimed at its origin, which is the service's own unless the operator has named another."""
    made: Any
    if robot.kind == "wecom":
        made = wecombot.NotifyWeComBot(key=robot.token, asset=ASSET)
        made.api_url = _aimed(made.api_url, robot)
    elif robot.kind == "dingtalk":
        made = dingtalk.NotifyDingTalk(token=robot.token, secret=robot.secret or None, asset=ASSET)
        made.notify_url = _aimed(made.notify_url, robot)
    elif robot.kind == "feishu":
        made = feishu.NotifyFeishu(token=robot.token, asset=ASSET)
        made.notify_url = _aimed(made.notify_url, robot)
    else:
        first, second, third = robot.token.split("/")
        made = slack.NotifySlack(
            token_a=first, token_b=second, token_c=third, include_image=False, include_footer=False, asset=ASSET
        )
        made.webhook_url = _aimed(made.webhook_url, robot)
    made.redirects = False
    return made


def _aimed(address: str, robot: Robot) -> str:
    """The address with the origin of the robot; left as it is where it holds a place for the token."""
    return f"{robot.origin}/{address.split('/', 3)[3]}"


# -- what an answer means ----------------------------------------------------------------------------------------------

# Codes that pass by themselves: the service is busy, or we were too quick for it.
BUSY = {
    "wecom": {-1, 45009, 45033, 6000},
    "dingtalk": {-1, 130101, 130102, 410100},
    "feishu": {11232, 99991400},
    "slack": set(),
}


def judge(kind: str, status: int, body: bytes) -> None:
    """Raises unless the answer confirms the delivery."""
    if status == 429 or status >= 500:
        raise NotDelivered(f"status {status}")
    if status != 200:
        raise Rejected(f"status {status}")
    if kind == "slack":
        if body.strip() != b"ok":
            raise Unclear("answer not understood")
        return
    try:
        told = json.loads(body)
        code = told.get("errcode", told.get("code", told.get("StatusCode")))
    except (ValueError, AttributeError):
        raise Unclear("answer not understood") from None
    if not isinstance(code, int):
        raise Unclear("answer not understood")
    if code in BUSY[kind]:
        raise NotDelivered(f"code {code}")
    if code:
        raise Rejected(f"code {code}")


# -- the door that the plugins go through ------------------------------------------------------------------------------


class _Private(OSError):
    """The name leads into the own network."""


def _look_at_peer(connection: Any) -> None:
    peer = str(connection.sock.getpeername()[0])
    scheme = "https" if isinstance(connection, HTTPSConnection) else "http"
    origins = {f"{scheme}://{connection.host}", f"{scheme}://{connection.host}:{connection.port}"}
    if not is_public(peer) and origins.isdisjoint(settings.CHAT_ORIGINS):
        connection.close()
        raise _Private(peer)


class _Plain(HTTPConnection):
    def connect(self) -> None:
        super().connect()
        _look_at_peer(self)


class _Secure(HTTPSConnection):
    def connect(self) -> None:
        super().connect()
        _look_at_peer(self)


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _Secure


class _Looking(HTTPAdapter):
    """Looks at whom it has reached before it says anything."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}


class Door:
    """Stands in the plugins for the module `requests`: one attempt, no redirect, no proxy, a limit to time and size."""

    codes = requests.codes
    RequestException = requests.RequestException

    def post(self, url: str, **given: Any) -> requests.Response:
        return self.request("post", url, **given)

    def request(self, method: str, url: str, **given: Any) -> requests.Response:
        answer = _answer.get()
        wanted = {key: given.get(key) for key in ("data", "headers", "params")}
        with requests.Session() as session:
            session.trust_env = False
            session.mount("https://", _Looking())
            session.mount("http://", _Looking())
            try:
                response = session.request(
                    method, url, timeout=(CONNECT_SECONDS, READ_SECONDS), allow_redirects=False, stream=True, **wanted
                )
                answer.status, answer.body = response.status_code, _whole(response)
            except requests.RequestException as error:
                answer.failure = _meaning(error, answer)
                raise requests.RequestException(str(answer.failure)) from None
        response._content = answer.body
        return response


def _whole(response: requests.Response) -> bytes:
    """The body, if it ends in time and is no longer than any service's answer."""
    deadline, parts = time.monotonic() + WHOLE_SECONDS, b""
    for part in response.iter_content(2048):
        parts += part
        if len(parts) > LONGEST_ANSWER or time.monotonic() > deadline:
            raise requests.exceptions.ChunkedEncodingError("too long")
    return parts


def _meaning(error: requests.RequestException, answer: Answer) -> NotDelivered:
    """Whether anything can have arrived. Nothing of the error's words is kept, as they name the address."""
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, _Private):
            return Rejected("private host")
        reason = getattr(inner, "reason", None) or (inner.args[0] if inner.args else None)
        inner = reason if isinstance(reason, BaseException) else inner.__context__
    if isinstance(error, requests.exceptions.SSLError):
        return NotDelivered("certificate")
    if isinstance(error, requests.exceptions.ConnectTimeout) or _is_unreached(error):
        return NotDelivered("unreachable")
    if answer.status >= 500 or answer.status == 429:
        return NotDelivered(f"status {answer.status}")
    return Unclear("no whole answer")


def _is_unreached(error: BaseException) -> bool:
    """Whether the connection itself failed, so that nothing was sent."""
    text = type(getattr(error.args[0] if error.args else None, "reason", None)).__name__
    return text in {"NewConnectionError", "NameResolutionError", "ConnectTimeoutError"}


for _module in (wecombot, dingtalk, feishu, slack):
    _module.requests = Door()  # type: ignore[attr-defined]
