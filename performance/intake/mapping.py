"""What a source's columns mean. A mapping is JSON; docs/intake.md describes it. It is checked here, with sentences.

{"layout": "contacts", "zone": "Asia/Shanghai", "years_from": 1970, "closing": ["6"],
 "fields": {"opened_at": {"columns": ["date", "time"], "format": "dmy"},
            "ended_at": [{"when": {"outcome": ["AGENT"]}, "columns": ["date", "exit"], "after": "opened_at"},
                         {"add": ["opened_at", "wait_seconds"]}]}}
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from performance.intake.decoding import DELIMITERS, ENCODINGS
from performance.intake.layouts import LAYOUTS, Field, Kind, Layout
from teams.clock import zone_names
from teams.errors import Refused

DAY_FORMATS = ("iso", "ymd", "dmy", "mdy", "yymmdd", "ddmmyy", "mmddyy", "yyyymmdd")
MOMENT_FORMATS = (*DAY_FORMATS, "epoch", "epoch_ms")
SECONDS_FORMATS = ("seconds", "minutes", "hours", "hh:mm", "mm:ss")
KEYS = {
    "column", "columns", "join", "value", "add", "format", "values", "empty", "when", "unless", "after", "scale", "lowest",
}  # fmt: skip
MOST_RULES = 10


@dataclass(frozen=True)
class Rule:
    """Where one field's text comes from: columns joined, a constant, or a moment plus seconds; and when it applies."""

    columns: tuple[str, ...] = ()
    join: str = " "
    value: str | None = None
    add: tuple[str, ...] = ()
    values: tuple[tuple[str, str], ...] = ()
    empty: tuple[str, ...] = ()
    when: tuple[tuple[str, tuple[str, ...]], ...] = ()
    unless: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def named_columns(self) -> tuple[str, ...]:
        return self.columns + tuple(name for name, _values in self.when + self.unless)


@dataclass(frozen=True)
class FieldMap:
    """The rules of one field; the first that applies decides. `after` names a moment it cannot precede on the same date."""

    field: Field
    rules: tuple[Rule, ...]
    format: str = ""
    after: str = ""
    scale: int = 5
    lowest: int = 1


@dataclass(frozen=True)
class Mapping:
    layout: Layout
    fields: tuple[FieldMap, ...]
    zone: str = ""
    encoding: str = ""
    delimiter: str = ""
    years_from: int | None = None  # two-digit years lie in the hundred years from here
    closing: tuple[str, ...] = ()  # activities of an event log that close a case
    as_given: dict[str, Any] = field(default_factory=dict, compare=False)

    def __getitem__(self, name: str) -> FieldMap | None:
        return next((each for each in self.fields if each.field.name == name), None)

    def columns(self) -> set[str]:
        return {name for each in self.fields for rule in each.rules for name in rule.named_columns()}

    def lacking(self, header: Sequence[str]) -> list[str]:
        """Columns the mapping speaks of that the file does not have."""
        return sorted(self.columns() - set(header))


def bad(sentence: str, **details: Any) -> Refused:
    return Refused("bad_mapping", sentence % details if details else sentence)


def read(data: Any) -> Mapping:
    """The mapping that `data` (parsed JSON) describes. Raises Refused `bad_mapping` with a sentence."""
    if not isinstance(data, dict):
        raise bad(_("A mapping is an object with “layout” and “fields”."))
    layout = LAYOUTS.get(str(data.get("layout")))
    if layout is None:
        raise bad(_("“layout” must be one of %(names)s."), names=", ".join(LAYOUTS))
    unknown = set(data) - {"layout", "fields", "zone", "encoding", "delimiter", "years_from", "closing", "note"}
    if unknown:
        raise bad(_("The mapping does not know “%(name)s”."), name=min(unknown))
    fields = data.get("fields")
    if not isinstance(fields, dict) or not fields:
        raise bad(_("“fields” must name at least one field of the layout."))
    for name, choices in (("zone", zone_names()), ("encoding", ENCODINGS), ("delimiter", DELIMITERS)):
        if data.get(name) and data[name] not in choices:
            raise bad(_("“%(name)s” cannot be “%(value)s”."), name=name, value=str(data[name])[:60])
    years_from = data.get("years_from")
    if years_from is not None and not (type(years_from) is int and 1900 <= years_from <= 2100):
        raise bad(_("“years_from” must be a year between 1900 and 2100."))
    closing = _texts(data.get("closing", []), "closing")
    mapped = tuple(_field(layout, name, given) for name, given in fields.items())
    mapping = Mapping(
        layout, mapped, data.get("zone") or "", data.get("encoding") or "", data.get("delimiter") or "",
        years_from, closing, data,
    )  # fmt: skip
    _check_whole(mapping)
    return mapping


def _check_whole(mapping: Mapping) -> None:
    names = {each.field.name for each in mapping.fields}
    for wanted in mapping.layout.fields:
        if wanted.is_required and wanted.name not in names:
            raise bad(_("The field “%(field)s” is required and no column is named for it."), field=wanted.name)
    for each in mapping.fields:
        if each.after and (each.after not in names or mapping.layout[each.after].kind != Kind.MOMENT):
            raise bad(_("%(field)s: “after” must name another moment that is mapped."), field=each.field.name)
        other = mapping[each.after] if each.after else None
        if other and (other.after or any(rule.add for rule in other.rules)):
            raise bad(_("%(field)s: “after” must name a moment that stands for itself."), field=each.field.name)
        for rule in each.rules:
            for name in rule.add:
                kind = mapping.layout[name].kind if name in names else None
                first = name == rule.add[0]
                if kind != (Kind.MOMENT if first else Kind.SECONDS) or name == each.field.name:
                    raise bad(
                        _("%(field)s: “add” must name a mapped moment and then mapped durations."),
                        field=each.field.name,
                    )
            moment = mapping[rule.add[0]] if rule.add else None
            if moment and any(inner.add for inner in moment.rules):
                raise bad(_("%(field)s: “add” cannot start from a sum."), field=each.field.name)
    if mapping.closing and mapping.layout.name != "events":
        raise bad(_("“closing” belongs to event logs."))


def _field(layout: Layout, name: str, given: Any) -> FieldMap:
    if name not in layout.names():
        raise bad(_("“%(field)s” is not a field of %(layout)s."), field=str(name)[:60], layout=layout.name)
    wanted = layout[name]
    if isinstance(given, str):
        given = {"column": given}
    rules = given if isinstance(given, list) else [given]
    if not rules or len(rules) > MOST_RULES or not all(isinstance(rule, dict) for rule in rules):
        raise bad(_("%(field)s: name a column, or a list of up to %(most)d rules."), field=name, most=MOST_RULES)
    shared: dict[str, Any] = {}
    for rule in rules:
        for key in set(rule) - KEYS:
            raise bad(_("%(field)s: the word “%(key)s” is not known."), field=name, key=str(key)[:60])
        for key in ("format", "after", "scale", "lowest"):
            if key in rule and shared.setdefault(key, rule[key]) != rule[key]:
                raise bad(_("%(field)s: “%(key)s” must be the same in all its rules."), field=name, key=key)
    formats = {Kind.MOMENT: MOMENT_FORMATS, Kind.SECONDS: SECONDS_FORMATS}.get(wanted.kind, ())
    if shared.get("format") and shared["format"] not in formats:
        raise bad(
            _("%(field)s: the format “%(value)s” is not known; known are: %(names)s."),
            field=name, value=str(shared["format"])[:40], names=", ".join(formats) or "-",
        )  # fmt: skip
    scale, lowest = shared.get("scale", 5), shared.get("lowest", 1)
    if not (type(scale) is int and type(lowest) is int and 0 <= lowest < scale <= 1000):
        raise bad(_("%(field)s: “scale” is the best rating and “lowest” the worst, in whole numbers."), field=name)
    if wanted.kind in (Kind.CUSTOMER, Kind.PHONE) and any(set(rule) - {"column", "empty"} for rule in rules):
        raise bad(
            _("%(field)s: only a column and its empty words can be named, for it is keyed before all else."), field=name
        )
    return FieldMap(
        wanted,
        tuple(_rule(wanted, rule) for rule in rules),
        shared.get("format") or "",
        str(shared.get("after") or ""),
        scale,
        lowest,
    )


def _rule(wanted: Field, given: dict[str, Any]) -> Rule:
    name = wanted.name
    ways = [way for way in ("column", "columns", "value", "add") if way in given]
    if len(ways) != 1:
        raise bad(_("%(field)s: give exactly one of column, columns, value and add."), field=name)
    columns = _texts(given.get("columns", [given["column"]] if "column" in given else []), name)
    add = _texts(given.get("add", []), name)
    if (ways[0] in ("column", "columns") and not columns) or (
        ways[0] == "add" and (not add or wanted.kind != Kind.MOMENT)
    ):
        raise bad(_("%(field)s: “%(key)s” is empty or does not fit this field."), field=name, key=ways[0])
    value = given.get("value")
    if "value" in given and not isinstance(value, str | int | bool):
        raise bad(_("%(field)s: a constant is a text, a whole number, true or false."), field=name)
    values = given.get("values", {})
    if not isinstance(values, dict) or len(values) > 500:
        raise bad(_('%(field)s: “values” translates up to 500 words, as in {"Y": true}.'), field=name)
    join = given.get("join", " ")
    if not isinstance(join, str) or len(join) > 5 or "\0" in join:
        raise bad(_("%(field)s: “join” is a short text."), field=name)
    return Rule(
        columns,
        join,
        None if value is None else _text(value, name),
        add,
        tuple((_text(key, name), _text(to, name)) for key, to in values.items()),
        _texts(given.get("empty", []), name),
        _conditions(given.get("when", {}), name),
        _conditions(given.get("unless", {}), name),
    )


def _conditions(given: Any, name: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if not isinstance(given, dict):
        raise bad(_('%(field)s: a condition names columns and their words, as in {"outcome": ["AGENT"]}.'), field=name)
    return tuple((_text(column, name), _texts(words, name)) for column, words in given.items())


def _texts(given: Any, name: str) -> tuple[str, ...]:
    if not isinstance(given, list) or len(given) > 500:
        raise bad(_("%(field)s: a list of texts is expected."), field=name)
    return tuple(_text(each, name) for each in given)


def _text(given: Any, name: str) -> str:
    if given is None:
        return ""
    if isinstance(given, bool):
        return "true" if given else "false"
    if not isinstance(given, str | int):
        raise bad(_("%(field)s: a text is expected."), field=name)
    text = str(given)
    if len(text) > 200 or "\0" in text or (not text.isprintable() and not text.isspace()):
        raise bad(_("%(field)s: a text is too long or holds signs that cannot be read."), field=name)
    return text


# -- proposals ---------------------------------------------------------------------------------------------------------


def plain(text: str) -> str:
    return re.sub(r"[\s_\-.]+", "_", text.strip().casefold())


def propose(layout: Layout, header: Sequence[str], remembered: dict[str, Any] | None = None) -> dict[str, Any]:
    """The mapping this source used last, if the file has its columns; else what the column names suggest."""
    if remembered and remembered.get("layout") == layout.name:
        try:
            if not read(remembered).lacking(header):
                return remembered
        except Refused:
            pass  # remembered by an earlier version of this file: fall back to the names
    columns = {plain(name): name for name in reversed(header)}
    fields = {}
    for wanted in layout.fields:
        found = next(
            (columns[plain(name)] for name in (wanted.name, *wanted.also_called) if plain(name) in columns), None
        )
        if found is not None:
            fields[wanted.name] = {"column": found}
    return {"layout": layout.name, "fields": fields}


def identity(layout: Layout, present: Sequence[str], rating: dict[str, int]) -> Mapping:
    """The mapping of rows that already are in our normal form, as at the REST door; moments are ISO."""
    fields: dict[str, Any] = {name: {"column": name} for name in layout.names() if name in present}
    if "rating" in fields:
        fields["rating"] |= rating
    return read({"layout": layout.name, "fields": fields})
