"""A copy holds every class of a person's data and nobody else's; only who asked for it gets it."""

import zipfile
from datetime import timedelta
from io import BytesIO

import pytest
from django.db import models
from django.test.utils import isolate_apps
from django.urls import reverse
from django.utils import timezone

from teams import jobs, personal, retention
from teams.errors import OutOfReach, Refused
from teams.models import AccessRecord, DataCopy, JobRun, Notice, StoredFile, User
from teams.scoping import Grant
from teams.services import copies
from tests import make
from tests.access import world as worlds


def made(copy):
    run = JobRun.objects.get(job=copies.JOB, subject=str(copy.pk))
    assert jobs.work(run.pk)
    copy.refresh_from_db()
    return copy


def inside(content):
    with zipfile.ZipFile(BytesIO(content)) as archive:
        return {name: archive.read(name).decode("utf-8-sig") for name in archive.namelist()}


def downloaded(client, copy):
    return b"".join(client.post(reverse("my_data_file", args=[copy.pk])).streaming_content)


def test_every_table_about_people_is_in_the_catalogue():
    assert list(personal.forgotten()) == []


def test_a_table_nobody_has_entered_is_told(monkeypatch):
    """Control: the check above must be able to fail."""
    with isolate_apps("teams") as registry:

        class Forgotten(models.Model):
            whose = models.ForeignKey("teams.Agent", models.CASCADE)

            class Meta:
                app_label = "teams"

            def __str__(self) -> str:
                return ""

        Forgotten._meta.get_field("whose").remote_field.model = personal.Agent
        monkeypatch.setattr(
            personal.apps, "get_models", lambda **_options: registry.get_models(include_auto_created=True)
        )
        assert list(personal.forgotten()) == ["teams.Forgotten.whose"]


def test_a_copy_holds_all_of_the_person_and_nothing_of_anybody_else(client, db):
    world = worlds.build()
    person = world.alpha.agents[0]
    client.force_login(person.user)
    DataCopy.objects.update(state="gone")
    assert client.post(reverse("my_data")).status_code == 302
    copy = made(DataCopy.objects.get(asked_by=person.user, reason=""))
    found = inside(downloaded(client, copy))
    for each in personal.classes():
        assert {f"{each.code}.csv", f"{each.code}.json"} <= set(found), each.code
    text = "\n".join(found.values())
    seen = worlds.marks_in(text)
    wanted = {worlds.mark("alpha", kind) for kind in ("roster", "detail", "figure")} | {str(worlds.WAGES["alpha"])}
    assert wanted <= seen
    never = {worlds.mark("alpha", kind) for kind in ("second", "colleague", "source", "system")}
    assert not seen & (never | {mark for mark in worlds.ALL_MARKS if mark.startswith("bravo")})
    held = {each.code for each in personal.classes() if each.about(personal.Subject.of_agent(person)).exists()}
    assert {"teams.agent", "teams.user", "teams.compensation", "teams.accessrecord", "teams.notice"} <= held
    assert {"performance.contact", "performance.leg", "performance.stateinterval", "performance.agentday"} <= held
    for code in held:
        assert len(found[f"{code}.csv"].splitlines()) > 1, f"{code} is empty in the copy"
    assert (
        "customer_key" not in found["performance.contact.csv"] and "phone_mask" not in found["performance.contact.csv"]
    )
    assert person.name in found["README.en.txt"] and person.name in found["README.zh.txt"]
    assert found["README.en.txt"] != found["README.zh.txt"]


def test_only_who_asked_downloads_it_and_each_time_is_counted(client, hub, north):
    person = north.agent
    copy = copies.ask_own_copy(by=person.user)
    assert copies.ask_own_copy(by=person.user) == copy  # asked again, it is the same
    client.force_login(person.user)
    assert client.post(reverse("my_data_file", args=[copy.pk])).status_code == 409  # not made yet
    made(copy)
    for stranger in (north.agents[1].user, north.lead, hub.hr, hub.operator):
        client.force_login(stranger)
        assert client.post(reverse("my_data_file", args=[copy.pk])).status_code == 404
        assert client.post(reverse("my_data_file", args=[copy.pk + 999])).status_code == 404
    client.force_login(person.user)
    assert downloaded(client, copy)[:2] == b"PK"
    copy.refresh_from_db()
    assert copy.downloads == 1 and copy.last_download_at is not None
    assert Notice.objects.get(recipient=person.user, kind="copy_ready").details == {}
    DataCopy.objects.update(until=timezone.now() - timedelta(seconds=1))
    assert client.post(reverse("my_data_file", args=[copy.pk])).status_code == 409


def test_hr_asks_for_others_with_both_rights_and_the_person_sees_it(hub, north, south):
    for stranger in (hub.trainer, hub.payroll, north.lead):
        with pytest.raises((Refused, OutOfReach)):
            copies.ask_copy(north.agent.pk, "wanted", by=stranger)
    assert not DataCopy.objects.exists()
    copy = made(copies.ask_copy(north.agent.pk, "the person asked", by=hub.hr))
    assert AccessRecord.objects.get(agent=north.agent, viewer=hub.hr).door == "copy"
    assert copies.open_copy(copy.pk, by=hub.hr).downloads == 1
    colleague = make.user("other-hr", is_staff=True)
    make.grant(colleague, hub.team, Grant.ONBOARD, Grant.SETTLE)
    assert copies.ask_copy(south.agent.pk, "asked as well", by=colleague).asked_by == colleague
    for other in (
        colleague,
        north.agent.user,
        hub.operator,
    ):  # the right to ask opens no copy that somebody else asked for
        with pytest.raises(OutOfReach):
            copies.open_copy(copy.pk, by=other)
    hub.hr.teamusergrant_set.all().delete()
    with pytest.raises(OutOfReach):
        copies.open_copy(copy.pk, by=hub.hr)


def test_a_person_without_agent_has_a_copy_too(db):
    user = make.user("planner", email="planner@example.org")
    copy = made(copies.ask_own_copy(by=user))
    with copy.file.open() as file:
        assert "planner@example.org" in inside(file.read())["teams.user.csv"]


def test_the_file_goes_after_seven_days_and_the_record_stays(north):
    copy = made(copies.ask_own_copy(by=north.agent.user))
    each = next(each for each in retention.classes() if each.code == "copies")
    assert retention.let_go(each, timezone.now() + timedelta(days=6)) == 0
    assert retention.let_go(each, timezone.now() + timedelta(days=9)) == 1
    copy.refresh_from_db()
    assert copy.state == "gone" and not StoredFile.objects.exists()
    assert User.objects.filter(pk=copy.asked_by_id).exists()
