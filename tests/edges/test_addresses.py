"""T44: a client is known by its own address, and what it says about itself counts only through proxies of ours."""

from ipaddress import ip_network

import pytest
from django.test import RequestFactory

from teams.edges.addresses import OwnProxiesOnly, client_address

PROXIES = [ip_network("127.0.0.1"), ip_network("10.1.0.0/16"), ip_network("2001:db8::/32")]


def asked(remote, forwarded=None):
    more = {} if forwarded is None else {"HTTP_X_FORWARDED_FOR": forwarded}
    return RequestFactory().get("/", REMOTE_ADDR=remote, **more)


@pytest.mark.parametrize(
    ("remote", "forwarded", "client"),
    [
        ("198.51.100.7", None, "198.51.100.7"),
        ("198.51.100.7", "203.0.113.9", "198.51.100.7"),  # no proxy of ours: its word is nothing
        ("127.0.0.1", None, "127.0.0.1"),
        ("127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "8.8.8.8, 203.0.113.9", "203.0.113.9"),  # written in front by the client
        ("127.0.0.1", "127.0.0.1, 203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "203.0.113.9, 10.1.2.3", "203.0.113.9"),  # two proxies in a row
        ("127.0.0.1", "10.1.9.9, 10.1.2.3", "10.1.9.9"),  # somebody on a proxy itself
        ("127.0.0.1", "203.0.113.9:51000", "203.0.113.9"),
        ("127.0.0.1", "[2001:db9::1]:443", "2001:db9::1"),
        ("2001:db8::5", "2001:db9::7", "2001:db9::7"),
        ("::ffff:127.0.0.1", "::ffff:203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "unknown", None),
        ("127.0.0.1", "203.0.113.9, ", None),
        ("", "203.0.113.9", None),
    ],
)
def test_t44_the_client_is_the_first_address_that_is_no_proxy_of_ours(settings, remote, forwarded, client):
    settings.TRUSTED_PROXIES = PROXIES
    found = client_address(asked(remote, forwarded))
    assert (None if found is None else str(found)) == client


def test_without_proxies_nobody_is_believed(settings):
    settings.TRUSTED_PROXIES = []
    assert str(client_address(asked("127.0.0.1", "203.0.113.9"))) == "127.0.0.1"


def test_t44_headers_of_a_proxy_sent_by_a_client_never_arrive(settings):
    settings.TRUSTED_PROXIES = PROXIES
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    seen = OwnProxiesOnly(lambda request: (request.is_secure(), request.META.get("HTTP_X_FORWARDED_FOR")))
    said = {"HTTP_X_FORWARDED_PROTO": "https", "HTTP_X_FORWARDED_FOR": "203.0.113.9"}
    assert seen(RequestFactory().get("/", REMOTE_ADDR="198.51.100.7", **said)) == (False, None)
    assert seen(RequestFactory().get("/", REMOTE_ADDR="127.0.0.1", **said)) == (True, "203.0.113.9")
