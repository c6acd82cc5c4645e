"""Customers' numbers, addresses and names of accounts in one form each, so that the same customer is the same text.

Pure: no table, no clock, no key. What is made here in clear is hashed by `approvals.digests` and goes no further; people
see the mask. `normal` raises ValueError with a sentence that names the remedy and never repeats the value.
"""

import ipaddress
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

from django.utils.translation import gettext as _

PHONE, MAIL, VISITOR, IP, NETWORK, ACCOUNT, CONTACT, DEVICE = KINDS = (
    "phone", "mail", "visitor", "ip", "network", "account", "contact", "device"
)  # fmt: skip
WIDEST = {4: 8, 6: 32}  # prefix lengths: nothing wider is blocked
LONGEST = 254
LOCAL_LONGEST = 64
KEPT_TAIL, FEWEST_HIDDEN = 4, 4
STARS = "****"
CONTROL = re.compile(r"[\x00-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
LOCAL = re.compile(r"[^\s@\"(),:;<>\[\]\\]+")
BETWEEN_DIGITS = r"[\s().\-\u2010-\u2015/]*"


@dataclass(frozen=True)
class Normal:
    """One subject: its kind, its canonical text in clear, what people see of it, and for networks the range."""

    kind: str
    value: str
    mask: str
    network: str = ""


def normal(kind: str, text: str, region: str = "") -> Normal:
    """The canonical form of `text`. `region` (two letters) is where a phone number without + is dialled.

    A network of one address is that address. Raises ValueError.
    """
    if kind not in KINDS:
        raise ValueError(_("There is no such kind of subject; choose one of: %(kinds)s.") % {"kinds": ", ".join(KINDS)})
    cleaned = CONTROL.sub("", unicodedata.normalize("NFKC", text)).strip()
    if not cleaned:
        raise ValueError(_("Write what identifies the customer."))
    if len(cleaned) > LONGEST:
        raise ValueError(_("This is longer than %(most)d signs and cannot be meant.") % {"most": LONGEST})
    if kind == PHONE:
        value = _phone(cleaned, region)
        return Normal(kind, value, _mask_phone(value))
    if kind == MAIL:
        value = _mail(cleaned)
        return Normal(kind, value, _mask_mail(value))
    if kind in (IP, NETWORK):
        return _network(cleaned) if kind == NETWORK else _single(_address(cleaned))
    value = cleaned.removeprefix("@").casefold() if kind == ACCOUNT else cleaned
    if not value:
        raise ValueError(_("Write what identifies the customer."))
    return Normal(kind, value, _mask_id(value))


# -- telephones --------------------------------------------------------------------------------------------------------


def _phone(text: str, region: str) -> str:
    """E.164, such as +861012345678."""
    import phonenumbers  # its tables take a tenth of a second: paid by the first who asks for a number

    if not region and not text.startswith(("+", "00")):
        raise ValueError(_("Write the number with + and the country, as in +44 20 7946 0018, or choose the country."))
    if text.startswith("00") and not region:
        text = "+" + text[2:]
    try:
        number = phonenumbers.parse(text, region or None)
    except phonenumbers.NumberParseException:
        raise ValueError(
            _("This is no telephone number. Write it with + and the country, as in +44 20 7946 0018.")
        ) from None
    if not phonenumbers.is_possible_number(number):
        raise ValueError(_("This number is too short or too long for its country. Look for a missing digit."))
    number.extension = None
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def _mask_phone(value: str) -> str:
    """The country and the last two digits."""
    import phonenumbers

    country = f"+{phonenumbers.parse(value).country_code}"
    rest = value[len(country) :]
    shown = rest[-2:] if len(rest) - 2 >= FEWEST_HIDDEN else ""
    return f"{country} {'*' * (len(rest) - len(shown))}{shown}"


def region_of_mask(mask: str) -> str:
    """The country whose code a masked number keeps: where its owner's colleagues would dial it without +."""
    import phonenumbers

    return str(phonenumbers.region_code_for_country_code(int(mask[1:].partition(" ")[0])))


def regions() -> list[str]:
    """Two-letter codes of the countries whose numbers are known."""
    import phonenumbers

    return sorted(phonenumbers.SUPPORTED_REGIONS)


@lru_cache(maxsize=1)
def _countries() -> dict[str, str]:
    """Two-letter country by time zone, from the table that comes with the zones."""
    table = resources.files("tzdata").joinpath("zoneinfo", "zone.tab").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in table.splitlines() if line and not line.startswith("#"))
    return {row[2]: row[0] for row in rows}


def region_of(zone: str) -> str:
    """The country in which people of this time zone dial, or nothing where a zone is nobody's (UTC)."""
    return _countries().get(zone, "")


def dialled(value: str, typed: str) -> list[str]:
    """Digits by which other systems may know the number `value` (E.164): whole, within its country, and as it was typed."""
    import phonenumbers

    number = phonenumbers.parse(value)
    within = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
    found = (value, phonenumbers.national_significant_number(number), within, typed)
    return list(dict.fromkeys(digits for each in found if (digits := re.sub(r"\D", "", each))))


# -- mail --------------------------------------------------------------------------------------------------------------


def _mail(text: str) -> str:
    """The domain in lower case and ASCII, the part before it too; a tag after + is kept: it may be somebody else's box."""
    text = re.sub(r"^(?:mailto:)?<?\s*|\s*>$", "", text, flags=re.IGNORECASE)
    local, at, domain = text.rpartition("@")
    if not at or not LOCAL.fullmatch(local) or len(local) > LOCAL_LONGEST:
        raise ValueError(_("This is no mail address. Write it as in name@example.com."))
    try:
        # Label by label, as the whole may not be longer than a host name; `idna` of the standard library suffices here.
        host = ".".join(part.encode("idna").decode("ascii") for part in domain.rstrip(".").lower().split("."))
    except UnicodeError:
        host = ""
    if "." not in host or not re.fullmatch(r"[a-z0-9](?:[a-z0-9.\-]*[a-z0-9])?", host) or ".." in host:
        raise ValueError(_("The part after the @ is no domain. Write the address as in name@example.com."))
    return f"{local.lower()}@{host}"


def _mask_mail(value: str) -> str:
    """First letters of name and domain, and the last part of the domain."""
    local, _at, host = value.rpartition("@")
    name, _dot, top = host.rpartition(".")
    return f"{local[0]}{STARS}@{name[0]}{STARS}.{top}"


# -- addresses of the network -----------------------------------------------------------------------------------------


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        address = ipaddress.ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        raise ValueError(_("This is no IP address. Write it as in 203.0.113.7 or 2001:db8::7.")) from None
    return getattr(address, "ipv4_mapped", None) or address


def _single(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> Normal:
    if isinstance(address, ipaddress.IPv4Address):
        first, second, *_rest = str(address).split(".")
        return Normal(IP, str(address), f"{first}.{second}.*.*")
    first, second, *_more = address.exploded.split(":")
    return Normal(IP, str(address), f"{first}:{second}:*")


def _network(text: str) -> Normal:
    """A range as in 203.0.113.0/24. Its addresses are not hashed: a hash cannot be asked what it contains."""
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValueError(_("This is no network. Write it as in 203.0.113.0/24 or 2001:db8::/48.")) from None
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped is not None and network.prefixlen >= 96:
        network = ipaddress.ip_network(f"{mapped}/{network.prefixlen - 96}", strict=False)
    if network.prefixlen < WIDEST[network.version]:
        raise ValueError(
            _("This network is too wide: it would shut out whole regions. Take /%(widest)d or narrower.")
            % {"widest": WIDEST[network.version]}
        )
    if network.num_addresses == 1:
        return _single(network.network_address)
    return Normal(NETWORK, str(network), str(network), str(network))


def around(text: str) -> list[str]:
    """Every network that contains this address or network and may be blocked, itself included if it is one."""
    return [str(ipaddress.ip_network(text).supernet(new_prefix=length)) for length in lengths_around(text)]


def lengths_around(text: str) -> range:
    """The prefix lengths of these networks."""
    inner = ipaddress.ip_network(text)
    return range(WIDEST[inner.version], inner.prefixlen + 1)


# -- other ids ---------------------------------------------------------------------------------------------------------


def _mask_id(value: str) -> str:
    """The last four signs of an id that is long enough to stay unknown."""
    return STARS + (value[-KEPT_TAIL:] if len(value) - KEPT_TAIL >= FEWEST_HIDDEN else "")


# -- words around ------------------------------------------------------------------------------------------------------


def without(text: str, subject: Normal, typed: str) -> str:
    """`text` with the subject's mask in place of the subject, however it is spaced or spelt in it."""
    if subject.network:
        return text
    patterns = [re.escape(each) for each in {subject.value, typed.strip()} if len(each) > 2]
    if subject.kind == PHONE:
        longest_first = sorted((each for each in dialled(subject.value, typed) if len(each) > 4), key=len, reverse=True)
        patterns += [r"\+?" + BETWEEN_DIGITS.join(each) for each in longest_first]
    for pattern in patterns:
        text = re.sub(pattern, lambda _found: subject.mask, text, flags=re.IGNORECASE)
    return text
