"""2,000 spoilt files through the verbs of intake: refused with row and field or taken in once, never half, never a crash.

`FUZZ_SEED` repeats a run, `FUZZ_FILES` makes it longer.
"""

import json
import os
import random
import resource
from collections import Counter
from datetime import date
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client
from django.urls import reverse

from performance.intake.reasons import sentence
from performance.models import Contact, ContactKey, ImportRun
from performance.services import intake
from teams.errors import Refused
from teams.models import JobRun
from tests import make
from tests.conftest import Cast
from tests.fuzz.deliveries import HEADER, MAPPING, PHONE, Delivery
from tests.fuzz.seed import SEED
from tests.fuzz.workbooks import deal

pytestmark = pytest.mark.fuzz
FILES = int(os.environ.get("FUZZ_FILES") or 2000)
PILES = 20
PAGED = 60
TODAY = date(2026, 12, 31)
MOST_MEMORY = 1 << 20  # KB that the whole process may ever have held
State = ImportRun.State


class Broken(AssertionError):
    pass


def hold(promise: object, why: str) -> None:
    if not promise:
        raise Broken(why)


@pytest.mark.usefixtures("partitions")
@pytest.mark.parametrize("pile", range(PILES))
def test_spoilt_files_are_taken_in_once_or_refused_with_their_reason(north: Cast, pile: int) -> None:
    source = make.source(north.team, "Desk")
    problems = []
    outcomes: dict[str, int] = {}
    for number in range(pile, FILES, PILES):
        delivery = deal(random.Random(f"{SEED}/{number}"))
        with transaction.atomic():
            try:
                outcome = judge(source, delivery, north.lead, again=number % 10 == 0)
                outcomes[outcome] = outcomes.get(outcome, 0) + 1
            except Exception as error:
                problems.append(f"file {number} ({delivery.what}): {type(error).__name__}: {str(error)[:300]}")
            transaction.set_rollback(True)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"seed {SEED}, pile {pile}: {outcomes}, at most {memory >> 10} MB held")
    assert not problems, f"seed {SEED}, {len(problems)} files:\n" + "\n".join(problems)
    assert outcomes.get("taken in") and outcomes.get("refused"), "the pile must hold both kinds"
    assert memory < MOST_MEMORY


def judge(source: Any, delivery: Delivery, by: Any, *, again: bool) -> str:
    """Send one file through all verbs and compare with what was foreseen. Raises Broken, or what the verbs should not."""
    try:
        run = send(source, delivery, by)
    except Refused as refusal:
        return refused_whole(source, delivery, refusal.code, str(refusal))
    checked = worked(intake.check(run.pk, by=by))
    counts = {name: count for name, count in checked.counts.items() if name not in ("first", "header", "encoding")}
    hold(not Contact.objects.filter(source=source).exists(), "the check has stored something")
    stored = worked(intake.take_in(run.pk, by=by))
    hold(stored.state == checked.state or stored.state == State.DONE, f"checked {checked.state}, stored {stored.state}")
    if stored.state == State.FAILED:
        hold(not stored.refusals.exists(), "a failed delivery has refused rows")
        (code,) = stored.history.filter(state=State.FAILED).values_list("history_change_reason", flat=True)[:1]
        return refused_whole(source, delivery, code, stored.message)
    hold(stored.state == State.DONE, f"state {stored.state}")
    hold(counts == {name: stored.counts[name] for name in counts}, "the check counted otherwise than the taking in")
    taken_in(source, delivery, stored)
    if again:
        second = worked(intake.take_in(send(source, delivery, by).pk, by=by))
        hold(second.counts["same"] == stored.counts["new"], f"sent again: {second.counts}")
        hold(second.counts["new"] == second.counts["newer"] == 0, f"sent again: {second.counts}")
    return "taken in"


def send(source: Any, delivery: Delivery, by: Any) -> ImportRun:
    run = intake.receive(source.pk, ContentFile(delivery.content, delivery.name), layout="contacts", by=by)
    return intake.map_columns(run.pk, MAPPING, by=by)


def worked(run: ImportRun) -> ImportRun:
    """The delivery after the worker has had it, if it is long."""
    if run.state == State.WAITING:
        intake.work(JobRun.objects.filter(job=intake.JOB, subject=str(run.pk)).latest("pk"))
        run.refresh_from_db()
    return run


def refused_whole(source: Any, delivery: Delivery, code: str, message: str) -> str:
    hold(delivery.whole or not delivery.is_foreseen, f"refused as a whole with {code}: {message}")
    hold(
        not delivery.whole or code in delivery.whole, f"refused with {code} instead of {set(delivery.whole)}: {message}"
    )
    hold(message.endswith(".") and message != code, f"{code} has no sentence: {message}")
    hold(not delivery.at_row or f"row {delivery.at_row} " in message, f"row {delivery.at_row} is not named: {message}")
    hold(not Contact.objects.filter(source=source).exists(), "half of the file is stored")
    hold(not ContactKey.objects.filter(source=source).exists(), "keys of half of the file are stored")
    return "refused"


def taken_in(source: Any, delivery: Delivery, run: ImportRun) -> None:
    counts = run.counts
    parts = ("refused", "repeated", "new", "newer", "same", "older")
    hold(counts["rows"] == sum(counts[name] for name in parts), f"the counts do not add up: {counts}")
    ids = list(Contact.objects.filter(source=source).values_list("external_id", flat=True))
    hold(len(ids) == len(set(ids)) == counts["new"], f"{len(ids)} contacts stored, counted {counts}")
    hold(ContactKey.objects.filter(source=source).count() == counts["new"], "a contact without its key")
    told = list(run.refusals.values_list("row_number", "field", "code", "value", "raw"))
    hold(len({row for row, *_rest in told}) == counts["refused"], "refused rows and their count differ")
    for row, field, code, value, raw in told:
        hold(row >= 2, f"row {row} is no row of the file")
        hold(field or code == "quotes", f"row {row}: {code} names no field")
        words = sentence(field, code, value, TODAY)
        hold(words != code and words.endswith((".", "?")), f"{code} has no sentence")
        hold(field in words or code in ("quotes", "case_has_bad_row"), f"the sentence does not name {field}: {words}")
        # Where cells have slipped into other columns nobody can tell which of them is the telephone.
        hold(not (delivery.is_foreseen and PHONE in f"{value} {raw}"), f"row {row} shows a telephone: {value} {raw}")
    hold("".join(intake.errors_file(run)).count("\n") > counts["refused"] or not told, "the errors file lacks rows")
    if delivery.is_foreseen:
        hold(not delivery.whole, f"taken in, though {set(delivery.whole)} was due: {counts}")
        found = {(row, field, code) for row, field, code, _value, _raw in told}
        hold(found == delivery.refused, f"refused {sorted(found)} instead of {sorted(delivery.refused)}")
        hold(counts["rows"] == delivery.rows, f"{counts['rows']} rows read instead of {delivery.rows}")
        hold(counts["repeated"] == delivery.repeated, f"{counts['repeated']} repeated instead of {delivery.repeated}")


def test_the_pages_take_spoilt_files_without_an_error(north: Cast) -> None:
    """A sample by the doors of people: every page on the way answers, whatever the file is."""
    source = make.source(north.team, "Desk")
    client = Client(raise_request_exception=False)
    client.force_login(north.lead)
    told: Counter[int] = Counter()
    for number in range(PAGED):
        delivery = deal(random.Random(f"{SEED}/page/{number}"))
        with transaction.atomic():
            file = SimpleUploadedFile(delivery.name, delivery.content)
            answer = client.post(reverse("intake_upload"), {"source": source.pk, "layout": "contacts", "file": file})
            statuses = [answer.status_code]
            if answer.status_code == 302:
                run = ImportRun.objects.latest("pk")
                pages = [reverse(f"intake_{name}", args=[run.pk]) for name in ("columns", "delivery", "errors")]
                statuses.append(client.get(pages[0]).status_code)
                body = {"as_text": "1", "mapping": json.dumps(MAPPING)}
                statuses.append(client.post(pages[0], body).status_code)
                statuses.append(client.post(pages[1], {"do": "store"}).status_code)
                statuses += [client.get(each).status_code for each in pages]
            told.update(statuses)
            assert max(statuses) < 500, f"seed {SEED}, file {number} ({delivery.what}): {statuses}"
            transaction.set_rollback(True)
    print(f"seed {SEED}: answers of the pages {dict(told)}")
    assert {200, 302, 422} <= set(told)


def test_the_generator_makes_every_kind_and_the_same_again() -> None:
    kinds = {deal(random.Random(f"{SEED}/{number}")).what.split(":")[0].split(" ")[0] for number in range(400)}
    assert len(kinds) > 15
    first, second = (deal(random.Random(f"{SEED}/7")) for _time in range(2))
    assert first == second
    assert set(HEADER) == {rule["column"] if isinstance(rule, dict) else rule for rule in MAPPING["fields"].values()}
