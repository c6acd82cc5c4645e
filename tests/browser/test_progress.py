"""A long job on its page: it moves without a reload, what is typed stays, and a cancel leads to the word of who and why."""

import pytest
from django.core.files.base import ContentFile
from django.urls import reverse

from performance.services import intake
from teams.models import JobProgress, JobRun
from tests.browser.conftest import NARROW, WIDE
from tests.browser.inspection import faults

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("width", "language"), [(WIDE, "en-US"), (NARROW, "zh-CN")])
def test_progress_moves_and_a_cancel_is_told(visit, world, monkeypatch, width, language):
    monkeypatch.setattr(intake, "AT_ONCE", 2)
    lead = world.north.lead
    lead.language = "en" if language == "en-US" else "zh-hans"
    lead.save(update_fields=["language"])
    rows = "".join(f"{n},2026-01-02 03:04:05,ann,60\n" for n in range(9))
    file = ContentFile(("external_id,opened_at,agent,handle_seconds\n" + rows).encode(), "long.csv")
    delivery = intake.take_in(intake.receive(world.source.pk, file, layout="contacts", by=lead).pk, by=lead)
    run = JobRun.objects.get(job=intake.JOB)
    visitor = visit(width, language)
    visitor.log_in(lead.username)
    visitor.go(reverse("intake_delivery", args=[delivery.pk]))
    assert list(faults(visitor.page, width, is_chinese=language != "en-US")) == []
    visitor.page.click(".op-work-stop summary")
    visitor.page.fill(".op-work-stop input[name=reason]", "wrong month")
    JobRun.objects.filter(pk=run.pk).update(state="running")
    JobProgress.objects.filter(pk=run.pk).update(step="reading", done=1000, total=4000)
    visitor.page.wait_for_selector(".op-work progress[value='25']")
    assert (
        "1000" in visitor.text.replace(",", "")
        and visitor.page.input_value(".op-work-stop input[name=reason]") == "wrong month"
    )
    visitor.page.click(".op-work-stop button")
    visitor.page.wait_for_selector("[data-over]")
    assert "wrong month" in visitor.text and "north-lead" in visitor.text
    assert list(faults(visitor.page, width, is_chinese=language != "en-US")) == []
    visitor.look()
    assert JobRun.objects.get(pk=run.pk).state == "cancelled"
