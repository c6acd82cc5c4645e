"""The embedded database: who may run it, and whose data it refuses."""

import subprocess

import pytest

from config.runtime import postgres
from config.runtime.places import Unable
from config.runtime.postgres import Cluster


@pytest.fixture
def cluster(tmp_path):
    return Cluster(tmp_path / "postgres", tmp_path, tmp_path / "postgres.log")


def test_data_of_another_major_version_is_refused_with_the_command(cluster):
    cluster.data.mkdir()
    (cluster.data / "PG_VERSION").write_text("9\n")
    with pytest.raises(Unable) as refusal:
        cluster.initialise()
    sentence = str(refusal.value)
    assert "was written by PostgreSQL 9, but the programs here are" in sentence
    assert "OUTPOST_POSTGRES=/usr/lib/postgresql/9/bin python3 manage.py run" in sentence
    assert "pg_upgrade" in sentence
    assert (cluster.data / "PG_VERSION").read_text() == "9\n"


def test_a_directory_that_holds_something_else_is_not_touched(cluster):
    cluster.data.mkdir()
    (cluster.data / "letter.txt").write_text("keep")
    with pytest.raises(Unable, match="holds no database"):
        cluster.initialise()
    assert (cluster.data / "letter.txt").read_text() == "keep"


def test_a_named_folder_without_programs_is_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("OUTPOST_POSTGRES", str(tmp_path))
    with pytest.raises(Unable, match="no program named postgres"):
        postgres.binaries()


def test_programs_that_do_not_run_here_are_refused(tmp_path):
    strange = tmp_path / "postgres"
    strange.write_text("#!/bin/sh\necho cannot open shared object file >&2; exit 127\n")
    strange.chmod(0o755)
    with pytest.raises(Unable, match="does not run on this machine"):
        postgres.major(tmp_path)


@pytest.mark.parametrize(
    ("user", "working", "prefix"),
    [
        (1000, (), ()),
        (0, (postgres.IN_A_NAMESPACE, postgres.AS_NOBODY), postgres.IN_A_NAMESPACE),
        (0, (postgres.AS_NOBODY,), postgres.AS_NOBODY),
    ],
)
def test_root_becomes_nobody_in_the_way_the_machine_allows(monkeypatch, user, working, prefix):
    monkeypatch.setattr(postgres.os, "geteuid", lambda: user)
    monkeypatch.setattr(postgres, "_works", lambda tried: tried in working)
    assert postgres.identity.__wrapped__() == prefix


def test_root_that_can_become_nobody_else_is_told(monkeypatch):
    monkeypatch.setattr(postgres.os, "geteuid", lambda: 0)
    monkeypatch.setattr(postgres, "_works", lambda tried: False)
    with pytest.raises(Unable, match="ordinary user"):
        postgres.identity.__wrapped__()


def test_the_server_listens_on_its_socket_only_and_keeps_what_it_acknowledged(cluster):
    command = cluster.command()
    assert "listen_addresses=" in command
    assert "fsync=off" not in command
    assert "fsync=off" in Cluster(cluster.data, cluster.sockets, cluster.log, is_durable=False).command()


def test_the_programs_found_are_of_a_supported_major_version():
    assert postgres.major(postgres.binaries()) >= 15
    told = subprocess.run([postgres.binaries() / "pg_isready", "--version"], capture_output=True, check=True)
    assert b"PostgreSQL" in told.stdout
