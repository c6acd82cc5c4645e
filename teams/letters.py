"""What people are told about their rights and their way in: mails rendered when they leave, in the recipient's language."""

from datetime import datetime

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from teams import inviting
from teams.models import Invitation, Notice, Organisation, Team, TeamUserGrant, User
from teams.outbox import Mail
from teams.scoping import Grant


def delegation_given(notice: Notice) -> Mail | None:
    """To deputy and giver: who stands in for whom, where and until when; nothing if it has been taken back since."""
    if not TeamUserGrant.objects.filter(pk=notice.about).exclude(on_behalf_of=None).exists():
        return None
    return _delegation(notice, _("%(deputy)s stands in for %(giver)s on %(team)s"), "mail/delegation_given.txt")


def delegation_ended(notice: Notice) -> Mail | None:
    return _delegation(
        notice, _("%(deputy)s no longer stands in for %(giver)s on %(team)s"), "mail/delegation_ended.txt"
    )


def _delegation(notice: Notice, subject: str, template: str) -> Mail | None:
    told = notice.details
    people = {user.pk: str(user) for user in User.objects.filter(pk__in=[told["deputy"], told["giver"], told["by"]])}
    team = Team.objects.filter(pk=told["team"]).first()
    if team is None or told["deputy"] not in people or told["giver"] not in people:
        return None
    words = {
        "deputy": people[told["deputy"]],
        "giver": people[told["giver"]],
        "team": team.name,
        "grant": Grant(told["grant"]).label,
        "since": _moment(told["since"]),
        "until": _moment(told["until"]),
        "by": people.get(told["by"], _("the system")),
        "is_deputy": notice.recipient_id == told["deputy"],
        "link": settings.OUTPOST_URL + reverse("admin:teams_teamusergrant_changelist"),
    }
    return Mail(subject % words, render_to_string(template, words))


def _moment(text: str) -> datetime | None:
    return timezone.localtime(datetime.fromisoformat(text)) if text else None


def invitation(notice: Notice) -> Mail | None:
    """The link by which somebody chooses the first password, made as the mail leaves: nobody can read it before."""
    row = Invitation.objects.select_for_update().open().filter(pk=notice.about, user=notice.recipient).first()
    if row is None:
        return None
    link = settings.OUTPOST_URL + reverse("invited", args=[inviting.new_token(row)])
    organisation = Organisation.objects.first()
    name = organisation.name if organisation and organisation.name else "Outpost"
    words = {"name": name, "link": link, "until": timezone.localtime(row.until), "user": notice.recipient}
    return Mail(_("Your account at %(name)s") % {"name": name}, render_to_string("mail/invitation.txt", words))
