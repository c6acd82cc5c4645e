"""Long jobs tell how far they are and can be stopped: half-way nothing stays, and a second try works."""

import threading
from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from performance.models import Contact, ContactKey, ImportRun
from performance.services import intake
from teams import jobs, progress
from teams.errors import OutOfReach, Refused
from teams.models import DataCopy, JobProgress, JobRun, Notice, Skill, StoredFile
from teams.services import copies
from tests import make

MOMENT = timezone.now()


@pytest.fixture
def job():
    """A job that writes a row, reports, waits for the test, and reports again."""

    class Job:
        name = "test.long"
        cancelled: list[tuple[str, str]] = []

        def __init__(self) -> None:
            self.begun, self.go_on = threading.Event(), threading.Event()
            self.cancelled = []

        def run(self, run: JobRun) -> str:
            Skill.objects.create(code=f"half-{run.attempt}", name="half")
            progress.at(progress.Step.READING, 1000, 4000)
            self.begun.set()
            assert self.go_on.wait(30)
            progress.at(progress.Step.STORING, 2000, 4000)
            Skill.objects.create(code=f"whole-{run.attempt}", name="whole")
            return "made"

        def end(self, run: JobRun, by: object, reason: str) -> None:
            self.cancelled.append((str(by), reason))

        def ask(self, by: object, team: object = None, number: int = 1) -> JobRun:
            run = jobs.expect(self.name, due_at=MOMENT, input_hash=str(number))
            jobs.follow(run, by=by, team=team)
            return run

        def start(self, run: JobRun) -> threading.Thread:
            def work() -> None:
                try:
                    jobs.work(run.pk)
                finally:
                    connection.close()

            thread = threading.Thread(target=work)
            thread.start()
            assert self.begun.wait(30)
            return thread

    made = Job()
    jobs.register(made.name, made.run, cancelled=made.end)
    yield made
    made.go_on.set()
    jobs._jobs.pop(made.name)


def state(run: JobRun) -> str:
    return JobRun.objects.get(pk=run.pk).state


@pytest.mark.django_db(transaction=True)
def test_progress_is_seen_while_the_work_is_not_and_a_cancel_half_way_leaves_nothing(job, client, hub, north, south):
    run = job.ask(north.lead, north.team)
    thread = job.start(run)
    told = JobProgress.objects.get(pk=run.pk)
    assert (told.step, told.done, told.total) == ("reading", 1000, 4000)
    assert not Skill.objects.exists(), "what the work wrote is not to be seen yet"
    page = reverse("progress", args=[run.pk])
    client.force_login(south.lead)
    assert client.get(page).status_code == 404
    assert client.post(reverse("progress_cancel", args=[run.pk]), {"reason": "mine"}).status_code == 404
    client.force_login(north.lead)
    shown = client.get(page).content.decode()
    assert "1,000 of 4,000" in shown and 'value="25"' in shown
    answer = client.post(reverse("progress_cancel", args=[run.pk]), {"reason": "wrong file", "next": page})
    assert answer["Location"] == page and state(run) == "running"
    with pytest.raises(OutOfReach):
        jobs.cancel(run.pk, "not theirs", by=south.lead)
    again = jobs.cancel(run.pk, "another reason", by=hub.operator)
    assert again.state == "running"
    job.go_on.set()
    thread.join(30)
    ended = JobRun.objects.get(pk=run.pk)
    assert (ended.state, ended.attempt, ended.error) == ("cancelled", 1, "") and ended.finished_at is not None
    assert not Skill.objects.exists() and job.cancelled == [(str(north.lead), "wrong file")]
    told.refresh_from_db()
    assert (told.cancelled_by, told.reason) == (north.lead, "wrong file"), "the first who asked is the one recorded"
    assert not Notice.objects.filter(kind="job_parked").exists()
    assert "wrong file" in client.get(page).content.decode()
    assert not jobs.work(run.pk, timezone.now() + timedelta(days=1)), "it is not tried again"
    assert jobs.cancel(run.pk, "once more", by=north.lead).state == "cancelled"
    second = job.ask(north.lead, north.team, 2)
    assert second.revision == 2 and jobs.work(second.pk) and state(second) == "done"
    assert set(Skill.objects.values_list("code", flat=True)) == {"half-1", "whole-1"}


@pytest.mark.django_db(transaction=True)
def test_a_cancel_before_the_start_after_the_end_and_without_a_reason(job, north):
    run = job.ask(north.lead)
    with pytest.raises(Refused) as refusal:
        jobs.cancel(run.pk, "  ", by=north.lead)
    assert refusal.value.code == "no_reason" and state(run) == "waiting"
    assert jobs.cancel(run.pk, "changed my mind", by=north.lead).state == "cancelled"
    assert not jobs.work(run.pk) and not Skill.objects.exists()
    job.go_on.set()
    done = job.ask(north.lead, number=2)
    assert jobs.work(done.pk)
    with pytest.raises(Refused) as refusal:
        jobs.cancel(done.pk, "too late", by=north.lead)
    assert refusal.value.code == "job_over" and state(done) == "done"
    assert JobProgress.objects.get(pk=done.pk).cancelled_at is None and Skill.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_run_whose_worker_was_killed_ends_cancelled_and_is_not_parked(job, north, hub):
    run = job.ask(north.lead)
    jobs.claim(MOMENT, run.pk)  # and the process is gone
    assert jobs.cancel(run.pk, "it hangs", by=hub.operator).state == "cancelled"
    other = job.ask(north.lead, number=2)
    for attempt in range(jobs.ATTEMPTS):  # killed after it was asked to stop, before it heard
        assert jobs.claim(MOMENT + timedelta(minutes=10 * (attempt + 1)), other.pk) is not None
    JobProgress.objects.filter(pk=other.pk).update(cancelled_by=north.lead, cancelled_at=MOMENT, reason="it hangs")
    assert jobs.claim(MOMENT + timedelta(hours=2), other.pk) is None
    assert state(other) == "cancelled" and job.cancelled[-1] == (str(north.lead), "it hangs")
    assert not Notice.objects.filter(kind="job_parked").exists()


@pytest.mark.django_db(transaction=True)
def test_a_report_that_cannot_be_sent_does_not_stop_the_work(job, north, monkeypatch):
    monkeypatch.setattr(progress, "_open", lambda: (_ for _ in ()).throw(progress.psycopg.OperationalError("full")))
    job.go_on.set()
    run = job.ask(north.lead)
    assert jobs.work(run.pk) and state(run) == "done"


def halfway(monkeypatch, step: str, hit) -> None:
    """Call `hit` at the first report of `step`, and have every report sent."""
    monkeypatch.setattr(progress, "SECONDS_BETWEEN", 0)
    original, met = progress.at, []

    def at(which: str, done: int = 0, total: int | None = None) -> None:
        if which == step and not met:
            met.append(which)
            thread = threading.Thread(target=lambda: (hit(), connection.close()))
            thread.start()
            thread.join(30)
        original(which, done, total)

    monkeypatch.setattr(progress, "at", at)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("step", ["reading", "storing"])
def test_a_delivery_cancelled_half_way_is_open_again_and_can_be_taken_in(north, client, monkeypatch, step):
    monkeypatch.setattr(intake, "AT_ONCE", 20)
    source = make.source(north.team, "Desk")
    rows = "".join(f"{n},2026-01-02 03:04:05,ann,60\n" for n in range(1200))
    file = ContentFile(("external_id,opened_at,agent,handle_seconds\n" + rows).encode(), "long.csv")
    delivery = intake.take_in(intake.receive(source.pk, file, layout="contacts", by=north.lead).pk, by=north.lead)
    run = JobRun.objects.get(job=intake.JOB)
    halfway(monkeypatch, step, lambda: jobs.cancel(run.pk, "the wrong month", by=north.lead))
    assert not jobs.work(run.pk)
    delivery.refresh_from_db()
    assert (state(run), delivery.state, delivery.counts) == ("cancelled", "uploaded", {})
    assert not Contact.objects.exists() and not ContactKey.objects.exists() and not delivery.refusals.exists()
    assert next((entry.history_user, entry.history_change_reason) for entry in delivery.history.all()) == (
        north.lead,
        "cancelled: the wrong month",
    )
    client.force_login(north.lead)
    page = client.get(reverse("intake_delivery", args=[delivery.pk])).content.decode()
    assert "the wrong month" in page and "http-equiv" not in page
    assert intake.take_in(delivery.pk, by=north.lead).state == ImportRun.State.WAITING
    assert jobs.work(JobRun.objects.get(job=intake.JOB, revision=2).pk)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.counts["new"], Contact.objects.count()) == ("done", 1200, 1200)


@pytest.mark.django_db(transaction=True)
def test_a_copy_of_data_cancelled_half_way_leaves_no_file_and_the_next_wish_makes_one(north, client, monkeypatch):
    person = north.agent.user
    copy = copies.ask_own_copy(by=person)
    run = JobRun.objects.get(job=copies.JOB)
    halfway(monkeypatch, "collecting", lambda: jobs.cancel(run.pk, "not now", by=person))
    client.force_login(person)
    assert f'data-progress="{reverse("progress", args=[run.pk])}"' in client.get(reverse("my_data")).content.decode()
    client.force_login(north.lead)
    assert client.get(reverse("progress", args=[run.pk])).status_code == 404, "a copy is not the lead's affair"
    assert not jobs.work(run.pk)
    copy.refresh_from_db()
    assert (copy.state, copy.file.name, StoredFile.objects.count()) == (DataCopy.State.CANCELLED, "", 0)
    assert not Notice.objects.filter(kind="copy_ready").exists()
    second = copies.ask_own_copy(by=person)
    assert second.pk != copy.pk and jobs.work(JobRun.objects.get(job=copies.JOB, subject=str(second.pk)).pk)
    second.refresh_from_db()
    assert second.state == DataCopy.State.READY and second.file
