"""A database of a benchmark's own beside the configured one.

It is made by migrating. Where OUTPOST_BENCH_TEMPLATE names a database that is migrated already and holds nothing, it is a
copy of that one: so benchmarks in a row migrate once (.ci/run).
"""

import os

from django.db import connection


def make_database(*, keep: bool = False) -> str:
    """Make the database and connect to it; `keep` takes one that was kept before. Returns the name of the configured one."""
    if template := os.environ.get("OUTPOST_BENCH_TEMPLATE"):
        connection.settings_dict["TEST"]["TEMPLATE"] = template
    configured: str = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=not keep, keepdb=keep, serialize=False)
    return configured


def drop_database(configured: str) -> None:
    """Drop it and connect to `configured` again."""
    connection.creation.destroy_test_db(configured, verbosity=0)
