"""Every way to end: asked to stop, killed in part or as a whole, also while it starts. Whoever starts it next finds every row.

Minutes long: `-m live` asks for it. A file of its own beside `test_live`, as a parallel run gives each file to one worker, and
the tests of a file share one Outpost.
"""

import contextlib
import os
import signal

import pytest

from tests.runtime.outpost import STOP_SECONDS, Outpost, count_rows, wait, write_rows

pytestmark = pytest.mark.live


def _see_it_stop(outpost: Outpost, sign: signal.Signals) -> None:
    code, seconds, said = outpost.stop(sign)
    assert code == 0, said
    assert seconds < STOP_SECONDS
    assert not outpost.alive()
    assert not (outpost.home / "run.json").exists()
    assert f"Outpost is ready at http://127.0.0.1:{outpost.port}" in said


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGHUP], ids=lambda sign: sign.name)
def test_a_stop_ends_everything_in_time(outpost, sign):
    _see_it_stop(outpost, sign)


def test_ctrl_c_does_too_and_the_next_start_is_quick_and_keeps_every_row(outpost):
    write_rows(outpost, 20)
    _see_it_stop(outpost, signal.SIGINT)
    seconds = outpost.start().wait_until_ready()
    assert count_rows(outpost) == 20
    assert seconds < 30  # ten on a machine with nothing else to do


def test_a_stop_while_still_starting_ends_everything_too(launch):
    starting = launch().start()
    wait(lambda: "database" in starting.record().get("parts", {}), 30, "no database")
    code, seconds, said = starting.stop(signal.SIGTERM)
    assert code == 0, said
    assert seconds < STOP_SECONDS
    assert not starting.alive()


def test_everything_killed_at_once_starts_again(outpost):
    write_rows(outpost, 20)
    outpost.note_processes()
    for pid in outpost.alive():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    outpost.process.communicate()
    outpost.start().wait_until_ready()
    assert count_rows(outpost) == 20


def test_a_database_killed_while_everything_starts_does_not_end_the_start(launch):
    starting = launch().start()
    wait(lambda: "preparation" in starting.record().get("parts", {}), 30, "no preparation")
    os.kill(starting.pid("database"), signal.SIGKILL)
    starting.wait_until_ready()
    assert starting.ask("/health/ready") == 200


def test_a_web_process_that_outlives_its_killed_master_does_not_stop_the_next_start(outpost):
    master = outpost.pid("web")
    outpost.note_processes()
    os.kill(outpost.process.pid, signal.SIGSTOP)  # so that nobody starts the master again
    os.kill(master, signal.SIGKILL)
    outpost.kill()
    outpost.start().wait_until_ready()


def test_a_killed_supervisor_takes_everything_with_it_and_starts_again(outpost):
    write_rows(outpost, 20)
    outpost.kill()
    outpost.start().wait_until_ready()  # at once, without waiting for what is left
    assert count_rows(outpost) == 20
    outpost.kill()
    assert wait(lambda: not outpost.alive(), STOP_SECONDS, "processes left") < STOP_SECONDS
