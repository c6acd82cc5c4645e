"""Two who block the same customer at once: one live entry, and the other is told so. The control lacks the constraints."""

import pytest
from django.db import connection
from django.utils import timezone

from approvals.models import ApprovalRequest, BlockEntry
from approvals.services import requests
from teams.errors import Refused
from teams.scoping import Grant
from tests import make
from tests.approvals.blocks import ask
from tests.races.test_races import CONTROL, expect_hold
from tests.races.together import Meeting, together

pytestmark = pytest.mark.django_db(transaction=True)
GUARDS = ((ApprovalRequest, "one_open_request_per_subject"), (BlockEntry, "one_live_block_per_subject_and_team"))


@pytest.fixture
def unguarded():
    """The tables without what keeps a subject to one open request and one live entry; as they were again afterwards."""
    guards = [(model, next(each for each in model._meta.constraints if each.name == name)) for model, name in GUARDS]
    removed = []

    def remove() -> None:
        with connection.schema_editor() as editor:
            for model, guard in guards:
                editor.remove_constraint(model, guard)
                removed.append((model, guard))

    yield remove
    BlockEntry.objects.all().delete()
    ApprovalRequest.objects.update(state="withdrawn")
    with connection.schema_editor() as editor:
        for model, guard in removed:
            editor.add_constraint(model, guard)


@CONTROL
def test_two_holds_of_one_customer_at_once_are_one_entry(locks, hub, north, unguarded, monkeypatch):
    if not locks:
        unguarded()
    second = make.user("second", is_staff=True)
    make.grant(second, north.team, Grant.LEAD)
    monkeypatch.setattr(requests, "_enter", Meeting(2).before(requests._enter))
    results = together(
        lambda: ask(north.team, north.lead, hold_now=True).pk, lambda: ask(north.team, second, hold_now=True).pk
    )
    live = BlockEntry.objects.live(timezone.now()).count()
    refused = [each for each in results if isinstance(each, Refused)]
    expect_hold(locks, live == 1 and [each.code for each in refused] == ["already_open"], (results, live))
