"""T45, T46: guessing is slow, counts are right however many come at once, and the owner is never locked out by others."""

import json
import threading
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client, RequestFactory
from django.utils import timezone

from teams.entry import services, tries
from teams.entry.models import EntryTry
from teams.errors import OutOfReach
from tests import make
from tests.entry.app import log_in

ELSEWHERE = {"REMOTE_ADDR": "198.51.100.7"}


def guesses(client, username, times):
    return [log_in(client, username, "wrong").status_code for _ in range(times)]


def test_the_sixth_guess_waits_and_is_told_how_long_in_both_languages(north):
    client = Client(**ELSEWHERE)
    assert guesses(client, north.lead.username, 6) == [200] * 5 + [429]
    locked = log_in(client, north.lead.username)  # even with the right password
    assert locked.status_code == 429 and "_auth_user_id" not in client.session
    assert 1 <= int(locked.headers["Retry-After"]) <= 30
    assert "Too many attempts. Try again in 1 minute." in locked.content.decode()
    chinese = client.post(
        "/log-in/", {"username": north.lead.username, "password": "x"}, headers={"Accept-Language": "zh-hans"}
    )
    assert "尝试次数过多" in chinese.content.decode()


def test_t46_known_and_unknown_names_answer_alike(north):
    def answers(name):
        client, said = Client(REMOTE_ADDR="203.0.113.9"), []
        for _ in range(6):
            answer = log_in(client, name, "wrong")
            body = answer.content.decode().replace(name, "NAME")
            said.append((answer.status_code, body.partition("<h1>")[2].partition('<input type="hidden"')[0]))
        return said

    assert answers(north.lead.username) == answers("nobody-of-that-name")


def test_an_attacker_elsewhere_locks_nobody_out(north):
    assert guesses(Client(**ELSEWHERE), north.lead.username, 6)[-1] == 429
    assert log_in(Client(REMOTE_ADDR="203.0.113.50"), north.lead.username).status_code == 302


def test_a_known_device_is_not_locked_by_tries_from_its_own_address(north):
    owner = Client(**ELSEWHERE)
    assert log_in(owner, north.lead.username).status_code == 302
    owner.post("/log-out/")
    assert guesses(Client(**ELSEWHERE), north.lead.username, 6)[-1] == 429
    assert log_in(owner, north.lead.username).status_code == 302
    stranger = Client(**ELSEWHERE)
    stranger.cookies["outpost_device"] = owner.cookies["outpost_device"].value[:-2] + "xx"  # forged
    assert log_in(stranger, north.lead.username).status_code == 429
    borrowed = Client(**ELSEWHERE)  # the cookie of one account is nothing to another
    borrowed.cookies["outpost_device"] = owner.cookies["outpost_device"].value
    assert guesses(borrowed, "somebody", 6)[-1] == 429


def test_guessing_from_a_known_device_is_slow_too(north):
    owner = Client()
    log_in(owner, north.lead.username)
    owner.post("/log-out/")
    assert guesses(owner, north.lead.username, 6)[-1] == 429


def test_many_names_from_one_address_wait_and_those_who_succeed_do_not_count(north, monkeypatch):
    monkeypatch.setitem(tries.RULES, tries.Kind.ADDRESS, tries.Rule(free=4, first=60, longest=900))
    for _ in range(6):
        assert log_in(Client(**ELSEWHERE), north.lead.username).status_code == 302
    assert [log_in(Client(**ELSEWHERE), f"name{n}", "x").status_code for n in range(5)] == [200] * 4 + [429]


def test_waits_double_and_are_forgotten():
    rule = tries.RULES[tries.Kind.NAME]
    assert [rule.wait(n).total_seconds() for n in (4, 5, 6, 7, 8, 9, 10, 500)] == [0, 30, 60, 120, 240, 480, 900, 900]


def test_a_wait_that_is_over_lets_one_try_through_and_old_tries_count_no_more(north):
    client = Client(**ELSEWHERE)
    guesses(client, north.lead.username, 6)
    row = EntryTry.objects.get(kind="name")
    EntryTry.objects.update(locked_until=timezone.now() - timedelta(seconds=1))
    assert guesses(client, north.lead.username, 2) == [200, 429]
    row.refresh_from_db()
    assert row.tries == 6
    long_ago = timezone.now() - timedelta(hours=2)
    EntryTry.objects.update(locked_until=long_ago, last_at=long_ago)
    assert guesses(client, north.lead.username, 6) == [200] * 5 + [429]
    services.sweep(timezone.now() + timedelta(hours=2))
    assert not EntryTry.objects.exists()


def test_the_token_door_counts_with_the_page(north):
    client = Client(**ELSEWHERE)
    body = json.dumps({"username": north.lead.username, "password": "wrong"})
    answers = [client.post("/api/v1/token/", body, content_type="application/json") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    assert answers[-1].json()["code"] == "too_many_attempts"
    assert log_in(client, north.lead.username).status_code == 429


def test_the_operator_sees_locks_and_lifts_them_with_a_reason(hub, north):
    client = Client(**ELSEWHERE)
    guesses(client, north.lead.username, 6)
    guesses(client, "nobody", 1)
    assert "nobody" not in json.dumps(list(EntryTry.objects.values_list("key", flat=True)))
    row = EntryTry.objects.get(user=north.lead)
    operator = Client()
    operator.force_login(hub.operator)
    page = operator.get("/admin/teams/entrytry/").content.decode()
    assert "198.51.100.7" in page and str(north.lead) in page
    assert operator.post(f"/admin/teams/entrytry/{row.pk}/lift/", {"reason": "was me"}).status_code == 302
    assert log_in(client, north.lead.username).status_code == 302
    last = EntryTry.history.filter(id=row.pk).first()
    assert (last.history_user, last.history_change_reason) == (hub.operator, "was me")
    with pytest.raises(OutOfReach):
        tries.lift(row.pk, by=north.lead, reason="x")


@contextmanager
def _no_lock(monkeypatch):
    from teams.entry.models import EntryTryQuerySet

    with monkeypatch.context() as patch:
        patch.setattr(EntryTryQuerySet, "select_for_update", lambda self, **kwargs: self)
        yield


def _let_through(times, workers):
    """How many of `times` tries at once may go on."""
    passed, barrier, lock = [], threading.Barrier(workers), threading.Lock()

    def knocks():
        request = RequestFactory().post("/log-in/", REMOTE_ADDR="198.51.100.7")
        barrier.wait()
        for _ in range(times // workers):
            made = tries.knock(request, "target")
            if made.locked_until is None:
                with lock:
                    passed.append(made)
        connection.close()

    threads = [threading.Thread(target=knocks) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(passed)


@pytest.mark.django_db(transaction=True)
def test_t45_two_hundred_at_once_and_no_more_than_the_rule_are_looked_at(monkeypatch):
    make.user("target")
    assert _let_through(200, 20) == 5
    EntryTry.objects.all().delete()
    with _no_lock(monkeypatch):  # the control: without the lock the count is wrong
        assert _let_through(200, 20) > 5
