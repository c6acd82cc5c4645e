"""A chat service of our own: a real HTTP server in a thread that answers as it is told, and keeps what it was given."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

GOOD = {
    "wecom": b'{"errcode":0,"errmsg":"ok"}',
    "dingtalk": b'{"errcode":0,"errmsg":"ok"}',
    "feishu": b'{"code":0,"msg":"success","data":{}}',
    "slack": b"ok",
}
REFUSED = {
    "wecom": (200, b'{"errcode":93000,"errmsg":"invalid webhook url"}'),
    "dingtalk": (200, b'{"errcode":300005,"errmsg":"token is not exist"}'),
    "feishu": (200, b'{"code":19001,"msg":"param invalid: incoming webhook access token invalid"}'),
    "slack": (404, b"no_service"),
}
BUSY = {
    "wecom": (200, b'{"errcode":45009,"errmsg":"api freq out of limit"}'),
    "dingtalk": (200, b'{"errcode":130101,"errmsg":"send too fast"}'),
    "feishu": (200, b'{"code":11232,"msg":"frequency limited"}'),
    "slack": (429, b"rate_limited"),
}
ADDRESSES = {
    "wecom": "{origin}/cgi-bin/webhook/send?key=693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa",
    "dingtalk": "{origin}/robot/send?access_token=a1b2c3d4e5f6a7b8c9d0a1b2c3d4e5f6",
    "feishu": "{origin}/open-apis/bot/v2/hook/4b2f6c1a-8d3e-4f5a-9b7c-1d2e3f4a5b6c",
    "slack": "{origin}/services/T00000000/B00000000/abcdefghijklmnopqrstuvwx",
}


@dataclass
class Chat:
    """`answer` is (status, body); "half" breaks off inside the body, "away" sends elsewhere, "slow" says nothing in time."""

    origin: str = ""
    answer: tuple[int, bytes] | str | None = None
    heard: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def address(self, kind: str) -> str:
        return ADDRESSES[kind].format(origin=self.origin)


def kind_of(path: str) -> str:
    return next(
        kind for kind, address in ADDRESSES.items() if path.startswith(address.split("}")[1].partition("?")[0][:9])
    )


@contextmanager
def running() -> Iterator[Chat]:
    chat = Chat()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            chat.heard.append((self.path, json.loads(body)))
            answer = chat.answer
            if answer == "slow":
                time.sleep(1.5)
                return
            if answer == "away":
                self.send_response(302)
                self.send_header("Location", f"{chat.origin}/elsewhere")
                self.end_headers()
                return
            good = (200, GOOD[kind_of(self.path)])
            status, text = answer if isinstance(answer, tuple) else good
            self.send_response(status)
            self.send_header("Content-Length", str(len(text) + (50 if answer == "half" else 0)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *args: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    chat.origin = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield chat
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
