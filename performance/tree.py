"""The team tree as it stood on a day: past figures add up by the tree of their day, whatever moved since.

A team stands where its placement of that day says; before its first placement where the first one says; without any
placement where `Team.parent` says.
"""

from datetime import date

from django.db import connection

from teams.acting import system_scope

IDS_ONLY = (
    "a sum is taken over the tree of its day, which held teams that are out of reach now; only their ids are read"
)
PARENTS = """
parents (team_id, parent_id) AS (
    SELECT team.id, CASE WHEN spot.team_id IS NULL THEN team.parent_id ELSE spot.parent_id END
    FROM teams_team team
    LEFT JOIN LATERAL (
        SELECT placement.team_id, placement.parent_id FROM teams_teamplacement placement
        WHERE placement.team_id = team.id
        ORDER BY placement.span @> {day} DESC, placement.span LIMIT 1
    ) spot ON true
)
"""
BELOW = f"""
WITH RECURSIVE {PARENTS.format(day="%(day)s::date")}, walk (team_id, child_id) AS (
    SELECT %(team)s::bigint, NULL::bigint
    UNION
    SELECT parents.team_id, coalesce(walk.child_id, parents.team_id)
    FROM walk JOIN parents ON parents.parent_id = walk.team_id
)
SELECT team_id, child_id FROM walk
"""
ABOVE = f"""
WITH RECURSIVE {PARENTS.format(day="%(day)s::date")}, walk (team_id) AS (
    SELECT unnest(%(teams)s::bigint[])
    UNION
    SELECT parents.parent_id FROM walk JOIN parents USING (team_id) WHERE parents.parent_id IS NOT NULL
)
SELECT team_id FROM walk
"""


@system_scope(IDS_ONLY)
def below(team_pk: int, day: date) -> dict[int, int | None]:
    """All teams of the subtree on `day`, each with the child of the root it stands under; None for the root itself."""
    with connection.cursor() as cursor:
        cursor.execute(BELOW, {"team": team_pk, "day": day})
        return dict(cursor.fetchall())


@system_scope(IDS_ONLY)
def with_those_above(teams: set[int], day: date) -> set[int]:
    """`teams` and every team above one of them on `day`."""
    with connection.cursor() as cursor:
        cursor.execute(ABOVE, {"teams": sorted(teams), "day": day})
        return {team for (team,) in cursor.fetchall()}
