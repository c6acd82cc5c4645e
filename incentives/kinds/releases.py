"""Releasing a pay-out batch: by somebody who did not make it."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from rest_framework import serializers

from approvals.kinds import Kind, Line, State, Subject, Wish
from approvals.models import ApprovalRequest
from approvals.services import requests
from incentives.kinds.shared import HIGHEST, by_payroll, decider, reason
from incentives.models import Batch
from incentives.services.batches import recounted, release
from teams.acting import system_scope
from teams.audit import save_with_history
from teams.errors import OutOfReach, Refused
from teams.models import User

NAME = "payout_release"


class ReleaseForm(serializers.Serializer):
    batch = serializers.IntegerField(min_value=1, max_value=HIGHEST, label=gettext_lazy("pay-out batch"))
    checksum = serializers.CharField(max_length=64, label=gettext_lazy("checksum"))


class PayoutRelease(Kind):
    """The sums stand on the page of the batch, which opens with SETTLE: a request may be read by others, so it names none."""

    name, title, payload = NAME, gettext_lazy("Release of a pay-out batch"), ReleaseForm
    fixed = frozenset({"batch", "checksum"})

    def may_ask(self, wish: Wish, by: User) -> None:
        batch = Batch.objects.manageable_by(by).filter(pk=wish["batch"]).first()
        if batch is None:
            raise OutOfReach
        if batch.state != Batch.State.MADE:
            raise Refused("not_now", _("This batch has been released already."))

    def subject(self, wish: Wish, by: User) -> Subject:
        batch = Batch.objects.select_related("run__plan").get(pk=wish["batch"])
        return Subject(f"batch:{batch.pk}", batch.run.plan.team_id, str(batch))

    def barred(self, request: Any) -> frozenset[int]:
        """Whoever made the batch, whoever asks for its release."""
        return frozenset(Batch.objects.filter(pk=request.content["batch"]).values_list("made_by", flat=True))

    def stands(self, wish: Wish, *, lock: bool = False) -> State:
        rows = Batch.objects.select_for_update(of=("self",)) if lock else Batch.objects.all()
        batch = rows.get(pk=wish["batch"])
        return {"state": batch.state, "checksum": batch.checksum, "count": batch.count}

    def standard(self) -> dict[str, Any]:
        return by_payroll()

    def difference(self, wish: Wish, stands: State) -> list[Line]:
        people = ngettext("%(count)d item", "%(count)d items", stands["count"]) % {"count": stands["count"]}
        return [
            Line(_("pay-out batch"), _("waits for release"), _("released")),
            Line(_("items"), "", people),
            Line(_("checksum"), "", stands["checksum"][:16]),
        ]

    def effects(self, wish: Wish, stands: State, now: datetime) -> list[str]:
        batch = Batch.objects.get(pk=wish["batch"])
        if recounted(batch).checksum != batch.checksum:
            return [_("The items do not add up to the checksum any more. Tell the operator; pay nothing.")]
        return [
            _("From then on payroll can take the file; every download is noted. Sums stand on the page of the batch.")
        ]

    def apply(self, request: Any, wish: Wish, by: User | None) -> State:
        batch = Batch.objects.select_for_update(of=("self",)).get(pk=wish["batch"])
        release(batch, by=by or decider(request), reason=reason(request))
        return {}


@transaction.atomic
def ask_release(pk: Any, *, by: User, reason: str = "") -> ApprovalRequest:
    """Ask a second person to release a batch. Raises OutOfReach, or Refused: not_now, already_open."""
    batch: Batch = Batch.objects.manageable_by(by).take(pk)
    request = requests.ask(NAME, {"batch": batch.pk, "checksum": batch.checksum}, by=by, words=reason)
    with system_scope("the batch names the request that releases it"):
        batch.refresh_from_db()
        batch.request = request
        save_with_history(batch, "request", by=by, reason=reason)
    return request
