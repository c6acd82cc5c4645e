"""Notices by mail and chat: each person's choice, hours of rest, and what the services can answer."""

import threading
from datetime import UTC, datetime, time, timedelta
from time import sleep

import pytest
from django.core import mail
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from teams import outbox, sealing
from teams.channels import addresses, gateways
from teams.channels.outcomes import NotDelivered
from teams.channels.quiet import end_of_rest
from teams.errors import OutOfReach, Refused
from teams.models import Notice, NoticeChannel, NoticeDelivery, QuietHours
from teams.services import channels
from tests import chat_server, make

KINDS = ("wecom", "dingtalk", "feishu", "slack")
LINK = "https://outpost.test/admin/somewhere/"


@pytest.fixture
def chat(settings):
    with chat_server.running() as server:
        settings.CHAT_ORIGINS = [server.origin]
        yield server


@pytest.fixture
def kind():
    outbox.register("test", lambda notice: outbox.Mail("Report of North", "all of it", link=LINK), title="Test kind")
    outbox.register("alarm", lambda notice: outbox.Mail("Alarm", "now", link=LINK), title="Alarm", is_urgent=True)
    yield
    outbox.forget("test")
    outbox.forget("alarm")


@pytest.fixture
def person(db):
    return make.user("reader", email="reader@example.org", zone="Asia/Shanghai")


def notice(person, kind: str = "test", **fields) -> Notice:
    return Notice.objects.create(kind=kind, recipient=person, key=f"{kind}{Notice.objects.count()}", **fields)


def later(minutes: float) -> datetime:
    return timezone.now() + timedelta(minutes=minutes)


def states(row: Notice) -> dict[str, str]:
    return {each.way.partition(":")[0]: each.state for each in row.deliveries.all()}


@pytest.mark.parametrize("service", KINDS)
def test_each_service_gets_a_line_and_a_link_once_and_mail_goes_as_ever(service, chat, kind, person):
    channels.add_robot(service, chat.address(service), by=person)
    row = notice(person)
    assert (outbox.deliver_due(), outbox.deliver_due(later(600))) == (2, 0)
    row.refresh_from_db()
    assert (row.state, states(row)) == ("sent", {"mail": "sent", service: "sent"})
    (path, body), *more = chat.heard
    assert not more and chat.address(service).endswith(path.rstrip("/"))
    said = str(body)
    assert "Report of North" in said and LINK in said and "all of it" not in said and "reader" not in said
    assert [message.body for message in mail.outbox] == ["all of it"]


@pytest.mark.parametrize("service", KINDS)
def test_a_refusal_is_final_and_a_busy_service_is_asked_again(service, chat, kind, person):
    channels.choose_ways({"mail": ["alarm"]}, by=person)
    channel = channels.add_robot(service, chat.address(service), by=person)
    chat.answer = chat_server.REFUSED[service]
    refused = notice(person)
    outbox.deliver_due()
    outbox.deliver_due(later(60))
    delivery = refused.deliveries.get(channel=channel)
    assert (delivery.state, delivery.attempts, len(chat.heard)) == ("parked", 1, 1)
    assert delivery.error.startswith(("code", "status")) and channel.hint not in delivery.error
    chat.heard.clear()
    chat.answer = chat_server.BUSY[service]
    busy = notice(person)
    outbox.deliver_due()
    chat.answer = (503, b"")
    outbox.deliver_due(later(3))
    chat.answer = None
    assert outbox.deliver_due(later(4)) == 0  # the pause grows: 2 minutes, then 10
    assert outbox.deliver_due(later(15)) == 1
    delivery = busy.deliveries.get(channel=channel)
    assert (delivery.state, delivery.attempts, len(chat.heard)) == ("sent", 3, 3)


@pytest.mark.parametrize("answer", ["half", (200, b"<html>"), "slow"])
def test_an_unclear_end_is_repeated_once_and_never_again(answer, chat, kind, person, monkeypatch):
    monkeypatch.setattr(gateways, "READ_SECONDS", 0.4)
    channels.choose_ways({"mail": ["alarm"]}, by=person)
    channels.add_robot("feishu", chat.address("feishu"), by=person)
    row = notice(person)
    chat.answer = answer
    for minutes in (0, 30, 300, 3000):
        outbox.deliver_due(later(minutes))
    delivery = row.deliveries.get()
    assert (delivery.state, len(chat.heard)) == ("parked", 2)


def test_a_redirect_is_not_followed_and_a_dead_service_is_tried_five_times(chat, kind, person):
    channels.choose_ways({"mail": ["alarm"]}, by=person)
    channels.add_robot("slack", chat.address("slack"), by=person)
    chat.answer = "away"
    row = notice(person)
    outbox.deliver_due()
    assert [path for path, _body in chat.heard] == ["/services/T00000000/B00000000/abcdefghijklmnopqrstuvwx"]
    assert (row.deliveries.get().state, row.deliveries.get().error) == ("parked", "status 302")


def test_nobody_listens(kind, person, settings):
    with chat_server.running() as gone:
        settings.CHAT_ORIGINS = [gone.origin]
        channels.choose_ways({"mail": ["alarm"]}, by=person)
        channels.add_robot("wecom", gone.address("wecom"), by=person)
    row = notice(person)
    for hours in range(0, 60, 5):
        outbox.deliver_due(later(hours * 60))
    row.refresh_from_db()
    delivery = row.deliveries.get()
    assert (delivery.state, delivery.attempts, delivery.error, row.state) == ("parked", 5, "unreachable", "parked")


@pytest.mark.django_db(transaction=True)
def test_killed_after_the_chat_has_answered_it_is_repeated_once(chat, kind, monkeypatch):
    person = make.user("killed")
    channels.add_robot("dingtalk", chat.address("dingtalk"), by=person)
    notice(person)

    def killed(*args):
        raise SystemExit

    monkeypatch.setattr(outbox, "_close", killed)
    for minutes in (0, 30):
        with pytest.raises(SystemExit):
            outbox.deliver_due(later(minutes))
    monkeypatch.undo()
    for minutes in (300, 3000):
        outbox.deliver_due(later(minutes))
    assert (len(chat.heard), NoticeDelivery.objects.get().state) == (2, "parked")


@pytest.mark.django_db(transaction=True)
def test_six_tasks_at_once_send_each_notice_once(chat, kind):
    person = make.user("busy", email="busy@example.org")
    channels.add_robot("wecom", chat.address("wecom"), by=person)
    for _number in range(15):
        notice(person)
    start = threading.Barrier(6)

    def work() -> None:
        start.wait()
        outbox.deliver_due()
        connection.close()

    tasks = [threading.Thread(target=work) for _ in range(6)]
    [task.start() for task in tasks]
    [task.join(60) for task in tasks]
    outbox.deliver_due()
    assert (len(mail.outbox), len(chat.heard)) == (15, 15)
    assert set(Notice.objects.values_list("state", flat=True)) == {"sent"}
    assert NoticeDelivery.objects.filter(attempts=1, state="sent").count() == 30


@pytest.mark.django_db(transaction=True)
def test_a_row_that_another_task_holds_for_an_instant_is_not_passed_by(chat, kind, monkeypatch):
    person = make.user("held")
    channels.add_robot("wecom", chat.address("wecom"), by=person)
    notice(person)
    locked, claim = threading.Event(), outbox._claim
    holders: list[threading.Thread] = []

    def hold(pk: int) -> None:
        with transaction.atomic():
            NoticeDelivery.objects.select_for_update().get(pk=pk)
            locked.set()
            sleep(0.3)
        connection.close()

    def claimed_and_held(now):
        delivery = claim(now)
        if delivery is not None:
            holders.append(threading.Thread(target=hold, args=(delivery.pk,)))
            holders[-1].start()
            assert locked.wait(5)
        return delivery

    monkeypatch.setattr(outbox, "_claim", claimed_and_held)
    assert outbox.deliver_due() == 1
    [holder.join(5) for holder in holders]
    assert (len(holders), len(chat.heard), NoticeDelivery.objects.get().state) == (1, 1, "sent")


def test_a_slow_channel_holds_no_other_back(chat, kind, person):
    channels.add_robot("wecom", chat.address("wecom"), by=person)
    chat.answer = (500, b"")
    row = notice(person)
    assert outbox.deliver_due() == 1
    row.refresh_from_db()
    assert (row.state, states(row)) == ("under_way", {"mail": "sent", "wecom": "waiting"})


# -- choice and rest ---------------------------------------------------------------------------------------------------


def test_what_is_not_wanted_by_a_channel_does_not_come_by_it(chat, kind, person):
    robot = channels.add_robot("feishu", chat.address("feishu"), by=person)
    channels.choose_ways({"mail": ["alarm"], robot.way: ["test", "alarm"]}, by=person)
    first, second = notice(person), notice(person, "alarm")
    outbox.deliver_due()
    assert (states(first), set(states(second))) == ({"feishu": "sent"}, {"mail", "feishu"})
    kept = NoticeChannel.history.filter(history_user=person).values_list("kind", flat=True)
    assert set(kept) == {"mail", "feishu"}


def test_an_urgent_kind_cannot_be_switched_off_everywhere(kind, person):
    with pytest.raises(Refused) as refusal:
        channels.choose_ways({"mail": ["test"]}, by=person)
    assert refusal.value.code == "urgent_needs_a_way"
    assert not NoticeChannel.objects.exists()


@pytest.mark.parametrize(
    ("begins", "ends", "now", "zone", "end"),
    [
        ("22:00", "07:00", "2026-03-10T15:30", "Asia/Shanghai", "2026-03-10T23:00"),
        ("22:00", "07:00", "2026-03-10T22:59", "Asia/Shanghai", "2026-03-10T23:00"),
        ("22:00", "07:00", "2026-03-10T23:00", "Asia/Shanghai", None),
        ("22:00", "07:00", "2026-03-10T13:59", "Asia/Shanghai", None),
        ("12:00", "13:00", "2026-03-10T12:00", "UTC", "2026-03-10T13:00"),
        ("22:00", "02:30", "2026-03-28T23:30", "Europe/Berlin", "2026-03-29T01:30"),  # 02:30 is skipped that night
        ("22:00", "07:00", "2026-10-24T22:30", "Europe/Berlin", "2026-10-25T06:00"),
    ],
)
def test_when_rest_ends(begins, ends, now, zone, end):
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    found = end_of_rest(time.fromisoformat(begins), time.fromisoformat(ends), moment, zone)
    assert found == (datetime.fromisoformat(end).replace(tzinfo=UTC) if end else None)


def test_in_quiet_hours_only_what_is_urgent_comes(kind, person):
    channels.keep_quiet_hours(time(22), time(7), by=person)
    night = datetime(2026, 3, 10, 15, 30, tzinfo=UTC)  # 23:30 in Shanghai
    quiet, loud = notice(person, due_at=night), notice(person, "alarm", due_at=night)
    outbox.deliver_due(night)
    assert (states(quiet), states(loud)) == ({}, {"mail": "sent"})
    outbox.deliver_due(night + timedelta(hours=7))
    assert states(quiet) == {}
    outbox.deliver_due(night + timedelta(hours=7, minutes=30))
    assert states(quiet) == {"mail": "sent"}
    channels.keep_quiet_hours(None, None, by=person)
    assert not QuietHours.objects.exists()


@pytest.mark.parametrize(
    ("begins", "ends", "code"), [(time(22), None, "half_of_the_hours"), (time(7), time(7), "no_length")]
)
def test_quiet_hours_that_are_none(begins, ends, code, person):
    with pytest.raises(Refused) as refusal:
        channels.keep_quiet_hours(begins, ends, by=person)
    assert refusal.value.code == code


# -- addresses ---------------------------------------------------------------------------------------------------------

GIVEN = {kind: chat_server.ADDRESSES[kind] for kind in KINDS}
HOSTS = {
    "wecom": "qyapi.weixin.qq.com",
    "dingtalk": "oapi.dingtalk.com",
    "feishu": "open.feishu.cn",
    "slack": "hooks.slack.com",
}


def pointing(monkeypatch, *found: str) -> None:
    """Every name leads to these addresses."""
    answer = [(2, 1, 6, "", (address, 443)) for address in found]
    monkeypatch.setattr(addresses.socket, "getaddrinfo", lambda *args, **kwargs: answer)


@pytest.mark.parametrize("service", KINDS)
def test_the_address_of_each_service_is_read_sealed_and_shown_by_its_end(service, person, monkeypatch):
    pointing(monkeypatch, "203.119.24.1")
    address = GIVEN[service].format(origin=f"https://{HOSTS[service]}")
    row = channels.add_robot(service, address, by=person)
    again = channels.add_robot(service, address, by=person)
    robot = addresses.opened(row.sealed)
    assert again.pk == row.pk and robot.origin == f"https://{HOSTS[service]}"
    assert robot.token in address and robot.token not in row.sealed + row.hint + repr(robot)
    assert row.hint.endswith(robot.token[-4:])
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT to_jsonb(c)::text || (SELECT string_agg(to_jsonb(h)::text, '') FROM"
            " teams_historicalnoticechannel h) FROM teams_noticechannel c"
        )
        assert robot.token not in cursor.fetchone()[0]
    with pytest.raises(sealing.Unopenable):
        sealing.unseal(row.sealed, "something else")


def test_a_robot_sealed_under_a_former_key_is_sealed_anew_by_the_command(person, monkeypatch, settings):
    pointing(monkeypatch, "203.119.24.1")
    row = channels.add_robot("slack", GIVEN["slack"].format(origin=f"https://{HOSTS['slack']}"), by=person)
    robot = addresses.opened(row.sealed)
    settings.SEAL_KEY, settings.SEAL_KEYS_BEFORE = "another key of the installation", [settings.SEAL_KEY]
    call_command("reseal")
    settings.SEAL_KEYS_BEFORE = []
    row.refresh_from_db()
    assert addresses.opened(row.sealed) == robot


@pytest.mark.parametrize(
    ("kind_", "address", "code"),
    [
        ("mail", "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=12345678", "unknown_service"),
        ("wecom", "http://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=12345678", "not_an_address"),
        ("wecom", "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=", "not_an_address"),
        ("wecom", "https://qyapi.weixin.qq.com/cgi-bin/user/get?key=12345678", "not_an_address"),
        ("wecom", "https://a:b@qyapi.weixin.qq.com/cgi-bin/webhook/send?key=12345678", "not_an_address"),
        ("wecom", "https://qyapi.weixin.qq.com:99999/cgi-bin/webhook/send?key=12345678", "not_an_address"),
        ("wecom", "https://[::1", "not_an_address"),
        ("wecom", "https://qyapi.weixin.qq.com:8443/cgi-bin/webhook/send?key=12345678", "foreign_host"),
        ("slack", "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=12345678", "foreign_host"),
        ("slack", "https://hooks.slack.com.evil.test/services/T0/B0/abcdefghijklmnopqrstuvwx", "foreign_host"),
        ("feishu", "https://127.0.0.1/open-apis/bot/v2/hook/12345678", "foreign_host"),
        ("feishu", "x" * 600, "not_an_address"),
    ],
)
def test_an_address_that_is_none_is_refused(kind_, address, code, person):
    with pytest.raises(Refused) as refusal:
        channels.add_robot(kind_, address, by=person)
    assert refusal.value.code == code and not NoticeChannel.objects.exists()


@pytest.mark.parametrize(
    "found",
    ["127.0.0.1", "10.0.0.7", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.1", "::1", "fe80::1",
     "fd00::1", "::ffff:10.0.0.1", "2002:7f00:1::", "224.0.0.1"],
)  # fmt: skip
def test_a_name_that_leads_into_the_own_network_is_refused_when_saved(found, person, monkeypatch):
    """T91."""
    pointing(monkeypatch, "203.119.24.1", found)
    with pytest.raises(Refused) as refusal:
        channels.add_robot("slack", GIVEN["slack"].format(origin="https://hooks.slack.com"), by=person)
    assert refusal.value.code == "private_host"


def test_and_again_when_it_is_called(chat, kind, person, settings):
    """T91: what the name led to when saved counts for nothing; the peer of the connection does."""
    channels.choose_ways({"mail": ["alarm"]}, by=person)
    channels.add_robot("wecom", chat.address("wecom"), by=person)
    settings.CHAT_ORIGINS = []
    row = notice(person)
    outbox.deliver_due()
    assert (row.deliveries.get().state, row.deliveries.get().error, chat.heard) == ("parked", "private host", [])


def test_a_dingtalk_robot_signs_with_its_secret_and_others_have_none(chat, kind, person):
    channels.add_robot("dingtalk", chat.address("dingtalk"), "SEC0123456789abcdef", by=person)
    notice(person)
    outbox.deliver_due()
    assert "sign=" in chat.heard[0][0] and "SEC0123" not in str(chat.heard)
    with pytest.raises(Refused) as refusal:
        channels.add_robot("slack", chat.address("slack"), "SEC0123456789abcdef", by=person)
    assert refusal.value.code == "no_secret"


def test_every_error_of_a_robot_names_neither_address_nor_text(chat, person):
    robot = addresses.read("wecom", chat.address("wecom"))
    for answer in ("half", (500, b""), (200, b"{}"), chat_server.REFUSED["wecom"]):
        chat.answer = answer
        with pytest.raises(NotDelivered) as failure:
            gateways.send(robot, "Title", "text")
        assert robot.token not in repr(failure.value) and "text" not in str(failure.value)


# -- the page ----------------------------------------------------------------------------------------------------------


def test_the_page_adds_tests_and_removes_a_robot(chat, kind, person):
    client = Client()
    client.force_login(person)
    added = client.post(reverse("notices_robot"), {"kind": "slack", "address": chat.address("slack")}, follow=True)
    robot = NoticeChannel.objects.get()
    assert (
        added.status_code == 200 and robot.hint in added.content.decode() and "abcdefgh" not in added.content.decode()
    )
    for status in (302, 400):  # the second within a minute is refused
        assert client.post(reverse("notices_test"), {"way": robot.way}).status_code == status
    assert outbox.deliver_due() == 1 and len(chat.heard) == 1 and not mail.outbox
    saved = client.post(
        reverse("notices"), {"wanted": ["mail|alarm", f"{robot.way}|test"], "begins": "22:30", "ends": "06:45"}
    )
    assert saved.status_code == 302
    page = client.get(reverse("notices")).content.decode()
    assert 'value="22:30"' in page and page.count(" checked") == 2
    assert client.post(reverse("notices"), {"begins": "noon", "wanted": ["mail|alarm"]}).status_code == 400
    assert client.post(reverse("notices_remove", args=[robot.pk])).status_code == 302
    assert not NoticeChannel.objects.filter(kind="slack").exists()
    assert Notice.objects.filter(kind="channel_test").count() == 1


def test_the_channel_of_another_is_not_there(chat, kind, person):
    robot = channels.add_robot("wecom", chat.address("wecom"), by=person)
    operator = make.user("op", is_superuser=True, is_staff=True)
    for other in (make.user("other"), operator):
        with pytest.raises(OutOfReach):
            channels.remove_robot(robot.pk, by=other)
        with pytest.raises(OutOfReach):
            channels.try_channel(robot.way, by=other)
        client = Client()
        client.force_login(other)
        assert client.post(reverse("notices_remove", args=[robot.pk])).status_code == 404
    assert NoticeChannel.objects.filter(pk=robot.pk).exists()


def test_removing_a_robot_ends_what_waits_for_it(chat, kind, person):
    robot = channels.add_robot("wecom", chat.address("wecom"), by=person)
    chat.answer = (500, b"")
    row = notice(person)
    outbox.deliver_due()
    channels.remove_robot(robot.pk, by=person)
    row.refresh_from_db()
    assert (row.state, states(row)) == ("sent", {"mail": "sent", "wecom": "dropped"})


def test_the_page_asks_the_same_number_of_questions_with_one_robot_and_with_three(
    chat, kind, person, django_assert_max_num_queries
):
    client, counts = Client(), []
    client.force_login(person)
    from django.test.utils import CaptureQueriesContext

    for services in (("slack",), ("wecom", "feishu")):
        for service in services:
            channels.add_robot(service, chat.address(service), by=person)
        client.get(reverse("notices"))
        with CaptureQueriesContext(connection) as found:
            client.get(reverse("notices"))
        counts.append(len(found))
    assert counts[0] == counts[1]


def test_every_kind_of_notice_has_a_title_for_the_page():
    assert [each.name for each in outbox.kinds() if not each.title] == [], "give `title` where the kind is registered"


def test_a_notice_that_an_earlier_release_had_begun_is_finished_and_not_doubled(kind, person):
    """T86, T87: what was tried before the upgrade counts after it."""
    begun = notice(person, attempts=1, error=outbox.IN_FLIGHT)
    twice = notice(person, attempts=2, error=outbox.REPEATED)
    unknown = notice(person, "of_another_release")
    outbox.deliver_due()
    assert (begun.deliveries.get().state, begun.deliveries.get().attempts) == ("sent", 2)
    assert twice.deliveries.get().state == "parked" and len(mail.outbox) == 1
    assert (unknown.deliveries.get().state, unknown.deliveries.get().error) == ("waiting", "LookupError")
    for hours in range(0, 60, 5):
        outbox.deliver_due(later(hours * 60))
    unknown.refresh_from_db()
    assert unknown.state == "parked"
