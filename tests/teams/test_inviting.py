"""Invitations: kept as digests, used once, ended by time, by a newer link and by hand."""

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from teams import inviting, outbox
from teams.errors import OutOfReach, Refused
from teams.models import Invitation, Notice, User
from tests import make

PASSWORD = "a long enough sentence"


@pytest.fixture
def newcomer(hub):
    user = make.user("newcomer", email="new@outpost.test")
    user.set_unusable_password()
    user.save()
    return user


def mailed_link():
    outbox.deliver_due(timezone.now() + timedelta(minutes=1))
    return next(word for word in mail.outbox[-1].body.split() if "/invited/" in word).partition("8000")[2]


def test_the_mailed_link_lets_its_owner_choose_a_password_once(client, hub, newcomer):
    row = inviting.invite(newcomer.pk, by=hub.operator)
    link = mailed_link()
    token = link.rstrip("/").rpartition("/")[2]
    assert token not in str(Notice.objects.values()) + str(Invitation.objects.values())
    assert client.get(link).status_code == 200 and Invitation.objects.get().used_at is None  # reading uses nothing up
    weak = client.post(link, {"password": "short", "again": "short"})
    assert weak.status_code == 400 and "too short" in weak.content.decode()
    assert client.post(link, {"password": PASSWORD, "again": "another"}).status_code == 400
    assert client.post(link, {"password": PASSWORD, "again": PASSWORD}, follow=True).status_code == 200
    assert User.objects.get(pk=newcomer.pk).check_password(PASSWORD)
    assert client.get(link).status_code == client.post(link, {"password": "x", "again": "x"}).status_code == 410
    row.refresh_from_db()
    assert row.used_at and row.digest is None
    with pytest.raises(Refused) as refusal:
        inviting.invite(newcomer.pk, by=hub.operator)
    assert refusal.value.code == "has_password"


@pytest.mark.parametrize("end", ["revoked", "expired", "newer", "closed"])
def test_a_link_ends(client, hub, newcomer, end):
    row = inviting.invite(newcomer.pk, by=hub.operator)
    link = f"/invited/{inviting.link_for(row.pk, by=hub.operator)}/"
    assert client.get(link).status_code == 200
    if end == "revoked":
        inviting.revoke(row.pk, by=hub.operator)
    elif end == "expired":
        Invitation.objects.update(until=timezone.now() - timedelta(seconds=1))
    elif end == "newer":
        inviting.link_for(row.pk, by=hub.operator)
    else:
        User.objects.filter(pk=newcomer.pk).update(is_active=False)
    assert client.post(link, {"password": PASSWORD, "again": PASSWORD}).status_code == 410
    assert not User.objects.get(pk=newcomer.pk).has_usable_password()


def test_only_the_operator_invites(hub, north, newcomer):
    for verb in (inviting.invite, inviting.link_for, inviting.revoke):
        with pytest.raises(OutOfReach):
            verb(newcomer.pk, by=north.lead)
