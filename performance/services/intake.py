"""Deliveries: receive a file, map its columns, check it without storing, take it in, withdraw it; tokens of sources."""

import hashlib
import json
import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby, islice
from operator import attrgetter
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.core.files.base import File
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from performance.intake import delivery, mapping
from performance.intake import errors_file as errors
from performance.intake.decoding import Table, open_table
from performance.intake.layouts import LAYOUTS
from performance.intake.reasons import sentence
from performance.models import ImportRefusal, ImportRun, Source
from teams import jobs
from teams.acting import system_scope
from teams.audit import save_with_history
from teams.edges.filestore import LocalCopy
from teams.errors import OutOfReach, Refused
from teams.models import JobRun, User

JOB = "performance.take_in"
AT_ONCE = 5000  # rows; a longer file goes through the job ledger
MOST_BYTES = 1 << 30
FIRST_ERRORS = 20
UNFINISHED_FOR = timedelta(days=30)
State = ImportRun.State
OPEN = (State.UPLOADED, State.CHECKED, State.FAILED)


@dataclass(frozen=True)
class Refusal:
    """One refused row of a REST call: `row` counts from 1."""

    row: int
    field: str
    code: str
    value: str


# -- files of people ---------------------------------------------------------------------------------------------------


@transaction.atomic
def receive(source_pk: Any, file: File, *, layout: str, by: User) -> ImportRun:
    """Keep an uploaded file under a name of our own, with the mapping this source used last. Raises OutOfReach, Refused."""
    source = Source.objects.manageable_by(by).take(source_pk)
    if not source.is_active:
        raise Refused("source_inactive", _("This source is switched off. Switch it on before sending files."))
    if layout not in LAYOUTS:
        raise Refused("unknown_layout", _("Choose what kind of rows the file holds."))
    if (file.size or 0) > MOST_BYTES:
        raise Refused("too_large", _("The file is larger than 1 GB. Pack it with gzip or send it in parts."))
    run = ImportRun(source=source, layout=layout, by=by, file_name=_shown_name(file.name))
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    run.digest = digest.hexdigest()
    run.file.save(f"{uuid4().hex}.upload", file, save=False)
    try:
        table = _open(run)
    except Refused:
        run.file.delete(save=False)
        raise
    run.mapping = mapping.propose(LAYOUTS[layout], table.header, source.mapping.get(layout))
    save_with_history(run, by=by, reason="received")
    return run


@transaction.atomic
def map_columns(run_pk: Any, data: Any, *, by: User) -> ImportRun:
    """Set what the columns of a delivery mean. Raises Refused with a sentence if the mapping cannot be right."""
    run = _open_run(run_pk, by)
    wanted = mapping.read(data)
    if wanted.layout.name != run.layout:
        raise Refused("bad_mapping", _("The mapping is for another kind of rows."))
    table = _open(run, encoding=wanted.encoding, delimiter=wanted.delimiter)
    lacking = wanted.lacking(table.header)
    if lacking:
        raise Refused("missing_column", _("The file has no column “%(name)s”.") % {"name": lacking[0]})
    run.mapping, run.state, run.counts, run.message = wanted.as_given, State.UPLOADED, {}, ""
    save_with_history(run, "mapping", "state", "counts", "message", by=by, reason="mapped")
    return run


@transaction.atomic
def check(run_pk: Any, *, by: User) -> ImportRun:
    """Run the delivery without storing anything: exact counts and the first errors. A long file is checked by the worker."""
    run = _open_run(run_pk, by)
    return _check(run, by=by) if _is_short(run) else _hand_over(run, "check", by=by)


@transaction.atomic
def take_in(run_pk: Any, *, by: User) -> ImportRun:
    """Store the delivery. A long file is stored by the worker. Taking in what has been taken in changes nothing."""
    run = ImportRun.objects.manageable_by(by).take(run_pk)
    if run.state in (State.DONE, State.WAITING):
        return run
    run = _open_run(run_pk, by)
    return _store(run, by=by) if _is_short(run) else _hand_over(run, "store", by=by)


@transaction.atomic
def withdraw(run_pk: Any, *, by: User) -> ImportRun:
    """Give a delivery up before it is taken in; its file is deleted."""
    run = ImportRun.objects.manageable_by(by).take(run_pk)
    if run.state not in (*OPEN, State.WAITING):
        raise Refused("not_open", _("This delivery has been settled; it cannot be withdrawn any more."))
    run.state, run.finished_at = State.WITHDRAWN, timezone.now()
    _drop_file(run)
    save_with_history(run, "state", "finished_at", "file", by=by, reason="withdrawn")
    return run


def work(job_run: JobRun) -> str:
    """The job: check or store one delivery for whoever asked. Given twice, it changes nothing the second time."""
    run = ImportRun.objects.select_for_update(of=("self",)).filter(pk=int(job_run.subject)).first()
    if run is None or run.state != State.WAITING:
        return ""
    run = _check(run, by=run.by) if job_run.period.startswith("check") else _store(run, by=run.by)
    return hashlib.sha256(json.dumps(run.counts, sort_keys=True).encode()).hexdigest()


@transaction.atomic
def sweep() -> int:
    """Withdraw deliveries nobody finished in 30 days, with their files; returns how many. For the night's timetable."""
    stale = ImportRun.objects.filter(state__in=OPEN, created_at__lt=timezone.now() - UNFINISHED_FOR)
    rows = list(stale.select_for_update(of=("self",), skip_locked=True).order_by("pk")[:500])
    for run in rows:
        run.state, run.finished_at = State.WITHDRAWN, timezone.now()
        _drop_file(run)
        save_with_history(run, "state", "finished_at", "file", by=None, reason="not finished in 30 days")
    return len(rows)


def table_of(run: ImportRun) -> Table:
    """The file of an open delivery, as its mapping says it is to be read."""
    if not run.file:
        raise OutOfReach
    return _open(run, encoding=run.mapping.get("encoding") or "", delimiter=run.mapping.get("delimiter") or "")


def errors_file(run: ImportRun, header: Sequence[str] = ()) -> Iterator[str]:
    """The refused rows of a delivery as lines of a CSV that can be mended and sent again as it is."""
    names = list(header or run.counts.get("header") or sorted(mapping.read(run.mapping).columns()))
    return errors.lines(names, _refused_rows(run))


def _refused_rows(run: ImportRun) -> Iterator[tuple[int, list[str], str]]:
    today = timezone.now().date()
    rows = run.refusals.order_by("row_number", "pk").iterator(chunk_size=2000)
    for number, same_row in groupby(rows, key=attrgetter("row_number")):
        refused = list(same_row)
        yield number, refused[0].raw, " ".join(sentence(r.field, r.code, r.value, today) for r in refused)


# -- other doors -------------------------------------------------------------------------------------------------------


def take_in_file(source: Source, data: Any, path: Path, *, dry_run: bool = False, by: User | None = None) -> ImportRun:
    """The command's door: take the file at `path` in where it lies. Raises Refused; a dry run leaves nothing behind."""
    wanted = mapping.read(data)
    table = open_table(path, encoding=wanted.encoding, delimiter=wanted.delimiter)
    with transaction.atomic():
        run = ImportRun(
            source=source, door=ImportRun.Door.COMMAND, layout=wanted.layout.name, mapping=wanted.as_given, by=by,
            file_name=_shown_name(path.name), digest=_digest(path),
        )  # fmt: skip
        save_with_history(run, by=by, reason="command")
        counts = _take(run, wanted, table.header, table.rows(), by=by)
        run.counts = counts | {"encoding": table.encoding, "header": list(table.header)}
        if dry_run:
            run.counts["first"] = _first_errors(run)
            transaction.set_rollback(True)
            return run
        run.state, run.finished_at = State.DONE, timezone.now()
        save_with_history(run, "state", "counts", "finished_at", by=by, reason="taken in")
        _remember(run, by=by)
    return run


@system_scope("the rows of a source are about whoever they name")
def take_in_rows(
    source: Source,
    layout: str,
    header: Sequence[str],
    rows: Iterable[list[str]],
    *,
    rating: dict[str, int] | None = None,
) -> tuple[ImportRun, list[Refusal]]:
    """The REST door: rows in our normal form. Returns the delivery and why rows were refused. Raises Refused.

    `rating` may name the best (`scale`, 5) and the worst (`lowest`, 1) rating.
    """
    wanted = mapping.identity(LAYOUTS[layout], header, rating or {})
    with transaction.atomic():
        run = ImportRun(
            source=source, door=ImportRun.Door.REST, layout=layout, state=State.DONE, mapping=wanted.as_given
        )
        run.finished_at = timezone.now()
        save_with_history(run, by=None, reason="REST")
        run.counts = _take(run, wanted, header, rows, by=None)
        save_with_history(run, "counts", by=None, reason="taken in")
        refused = run.refusals.order_by("row_number", "pk").values_list("row_number", "field", "code", "value")
        return run, [Refusal(*each) for each in refused]


@transaction.atomic
def rotate_token(source_pk: Any, *, by: User) -> str:
    """A new token for the source, told once; the one before stops working at once. Only its digest is kept."""
    source = Source.objects.manageable_by(by).take(source_pk)
    token = secrets.token_urlsafe(32)
    source.token_digest, source.token_hint = token_digest(token), token[-4:]
    save_with_history(source, "token_digest", "token_hint", by=by, reason="token issued")
    return token


@transaction.atomic
def revoke_token(source_pk: Any, *, by: User) -> Source:
    """Take the source's token away: nothing comes in over REST until a new one is issued."""
    source = Source.objects.manageable_by(by).take(source_pk)
    source.token_digest = source.token_hint = ""
    save_with_history(source, "token_digest", "token_hint", by=by, reason="token revoked")
    return source


def token_digest(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


# -- within ------------------------------------------------------------------------------------------------------------


def _open_run(run_pk: Any, by: User) -> ImportRun:
    run = ImportRun.objects.manageable_by(by).take(run_pk)
    if run.state not in OPEN or not run.file:
        raise Refused("not_open", _("This delivery has been settled or is being worked on; it cannot be changed."))
    return run


def _is_short(run: ImportRun) -> bool:
    """Whether the work is done at once. So it is where the file cannot be read to that point: the work says why."""
    try:
        rows: Iterator[list[str]] = table_of(run).rows()
        return next(islice(rows, AT_ONCE, None), None) is None
    except Refused:
        return True


def _hand_over(run: ImportRun, step: str, *, by: User | None) -> ImportRun:
    """Leave the work to the worker; another mapping is another input and so another revision of the job."""
    wish = hashlib.sha256(json.dumps([run.mapping, str(uuid4())], sort_keys=True).encode()).hexdigest()
    run.state, run.message = State.WAITING, ""
    save_with_history(run, "state", "message", by=by, reason=step)
    job_run = jobs.expect(JOB, subject=str(run.pk), period=step, due_at=timezone.now(), input_hash=wish)
    jobs.follow(job_run, by=by, team=run.source.team)
    return run


def cancelled(job_run: JobRun, by: User | None, reason: str) -> None:
    """The work was stopped and has left nothing: the delivery is open again, as it was before it was handed over."""
    run = ImportRun.objects.select_for_update(of=("self",)).filter(pk=int(job_run.subject)).first()
    if run is None or run.state != State.WAITING:
        return
    run.state = State.CHECKED if run.counts else State.UPLOADED
    save_with_history(run, "state", by=by, reason=_("cancelled: %(why)s") % {"why": reason})


def _check(run: ImportRun, *, by: User | None) -> ImportRun:
    """The delivery in a savepoint that is rolled back: what remains are its counts."""
    table: Table | None = None
    try:
        with transaction.atomic():
            table = table_of(run)
            counts: dict[str, Any] = _take(run, mapping.read(run.mapping), table.header, table.rows(), by=by)
            counts |= {"first": _first_errors(run), "encoding": table.encoding}
            transaction.set_rollback(True)
    except Refused as refusal:
        return _fail(run, refusal, by=by)
    run.counts, run.state, run.message = counts, State.CHECKED, ""
    save_with_history(run, "counts", "state", "message", by=by, reason="checked")
    return run


def _store(run: ImportRun, *, by: User | None) -> ImportRun:
    try:
        with transaction.atomic():
            table = table_of(run)
            counts: dict[str, Any] = _take(run, mapping.read(run.mapping), table.header, table.rows(), by=by)
    except Refused as refusal:
        return _fail(run, refusal, by=by)
    run.counts = counts | {"encoding": table.encoding, "header": list(table.header)}
    run.state, run.message, run.finished_at = State.DONE, "", timezone.now()
    _drop_file(run)
    save_with_history(run, "counts", "state", "message", "finished_at", "file", by=by, reason="taken in")
    _remember(run, by=by)
    return run


@system_scope("the rows of a delivery are about whoever they name")
def _take(
    run: ImportRun, wanted: mapping.Mapping, header: Sequence[str], rows: Iterable[list[str]], *, by: User | None
) -> dict[str, Any]:
    return delivery.take(run, wanted, header, rows, today=timezone.now().date(), by=by).as_dict()


def _fail(run: ImportRun, refusal: Refused, *, by: User | None) -> ImportRun:
    run.state, run.message, run.counts = State.FAILED, str(refusal), {}
    save_with_history(run, "state", "message", "counts", by=by, reason=refusal.code)
    return run


def _first_errors(run: ImportRun) -> list[list[Any]]:
    rows = ImportRefusal.objects.filter(run=run).order_by("row_number", "pk")[:FIRST_ERRORS]
    return [[row.row_number, row.field, row.code, row.value] for row in rows]


def _remember(run: ImportRun, *, by: User | None) -> None:
    """The next file of this source starts from this mapping. The source is locked by the delivery already."""
    source = Source.objects.select_for_update(of=("self",)).get(pk=run.source_id)
    if source.mapping.get(run.layout) != run.mapping:
        source.mapping = {**source.mapping, run.layout: run.mapping}
        save_with_history(source, "mapping", by=by, reason="mapping of the last delivery")


def _open(run: ImportRun, *, encoding: str = "", delimiter: str = "") -> Table:
    """The delivery's file from a copy on this machine, which is gone when the table is."""
    copy = LocalCopy(run.file)
    table = open_table(copy.path, encoding=encoding, delimiter=delimiter)
    table.copy = copy
    return table


def _drop_file(run: ImportRun) -> None:
    """Delete the stored file, in the same transaction: what customers' data it held is kept no longer."""
    if run.file:
        run.file.delete(save=False)
    run.file = ""


def _shown_name(name: str | None) -> str:
    """What the sender called the file, for people only: never part of a path."""
    bare = (name or "").replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(sign for sign in bare if sign.isprintable())[:255]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
