"""Checklists to begin from, each choice of a task given."""

EVERYBODY = {"roles": [], "sites": [], "countries": []}


def task(key, /, **more):
    return {
        "key": key, "title": key.title(), "offset": 0, "owner": "hire", "depends_on": [],
        "evidence": {"kind": "none", "limits": []}, "blocks_live": False, "is_optional": False, "weight": 1,
        "only_for": EVERYBODY,
    } | more  # fmt: skip


def measured(name="Download", unit="Mbit/s", at_least="25", at_most=None):
    return {"kind": "measured", "limits": [{"name": name, "unit": unit, "at_least": at_least, "at_most": at_most}]}


def checklist(*tasks):
    return {"name": "Joining", "tasks": list(tasks)}
