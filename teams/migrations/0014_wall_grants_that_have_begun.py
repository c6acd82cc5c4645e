"""A grant that begins later opens nothing yet, for the second wall as for the filter."""

from importlib import import_module

from django.db import migrations

FUNCTIONS = import_module("teams.migrations.0004_wall_functions").FORTH
ENTER = "CREATE OR REPLACE FUNCTION outpost_enter" + FUNCTIONS.partition("CREATE FUNCTION outpost_enter")[2]
BEGUN = ENTER.replace(
    "(until IS NULL OR until > now())", "(until IS NULL OR until > now()) AND (since IS NULL OR since <= now())"
).replace(
    "(g.until IS NULL OR g.until > now())",
    "(g.until IS NULL OR g.until > now()) AND (g.since IS NULL OR g.since <= now())",
)


class Migration(migrations.Migration):
    dependencies = [('teams', '0013_ops_notices_wait_again_on_the_way_back')]

    operations = [migrations.RunSQL(BEGUN, ENTER)]
