"""Customers for tests of the blacklist: asked for plainly, the rest by name."""

from datetime import timedelta

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils import timezone

from approvals.models import BlockEntry
from approvals.plain.normal import normal
from approvals.services import blacklist, deciding
from approvals.services.blacklist import subjects
from approvals.services.blacklist.checking import Asked
from teams.models import User

NUMBER = "+44 20 7946 0018"
MASK = "+44 ********18"


def ask(team, by, subject=NUMBER, kind="phone", **more):
    more.setdefault("reason_code", "abuse")
    more.setdefault("evidence", "Call of 12:04, recording 88")
    return blacklist.ask(team=team.pk, subject_kind=kind, subject=subject, by=by, **more)


def blocked(case, subject=NUMBER, kind="phone", **more):
    """An entry that north's agent asked for and north's lead approved."""
    request = ask(case.north.team, case.agent, subject, kind, **more)
    request = deciding.approve(request.pk, by=case.north.lead)
    assert request.state == "applied", request.error
    return request.block_entries.get()


def entry(team, by, subject=NUMBER, kind="phone", **fields):
    """A row as it stands, with no request behind it. `begins` and `ends` in hours from now; no end: permanent."""
    begins, ends = fields.pop("begins", -1), fields.pop("ends", 24)
    known = normal(kind, subject)
    parts = {name: value for name, value in subjects.parts_of(known, subject).items() if name in subjects.PARTS}
    now = timezone.now()
    span = DateTimeTZRange(now + timedelta(hours=begins), None if ends is None else now + timedelta(hours=ends))
    fields = {"state": "active", "reason_code": "abuse", "evidence": "seen", "effect": "block"} | fields
    return BlockEntry.objects.create(
        team=team, requested_by=by, span=span, **{**parts, "network": known.network or None}, **fields
    )


def check(by: User, *subjects_, kind="phone", **more):
    """What is said of each of `subjects_`: effect or nothing."""
    answers = blacklist.check([Asked(kind, each) for each in subjects_ or (NUMBER,)], by=by, **more)
    return [answer.effect or answer.problem for answer in answers]
