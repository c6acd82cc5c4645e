"""Who is there at the same time: trees, grants, operators, files, clients. Each with a control whose locks are off."""

import pytest
from django.core.files.base import ContentFile
from django.db import IntegrityError, connection, transaction

from performance.intake import delivery
from performance.models import AgentAlias, Contact, ContactKey, ImportRefusal
from performance.services import intake
from teams.errors import Refused
from teams.models import Team, TeamLineage, TeamUserGrant, User
from teams.scoping import Grant
from teams.services import rights
from tests import make
from tests.performance.intake.build import HEADER, SIMPLE
from tests.races.together import Meeting, together, without_row_locks

pytestmark = pytest.mark.django_db(transaction=True)
CONTROL = pytest.mark.parametrize("locks", [True, False], ids=["locked", "control"])


def expect_hold(locks: bool, holds: bool, what: object) -> None:
    """With locks it must hold; the control must show the fault, or the test proves nothing."""
    assert holds is locks, (
        f"{'it does not hold' if locks else 'the control shows no fault, so this test is void'}: {what}"
    )


@pytest.fixture
def tree_without_line():
    """The tree's own trigger without the lock that puts its writers in line; as it was again afterwards."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_functiondef('teams_keep_lineage'::regproc)")
        made = cursor.fetchone()[0]
        line = "PERFORM pg_advisory_xact_lock(hashtext('teams_tree'));"
        assert line in made

        def unlock() -> None:
            cursor.execute(made.replace(line, ""))

        yield unlock
        cursor.execute(made)


@CONTROL
def test_tree_moves_against_each_other_close_no_circle(locks, tree_without_line):
    """Each move is harmless alone. Without the line, both go through and two teams stand below each other."""
    if not locks:
        tree_without_line()
    top = make.team("Top")
    left, right = make.team("Left", top), make.team("Right", top)
    meeting = Meeting(2)

    def move(team: Team, below: Team) -> None:
        with transaction.atomic():
            Team.objects.filter(pk=team.pk).update(parent=below)
            meeting.wait()

    results = together(lambda: move(left, right), lambda: move(right, left))
    refused = [result for result in results if isinstance(result, IntegrityError)]
    parents = dict(Team.objects.filter(pk__in=[left.pk, right.pk]).values_list("pk", "parent"))
    is_circle = parents == {left.pk: right.pk, right.pk: left.pk}
    expect_hold(locks, len(refused) == 1 and not is_circle, (results, parents))
    if locks:
        held = set(TeamLineage.objects.values_list("ancestor", "descendant", "depth"))
        with connection.cursor() as cursor:
            cursor.execute("SELECT teams_rebuild_lineage()")
        assert held == set(TeamLineage.objects.values_list("ancestor", "descendant", "depth"))


@CONTROL
def test_the_same_grant_given_twice_at_once_is_one_grant(locks, hub, north, monkeypatch):
    """Whoever comes second finds the first one's row. Without locks both insert, and one ends in an error of the database."""
    if not locks:
        without_row_locks(monkeypatch)
    monkeypatch.setattr(rights, "_grant_row", Meeting(2).after(rights._grant_row))
    holder = make.user("newcomer")

    def give(reason: str) -> int:
        wish = {"team": north.team.pk, "grant": Grant.OBSERVE, "user": holder.pk, "by": hub.operator}
        return rights.give_grant(reason=reason, **wish).pk

    results = together(lambda: give("first"), lambda: give("second"))
    rows = list(TeamUserGrant.objects.filter(user=holder).values_list("pk", flat=True))
    expect_hold(locks, len(rows) == 1 and set(results) == set(rows), results)


@CONTROL
def test_two_operators_who_remove_each_other_leave_one(locks, hub, monkeypatch):
    if not locks:
        without_row_locks(monkeypatch)
    monkeypatch.setattr(rights, "_lock_operators", Meeting(2).after(rights._lock_operators))
    first, second = hub.operator, make.user("second", is_staff=True, is_superuser=True)

    def remove(whom: User, by: User) -> None:
        rights.set_access(whom.pk, is_staff=True, is_superuser=False, reason="race", by=by)

    results = together(lambda: remove(second, first), lambda: remove(first, second))
    refused = [result.code for result in results if isinstance(result, Refused)]
    left = User.objects.filter(is_superuser=True, is_active=True).count()
    expect_hold(locks, left == 1 and refused == ["last_operator"], (left, results))


@CONTROL
def test_one_file_taken_in_by_two_at_once_counts_once(locks, north, partitions, monkeypatch):
    """T56. Whoever comes second finds the delivery done."""
    source = make.source(north.team, "chat")
    rows = [f"{number},2026-01-02 03:04:05,2026-01-02 03:10:00,ann,sales,200,Y,4" for number in range(50)]
    content = "\n".join([HEADER, *rows, "51,no moment,,,,,,"])
    run = intake.receive(source.pk, ContentFile(content.encode(), name="twice.csv"), layout="contacts", by=north.lead)
    intake.map_columns(run.pk, SIMPLE, by=north.lead)
    if not locks:
        without_row_locks(monkeypatch)
    monkeypatch.setattr(intake, "_store", Meeting(2).before(intake._store))

    results = together(*[lambda: intake.take_in(run.pk, by=north.lead).state for _again in range(2)])
    run.refresh_from_db()
    taken_in = run.history.filter(history_change_reason="taken in").count()
    found = (
        results,
        taken_in,
        ImportRefusal.objects.filter(run=run).values("row_number").count(),
        run.counts.get("new"),
    )
    expect_hold(locks, found[0] == ["done", "done"] and found[1] == 1 and found[3] == 50, found)
    if locks:
        assert Contact.objects.count() == ContactKey.objects.count() == 50
        assert len(set(ImportRefusal.objects.filter(run=run).values_list("row_number", flat=True))) == 1


@CONTROL
def test_one_source_posting_the_same_rows_from_twenty_clients(locks, north, partitions, monkeypatch):
    """The first one's rows are new, everybody else's the same; nobody gets an error, no name comes twice."""
    source = make.source(north.team, "chat")
    if not locks:
        without_row_locks(monkeypatch)
    monkeypatch.setitem(delivery.STORES, "contacts", Meeting(20).before(delivery.STORES["contacts"]))
    header = ["external_id", "opened_at", "agent", "is_answered"]

    def send() -> tuple[int, int]:
        rows = [[str(number), "2026-01-02T03:04:05Z", f"agent {number % 5}", "true"] for number in range(20)]
        run, _refused = intake.take_in_rows(source, "contacts", header, rows)
        return run.counts["new"], run.counts["same"]

    results = together(*[send] * 20)
    expect_hold(locks, sorted(map(str, results)) == sorted(["(20, 0)"] + ["(0, 20)"] * 19), results)
    if locks:
        assert Contact.objects.count() == ContactKey.objects.count() == 20
        assert AgentAlias.objects.count() == 5
