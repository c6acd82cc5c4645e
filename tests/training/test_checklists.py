"""Checklists that are read, and those that are refused with a sentence that says where and what to do."""

import copy
import json
from itertools import pairwise

import pytest

from tests.training.lists import EVERYBODY, checklist, measured, task
from training.plain.checklists import TASK, Kind, Owner, Who, read
from training.plain.joining import joining, leaving


def refusal(made):
    with pytest.raises(ValueError) as told:
        read(made)
    return str(told.value)


@pytest.mark.parametrize("name", TASK)
def test_nothing_is_assumed(name):
    made = task("contract")
    del made[name]
    assert f"“{name}”: nothing is assumed" in refusal(checklist(made))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"key": "Sign it"}, "In task 1 write “key” in small letters, digits and underscores"),
        ({"title": "  "}, "In task “contract” “title” has to be one line of text"),
        ({"title": "a\nb"}, "one line of text"),
        ({"offset": "3"}, "“offset” has to be a whole number from -260 to 260"),
        ({"offset": True}, "a whole number"),
        ({"owner": "boss"}, "“owner” has to be one of: hire, lead, hr, it, trainer, mentor"),
        ({"owner": ["hr"]}, "“owner” has to be one of"),
        ({"depends_on": "vpn"}, "a list of names, each once"),
        ({"depends_on": ["vpn", "vpn"]}, "a list of names, each once"),
        ({"depends_on": ["vpn"]}, "Task “contract” waits for “vpn”, which is not on the list"),
        ({"weight": 0}, "whole number from 1 to 100"),
        ({"blocks_live": "yes"}, "“blocks_live” has to be yes or no"),
        ({"blocks_live": True, "is_optional": True}, "cannot be left out by anybody"),
        ({"evidence": {"kind": "measured", "limits": []}}, "there have to be 1 to 12"),
        ({"evidence": {"kind": "file", "limits": measured()["limits"]}}, "only what is measured has limits"),
        ({"evidence": {"kind": "oath", "limits": []}}, "In the evidence of task “contract” “kind” has to be one of"),
        ({"evidence": measured(at_least=None)}, "whatever is measured would be good"),
        ({"evidence": measured(at_least="5", at_most="4")}, "nothing can lie between the limits of “Download”"),
        ({"evidence": measured(at_least=25)}, "as a number in text"),
        ({"evidence": measured(at_least="NaN")}, "as a number in text"),
        ({"only_for": {"roles": []}}, "In the condition of task “contract” choose “sites”"),
        ({"only_for": EVERYBODY | {"countries": "CN"}}, "a list of names"),
        ({"note": ""}, "there is no choice named “note”"),
    ],
)
def test_tasks_that_are_refused(more, said):
    assert said in refusal(checklist(task("contract", **more)))


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ([], "In the checklist the choices are missing"),
        (checklist(), "Of tasks there have to be 1 to 200"),
        (checklist(task("vpn"), task("vpn")), "Of tasks “vpn” stands twice"),
        (checklist(["vpn"]), "In task 1 the choices are missing"),
        (checklist(task("vpn", depends_on=["vpn"])), "“vpn” → “vpn”"),
    ],
)
def test_lists_that_are_refused(made, said):
    assert said in refusal(made)


def test_tasks_that_wait_for_each_other_are_named_in_their_order():
    told = refusal(
        checklist(task("a", depends_on=["b"]), task("b", depends_on=["c"]), task("c", depends_on=["a"]), task("d"))
    )
    chain = told.partition(": ")[2].partition(".")[0]
    keys = [each.strip("“”") for each in chain.split(" → ")]
    assert keys[0] == keys[-1] and set(keys) == {"a", "b", "c"}
    assert all({"a": "b", "b": "c", "c": "a"}[one] == other for one, other in pairwise(keys))


def test_what_is_not_for_somebody_is_passed_over():
    """Who needs no visa does not wait for it, but for what it waits for."""
    found = read(
        checklist(
            task("contract"),
            task("visa", depends_on=["contract"], only_for=EVERYBODY | {"countries": ["DE", "JP"]}),
            task("desk", depends_on=["visa", "contract"], only_for=EVERYBODY | {"sites": ["home"]}),
            task("start", depends_on=["desk", "visa"]),
        )
    )

    def waits(who):
        return {each.key: each.depends_on for each in found.for_person(who)}

    assert waits(Who("agent", "home", "DE"))["start"] == ("desk", "visa")
    assert waits(Who("agent", "home", "CN")) == {"contract": (), "desk": ("contract",), "start": ("desk", "contract")}
    assert waits(Who("agent", "office", "CN")) == {"contract": (), "start": ("contract",)}


@pytest.mark.parametrize("made", [joining(), leaving()])
def test_the_default_lists_are_plain_json_and_stand_by_the_rules(made):
    kept = copy.deepcopy(made)
    assert read(json.loads(json.dumps(made))) == read(made)
    assert made == kept
    assert all(earlier.offset <= each.offset for each, earlier in _pairs(read(made)))


def _pairs(found):
    """Each task with each it waits for."""
    by_key = {each.key: each for each in found.tasks}
    return [(each, by_key[key]) for each in found.tasks for key in each.depends_on]


def test_joining_measures_the_network_and_blocks_live_contacts_until_all_is_safe():
    by_key = {each.key: each for each in read(joining()).tasks}
    assert {key for key, each in by_key.items() if each.blocks_live} == {
        "accounts_ready", "data_policy", "equipment_received", "headset", "mfa", "network_test", "private_room",
        "security_policy", "security_training", "simulated", "vpn",
    }  # fmt: skip
    assert by_key["equipment_ordered"].offset == -10
    assert by_key["network_test"].evidence is Kind.MEASURED
    assert [limit.name for limit in by_key["network_test"].limits] == [
        "Download rate", "Upload rate", "Delay", "Jitter", "Packets lost",
    ]  # fmt: skip


def test_access_ends_on_the_last_day():
    access = next(each for each in read(leaving()).tasks if each.key == "access")
    assert (access.offset, access.owner, access.depends_on) == (0, Owner.IT, ())
    assert not any(each.blocks_live for each in read(leaving()).tasks)
