"""How long entries are kept, what erasing a customer takes from them, and whether their keys are still known.

The hash of an erased customer stays to the end of the entry: protecting the people who serve is a legitimate interest that a
wish to be forgotten does not end, and the hash names nobody. All words go at once, and entries that have ended go whole.
"""

from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone

from approvals.digests import key_names
from approvals.models import ApprovalEvent, ApprovalRequest, BlockEntry, BlockHit
from approvals.services.blacklist.kind import NAME
from teams.doctor import Finding, doubtful, well

WORDS = {"evidence": "", "review_note": "", "appeal_note": ""}


def forget_customer(customer_key: str, *, before: datetime, dry_run: bool) -> dict[str, int]:
    """Erase the customer whom deliveries know by this key from entries made `before`."""
    rows = BlockEntry.objects.filter(customer_keys__contains=[customer_key], made_at__lt=before)
    live = set(rows.live().values_list("pk", flat=True))
    ended = rows.exclude(pk__in=live)
    asked = ApprovalRequest.objects.filter(kind=NAME, content__customer_keys__contains=customer_key, made_at__lt=before)
    if dry_run:
        return {str(BlockEntry._meta.verbose_name_plural): rows.count()}
    counts = {"approvals.approvalrequest": _empty_requests(asked)}
    counts["approvals.blockentry"] = _delete(ended) + rows.filter(pk__in=live).update(**WORDS)
    BlockEntry.history.filter(id__in=live).update(**WORDS)
    return counts


def _empty_requests(asked: QuerySet[ApprovalRequest]) -> int:
    """The words of requests about the customer go, and with them the keys that led here."""
    found = list(asked.select_for_update(of=("self",)).order_by("pk"))
    for request in found:
        request.words = ""
        request.content = {**request.content, "evidence": "–", "note": "", "customer_keys": []}
    ApprovalRequest.objects.bulk_update(found, ["words", "content"])
    ApprovalEvent.objects.filter(request__in=found).exclude(words="").update(words="")
    return len(found)


def _delete(rows: QuerySet[BlockEntry]) -> int:
    """Delete entries with their versions and hits."""
    pks = list(rows.values_list("pk", flat=True))
    BlockHit.objects.filter(entry__in=pks)._raw_delete("default")
    BlockEntry.history.filter(id__in=pks)._raw_delete("default")
    return BlockEntry.objects.filter(pk__in=pks)._raw_delete("default") or 0  # None for no ids


def _ended(cutoff: datetime) -> QuerySet[BlockEntry]:
    return BlockEntry.objects.filter(span__endswith__lt=cutoff)


def count_ended(cutoff: datetime) -> int:
    return _ended(cutoff).count()


def drop_ended(cutoff: datetime) -> int:
    return _delete(_ended(cutoff))


def count_hits(cutoff: datetime) -> int:
    return BlockHit.objects.filter(at__lt=cutoff).count()


def drop_hits(cutoff: datetime) -> int:
    return BlockHit.objects.filter(at__lt=cutoff)._raw_delete("default")


def keys_are_known() -> Finding:
    """Entries whose key has been forgotten match nobody any more: that has to be said aloud."""
    lost = BlockEntry.objects.live(timezone.now()).exclude(key_name__in=key_names()).count()
    if not lost:
        return well("Every entry of the blacklist can be matched.")
    return doubtful(
        f"{lost} entries of the blacklist were made under a key that is no longer known; they match nobody.",
        "Add the former key to OUTPOST_SEAL_KEYS_BEFORE until these entries have ended.",
    )
