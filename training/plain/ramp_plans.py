"""A ramp as it is declared: versioned, plain JSON, nothing assumed. Numbers are written as text, shares from 0 to 1.

Whoever has begun on a version stays on it, so that nobody's gate moves away while walking towards it.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from django.utils.translation import gettext as _

from training.plain import reading
from training.plain.ramp import Gate, Stage, Step, check

STEP = ("stage", "target", "mix", "reviewed", "gate")
GATE = ("days", "passes", "reviews", "quality", "clean", "satisfaction", "handle", "certificates")
MOST_DAYS, MOST_COUNT = 60, 100
LEAST_FACTOR, MOST_FACTOR = Fraction(1, 2), Fraction(5)


def read(made: Any) -> tuple[Step, ...]:
    """The ramp that `made` declares: its five stages in their order. Raises ValueError with a sentence for the first thing that
    is wrong."""
    steps = tuple(
        _step(row, place) for place, row in enumerate(reading.rows(made, len(Stage), len(Stage), _("stages")), 1)
    )
    check(steps)
    return steps


def written(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """The declaration that `read` makes the same steps of."""
    return [
        {
            "stage": str(step.stage),
            "target": _text(step.target),
            "mix": {kind: _text(part) for kind, part in step.mix.items()},
            "reviewed": _text(step.reviewed),
            "gate": None if step.gate is None else _gate_written(step.gate),
        }
        for step in steps
    ]


def _step(row: Any, place: int) -> Step:
    where = _("stage %(place)d") % {"place": place}
    reading.all_chosen(row, STEP, where)
    stage = Stage(reading.one_of(row, "stage", tuple(Stage), where))
    gate = None if row["gate"] is None else _gate(row["gate"], where)
    mix = row["mix"]
    if not isinstance(mix, dict) or not all(isinstance(kind, str) and kind for kind in mix):
        raise ValueError(_("In %(where)s give a share for each kind of contact.") % {"where": where})
    shares = {kind: reading.share(mix, kind, where) for kind in mix}
    return Step(stage, reading.share(row, "target", where), shares, reading.share(row, "reviewed", where), gate)


def _gate(made: Any, where: str) -> Gate:
    where = _("the gate of %(where)s") % {"where": where}
    reading.all_chosen(made, GATE, where)
    handle = None if made["handle"] is None else reading.number(made, "handle", where)
    if handle is not None and not LEAST_FACTOR <= handle <= MOST_FACTOR:
        raise ValueError(
            _("In %(where)s the handle time is a multiple of that of tenured agents, such as “1.2”.") % {"where": where}
        )
    return Gate(
        days=reading.whole(made, "days", 0, MOST_DAYS, where),
        passes=reading.whole(made, "passes", 0, MOST_COUNT, where),
        reviews=reading.whole(made, "reviews", 0, MOST_COUNT, where),
        quality=None if made["quality"] is None else reading.share(made, "quality", where),
        clean=reading.whole(made, "clean", 0, MOST_COUNT, where),
        satisfaction=None if made["satisfaction"] is None else reading.share(made, "satisfaction", where),
        handle=handle,
        certificates=reading.names(made, "certificates", where),
    )


def _gate_written(gate: Gate) -> dict[str, Any]:
    return {
        "days": gate.days,
        "passes": gate.passes,
        "reviews": gate.reviews,
        "quality": None if gate.quality is None else _text(gate.quality),
        "clean": gate.clean,
        "satisfaction": None if gate.satisfaction is None else _text(gate.satisfaction),
        "handle": None if gate.handle is None else _text(gate.handle),
        "certificates": list(gate.certificates),
    }


def _text(number: Fraction) -> str:
    """As a decimal. Raises ValueError where it has no end, for then it was not declared in text."""
    found = reading.shown(number, reading.MOST_DIGITS)
    if found.endswith("…"):
        raise ValueError(f"{number} has no end as a decimal")
    return found
