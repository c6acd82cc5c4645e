"""The tree keeps itself."""

from threading import Barrier, Thread

import pytest
from django.db import IntegrityError, connection, connections, transaction

from teams.models import Team, TeamLineage
from tests import make


def lineage() -> set[tuple[str, str, int]]:
    return set(TeamLineage.objects.values_list("ancestor__name", "descendant__name", "depth"))


def test_lineage_follows_inserts_and_moves(db):
    a = make.team("A")
    b = make.team("B", a)
    c = make.team("C", b)
    d = make.team("D", a)
    assert ("A", "C", 2) in lineage()
    b.parent = d
    b.save()
    assert lineage() == {
        ("A", "A", 0),
        ("B", "B", 0),
        ("C", "C", 0),
        ("D", "D", 0),
        ("A", "D", 1),
        ("D", "B", 1),
        ("B", "C", 1),
        ("A", "B", 2),
        ("D", "C", 2),
        ("A", "C", 3),
    }
    before = lineage()
    with connection.cursor() as cursor:
        cursor.execute("SELECT teams_rebuild_lineage()")
    assert lineage() == before
    assert set(Team.objects.below(d)) == {d, b, c}


def test_a_cycle_is_refused_whoever_writes(db):
    a = make.team("A")
    b = make.team("B", a)
    c = make.team("C", b)
    with pytest.raises(IntegrityError, match="below itself"), transaction.atomic():
        Team.objects.filter(pk=a.pk).update(parent=c)
    with pytest.raises(IntegrityError), transaction.atomic():
        Team.objects.filter(pk=a.pk).update(parent=a)
    a.refresh_from_db()
    assert a.parent is None


@pytest.mark.django_db(transaction=True)
def test_two_writers_cannot_close_a_circle_together():
    """Each of the two moves is harmless alone; whatever the order, one of them must be refused."""
    for round_ in range(10):
        top = make.team(f"Top {round_}")
        pair = [make.team(f"{name} {round_}", top) for name in ("Left", "Right")]
        start, refused = Barrier(2), []

        def move(team: Team, below: Team, start: Barrier = start, refused: list = refused) -> None:
            try:
                start.wait()
                with transaction.atomic():
                    Team.objects.filter(pk=team.pk).update(parent=below)
            except IntegrityError:
                refused.append(team.pk)
            finally:
                connections.close_all()

        writers = [Thread(target=move, args=(pair[0], pair[1])), Thread(target=move, args=(pair[1], pair[0]))]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        assert len(refused) == 1
        parents = {team.pk: team.parent_id for team in Team.objects.filter(pk__in=[each.pk for each in pair])}
        assert sorted(parents.values()) in (sorted([top.pk, pair[0].pk]), sorted([top.pk, pair[1].pk]))
