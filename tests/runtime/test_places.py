"""Where things are: short and private socket directories, and one secret per home."""

import os
import threading

import pytest

from config.runtime import places
from config.runtime.places import Unable

pytestmark = pytest.mark.usefixtures("own_home")


def test_home_is_inside_the_checkout_unless_it_is_named(monkeypatch, tmp_path):
    assert places.home() == (tmp_path / "home").resolve()
    monkeypatch.delenv("OUTPOST_HOME")
    assert places.home() == (places.CHECKOUT / ".outpost").resolve()


def test_socket_directory_is_private_short_and_the_same_for_everyone_who_asks():
    first, again = places.socket_dir(), places.socket_dir()
    assert first == again
    assert first.stat().st_mode & 0o777 == 0o700
    assert len(f"{first}/.s.PGSQL.5432.lock") < 100


def test_socket_directory_differs_by_home_and_by_purpose(monkeypatch, tmp_path):
    run, test = places.socket_dir("run"), places.socket_dir("test")
    monkeypatch.setenv("OUTPOST_HOME", str(tmp_path / "elsewhere"))
    other = places.socket_dir("run")
    assert len({run, test, other}) == 3
    other.rmdir()


def test_socket_directory_stays_short_below_a_deep_home_or_runtime_directory(monkeypatch, tmp_path):
    monkeypatch.setenv("OUTPOST_HOME", str(tmp_path / ("deep/" * 40)))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / ("deep/" * 40)))
    place = places.socket_dir()
    assert len(f"{place}/.s.PGSQL.5432.lock") < 100
    place.rmdir()


def test_socket_directory_that_others_may_enter_is_refused():
    place = places.socket_dir()
    place.chmod(0o755)
    with pytest.raises(Unable, match="not private"):
        places.socket_dir()
    place.chmod(0o700)


def test_socket_directory_that_is_a_link_is_refused(tmp_path):
    place = places.socket_dir()
    place.rmdir()
    (tmp_path / "trap").mkdir(mode=0o700)
    place.symlink_to(tmp_path / "trap")
    with pytest.raises(Unable, match="not private"):
        places.socket_dir()
    place.unlink()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_socket_directory_of_another_user_is_refused():
    place = places.socket_dir()
    os.chown(place, 12345, 12345)
    with pytest.raises(Unable, match="not private"):
        places.socket_dir()
    os.chown(place, 0, 0)


def test_home_that_cannot_be_made_is_a_sentence(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("OUTPOST_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(Unable, match="OUTPOST_HOME"):
        places.make_home()


def test_secret_is_made_once_even_when_many_ask_at_once():
    told = []
    threads = [threading.Thread(target=lambda: told.append(places.secret_key())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(told)) == 1
    assert len(told[0]) >= 50
    assert (places.home() / "secret_key").stat().st_mode & 0o777 == 0o600
    assert [found.name for found in places.home().glob("secret_key*")] == ["secret_key"]


def test_tests_and_a_running_outpost_have_servers_of_their_own(monkeypatch):
    monkeypatch.delenv("OUTPOST_TESTING", raising=False)
    running = places.embedded_database()["HOST"], places.embedded_broker_url(), places.embedded_cache_url()
    monkeypatch.setenv("OUTPOST_TESTING", "1")
    testing = places.embedded_database()["HOST"], places.embedded_broker_url(), places.embedded_cache_url()
    assert not set(running) & set(testing)


def test_an_address_replaces_its_embedded_part_alone(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://db/outpost")
    monkeypatch.setenv("CELERY_BROKER_URL", " ")
    assert places.embedded_parts() == (False, True)
