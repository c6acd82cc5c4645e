"""Text to typed values, as one SQL statement over the staged rows: a value or a refusal for each field of each row.

The statement is layered (OFFSET 0 keeps PostgreSQL from folding the layers and computing things twice):
text of each field, shape of each moment, local times, instants, values and problems. No row can make it fail: whatever
is cast has been matched with a pattern first.
"""

from collections.abc import Sequence
from datetime import date

from psycopg.sql import Literal

from performance.intake.layouts import Kind
from performance.intake.mapping import FieldMap, Mapping, Rule

FIRST_YEAR = 1990
BLANKS = r"E' \t\r\n\u00a0\u3000\ufeff'"
MARK = r"E'\x1f'"  # parts field, code and value of a problem
YES = ("true", "t", "yes", "y", "1", "on", "是", "有", "ja", "oui", "si", "sí")
NO = ("false", "f", "no", "n", "0", "off", "否", "无", "nein", "non")
CLOCK = (
    r"(?:(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:[.,]\d{1,6})?)?|(?:0?[1-9]|1[0-2]):[0-5]\d(?::[0-5]\d)? ?[AaPp][Mm])"
)
OFFSET = r"(?:Z|[+-](?:0\d|1[0-3])(?::?[0-5]\d)?)"
ROLL = "interval '12 hours'"  # a moment so much before its anchor, on the same date, lies after midnight


def literal(value: str) -> str:
    """`value` as an SQL text constant."""
    return Literal(value).as_string(None)


def _list(values: Sequence[str]) -> str:
    return ", ".join(literal(value) for value in values)


class Typing:
    """Builds the statement. `places` tells which staged column holds which of the file's columns.

    `gaps` and `overlaps` are the zone's local times that do not exist or exist twice, as text of a tsmultirange.
    """

    def __init__(
        self, mapping: Mapping, places: dict[str, str], *, zone: str, today: date, gaps: str, overlaps: str
    ) -> None:
        self.mapping, self.places, self.zone = mapping, places, zone
        self.last_year = today.year + 1
        self.gaps, self.overlaps = gaps, overlaps
        self.layers: list[list[str]] = [[] for _layer in range(7)]
        self.problems: list[str] = []
        self.mapped = {each.field.name: each for each in mapping.fields}
        for each in mapping.fields:
            self._text(each)
        for each in mapping.fields:
            self._typed(each)

    # -- what callers use ----------------------------------------------------------------------------------------------

    def value(self, name: str, otherwise: str) -> str:
        """The typed value of a field, or `otherwise` (SQL) where the mapping has none."""
        return f"v_{name}" if name in self.mapped else otherwise

    def given(self, name: str, otherwise: str) -> str:
        """The typed value of a field, with `otherwise` also where the row has none."""
        return f"coalesce(v_{name}, {otherwise})" if name in self.mapped else otherwise

    def refuse(self, field: str, code: str, condition: str) -> None:
        """A problem of the row as a whole, told at `field`."""
        self.problems.append(self._problem(field, code, condition))

    def statement(self, outputs: dict[str, str]) -> str:
        """SELECT of n, problems and `outputs` (name to SQL over the values v_...)."""
        source = "SELECT s.n, s.spoilt, " + ", ".join(self.layers[0]) + " FROM intake_staged s OFFSET 0"
        for layer in self.layers[1:]:
            if layer:
                source = f"SELECT p.*, {', '.join(layer)} FROM ({source}) p OFFSET 0"
        spoilt = f"CASE WHEN spoilt IS NOT NULL THEN spoilt || {MARK} END"
        problems = (
            f"CASE WHEN spoilt IS NOT NULL THEN ARRAY[{spoilt}] "
            f"ELSE array_remove(ARRAY[{', '.join(self.problems) or 'NULL'}]::text[], NULL) END"
        )
        columns = ", ".join(f"{sql} AS {name}" for name, sql in outputs.items())
        return f"SELECT n, {problems} AS problems, {columns} FROM ({source}) p"

    # -- texts ---------------------------------------------------------------------------------------------------------

    def _cell(self, column: str) -> str:
        return f"nullif(btrim(s.{self.places[column]}, {BLANKS}), '')"

    def _text(self, each: FieldMap) -> None:
        cases = [(self._condition(rule), self._rule(rule)) for rule in each.rules]
        if len(cases) == 1 and not cases[0][0]:
            text = cases[0][1]
        else:
            text = "CASE " + " ".join(f"WHEN {when or 'true'} THEN {then}" for when, then in cases) + " END"
        self.layers[0].append(f"{text} AS f_{each.field.name}")
        if any(rule.add for rule in each.rules):
            chosen = " ".join(
                f"WHEN {self._condition(rule) or 'true'} THEN {number if rule.add else 0}"
                for number, rule in enumerate(each.rules, start=1)
            )
            self.layers[0].append(f"CASE {chosen} ELSE 0 END AS sum_{each.field.name}")

    def _condition(self, rule: Rule) -> str:
        parts = [f"coalesce({self._cell(column)}, '') IN ({_list(words)})" for column, words in rule.when]
        if rule.unless:
            parts.append(
                "NOT ("
                + " AND ".join(
                    f"coalesce({self._cell(column)}, '') IN ({_list(words)})" for column, words in rule.unless
                )
                + ")"
            )
        return " AND ".join(parts)

    def _rule(self, rule: Rule) -> str:
        if rule.add:
            return "NULL::text"
        if rule.value is not None:
            return f"nullif({literal(rule.value)}, '')"
        text = f" || {literal(rule.join)} || ".join(self._cell(column) for column in rule.columns)
        if rule.empty:
            text = f"CASE WHEN {text} IN ({_list(rule.empty)}) THEN NULL ELSE {text} END"
        if rule.values:
            known = " ".join(f"WHEN {literal(word)} THEN {literal(to)}" for word, to in rule.values if word != "*")
            rest = next((literal(to) for word, to in rule.values if word == "*"), text)
            rest = f"CASE WHEN {text} IS NULL THEN NULL ELSE {rest} END"
            text = f"nullif(CASE {text} {known} ELSE {rest} END, '')" if known else rest
        return text

    # -- values --------------------------------------------------------------------------------------------------------

    def _problem(self, field: str, code: str, condition: str) -> str:
        value = f"left(coalesce(f_{field}, ''), 200)" if field in self.mapped else "''"
        code_sql = code if code.startswith("bad_") else literal(code)
        mark = literal(field + "\x1f")
        return f"CASE WHEN {condition} THEN {mark} || {code_sql} || {MARK} || {value} END"

    def _typed(self, each: FieldMap) -> None:
        name, text = each.field.name, f"f_{each.field.name}"
        bad = ""
        match each.field.kind:
            case Kind.TEXT:
                value = text
                bad = f"length({text}) > {each.field.most}"
                self.problems.append(self._problem(name, "too_long", bad))
            case Kind.CHOICE:
                value = f"lower({text})"
                self.problems.append(
                    self._problem(name, "unknown_choice", f"lower({text}) NOT IN ({_list(each.field.choices)})")
                )
            case Kind.SWITCH:
                value = (
                    f"CASE {text} WHEN 'Y' THEN true WHEN 'N' THEN false WHEN 'true' THEN true WHEN 'false' THEN false "
                    f"ELSE CASE WHEN {text} IS NULL THEN NULL WHEN lower({text}) IN ({_list(YES)}) THEN true "
                    f"WHEN lower({text}) IN ({_list(NO)}) THEN false END END"
                )
                self.problems.append(self._problem(name, "not_yes_or_no", f"{text} IS NOT NULL AND v_{name} IS NULL"))
            case Kind.COUNT:
                whole = f"{text} ~ '^\\d{{1,10}}$' AND {text}::bigint <= {each.field.most}"
                value = f"CASE WHEN {whole} THEN {text}::bigint::integer END"
                self.problems.append(self._problem(name, "not_a_count", f"{text} IS NOT NULL AND v_{name} IS NULL"))
            case Kind.SECONDS:
                value = self._seconds(text, each.format)
                self.problems.append(self._problem(name, "not_a_duration", f"{text} IS NOT NULL AND v_{name} IS NULL"))
            case Kind.RATING:
                value = (
                    f"CASE WHEN {text} ~ '^\\d{{1,4}}([.,]\\d{{1,2}})?$' AND replace({text}, ',', '.')::numeric BETWEEN "
                    f"{each.lowest} AND {each.scale} THEN replace({text}, ',', '.')::numeric END"
                )
                self.problems.append(self._problem(name, "not_a_rating", f"{text} IS NOT NULL AND v_{name} IS NULL"))
            case Kind.CUSTOMER:
                value = f"CASE WHEN {text} LIKE 'keyed:%' THEN substr({text}, 7, 32) END"
            case Kind.PHONE:
                value = f"CASE WHEN {text} LIKE 'keyed:%' THEN substr({text}, 40, 32) END"
                self.layers[1].append(f"CASE WHEN {text} LIKE 'keyed:%' THEN substr({text}, 7, 32) END AS v_phone_key")
            case Kind.MOMENT:
                self._moment(each)
                value = ""
        if value:
            self.layers[1].append(f"{value} AS v_{name}")
        if each.field.is_required:
            sums = f" AND sum_{name} = 0" if any(rule.add for rule in each.rules) else ""
            self.problems.append(self._problem(name, "missing", f"{text} IS NULL{sums}"))

    def _seconds(self, text: str, form: str) -> str:
        unit = {"minutes": 60, "hours": 3600}.get(form, 1)
        number = f"WHEN {text} ~ '^\\d{{1,9}}$' THEN {text}::bigint * {unit}"
        fraction = f"WHEN {text} ~ '^\\d{{1,9}}[.,]\\d{{1,6}}$' THEN round(replace({text}, ',', '.')::numeric * {unit})::bigint"
        part = "split_part({}, ':', {})::integer"
        one, two, three = (part.format(text, place) for place in (1, 2, 3))
        three_parts = (
            f"WHEN {text} ~ '^\\d{{1,5}}:[0-5]\\d:[0-5]\\d$' THEN ({one} * 3600 + {two} * 60 + {three})::bigint"
        )
        first = {"hh:mm": f"{one} * 3600 + {two} * 60", "mm:ss": f"{one} * 60 + {two}"}.get(form, "")
        two_parts = f"WHEN {text} ~ '^\\d{{1,5}}:[0-5]\\d$' THEN ({first})::bigint" if first else ""
        inner = f"CASE {number} {fraction} {three_parts} {two_parts} END"
        quick = f"WHEN {text} ~ '^\\d{{1,9}}$' THEN {text}::integer" if unit == 1 else ""
        odd = f"(SELECT CASE WHEN d.s <= 2147483647 THEN d.s::integer END FROM (SELECT {inner} AS s OFFSET 0) d)"
        return f"CASE {quick} WHEN {text} IS NOT NULL THEN {odd} END"

    # -- moments -------------------------------------------------------------------------------------------------------

    def _moment(self, each: FieldMap) -> None:
        """The common ISO shapes are cast as they are; all else (also 29 February) is taken apart, row by row."""
        name, text = each.field.name, f"f_{each.field.name}"
        _texts, shapes, slow, owns, *_rest = self.layers
        shape = f"translate(left({text}, 19), '012345678', '999999999')"
        month, day = f"substr({text}, 6, 2)", f"substr({text}, 9, 2)"
        sound = (
            f"{text} >= '{FIRST_YEAR}' COLLATE \"C\" AND {text} < '{self.last_year + 1}' COLLATE \"C\" "
            f"AND {month} >= '01' COLLATE \"C\" AND {month} <= '12' COLLATE \"C\" AND {day} >= '01' COLLATE \"C\" "
            f"AND ({day} <= '28' COLLATE \"C\" OR {month} <> '02' AND {day} <= '30' COLLATE \"C\" "
            f"OR {day} = '31' AND {month} IN ('01', '03', '05', '07', '08', '10', '12')) "
            f"AND substr({text}, 12, 2) <= '23' COLLATE \"C\" AND substr({text}, 15, 1) <= '5' COLLATE \"C\" "
            f"AND substr({text}, 18, 1) <= '5' COLLATE \"C\""
        )
        shapes.append(
            f"CASE WHEN {shape} IN ('9999-99-99 99:99:99', '9999-99-99T99:99:99', '9999-99-99 99:99', '9999-99-99T99:99') "
            f"AND {sound} THEN CASE WHEN length({text}) <= 19 THEN 1 "
            f"WHEN substr({text}, 20) = 'Z' OR substr({text}, 20) ~ '^{OFFSET}$' THEN 2 ELSE 0 END ELSE 0 END AS fast_{name}"
        )
        slow.append(
            f"CASE WHEN fast_{name} = 0 AND {text} IS NOT NULL THEN {self._apart(name, text, each.format)} END AS slow_{name}"
        )
        owns.append(
            f"CASE WHEN fast_{name} = 1 THEN {text}::timestamp ELSE slow_{name}[1]::timestamp END AS own_{name}"
        )
        self._instant(each, name, text)

    def _apart(self, name: str, text: str, form: str) -> str:
        """SQL of an array for one odd text: its local time, its offset or '', or what is wrong with it."""
        day, rest, offset, clock = self._parts(name, text, form)
        y, m, d = (f"substr(day_{name}, {at}, {long})::integer" for at, long in ((1, 4), (6, 2), (9, 2)))
        longest = (
            f"CASE WHEN {m} IN (4, 6, 9, 11) THEN 30 WHEN {m} <> 2 THEN 31 "
            f"WHEN {y} % 4 = 0 AND ({y} % 100 <> 0 OR {y} % 400 = 0) THEN 29 ELSE 28 END"
        )
        wrong = (
            f"CASE WHEN day_{name} = '' THEN 'two_digit_year' "
            f"WHEN day_{name} IS NULL OR clock_{name} IS NULL THEN 'not_a_moment' "
            f"WHEN {y} NOT BETWEEN {FIRST_YEAR} AND {self.last_year} THEN 'year' "
            f"WHEN {m} NOT BETWEEN 1 AND 12 OR {d} NOT BETWEEN 1 AND ({longest}) THEN 'no_such_day' END"
        )
        source = f"SELECT {day} AS day_{name}, {rest} AS rest_{name} OFFSET 0"
        source = f"SELECT a.*, {offset} AS told_{name} FROM ({source}) a OFFSET 0"
        source = f"SELECT b.*, {clock} AS clock_{name} FROM ({source}) b OFFSET 0"
        source = f"SELECT c.*, {wrong} AS wrong_{name} FROM ({source}) c OFFSET 0"
        return (
            f"(SELECT ARRAY[CASE WHEN wrong_{name} IS NULL THEN day_{name} || ' ' || clock_{name} END, "
            f"CASE told_{name} WHEN 'Z' THEN '+00:00' ELSE told_{name} END, wrong_{name}] FROM ({source}) d)"
        )

    def _instant(self, each: FieldMap, name: str, text: str) -> None:
        """From local time to instant: midnight passed, clocks changed, seconds added."""
        anchor = self._anchor(name)
        sums = [(number, rule.add) for number, rule in enumerate(each.rules, start=1) if rule.add]
        local, zone = f"own_{name}", literal(self.zone)
        if each.after:
            local = f"CASE WHEN {local} < own_{each.after} - {ROLL} THEN {local} + interval '1 day' ELSE {local} END"
        if self.zone == "UTC":
            at = f"({local}) AT TIME ZONE 'UTC'"
        else:
            before = "(t.late - interval '3 hours')"
            early = f"(t.own - ({before} AT TIME ZONE {zone} - {before} AT TIME ZONE 'UTC')) AT TIME ZONE 'UTC'"
            kept = f"CASE WHEN {early} < {anchor} THEN t.late ELSE {early} END" if anchor else early
            at = (
                f"CASE WHEN ({local}) <@ {literal(self.gaps)}::tsmultirange THEN NULL "
                f"WHEN ({local}) <@ {literal(self.overlaps)}::tsmultirange THEN (SELECT {kept} FROM "
                f"(SELECT l.own, l.own AT TIME ZONE {zone} AS late FROM (SELECT {local} AS own OFFSET 0) l OFFSET 0) t) "
                f"ELSE ({local}) AT TIME ZONE {zone} END"
            )
        told = f"(own_{name} AT TIME ZONE 'UTC') - slow_{name}[2]::interval"
        value = (
            f"CASE WHEN fast_{name} = 2 THEN {text}::timestamptz WHEN slow_{name}[2] <> '' THEN {told} ELSE {at} END"
        )
        final = f"i_{name}" if sums else f"v_{name}"
        self.layers[5 if anchor and self.zone != "UTC" else 4].append(f"{value} AS {final}")
        self.problems.append(
            f"CASE WHEN slow_{name}[3] IS NOT NULL THEN {literal(name + chr(31))} || slow_{name}[3] || {MARK} "
            f"|| left({text}, 200) END"
        )
        self.problems.append(self._problem(name, "no_such_time", f"own_{name} IS NOT NULL AND {final} IS NULL"))
        if sums:
            cases = " ".join(
                f"WHEN {number} THEN v_{first} + make_interval(secs => {' + '.join(f'coalesce(v_{x}, 0)' for x in more) or 0})"
                for number, (first, *more) in sums
            )
            self.layers[6].append(f"CASE sum_{name} {cases} ELSE i_{name} END AS v_{name}")

    def _anchor(self, name: str) -> str:
        """The moment this one cannot precede: an ambiguous local time is then the second occurrence."""
        starts = self.mapping.layout.starts
        is_free = name in (starts, "updated_at", "shift_started_at") or starts not in self.mapped
        return "" if is_free else f"v_{starts}"

    def _parts(self, name: str, text: str, form: str) -> tuple[str, str, str, str]:
        """SQL of day (YYYY-MM-DD), the rest of the text, its offset or '', its clock time; NULL where no shape fits.

        ISO dates are taken whatever the format, for they mean one thing only. A day of '' has two digits for a year
        and nothing that says which hundred years.
        """
        if form in ("epoch", "epoch_ms"):
            short = r"^\d{9,10}(?:[.,]\d{1,6})?$" if form == "epoch" else r"^\d{12,13}$"
            scale = "" if form == "epoch" else " / 1000"
            moment = f"to_timestamp(replace({text}, ',', '.')::double precision{scale}) AT TIME ZONE 'UTC'"
            day = f"CASE WHEN {text} ~ '{short}' THEN to_char({moment}, 'YYYY-MM-DD') END"
            rest = f"CASE WHEN {text} ~ '{short}' THEN to_char({moment}, 'HH24:MI:SS') END"
            return day, rest, "'+00:00'", f"rest_{name}"
        iso = rf"{text} ~ '^\d{{4}}-\d\d-\d\d(?:[T ]|$)'"
        day = f"CASE WHEN {iso} THEN left({text}, 10) {self._day(text, form)} END"
        token = f"split_part({text}, ' ', 1)"
        rest = f"CASE WHEN {iso} THEN substr({text}, 12) ELSE ltrim(substr({text}, length({token}) + 1)) END"
        ends = " ".join(
            f"WHEN left(right(rest_{name}, {long}), 1) IN ('+', '-') THEN right(rest_{name}, {long})"
            for long in (6, 5, 3)
        )
        offset = f"CASE WHEN right(rest_{name}, 1) = 'Z' THEN 'Z' {ends} ELSE '' END"
        bare = f"rtrim(left(rest_{name}, length(rest_{name}) - length(told_{name})))"
        clock = (
            f"CASE WHEN rest_{name} = '' THEN '00:00' WHEN {bare} ~ '^{CLOCK}$' "
            f"AND (told_{name} = '' OR told_{name} ~ '^{OFFSET}$') THEN replace({bare}, ',', '.') END"
        )
        return day, rest, offset, clock

    def _day(self, text: str, form: str) -> str:
        """Further WHEN branches for a named format."""
        token = f"split_part({text}, ' ', 1)"
        since = self.mapping.years_from
        if form in ("yymmdd", "ddmmyy", "mmddyy", "yyyymmdd"):
            order = form.replace("yyyy", "Y").replace("yy", "y").replace("mm", "m").replace("dd", "d")
            places, start = {}, 1
            for letter in order:
                long = 4 if letter == "Y" else 2
                places[letter.lower()] = f"substr({token}, {start}, {long})"
                start += long
            digits = start - 1
            year = places["y"] if "Y" in order else self._full_year(places["y"], since)
            return f"WHEN {token} ~ '^\\d{{{digits}}}$' THEN {year} || '-' || {places['m']} || '-' || {places['d']}"
        if form in ("ymd", "dmy", "mdy"):
            even = f"rtrim(translate({token}, '/.年月', '----'), '日')"
            y, m, d = (f"split_part({even}, '-', {form.index(letter) + 1})" for letter in "ymd")
            small = f"lpad({m}, 2, '0') || '-' || lpad({d}, 2, '0')"
            four, two = (
                "^" + "-".join(rf"\d{{{long}}}" if letter == "y" else r"\d{1,2}" for letter in form) + "$"
                for long in (4, 2)
            )
            short = f"{self._full_year(y, since)} || '-' || {small}" if since is not None else "''"
            return f"WHEN {even} ~ '{four}' THEN {y} || '-' || {small} WHEN {even} ~ '{two}' THEN {short}"
        return ""

    @staticmethod
    def _full_year(two: str, since: int | None) -> str:
        since = since if since is not None else FIRST_YEAR
        return f"({since} + ({two}::integer - {since % 100} + 100) % 100)::text"


def order_check(mapping: Mapping, places: dict[str, str]) -> list[tuple[str, str, str, str]]:
    """Per column of a day/month/year or month/day/year moment: (field, format, column, SQL of the order it fits only in).

    The SQL counts rows that fit only the named order, rows that fit only the other one, and gives the first such row.
    """
    checks = []
    for each in mapping.fields:
        if each.format not in ("dmy", "mdy"):
            continue
        for rule in each.rules:
            for column in rule.columns[:1]:
                even = f"translate(split_part(btrim({places[column]}, {BLANKS}), ' ', 1), '/.', '--')"
                one, two = f"split_part({even}, '-', 1)::integer", f"split_part({even}, '-', 2)::integer"
                day, month = (one, two) if each.format == "dmy" else (two, one)
                checks.append((
                    each.field.name, each.format, column,
                    f"SELECT count(*) FILTER (WHERE {day} BETWEEN 13 AND 31 AND {month} <= 12), "
                    f"count(*) FILTER (WHERE {month} BETWEEN 13 AND 31 AND {day} <= 12), "
                    f"min(n) FILTER (WHERE {month} BETWEEN 13 AND 31 AND {day} <= 12) "
                    rf"FROM intake_staged WHERE {even} ~ '^\d{{1,2}}-\d{{1,2}}-(\d\d|\d{{4}})$'",
                ))  # fmt: skip
    return checks
