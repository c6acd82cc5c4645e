"""What `manage.py run` refuses before it starts anything, and how it reads what is asked of it."""

import json
import socket
from collections import namedtuple

import pytest

from config.runtime import assets, supervisor
from config.runtime.places import Unable


def test_without_a_part_everything_runs(monkeypatch):
    monkeypatch.delenv("OUTPOST_PORT", raising=False)
    wish = supervisor.read_wish([])
    assert wish.parts == ("web", "worker", "beat")
    assert wish.is_everything
    assert wish.address == "http://127.0.0.1:8000"


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [(["worker"], ("worker",)), (["beat", "web"], ("web", "beat")), (["database"], ())],
)
def test_named_parts_run_alone(arguments, parts):
    wish = supervisor.read_wish(arguments)
    assert wish.parts == parts
    assert not wish.is_everything


def test_an_unknown_part_is_refused(capsys):
    with pytest.raises(SystemExit):
        supervisor.read_wish(["webb"])
    assert "no part named webb" in capsys.readouterr().err


@pytest.mark.parametrize("port", ["http", "0", "65536", "-1", "8000.0"])
def test_a_port_that_is_none_is_refused(monkeypatch, port):
    monkeypatch.setenv("OUTPOST_PORT", port)
    with pytest.raises(Unable, match="OUTPOST_PORT must be a number"):
        supervisor.read_wish([])


def test_a_taken_port_is_refused_with_one_that_is_free():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(Unable, match=rf"Port {port} .* is taken.*OUTPOST_PORT=\d+ python3 manage.py run"):
            supervisor.refuse_taken_port(port)
    supervisor.refuse_taken_port(port)


def test_a_full_disk_is_refused(monkeypatch, tmp_path):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(supervisor.shutil, "disk_usage", lambda place: usage(10**9, 9 * 10**8, 10**8))
    with pytest.raises(Unable, match="Only 95 MB are free"):
        supervisor._refuse_full_disk(tmp_path)


def test_a_second_start_says_where_the_first_one_runs(tmp_path):
    (tmp_path / "run.json").write_text(json.dumps({"pid": 4711, "address": "http://127.0.0.1:8000"}))
    assert "(pid 4711, http://127.0.0.1:8000)" in supervisor._already_running(tmp_path)
    (tmp_path / "run.json").unlink()
    assert "Stop it with Ctrl-C there" in supervisor._already_running(tmp_path)


def test_static_files_are_collected_again_when_one_is_missing(tmp_path):
    collected, stamp = tmp_path / "static", tmp_path / "static.stamp"
    assert not assets.are_current(collected, stamp)
    collected.mkdir()
    (collected / "a.css").touch()
    stamp.write_text(assets.fingerprint(collected))
    assert assets.are_current(collected, stamp)
    (collected / "a.css").unlink()
    assert not assets.are_current(collected, stamp)
