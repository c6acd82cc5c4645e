"""An authenticator app for tests: reads the secret from the page and shows the code of a moment, as any app does."""

import base64
import hmac
import re
import struct
import time

from django.urls import reverse

PASSWORD = "correct horse battery"


def code(secret: str, steps: int = 0) -> str:
    """The six digits of now (RFC 6238), or of `steps` half minutes from now."""
    key = base64.b32decode(secret.replace(" ", ""))
    digest = hmac.new(key, struct.pack(">Q", int(time.time()) // 30 + steps), "sha1").digest()
    at = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[at : at + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"


def set_up(client) -> tuple[str, list[str]]:
    """Set a second factor up through the pages; the secret, and the recovery codes that were shown.

    Confirmed with the code of the half minute before, so that the one of now is still unspent.
    """
    page = client.get(reverse("second_factor")).content.decode()
    secret = re.search(r"<code>([A-Z2-7 ]+)</code>", page)[1]
    answer = client.post(reverse("second_factor"), {"code": code(secret, -1)}, follow=True)
    codes = re.findall(r"<code>(\d{8})</code>", answer.content.decode())
    assert len(codes) == 10, answer.content.decode()
    return secret, codes


def log_in(client, username: str, password: str = PASSWORD, **more):
    return client.post(reverse("login"), {"username": username, "password": password} | more)
