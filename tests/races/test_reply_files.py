"""A file is swept away while somebody proposes a reply with it: either it stays or the proposal is refused."""

import pytest
from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone

from approvals.models import ApprovalRequest, ReplyAttachment
from approvals.services import replies, reply_files, reply_kind, requests
from teams.acting import system_scope
from teams.errors import Refused
from tests.approvals.replies import new
from tests.races.test_races import CONTROL, expect_hold
from tests.races.together import Meeting, together

pytestmark = pytest.mark.django_db(transaction=True)


@CONTROL
def test_no_proposal_stands_whose_file_is_gone(locks, hub, north, monkeypatch):
    if not locks:
        monkeypatch.setattr(replies, "hold_files", lambda **_mode: None)
    file = replies.bring_file(ContentFile(b"x", "steps.pdf"), by=north.agent.user)
    meeting = Meeting(2)
    monkeypatch.setattr(reply_files, "unused", meeting.after(reply_files.unused))
    monkeypatch.setattr(reply_kind, "_refuse_taken", meeting.before(reply_kind._refuse_taken))

    def sweep() -> int:
        with system_scope("a test sweeps"), transaction.atomic():
            return reply_files.drop_unused(timezone.now())

    wish = {**new(north.team), "attachments": [file.pk]}
    results = together(sweep, lambda: requests.ask("canned_reply", wish, by=north.agent.user).pk)
    stands, there = ApprovalRequest.objects.exists(), ReplyAttachment.objects.exists()
    refused = isinstance(results[1], Refused) and results[1].code == "unknown_file"
    expect_hold(locks, stands == there and refused is not stands, (results, stands, there))
