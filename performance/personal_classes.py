"""What the tables of this floor hold about people, what erasure takes from them, and how long they are kept."""

import gzip
from datetime import datetime

from django.db import connection, models
from django.db.models import Q
from django.db.models.functions import Cast
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from performance import partitions
from performance.models import (
    AgentAlias,
    AgentDay,
    Contact,
    ContactSecret,
    ImportRefusal,
    ImportRun,
    Leg,
    PhoneReveal,
    StateInterval,
)
from performance.services import intake
from performance.services.phones import RETENTION
from teams.audit import save_with_history
from teams.errors import Refused
from teams.personal import (
    PSEUDONYM,
    DataClass,
    FreeText,
    Subject,
    enter,
    enter_customers,
    enter_step,
    enter_texts,
)
from teams.retention import RetentionClass
from teams.retention import enter as enter_retention
from teams.services.erasure import is_telling

OF_CUSTOMERS = frozenset({"customer_key", "phone_mask", "rating_comment"})
INWARD = frozenset({"run"})
EXTERNAL = (("agent_external", PSEUDONYM),)

CLASSES = (
    DataClass(AgentAlias, agent=("agent",), cleared=(("external", PSEUDONYM),)),
    DataClass(Contact, agent=("agent",), hidden=OF_CUSTOMERS | INWARD, cleared=EXTERNAL),
    DataClass(Leg, agent=("agent",), hidden=INWARD, cleared=EXTERNAL),
    DataClass(StateInterval, agent=("agent",), hidden=INWARD, cleared=EXTERNAL),
    DataClass(AgentDay, agent=("agent",)),
    DataClass(ImportRun, user=("by",), hidden=frozenset({"mapping", "counts", "message", "file", "digest"})),
    DataClass(
        PhoneReveal, agent=("agent",), user=("viewer",), named=frozenset({"viewer"}), hidden=frozenset({"address"}),
        cleared=(("note", ""),),
    ),
)  # fmt: skip
TEXTS = (
    FreeText(ImportRun, ("message", "file_name")),
    FreeText(ImportRefusal, ("value", "raw")),
)


def enter_all() -> None:
    enter(*CLASSES)
    enter_texts(*TEXTS)
    enter_step(at_sources)
    enter_customers(customer)
    enter_retention(*RETENTION_CLASSES)


# -- erasing a person --------------------------------------------------------------------------------------------------


def at_sources(subject: Subject, pseudonym: str, words: list[str]) -> dict[str, int]:
    """Names at sources join the words to look for; open deliveries whose file holds one of them are withdrawn with it."""
    if subject.agent is None:
        return {}
    aliases = AgentAlias.objects.filter(agent=subject.agent)
    earlier = AgentAlias.history.filter(agent=subject.agent)
    names = {*aliases.values_list("external", flat=True), *earlier.values_list("external", flat=True)}
    words += sorted((name for name in names - set(words) if is_telling(name)), key=len, reverse=True)
    withdrawn = 0
    is_open = Q(state__in=[*intake.OPEN, ImportRun.State.WAITING]) & ~Q(file="")
    for run in ImportRun.objects.filter(is_open).select_for_update(of=("self",)).order_by("pk"):
        if not _holds(run, words):
            continue
        run.state, run.finished_at = ImportRun.State.WITHDRAWN, timezone.now()
        run.file.delete(save=False)
        run.file = ""
        save_with_history(run, "state", "finished_at", "file", by=None, reason="held data of somebody who was erased")
        withdrawn += 1
    return {"performance.importrun": withdrawn}


def _holds(run: ImportRun, words: list[str]) -> bool:
    """Whether a file holds one of the words. One that cannot be read might: it goes as well."""
    try:
        table = intake.table_of(run)
        return any(word in cell for row in (table.header, *table.rows()) for cell in row for word in words)
    except (Refused, OSError, gzip.BadGzipFile):
        return True


# -- erasing a customer ------------------------------------------------------------------------------------------------

BLANK = {"customer_key": "", "phone_mask": "", "rating_comment": ""}


def customer(customer_key: str, *, before: datetime, dry_run: bool) -> dict[str, int]:
    """The customer of this key in contacts opened `before`, their sealed numbers, and refused rows that name the key."""
    contacts = Contact.objects.filter(customer_key=customer_key, opened_at__lt=before)
    refusals = ImportRefusal.objects.annotate(cells=Cast("raw", models.TextField())).filter(
        cells__contains=f"keyed:{customer_key}", run__created_at__lt=before
    )
    secrets = ContactSecret.objects.filter(contact_id__in=list(contacts.values_list("pk", flat=True)))
    if dry_run:
        return {
            str(Contact._meta.verbose_name_plural): contacts.count(),
            str(_("telephone numbers")): secrets.count(),
            str(ImportRefusal._meta.verbose_name_plural): refusals.count(),
        }
    counts = {"performance.contactsecret": secrets.delete()[0], "performance.importrefusal": refusals.delete()[0]}
    return counts | {"performance.contact": contacts.update(**BLANK)}


# -- retention ---------------------------------------------------------------------------------------------------------


def _phones(cutoff: datetime) -> models.QuerySet[ContactSecret]:
    return ContactSecret.objects.filter(kept_at__lt=cutoff)


def _refusals(cutoff: datetime) -> models.QuerySet[ImportRefusal]:
    return ImportRefusal.objects.filter(run__created_at__lt=cutoff)


def _contacts(cutoff: datetime) -> models.QuerySet[Contact]:
    """Contacts that still name a customer, or an agent by the name at the source."""
    named = Q(customer_key="") & Q(phone_mask="") & Q(rating_comment="") & Q(agent_external="")
    return Contact.objects.filter(opened_at__lt=cutoff).exclude(named)


def _anonymise(cutoff: datetime) -> int:
    return _contacts(cutoff).update(**BLANK, agent_external="")


def _reveals(cutoff: datetime) -> models.QuerySet[PhoneReveal]:
    return PhoneReveal.objects.filter(at__lt=cutoff)


DETAILS = ("performance_leg", "performance_stateinterval")  # no figure is made from them anew


def _details(cutoff: datetime) -> int:
    """Rows of legs and states in months that are over, as the statistics of their partitions know them."""
    with connection.cursor() as cursor:
        return sum(partitions.count_before(cursor, table, cutoff.date()) for table in DETAILS)


def _drop_details(cutoff: datetime) -> int:
    with connection.cursor() as cursor:
        return sum(partitions.drop_before(cursor, table, cutoff.date()) for table in DETAILS)


RETENTION_CLASSES = (
    RetentionClass(
        RETENTION, _("Customers' telephone numbers"), _("numbers are deleted, masks stay"),
        "days", 30, lambda cutoff: _phones(cutoff).count(), lambda cutoff: _phones(cutoff)._raw_delete("default"),
    ),
    RetentionClass(
        "refused_rows", _("Refused rows of deliveries"), _("rows are deleted, the counts stay"),
        "months", 6, lambda cutoff: _refusals(cutoff).count(), lambda cutoff: _refusals(cutoff).delete()[0],
    ),
    RetentionClass(
        "contacts", _("Who the customer of a contact was"),
        _("customer, masked number, comment and names at the source are emptied; figures stay"),
        "months", 24, lambda cutoff: _contacts(cutoff).count(), _anonymise,
    ),
    RetentionClass(
        "details", _("Legs of contacts and states of agents"), _("whole months are dropped; figures stay"),
        "months", 36, _details, _drop_details,
    ),
    RetentionClass(
        "reveals", _("Records of looks at telephone numbers"), _("rows are deleted"),
        "months", 36, lambda cutoff: _reveals(cutoff).count(), lambda cutoff: _reveals(cutoff).delete()[0],
    ),
)  # fmt: skip
