"""The blacklist: its kind of request, what its tables hold about people, how long, and who sees it."""

from django.utils.translation import gettext_lazy as _

from approvals import kinds
from approvals.letters import blacklist as block_letters
from approvals.models import BlockEntry, BlockHit
from approvals.services.blacklist import keeping
from approvals.services.blacklist.kind import Blacklist
from approvals.services.blacklist.sweeping import REVIEW_DUE
from teams import doctor, outbox, sight
from teams.models import User
from teams.personal import DataClass, FreeText, enter_customers, enter_texts, excuse
from teams.personal import enter as enter_classes
from teams.retention import RetentionClass
from teams.retention import enter as enter_retention

OF_CUSTOMERS = frozenset(
    {"digest", "key_name", "customer_keys", "mask", "network", "evidence", "review_note", "appeal_note"}
)
CLASSES = (
    DataClass(BlockEntry, user=("requested_by",), hidden=OF_CUSTOMERS),
    DataClass(BlockHit, user=("by",), hidden=frozenset({"mask"})),
)
TEXTS = (FreeText(BlockEntry, ("evidence", "review_note", "appeal_note")),)
RETENTION = (
    RetentionClass(
        "blacklist", _("Blacklist entries that have ended"), _("entries, their versions and hits are deleted"),
        "months", 24, keeping.count_ended, keeping.drop_ended,
    ),
    RetentionClass(
        "block_hits", _("Hits of the blacklist"), _("hits are deleted"), "months", 12, keeping.count_hits, keeping.drop_hits
    ),
)  # fmt: skip


def _decides(person: User) -> bool:
    return person.is_staff


def enter() -> None:
    kinds.register(Blacklist())
    outbox.register(
        REVIEW_DUE, block_letters.review_due, title=_("Blacklist entries are due for review"), concerns=_decides
    )
    enter_classes(*CLASSES)
    enter_texts(*TEXTS)
    excuse("approvals.blockentry", "approved_by", "who decided on a request belongs to the request")
    enter_customers(keeping.forget_customer)
    enter_retention(*RETENTION)
    sight.register("blacklist", _("blacklist"), "approvals.BlockEntry", "teams.Team")
    doctor.register("blacklist", keeping.keys_are_known)
