"""One customer is one text, however it is written; what cannot be meant is refused with a remedy and never repeated."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from approvals import digests
from approvals.plain.normal import KINDS, Normal, normal, region_of, without
from performance.intake import customers


@pytest.mark.parametrize(
    ("kind", "text", "region", "value", "mask"),
    [
        ("phone", "+44 20 7946 0018", "", "+442079460018", "+44 ********18"),
        ("phone", "020 7946 0018", "GB", "+442079460018", "+44 ********18"),
        ("phone", "0044 (20) 7946-0018", "", "+442079460018", "+44 ********18"),
        ("phone", "138 1234 5678", "CN", "+8613812345678", "+86 *********78"),
        ("phone", "＋８６ 138 1234 5678", "", "+8613812345678", "+86 *********78"),
        ("phone", "+44 20 7946 0018 ext. 12", "", "+442079460018", "+44 ********18"),
        ("phone", "00 44 20 7946 0018", "PT", "+442079460018", "+44 ********18"),
        ("mail", "Jane.Doe+shop@Example.COM", "", "jane.doe+shop@example.com", "j****@e****.com"),
        ("mail", "<jane@Bücher.example>", "", "jane@xn--bcher-kva.example", "j****@x****.example"),
        ("mail", "jane@例え.テスト", "", "jane@xn--r8jz45g.xn--zckzah", "j****@x****.xn--zckzah"),
        ("ip", "203.0.113.7", "", "203.0.113.7", "203.0.*.*"),
        ("ip", "::ffff:203.0.113.7", "", "203.0.113.7", "203.0.*.*"),
        ("ip", "2001:DB8:0:0::0007", "", "2001:db8::7", "2001:0db8:*"),
        ("ip", "[2001:db8::7%eth0]", "", "2001:db8::7", "2001:0db8:*"),
        ("network", "203.0.113.77/24", "", "203.0.113.0/24", "203.0.113.0/24"),
        ("network", "::ffff:203.0.113.0/120", "", "203.0.113.0/24", "203.0.113.0/24"),
        ("network", "2001:db8:1::/48", "", "2001:db8:1::/48", "2001:db8:1::/48"),
        ("account", "@Some.Body", "", "some.body", "****body"),
        ("visitor", " 7f3a-00Aa ", "", "7f3a-00Aa", "****00Aa"),
        ("contact", "12345", "", "12345", "****"),
        ("device", "Ab\u200bcdefgh", "", "Abcdefgh", "****efgh"),
    ],
)
def test_written_in_many_ways_is_one_text(kind, text, region, value, mask):
    found = normal(kind, text, region)
    assert (found.kind, found.value, found.mask) == (kind, value, mask)


@pytest.mark.parametrize(
    ("kind", "text", "remedy"),
    [
        ("phone", "020 7946 0018", "with + and the country"),
        ("phone", "+44 20", "too short or too long"),
        ("phone", "call me", "with + and the country"),
        ("phone", "+999 1234567", "no telephone number"),
        ("mail", "jane", "name@example.com"),
        ("mail", "jane@localhost", "no domain"),
        ("mail", "jane@a..b", "no domain"),
        ("mail", "ja ne@example.com", "name@example.com"),
        ("ip", "198.51.100", "203.0.113.7"),
        ("network", "0.0.0.0/0", "/8 or narrower"),
        ("network", "2001::/16", "/32 or narrower"),
        ("network", "::ffff:0:0/96", "/8 or narrower"),
        ("network", "house", "203.0.113.0/24"),
        ("visitor", " \x00 ", "what identifies"),
        ("account", "@", "what identifies"),
        ("device", "x" * 300, "254"),
        ("passport", "1", "one of"),
    ],
)
def test_what_cannot_be_meant_names_its_remedy(kind, text, remedy):
    with pytest.raises(ValueError, match=remedy.replace("+", r"\+")) as refusal:
        normal(kind, text)
    assert text == "1" or text.strip("\x00 @") == "" or text not in str(refusal.value)


def test_a_network_of_one_address_is_that_address():
    assert normal("network", "203.0.113.7/32") == normal("ip", "203.0.113.7")
    assert normal("network", "2001:db8::7/128") == normal("ip", "2001:db8::7")


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(KINDS), st.text(max_size=300), st.sampled_from(["", "CN", "GB", "XX", "?"]))
def test_any_text_is_read_or_refused_with_a_sentence(kind, text, region):
    try:
        found = normal(kind, text, region)
    except ValueError as refusal:
        assert str(refusal).strip()
        assert not isinstance(refusal, UnicodeError)
        return
    assert normal(kind, found.value, region).value == found.value
    assert len(found.mask) <= 60


def test_people_dial_in_the_country_of_their_zone():
    assert (region_of("Asia/Shanghai"), region_of("Europe/Lisbon"), region_of("UTC")) == ("CN", "PT", "")


def test_words_around_hold_the_mask_and_not_the_number():
    number = normal("phone", "+44 20 7946 0018")
    said = without("She called from 020 7946-0018, then +44 (20) 79460018. Order 118.", number, "020 7946 0018")
    assert said == f"She called from {number.mask}, then {number.mask}. Order 118."
    mail = normal("mail", "Jane@Example.com")
    assert without("write to JANE@example.COM", mail, "Jane@Example.com") == f"write to {mail.mask}"
    network = normal("network", "203.0.113.0/24")
    assert without("all of 203.0.113.0/24", network, "203.0.113.0/24") == "all of 203.0.113.0/24"


def test_hashes_are_keyed_and_outlive_a_new_key(settings):
    subject = normal("mail", "jane@example.com")
    former, name = digests.digest(subject), digests.key_name()
    assert former != digests.digest(Normal("account", subject.value, ""))
    settings.SEAL_KEYS_BEFORE, settings.SEAL_KEY = (
        [settings.SEAL_KEY],
        "another key of at least fifty signs, made for a test only",
    )
    assert digests.digest(subject) != former
    assert former in digests.digests(subject) and digests.digests(subject)[0] == digests.digest(subject)
    assert name in digests.key_names()
    settings.SEAL_KEYS_BEFORE = []
    assert former not in digests.digests(subject)


@pytest.mark.parametrize(
    ("kind", "typed", "region", "delivered"),
    [
        ("phone", "020 7946 0018", "GB", "020 7946 0018"),
        ("phone", "020 7946 0018", "GB", "+44 20 7946 0018"),
        ("phone", "+86 138 1234 5678", "", "13812345678"),
        ("mail", "Jane@Example.com", "", "jane@example.com"),
    ],
)
def test_a_customer_is_found_by_the_key_of_deliveries(settings, kind, typed, region, delivered):
    keys = digests.customer_keys(normal(kind, typed, region), typed)
    assert customers.key_of(delivered, customers.derive_key(settings.SECRET_KEY)) in keys
