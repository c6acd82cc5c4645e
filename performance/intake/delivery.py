"""One delivery from rows of text to stored facts: stage, type, keep the refused, lock the source, store the good.

Per line with a report: good rows go in, bad rows are refused and kept with their reason; sending the mended rows again adds
only what lacks. Everything happens in the caller's transaction, so a check without storing is the same code rolled back.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext as _

from performance.intake import customers, facts, outputs, staging, storing, zones
from performance.intake.layouts import SECRET
from performance.intake.mapping import Mapping
from performance.intake.rules import MARK, Typing, literal, order_check
from performance.models import ImportRun, Source
from teams import progress
from teams.errors import Refused
from teams.models import User
from teams.sealing import seal

# What tells rows of one file apart, per layout; of several rows alike the one of the highest version, then the last, counts.
KEYS = {
    "contacts": ("external_id",),
    "events": ("external_id",),
    "legs": ("contact_external", "agent_external", "started_at"),
    "states": ("agent_external", "started_at"),
    "intervals": ("queue_external", "started_at"),
}
STORES = {
    "contacts": storing.contacts, "events": storing.contacts, "legs": facts.legs, "states": facts.states,
    "intervals": facts.intervals,
}  # fmt: skip
TEMPORARY = (
    "intake_staged", "intake_typed", "intake_known", "intake_judged", "intake_touched", "intake_coming", "intake_held",
    "intake_merged", "intake_events",
)  # fmt: skip


PURPOSE = "customer telephone"  # what the seal of a number is bound to
NEXT_ID = "nextval('performance_contactkey_id_seq')"


@dataclass(frozen=True)
class Counts:
    """What came of a delivery. rows = refused + repeated + new + newer + same + older for contacts without event logs."""

    rows: int = 0
    refused: int = 0
    repeated: int = 0
    new: int = 0
    newer: int = 0
    same: int = 0
    older: int = 0
    waiting: int = 0  # name an agent or queue nobody has mapped
    without_team: int = 0  # the agent belonged to no team that day
    new_agents: int = 0
    new_queues: int = 0
    days: int = 0  # days whose figures the night makes anew

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


def take(
    run: ImportRun,
    mapping: Mapping,
    header: Sequence[str],
    rows: Iterable[list[str]],
    *,
    today: date,
    by: User | None,
) -> Counts:
    """Take the rows in. Raises Refused where the file as a whole cannot be right; then nothing is stored."""
    source = run.source
    lacking = mapping.lacking(header)
    if lacking:
        raise Refused(
            "missing_column",
            _("The file has no column “%(name)s”. Its columns are: %(names)s.")
            % {"name": lacking[0], "names": ", ".join(header)[:500]},
        )
    with connection.cursor() as cursor:
        _clean(cursor)
        # A delivery is one long statement after another: room to sort and hash, and no plan compiled for each.
        cursor.execute("SET LOCAL work_mem = '96MB'; SET LOCAL jit = off")
        sealing = _sealing(mapping, header, source)
        count = staging.stage(
            cursor,
            _called(mapping, header),
            progress.counted(rows, progress.Step.READING, run.counts.get("rows")),
            _secrets(mapping, header, source),
            first=1 if run.door == "rest" else 2,
            sealing=sealing,
        )
        progress.at(progress.Step.JUDGING, 0, count)
        places = {name: f"c{number}" for number, name in enumerate(header)}
        _check_orders(cursor, mapping, places)
        _type(cursor, mapping, places, source, today, is_sealed=sealing is not None)
        progress.safe_point()
        refused = _keep_refused(cursor, mapping, run, len(header))
        Source.objects.select_for_update(of=("self",)).get(pk=source.pk)
        progress.at(progress.Step.STORING, 0, count - refused)
        repeated = 0
        if mapping.layout.name == "events":
            _fold_events(cursor, mapping, source)
        else:
            repeated = _drop_repeated(cursor, KEYS[mapping.layout.name], "version_at" if mapping["updated_at"] else "")
        counts = STORES[mapping.layout.name](cursor, source, run, by=by)
        if sealing is not None:
            cursor.execute(KEEP_NUMBERS.format(source=int(source.pk)))
        _clean(cursor)
    return Counts(rows=count, refused=refused, repeated=repeated, **counts)


KEEP_NUMBERS = """
INSERT INTO performance_contactsecret (contact_id, source_id, sealed, kept_at)
SELECT id, {source}, sealed, clock_timestamp() FROM intake_typed WHERE sealed <> '' AND phone_mask <> ''
ON CONFLICT (contact_id) DO UPDATE SET sealed = excluded.sealed, kept_at = excluded.kept_at
"""


def _sealing(mapping: Mapping, header: Sequence[str], source: Source) -> Any:
    """What seals the telephone of a row, for contacts of a source that keeps numbers; else None."""
    if not source.keeps_phones or mapping.layout.name != "contacts":
        return None
    columns = [
        column for each in mapping.fields if each.field.name == "phone" for r in each.rules for column in r.columns
    ]
    if not columns:
        return None
    return customers.sealer([header.index(column) for column in columns], lambda number: seal(number, PURPOSE))


def _clean(cursor: Any) -> None:
    cursor.execute("DROP TABLE IF EXISTS " + ", ".join(f"pg_temp.{name}" for name in TEMPORARY))


def _called(mapping: Mapping, header: Sequence[str]) -> list[str]:
    """What a refusal calls each column: the field it is mapped to, or by its own name."""
    fields = {
        rule.columns[0]: each.field.name for each in reversed(mapping.fields) for rule in each.rules if rule.columns
    }
    return [fields.get(name, name)[:60] for name in header]


def _secrets(mapping: Mapping, header: Sequence[str], source: Source) -> list[tuple[int, Any]]:
    """Which cells are replaced on the way to PostgreSQL, and how. A telephone that is the customer too is a telephone."""
    customer, phone = customers.keyer(customers.derive_key(settings.SECRET_KEY), source.code)
    found: dict[int, Any] = {}
    for each in mapping.fields:
        if each.field.kind not in SECRET:
            continue
        for rule in each.rules:
            for column in rule.columns:
                place = header.index(column)
                keyed = phone if each.field.name == "phone" else customer
                if place not in found or each.field.name == "phone":
                    found[place] = _unless_empty(rule.empty, keyed) if rule.empty else keyed
    return sorted(found.items())


def _unless_empty(words: tuple[str, ...], keyed: Any) -> Any:
    return lambda cell: "" if cell.strip() in words else keyed(cell)


def _check_orders(cursor: Any, mapping: Mapping, places: dict[str, str]) -> None:
    """A column of dates that reads only day first here and only month first there is refused as a whole, by name."""
    for field, form, column, statement in order_check(mapping, places):
        cursor.execute(statement)
        fits, other, first = cursor.fetchone()
        if other:
            told = {"column": column, "field": field, "row": first, "other": other, "fits": fits}
            if fits:
                sentence = _(
                    "Column “%(column)s” mixes date orders: %(fits)d rows read only one way, %(other)d only the other way, "
                    "first in row %(row)d. Write the dates as year-month-day and send the file again."
                )
            elif form == "dmy":
                sentence = _("Column “%(column)s” reads month/day/year (row %(row)d), but day/month/year is mapped.")
            else:
                sentence = _("Column “%(column)s” reads day/month/year (row %(row)d), but month/day/year is mapped.")
            raise Refused("mixed_dates", sentence % told)


def _type(
    cursor: Any, mapping: Mapping, places: dict[str, str], source: Source, today: date, *, is_sealed: bool
) -> None:
    zone = mapping.zone or source.zone
    gaps, overlaps = ("{}", "{}") if zone == "UTC" else zones.unclear_times(cursor, zone, today.year + 1)
    typing = Typing(mapping, places, zone=zone, today=today, gaps=gaps, overlaps=overlaps)
    wanted = outputs.OUTPUTS[mapping.layout.name](typing, mapping, source)
    if mapping.layout.name == "contacts":
        wanted["id"] = NEXT_ID
    if is_sealed:
        typing.layers[0].append("s.sealed")
        wanted["sealed"] = "sealed"
    cursor.execute(f"CREATE TEMPORARY TABLE intake_typed ON COMMIT DROP AS {typing.statement(wanted)}")


REFUSALS = """
INSERT INTO performance_importrefusal (run_id, row_number, field, code, value, raw)
SELECT {run}, t.n, split_part(p.problem, {mark}, 1), split_part(p.problem, {mark}, 2), split_part(p.problem, {mark}, 3),
       coalesce(s.raw::jsonb, to_jsonb(ARRAY[{cells}]::text[]))
FROM intake_typed t JOIN intake_staged s USING (n), unnest(t.problems) WITH ORDINALITY p(problem, place)
WHERE t.problems <> '{{}}' ORDER BY t.n, p.place
"""
HALF_REFUSED_CASES = """
UPDATE intake_typed t SET problems = ARRAY[{problem}] WHERE problems = '{{}}'
AND EXISTS (SELECT FROM intake_typed b WHERE b.problems <> '{{}}' AND b.external_id = t.external_id)
"""


def _keep_refused(cursor: Any, mapping: Mapping, run: ImportRun, width: int) -> int:
    """Write down the refused rows and take them out of the typed ones; returns how many rows."""
    cursor.execute("SELECT EXISTS (SELECT FROM intake_typed WHERE problems <> '{}')")
    if not cursor.fetchone()[0]:
        return 0
    if mapping.layout.name == "events":  # a case of which one event is bad would come out wrong
        cursor.execute(HALF_REFUSED_CASES.format(problem=literal("external_id\x1fcase_has_bad_row\x1f")))
    cells = ", ".join(f"coalesce(s.c{number}, '')" for number in range(width))
    cursor.execute(REFUSALS.format(run=int(run.pk), mark=MARK, cells=cells))
    cursor.execute("DELETE FROM intake_typed WHERE problems <> '{}'")
    return cursor.rowcount


REPEATED = """
DELETE FROM intake_typed t USING (
    SELECT n, row_number() OVER (PARTITION BY {keys} ORDER BY {version} n DESC) AS place FROM intake_typed
    WHERE ({keys}) IN (SELECT {keys} FROM intake_typed GROUP BY {keys} HAVING count(*) > 1)
) d WHERE d.n = t.n AND d.place > 1
"""


def _drop_repeated(cursor: Any, keys: Sequence[str], version: str) -> int:
    """Of rows that tell of the same thing, keep the one that counts; returns how many were dropped."""
    listed = ", ".join(keys)
    cursor.execute(f"SELECT EXISTS (SELECT FROM intake_typed GROUP BY {listed} HAVING count(*) > 1)")
    if not cursor.fetchone()[0]:
        return 0
    order = f"{version} DESC NULLS LAST," if version else ""
    cursor.execute(REPEATED.format(keys=listed, version=order))
    return cursor.rowcount


def _fold_events(cursor: Any, mapping: Mapping, source: Source) -> None:
    closing = ", ".join(literal(word) for word in mapping.closing) or "NULL"
    folded = outputs.FOLDED.format(closing=closing)
    cases = outputs.CASES.format(channel=source.channel, folded=folded)
    cursor.execute(
        f"CREATE TEMPORARY TABLE intake_events ON COMMIT DROP AS SELECT c.*, {NEXT_ID} AS id FROM ({cases}) c"
    )
    cursor.execute("DROP TABLE intake_typed; ALTER TABLE intake_events RENAME TO intake_typed")
