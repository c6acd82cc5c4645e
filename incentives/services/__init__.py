"""Verbs of incentives, one module for each subject; doors import from here."""

from incentives.services.batches import (
    download,
    make_batch,
    make_correction,
    mark_paid,
    release,
)
from incentives.services.plans import (
    acknowledge,
    close_plan,
    discard_draft,
    draft_version,
    edit_draft,
    make_plan,
    rename_plan,
)
from incentives.services.records import record_day, remove_record
from incentives.services.runs import approve, calculate, recalculate, send_back, send_to_review
from incentives.services.simulating import simulate

__all__ = [
    "acknowledge", "approve", "calculate", "close_plan", "discard_draft", "download", "draft_version", "edit_draft",
    "make_batch", "make_correction", "make_plan", "mark_paid", "recalculate", "record_day", "release", "remove_record",
    "rename_plan", "send_back", "send_to_review", "simulate",
]  # fmt: skip
