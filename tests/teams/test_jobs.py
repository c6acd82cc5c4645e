"""The ledger: each run once, whatever is lost, doubled or killed."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from teams import jobs
from teams.errors import OutOfReach, Refused
from teams.models import Heartbeat, JobRun, Notice, Skill
from tests import make


@pytest.fixture
def job():
    """A job that leaves a row per run; `job.fails` is what it raises, after its effect."""

    class Job:
        name = "test.job"
        fails: BaseException | None = None
        seen: list[str] = []
        wishes: list[jobs.Expectation] = []

        def run(self, run: JobRun) -> str:
            Skill.objects.create(code=f"{run.period}-{run.revision}-{run.attempt}", name="effect")
            self.seen.append(run.period)
            if self.fails is not None:
                raise self.fails
            return "made"

    made = Job()
    made.seen, made.wishes = [], []
    jobs.register(made.name, made.run, lambda now: made.wishes)
    yield made
    jobs._jobs.pop(made.name)


NOW = timezone.now()


def wish(period: str, input_hash: str | None = "", hours: int = 1) -> jobs.Expectation:
    return jobs.Expectation("", period, NOW - timedelta(hours=hours), input_hash)


def mine() -> list[tuple[str, int, str]]:
    return list(
        JobRun.objects.filter(job="test.job").order_by("period", "revision").values_list("period", "revision", "state")
    )


def work(now=NOW) -> int:
    return jobs.work_due(now, 20)


def test_what_is_missing_is_inserted_once_and_done_once_oldest_first(db, job):
    job.wishes = [wish("b", hours=1), wish("a", hours=3), wish("c", hours=2)]
    assert jobs.scan(NOW) >= 3
    jobs.scan(NOW)
    assert len(mine()) == 3
    work()
    work()
    assert job.seen == ["a", "c", "b"]
    assert Skill.objects.count() == 3
    assert {state for _p, _r, state in mine()} == {"done"}


def test_a_changed_input_makes_the_next_revision_and_none_asks_for_none(db, job):
    job.wishes = [wish("a", "1")]
    jobs.scan(NOW)
    work()
    job.wishes = [wish("a", "2")]
    jobs.scan(NOW)
    jobs.scan(NOW)
    job.wishes = [wish("a", None)]
    jobs.scan(NOW)
    assert mine() == [("a", 1, "done"), ("a", 2, "waiting")]
    assert jobs.expect("test.job", period="a", due_at=NOW, input_hash="2").revision == 2
    assert jobs.expect("test.job", period="a", due_at=NOW, input_hash="3").revision == 3
    work()
    assert job.seen == ["a", "a"], "revision 2 was overtaken by 3 before anybody took it"


def test_a_failure_leaves_no_effect_and_is_tried_again_later_then_parked_with_an_alarm(db, job):
    operator = make.user("op", is_superuser=True, email="op@example.org")
    job.wishes, job.fails = [wish("a")], RuntimeError("no such thing")
    jobs.scan(NOW)
    now = NOW
    for _attempt in range(5):
        work(now)
        work(now)
        now += timedelta(minutes=10)
    run = JobRun.objects.get(job="test.job")
    assert (run.state, run.attempt) == ("parked", 3)
    assert "no such thing" in run.error
    assert len(job.seen) == 3
    assert not Skill.objects.exists()
    assert list(Notice.objects.values_list("kind", "recipient")) == [("job_parked", operator.pk)]
    assert jobs.backlog(now).is_behind


@pytest.mark.django_db(transaction=True)
def test_a_job_that_kills_its_process_is_parked_after_three_claims(job):
    jobs.expect("test.job", period="a", due_at=NOW - timedelta(hours=1))
    job.fails = SystemExit("killed")
    for minutes in (0, 2, 4):
        with pytest.raises(SystemExit):
            work(NOW + timedelta(minutes=minutes))
    job.fails = None
    assert work(NOW + timedelta(minutes=6)) == 0
    run = JobRun.objects.get(job="test.job")
    assert (run.state, run.attempt, len(job.seen)) == ("parked", 3, 3)
    assert not Skill.objects.exists()


def test_not_yet_waits_without_counting(db, job):
    job.wishes, job.fails = [wish("a")], jobs.NotYet()
    jobs.scan(NOW)
    for minutes in range(0, 20, 2):
        work(NOW + timedelta(minutes=minutes))
    assert mine() == [("a", 1, "waiting")]
    assert not Skill.objects.exists()
    job.fails = None
    work(NOW + timedelta(hours=1))
    assert mine() == [("a", 1, "done")]


def test_only_the_operator_retries_and_only_what_is_parked(db, job):
    operator, other = make.user("op", is_superuser=True), make.user("other")
    run = jobs.expect("test.job", period="a", due_at=NOW)
    with pytest.raises(Refused) as refusal:
        jobs.retry(run.pk, by=operator)
    assert refusal.value.code == "not_parked"
    JobRun.objects.filter(pk=run.pk).update(state="parked", attempt=3, error="because")
    with pytest.raises(OutOfReach):
        jobs.retry(run.pk, by=other)
    again = jobs.retry(run.pk, by=operator, reason="mended")
    assert "because" in again.error and "tried again by op: mended" in again.error
    assert jobs.work(run.pk, NOW)
    assert mine() == [("a", 1, "done")]


def test_a_job_of_another_release_is_parked_and_silences_nobody(db, job):
    jobs.expect("gone.job", due_at=NOW - timedelta(days=1))
    job.wishes = [wish("a")]
    jobs.register("test.broken", lambda run: "", lambda now: 1 / 0)
    try:
        jobs.scan(NOW)
    finally:
        jobs._jobs.pop("test.broken")
    for minutes in (0, 10, 20, 30):
        work(NOW + timedelta(minutes=minutes))
    assert JobRun.objects.get(job="gone.job").state == "parked"
    assert mine() == [("a", 1, "done")]


@pytest.mark.django_db(transaction=True)
def test_two_workers_and_two_schedulers_do_each_run_once(job):
    job.wishes = [wish(f"{n:02d}") for n in range(20)]
    barrier = threading.Barrier(4)
    errors: list[BaseException] = []

    def worker() -> None:
        try:
            barrier.wait()
            jobs.scan(NOW)
            jobs.work_due(NOW, 50)
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=worker) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    work()
    assert not errors
    assert sorted(job.seen) == [f"{n:02d}" for n in range(20)]
    assert Skill.objects.count() == 20


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_in_the_middle_leaves_nothing_and_is_followed_once(job):
    jobs.expect("test.job", period="a", due_at=NOW - timedelta(hours=1))
    job.fails = SystemExit("killed")
    with pytest.raises(SystemExit):
        work()
    assert not Skill.objects.exists()
    assert mine() == [("a", 1, "running")]
    job.fails = None
    assert work(NOW + timedelta(seconds=30)) == 0, "the lease still holds"
    assert work(NOW + timedelta(seconds=61)) == 1
    assert work(NOW + timedelta(seconds=200)) == 0
    assert Skill.objects.get().code == "a-1-2"


@pytest.mark.django_db(transaction=True)
def test_work_that_outlasts_its_lease_is_not_done_beside_itself(job):
    """T72: a redelivered message finds the row locked, however long the work takes."""
    run = jobs.expect("test.job", period="a", due_at=NOW - timedelta(hours=1))
    started, finish = threading.Event(), threading.Event()
    plain = job.run

    def slow(row: JobRun) -> str:
        started.set()
        finish.wait(10)
        return plain(row)

    jobs.register("test.job", slow, None)

    def first() -> None:
        try:
            jobs.work(run.pk, NOW)
        finally:
            connection.close()

    thread = threading.Thread(target=first)
    thread.start()
    started.wait(10)
    assert jobs.work(run.pk, NOW + timedelta(minutes=30)) is False
    finish.set()
    thread.join()
    assert job.seen == ["a"]
    assert mine() == [("a", 1, "done")]


def test_a_deaf_worker_shows(db):
    assert jobs.ears(NOW) == "never_rung"
    jobs.note_ring(NOW)
    assert jobs.ears(NOW + timedelta(seconds=90)) == "ok"
    jobs.note_ring(NOW + timedelta(seconds=60))
    jobs.note_ring(NOW + timedelta(seconds=120))
    assert jobs.ears(NOW + timedelta(seconds=125)) == "not_answered"
    jobs.note_answer(NOW + timedelta(seconds=126))
    assert jobs.ears(NOW + timedelta(seconds=127)) == "ok"
    assert jobs.ears(NOW + timedelta(seconds=600)) == "silent"
    assert Heartbeat.objects.count() == 1
