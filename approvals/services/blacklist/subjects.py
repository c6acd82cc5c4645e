"""From what somebody typed to what a request carries: the subject's hash and mask, and nothing of it in clear."""

import re
from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from approvals import digests
from approvals.models import BlockEntry
from approvals.plain.normal import IP, MAIL, PHONE, Normal, normal, region_of, region_of_mask, without
from teams.acting import system_scope
from teams.errors import Refused
from teams.models import Team

WORD = re.compile(r"[^\s,;:!?()\"']{4,}")
CANDIDATES = {
    PHONE: re.compile(r"\+?\d[\d\s().\-/]{4,24}\d"),
    MAIL: re.compile(r"[^\s,;:!?()<>\"']+@[\w.\-]*\w"),
    IP: re.compile(r"[0-9A-Fa-f:.]{3,45}"),
}
PARTS = ("subject_kind", "digest", "key_name", "customer_keys", "mask", "network")


def read(kind: str, text: str, country: str = "", zone: str = "") -> Normal:
    """The subject in its one form; a number without + is dialled in `country`, else where the team's zone is.

    Raises Refused: bad_subject, with a sentence that does not repeat what was typed.
    """
    try:
        return normal(kind, text, country.upper() or region_of(zone))
    except ValueError as error:
        raise Refused("bad_subject", str(error)) from None


def frozen(content: Mapping[str, Any]) -> dict[str, Any]:
    """`content` of a request with its `subject` in clear replaced, in its evidence too. Raises Refused: bad_subject."""
    kept = {name: value for name, value in content.items() if name not in ("subject", "country")}
    typed, country = content.get("subject"), content.get("country") or ""
    if not isinstance(typed, str) or not isinstance(country, str) or not isinstance(content.get("subject_kind"), str):
        raise Refused("bad_subject", _("Write what identifies the customer."))
    subject = read(str(content["subject_kind"]), typed, country, _zone(content.get("team")))
    kept |= parts_of(subject, typed, _under(subject, content.get("team")))
    if isinstance(kept.get("evidence"), str):
        kept["evidence"] = without(str(kept["evidence"]), subject, typed)
    return kept


def parts_of(subject: Normal, typed: str, under: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What a request carries of a subject, with the proof that it was made here. `under`: hash and key of a live entry."""
    parts = {
        "subject_kind": subject.kind,
        **(under or {"digest": digests.digest(subject), "key_name": digests.key_name()}),
        "customer_keys": digests.customer_keys(subject, typed),
        "mask": subject.mask,
        "network": subject.network,
    }
    return parts | {"proof": prove(parts)}


def _under(subject: Normal, team: Any) -> Mapping[str, str] | None:
    """Hash and key of the live entry about this customer in the team. It may have been made under a former key: the customer is
    the same one, and is not listed twice."""
    with system_scope("whether the customer is listed already is asked past what whoever asks may see"):
        rows = BlockEntry.objects.filter(team__in=_teams(team)).called(subject).live()
        found = rows.values_list("digest", "key_name").first()
        return {"digest": found[0], "key_name": found[1]} if found is not None else None


def prove(parts: Mapping[str, Any]) -> str:
    return digests.proof({name: parts[name] for name in PARTS})


def masked(text: str, entry: BlockEntry) -> str:
    """`text` about an entry, with its mask wherever the text names its subject: what stands there is hashed and compared."""
    region = region_of_mask(entry.mask) if entry.subject_kind == PHONE else ""
    for found in dict.fromkeys(CANDIDATES.get(entry.subject_kind, WORD).findall(text)):
        try:
            known = normal(entry.subject_kind, found, region)
        except ValueError:
            continue
        if entry.digest in digests.digests(known):
            text = text.replace(found, entry.mask)
    return text


def is_proved(content: Mapping[str, Any]) -> bool:
    """Whether hash and mask of `content` belong together: nobody blocks one customer under the mask of another."""
    return digests.is_proof(str(content.get("proof", "")), {name: content.get(name) for name in PARTS})


def _zone(team: Any) -> str:
    return _teams(team).values_list("zone", flat=True).first() or ""


def _teams(pk: Any) -> QuerySet[Team]:
    """The team that a content names, if what stands there can be one."""
    try:
        return Team.objects.filter(pk=int(pk))
    except (TypeError, ValueError, OverflowError):
        return Team.objects.none()
