"""Local times of a zone that do not exist or exist twice, asked of PostgreSQL itself so that both agree for ever."""

from typing import Any

from performance.intake.rules import FIRST_YEAR

# A clock change lies where the offsets six hours apart differ; within these hours it is looked for by the minute.
CHANGES = """
WITH steps AS (
    SELECT t, (t AT TIME ZONE %(zone)s) - (t AT TIME ZONE 'UTC') AS here,
           ((t + interval '6 hours') AT TIME ZONE %(zone)s) - ((t + interval '6 hours') AT TIME ZONE 'UTC') AS later
    FROM generate_series(make_timestamptz(%(first)s, 1, 1, 0, 0, 0, 'UTC') - interval '1 day',
                         make_timestamptz(%(last)s + 1, 1, 2, 0, 0, 0, 'UTC'), interval '6 hours') t
), minutes AS (
    SELECT m, (m AT TIME ZONE %(zone)s) - (m AT TIME ZONE 'UTC') AS after,
           ((m - interval '1 minute') AT TIME ZONE %(zone)s) - ((m - interval '1 minute') AT TIME ZONE 'UTC') AS before
    FROM steps, generate_series(t + interval '1 minute', t + interval '6 hours', interval '1 minute') m
    WHERE here <> later
), changes AS (
    SELECT m AT TIME ZONE 'UTC' AS at, before, after FROM minutes WHERE before <> after
)
SELECT coalesce(range_agg(tsrange(at + before, at + after)) FILTER (WHERE after > before), '{}')::text,
       coalesce(range_agg(tsrange(at + after, at + before)) FILTER (WHERE after < before), '{}')::text
FROM changes
"""


def unclear_times(cursor: Any, zone: str, last_year: int) -> tuple[str, str]:
    """(missing, doubled) local times of `zone` from FIRST_YEAR to `last_year`, each as text of a tsmultirange."""
    key = (zone, last_year)
    if key not in _remembered:
        cursor.execute(CHANGES, {"zone": zone, "first": FIRST_YEAR, "last": last_year})
        _remembered[key] = cursor.fetchone()
    return _remembered[key]


_remembered: dict[tuple[str, int], tuple[str, str]] = {}
