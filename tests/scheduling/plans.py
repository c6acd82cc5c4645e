"""Plans for the tests, as people declare them."""

from scheduling.plain import planform

OFFICE = [["09:00", "18:00"]]
WORKING_WEEK = [OFFICE] * 5 + [[], []]


def made(**more):
    """A plan of nine to six on working days in Shanghai; `more` takes the place of choices."""
    plan = {
        "zone": "Asia/Shanghai",
        "weeks": [{"from": None, "days": WORKING_WEEK}],
        "workdays": [],
        "holidays": [],
        "closures": [],
        "emergencies": [],
        "both": "law",
        "nights": "run_on",
    }
    return plan | more


def plan(**more):
    return planform.read(made(**more))


def week(*days, since=None):
    return {"from": since, "days": list(days)}


def special(on, hours=(), *, kind="own", name="Special"):
    return {"on": on, "name": name, "kind": kind, "hours": list(hours)}


def closure(since, until, name="Works"):
    return {"from": since, "until": until, "name": name}
