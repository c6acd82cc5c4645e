"""The guided first start of an empty installation: the one-time link, the first operator, and teams and people by file.

The link is made while no account exists, printed by `manage.py run`, kept as a digest, and good for a day, once, on the
machine itself. Files are taken in whole or not at all: one refused line, and nothing is stored; a repeated file finds what it
made and leaves it as it is.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from teams import services
from teams.audit import save_with_history
from teams.clock import zone_names
from teams.errors import OutOfReach, Refused
from teams.inviting import digest_of
from teams.models import Agent, Organisation, Team, User
from teams.scoping import Grant

KEY_VALID_FOR = timedelta(days=1)
TEAM_COLUMNS = ("code", "name", "parent", "zone")
PEOPLE_COLUMNS = ("number", "name", "mail", "team", "role", "zone", "first_day")


# -- the one-time link -------------------------------------------------------------------------------------------------------


@transaction.atomic
def new_key() -> str | None:
    """A fresh key for the one-time link, which ends the one before; None once an account exists."""
    if User.objects.exists():
        return None
    row = _organisation()
    key = secrets.token_urlsafe(32)
    row.key_digest, row.key_until = digest_of(key), timezone.now() + KEY_VALID_FOR
    Organisation.objects.update(key_digest=row.key_digest, key_until=row.key_until)
    return key


def opens(key: str) -> bool:
    """Whether `key` would still be taken. Reads only."""
    return (
        Organisation.objects.filter(key_digest=digest_of(key), key_until__gt=timezone.now()).exists()
        and not User.objects.exists()
    )


@transaction.atomic
def found(
    key: str, *, organisation: str, zone: str, language: str, full_name: str, username: str, password: str
) -> User:
    """Make the first operator and name the organisation. Raises OutOfReach for a key that opens nothing, or Refused."""
    row = _organisation()
    if not opens(key):
        raise OutOfReach
    if zone not in zone_names():
        raise Refused("unknown_zone", _("%(name)s is not a time zone; write it as in Asia/Shanghai.") % {"name": zone})
    user = User(username=username, full_name=full_name, language=language, zone=zone, is_staff=True, is_superuser=True)
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Refused("weak_password", " ".join(error.messages)) from error
    user.set_password(password)
    user.full_clean()
    save_with_history(user, by=user, reason="first start")
    row.name, row.zone, row.language, row.key_digest, row.key_until = organisation, zone, language, "", None
    row.full_clean()
    save_with_history(row, by=user, reason="first start")
    return user


@transaction.atomic
def mark(step: str, state: str, *, by: User) -> None:
    """Note how far the guided start is: a step is done, skipped, or open again (empty). Raises OutOfReach."""
    if not by.is_superuser or step not in Organisation.Step.values or state not in {"", "done", "skipped"}:
        raise OutOfReach
    row = _organisation()
    if row.steps.get(step, "") != state:
        row.steps[step] = state
        save_with_history(row, "steps", by=by, reason=f"{step}: {state or 'open'}")


def _organisation() -> Organisation:
    """The one row, locked; made if this is the first time anybody asks."""
    Organisation.objects.bulk_create([Organisation(id=1)], ignore_conflicts=True)
    return Organisation.objects.select_for_update().get(pk=1)


# -- files -------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """What happens to one line of a file: its number as a spreadsheet shows it, whom it is about, and the refusal if any."""

    number: int
    about: str
    is_new: bool = False
    refusal: str = ""


class _NotStored(Exception):
    """Takes the transaction back; carries nothing, since the lines tell the story."""


Take = Callable[[Mapping[str, str], User], tuple[str, bool]]


def take_teams(rows: list[dict[str, str]], *, by: User, dry_run: bool) -> list[Line]:
    """Teams by code, those above before those below, whatever the order of the lines."""
    return _take_all(_parents_first(rows), _take_team, by=by, dry_run=dry_run)


def take_people(rows: list[dict[str, str]], *, by: User, dry_run: bool) -> list[Line]:
    """People by number; whoever has a mail address gets an account without a password, to be invited."""
    return _take_all(list(enumerate(rows, start=2)), _take_person, by=by, dry_run=dry_run)


def _take_all(rows: list[tuple[int, dict[str, str]]], take: Take, *, by: User, dry_run: bool) -> list[Line]:
    if not by.is_superuser:
        raise OutOfReach
    lines = []
    try:
        with transaction.atomic():
            for number, row in rows:
                lines.append(_take_one(number, row, take, by))
            if dry_run or any(line.refusal for line in lines):
                raise _NotStored
    except _NotStored:
        pass
    return sorted(lines, key=lambda line: line.number)


def _take_one(number: int, row: dict[str, str], take: Take, by: User) -> Line:
    named = row.get("name") or row.get("code") or row.get("number") or ""
    try:
        with transaction.atomic():
            about, is_new = take(row, by)
    except Refused as refusal:
        return Line(number, named, refusal=str(refusal))
    except ValidationError as error:
        return Line(number, named, refusal=" ".join(error.messages))
    except OutOfReach:
        return Line(number, named, refusal=_("It names a row that is not there."))
    return Line(number, about, is_new)


def _parents_first(rows: list[dict[str, str]]) -> list[tuple[int, dict[str, str]]]:
    """The lines with their numbers, each after the line of the team above it; what goes in a circle comes last."""
    left = list(enumerate(rows, start=2))
    ordered: list[tuple[int, dict[str, str]]] = []
    while left:
        waiting = {row.get("code", "") for _number, row in left}
        ready = [each for each in left if each[1].get("parent", "") not in waiting] or left
        ordered += ready
        left = [each for each in left if each not in ready]
    return ordered


def _needed(row: Mapping[str, str], *names: str) -> list[str]:
    for name in names:
        if not row.get(name):
            raise Refused("missing", _("“%(name)s” is empty.") % {"name": name})
    return [row[name] for name in names]


def _zone(row: Mapping[str, str], default: str) -> str:
    zone = row.get("zone") or default
    if zone not in zone_names():
        raise Refused("unknown_zone", _("%(name)s is not a time zone; write it as in Asia/Shanghai.") % {"name": zone})
    return zone


def _take_team(row: Mapping[str, str], by: User) -> tuple[str, bool]:
    code, name = _needed(row, "code", "name")
    if Team.objects.filter(code=code).exists():
        return name, False
    above = None
    if row.get("parent"):
        above = Team.objects.filter(code=row["parent"]).first()
        if above is None:
            raise Refused("no_parent", _("No team has the code %(code)s.") % {"code": row["parent"]})
    zone = _zone(row, above.zone if above else _organisation().zone)
    team = services.create_team(
        name=name, code=code, zone=zone, parent=above.pk if above else None, by=by, reason=_("first start")
    )
    return team.name, True


def _take_person(row: Mapping[str, str], by: User) -> tuple[str, bool]:
    number, name, code = _needed(row, "number", "name", "team")
    if Agent.objects.filter(number=number).exists():
        return name, False
    team = Team.objects.filter(code=code).first()
    if team is None:
        raise Refused("no_team", _("No team has the code %(code)s.") % {"code": code})
    role = (row.get("role") or Agent.Role.AGENT).lower()
    if role not in Agent.Role.values:
        raise Refused(
            "unknown_role",
            _("“role” must be one of %(names)s, not “%(name)s”.")
            % {"names": ", ".join(Agent.Role.values), "name": role[:40]},
        )
    zone, language = _zone(row, team.zone), _organisation().language
    agent = services.add_agent(
        number=number, name=name, zone=zone, team=team.pk, on=_day(row), by=by, role=role, locale=language,
        reason=_("first start"),
    )  # fmt: skip
    if row.get("mail"):
        account = _account(row["mail"].lower(), name, zone, language, is_lead=role == Agent.Role.LEAD, by=by)
        services.link_account(agent.pk, account.pk, by=by, reason=_("first start"))
        if role == Agent.Role.LEAD:
            services.give_grant(team=team.pk, grant=Grant.LEAD, user=account.pk, by=by, reason=_("first start"))
    return name, True


def _day(row: Mapping[str, str]) -> date:
    text = row.get("first_day") or timezone.now().date().isoformat()
    try:
        return date.fromisoformat(text[:10])
    except ValueError as error:
        raise Refused(
            "bad_day", _("“first_day” is “%(text)s”; write it as 2026-01-31.") % {"text": text[:40]}
        ) from error


def _account(mail: str, name: str, zone: str, language: str, *, is_lead: bool, by: User) -> User:
    """An account without a password, called by its mail address; a lead may enter the admin site."""
    validate_email(mail)
    if User.objects.filter(username__iexact=mail).exists():
        raise Refused("name_taken", _("There is an account with the mail address %(mail)s already.") % {"mail": mail})
    user = User(username=mail, email=mail, full_name=name, zone=zone, language=language, is_staff=is_lead)
    user.set_unusable_password()
    user.full_clean()
    save_with_history(user, by=by, reason=_("first start"))
    return user
