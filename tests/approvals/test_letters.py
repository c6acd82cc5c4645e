"""What is told by mail: to whom, with a link to the page that is theirs, and nothing to whoever lost the right meanwhile."""

from datetime import timedelta

import pytest
from django.utils import timezone, translation

from approvals.letters import requests as letters
from approvals.services import absences, deciding
from teams.models import Notice, TeamUserGrant
from tests import make
from tests.approvals.kinds import person, steps


def letter(kind, who):
    notice = Notice.objects.get(kind=kind, recipient=who)
    return getattr(letters, kind.removeprefix("approval_"))(notice)


def test_links_lead_to_the_page_of_the_reader(case):
    senior = make.agent(case.north.team, "Senior", user=make.user("senior")).user
    case.kind.policy = steps({**person(case.north.lead)}, person(senior))
    request = case.ask()
    admin, own = f"/admin/approvals/approvalrequest/{request.pk}/change/", f"/me/requests/{request.pk}/"
    assert letter("approval_waits", case.north.lead).link.endswith(admin)
    deciding.approve(request.pk, by=case.north.lead)
    assert letter("approval_waits", senior).link.endswith(own)
    deciding.reject(request.pk, by=senior, words="Not yet.")
    told = letter("approval_settled", case.agent)
    assert told.link.endswith(own) and "Not yet." in told.text and "rejected" in told.subject


def test_staff_who_asked_are_led_to_their_own_page(case):
    request = case.ask(by=case.north.lead)
    deciding.send_back(request.pk, by=case.hub.lead, words="Say why.")
    assert letter("approval_sent_back", case.north.lead).link.endswith(f"/me/requests/{request.pk}/")


def test_whoever_lost_the_right_and_what_is_settled_send_nothing(case):
    case.kind.policy = steps(person(case.north.lead))
    request = case.ask()
    notice = Notice.objects.get(kind="approval_waits")
    assert letters.waits(notice) is not None
    TeamUserGrant.objects.all().delete()
    request.seats.all().delete()
    assert letters.waits(notice) is None


def test_what_is_settled_is_not_announced_as_waiting(case):
    request = case.ask()
    deciding.approve(request.pk, by=case.hub.lead)
    assert letter("approval_waits", case.north.lead) is None


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_a_mail_says_what_it_is_about_and_decides_nothing(case, language):
    request = case.ask()
    with translation.override(language):
        mail = letter("approval_waits", case.north.lead)
    assert f"word {case.skill.pk}" in mail.text and "it is called so" in mail.text
    assert "approve" not in mail.link and str(request.pk) in mail.link


def test_both_are_told_of_an_absence_with_what_waits(case):
    request = case.ask()
    absence = absences.announce(
        deputy=case.hub.lead.pk, since=None, until=timezone.now() + timedelta(days=1), reason="", by=case.north.lead
    )
    given = letters.absence_given(Notice.objects.get(kind="absence_given", recipient=case.hub.lead))
    assert "hub-lead decides for north-lead" in given.subject
    absences.end(absence.pk, by=case.north.lead)
    for who in (case.north.lead, case.hub.lead):
        told = letters.absence_ended(Notice.objects.get(kind="absence_ended", recipient=who))
        assert str(request) in told.text
