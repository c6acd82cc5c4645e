"""A copy of everything kept about a person: asked for by them or by HR, made by a job, had for seven days by who asked.

A ZIP: for each class of data one CSV and one JSON with the same rows, and a README in both languages. Columns about other
people (customers, colleagues, whoever decided) are left out.
"""

import csv
import io
import json
import tempfile
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.core.files.base import File
from django.db import models, transaction
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _

from teams import audit, jobs, personal, progress
from teams.acting import system_scope
from teams.edges.exports import typed
from teams.errors import OutOfReach, Refused
from teams.grants import reaches
from teams.models import AccessRecord, Agent, DataCopy, JobRun, Notice, User
from teams.personal import DataClass, Subject
from teams.scoping import Grant

JOB = "teams.copy_person"
KEPT = timedelta(days=7)
FRESH = timedelta(hours=24)  # asked again within it, the copy at hand will do
PORTION = 2000
State = DataCopy.State


@transaction.atomic
def ask_own_copy(*, by: User) -> DataCopy:
    """Have a copy of one's own data made. Asked again while one is being made or can be had, it is that one."""
    User.objects.select_for_update().get(pk=by.pk)
    subject = Subject.of_user(by)
    found = _at_hand(by, agent=subject.agent, user=by)
    return found or _ask(by, agent=subject.agent, user=by, reason="")


@transaction.atomic
def ask_copy(pk: int, reason: str, *, by: User) -> DataCopy:
    """Have a copy of agent `pk`'s data made, for HR to hand over: it holds figures and wages, so it takes ONBOARD and SETTLE.

    Raises OutOfReach, or Refused: copy_needs_both, own_copy. The person sees on the own record that it was asked for.
    """
    agent = Agent.objects.visible_to(by).take(pk)
    if agent.user_id == by.pk:
        raise Refused("own_copy", _("Take your own data along from the page “My data”."))
    if not _may_copy(by, agent):
        raise Refused(
            "copy_needs_both", _("A copy holds wages too: only who both onboards and settles this team may ask for it.")
        )
    audit.record_look(agent, by, AccessRecord.Door.COPY)
    return _at_hand(by, agent=agent, user=agent.user) or _ask(by, agent=agent, user=agent.user, reason=reason)


def _may_copy(by: User, agent: Agent) -> bool:
    """Whether somebody may have a copy of another person's data: a copy holds wages as well as the roster."""
    team = agent.team_id
    return team is not None and reaches(by, team, Grant.ONBOARD) and reaches(by, team, Grant.SETTLE)


def _at_hand(by: User, **whom: Any) -> DataCopy | None:
    is_fresh = models.Q(state=State.READY, asked_at__gt=timezone.now() - FRESH, until__gt=timezone.now())
    is_open = models.Q(state=State.WAITING) | is_fresh
    return DataCopy.objects.filter(is_open, asked_by=by, **whom).order_by("-pk").first()


@system_scope("the row about somebody else belongs to the one who asked")
def _ask(by: User, *, agent: Agent | None, user: User | None, reason: str) -> DataCopy:
    copy = DataCopy.objects.create(agent=agent, user=user, asked_by=by, reason=reason[:100])
    jobs.follow(jobs.expect(JOB, subject=str(copy.pk), due_at=timezone.now()), by=by)
    return copy


@transaction.atomic
def open_copy(pk: Any, *, by: User) -> DataCopy:
    """The copy to download, counted. Raises OutOfReach for all but the one who asked, Refused: not_ready, copy_gone."""
    copy = DataCopy.objects.visible_to(by).select_for_update(of=("self",)).filter(pk=pk).first()
    if copy is None:
        raise OutOfReach
    if copy.agent is not None and copy.agent.user_id != by.pk:
        if not _may_copy(by, copy.agent):
            raise OutOfReach  # the right it was asked with is gone
        audit.record_look(copy.agent, by, AccessRecord.Door.COPY)
    if copy.state == State.WAITING:
        raise Refused("not_ready", _("The copy is still being made. Come back in a few minutes."))
    if copy.state == State.GONE or not copy.file or copy.until is None or copy.until <= timezone.now():
        raise Refused("copy_gone", _("This copy has been deleted after seven days. Ask for a new one."))
    copy.downloads, copy.last_download_at = copy.downloads + 1, timezone.now()
    copy.save(update_fields=["downloads", "last_download_at"])
    return copy


def make(run: JobRun) -> str:
    """The job: write the ZIP of one copy. Given twice, it changes nothing the second time."""
    copy = DataCopy.objects.select_for_update(of=("self",)).filter(pk=int(run.subject)).first()
    if copy is None or copy.state != State.WAITING:
        return ""
    subject = Subject(copy.agent, copy.user)
    now = timezone.now()
    with tempfile.TemporaryFile() as body:
        write(body, subject, now)
        body.seek(0)
        copy.file.save(f"{uuid4().hex}.zip", File(body), save=False)
    copy.state, copy.until = State.READY, now + KEPT
    copy.save(update_fields=["file", "state", "until"])
    Notice.objects.bulk_create(
        [Notice(kind="copy_ready", recipient=copy.asked_by, about=str(copy.pk), key=f"copy_ready:{copy.pk}")],
        ignore_conflicts=True,
    )
    return ""


def cancelled(run: JobRun, by: User | None, reason: str) -> None:
    """The making was stopped: the row stays as a record, and the next wish makes a new copy."""
    DataCopy.objects.filter(pk=int(run.subject), state=State.WAITING).update(state=State.CANCELLED)


def drop(copies: models.QuerySet[DataCopy]) -> int:
    """Delete the files of `copies`; the rows stay as a record. Returns how many."""
    gone = 0
    for copy in copies.exclude(state=State.GONE).select_for_update(of=("self",)).order_by("pk"):
        if copy.file:
            copy.file.delete(save=False)
        copy.file, copy.state = "", State.GONE
        copy.save(update_fields=["file", "state"])
        gone += 1
    return gone


def write(body: Any, subject: Subject, now: datetime) -> None:
    """The ZIP of everything kept about `subject`."""
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        counts = []
        every = list(personal.classes())
        for number, each in enumerate(every):
            progress.at(progress.Step.COLLECTING, number, len(every))
            counts.append((each, _write_class(archive, each, subject)))
        for language, name in (("en", "README.en.txt"), ("zh-hans", "README.zh.txt")):
            with translation.override(language):
                kinds = [(each.code, each.words, count) for each, count in counts]
                told = {"person": subject.agent or subject.user, "now": now, "kinds": kinds}
                archive.writestr(name, render_to_string("account/copy_readme.txt", told))


def _write_class(archive: zipfile.ZipFile, each: DataClass, subject: Subject) -> int:
    """One class as CSV and JSON, and its earlier versions where it keeps any. Returns how many rows there are now."""
    count = _write_table(archive, each.code, each.about(subject), _columns(each, each.model))
    if each.earlier is not None:
        past = each.about_earlier(subject)
        _write_table(archive, f"{each.code}.earlier", past, _columns(each, each.earlier))
    return count


def _write_table(archive: zipfile.ZipFile, name: str, rows: models.QuerySet, columns: list[Any]) -> int:
    """Both files of one table, read twice in the same order rather than held in memory. Returns how many rows."""
    with archive.open(f"{name}.csv", "w", force_zip64=True) as raw:
        text = io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")
        writer = csv.writer(text)
        writer.writerow([field.name for field in columns])
        for row in _rows(rows, columns):
            writer.writerow([_said(value) for value in row])
        text.flush()
        text.detach()
    count = 0
    with archive.open(f"{name}.json", "w", force_zip64=True) as raw:
        raw.write(b"[")
        for row in _rows(rows, columns):
            told = {field.name: _plain(value) for field, value in zip(columns, row, strict=True)}
            raw.write((",\n" if count else "\n").encode() + json.dumps(told, ensure_ascii=False).encode())
            count += 1
        raw.write(b"\n]\n")
    return count


def _columns(each: DataClass, model: type[models.Model]) -> list[Any]:
    """The columns a person may read of their rows: none about other people, and of a change only what it made and when."""
    inward = {"history_id", "history_user", "history_change_reason"}
    shown = []
    for field in [*model._meta.concrete_fields, *model._meta.many_to_many]:
        is_other = field.is_relation and field.related_model in (Agent, User) and field.name not in each.named
        if field.name not in each.hidden | inward and not is_other:
            shown.append(field)
    return shown


def _rows(rows: models.QuerySet, columns: list[Any]) -> Iterator[list[Any]]:
    related = [field.name for field in columns if field.is_relation and not field.many_to_many]
    many = [field.name for field in columns if field.many_to_many]
    found = rows.order_by("pk").select_related(*related).prefetch_related(*many)
    for number, row in enumerate(found.iterator(chunk_size=PORTION)):
        if number % PORTION == PORTION - 1:
            progress.safe_point()
        yield [_value(row, field) for field in columns]


def _value(row: Any, field: Any) -> Any:
    if field.many_to_many:
        return [str(other) for other in getattr(row, field.name).all()]
    value = getattr(row, field.name)
    if field.is_relation:
        return None if value is None else str(value)
    if isinstance(value, models.fields.files.FieldFile):
        return value.name
    return value


def _plain(value: Any) -> Any:
    """As JSON has it: ranges as two ends, moments in ISO 8601, all else as text."""
    if value is None or isinstance(value, bool | int | float | str | dict):
        return value
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if hasattr(value, "lower") and hasattr(value, "upper"):
        return [_plain(value.lower), _plain(value.upper)]
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _said(value: Any) -> str:
    plain = _plain(value)
    if plain is None:
        return ""
    return typed(plain) if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)
