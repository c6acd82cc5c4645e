"""New months are closed as they are made: a partition read by its own name would walk round the policies of the whole.

Whoever makes one need not own the tables: the worker's role owns nothing, so the function acts for its owner.
"""

from django.db import migrations

MAKE = """
CREATE OR REPLACE FUNCTION performance_make_partitions(first_day date, last_day date) RETURNS integer LANGUAGE plpgsql
{rights} AS $body$
-- Makes what is missing of the monthly partitions of the three fact tables from first_day to last_day; returns how many.
DECLARE
    fact text;
    month date;
    part text;
    made integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('performance_partitions'));
    FOREACH fact IN ARRAY ARRAY['performance_contact', 'performance_leg', 'performance_stateinterval'] LOOP
        month := date_trunc('month', first_day)::date;
        WHILE month <= last_day LOOP
            part := fact || to_char(month, '"_"YYYY"_"MM');
            IF to_regclass(part) IS NULL THEN
                EXECUTE format(
                    'CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
                    part, fact, month || ' 00:00:00+00', (month + interval '1 month')::date || ' 00:00:00+00'
                );
                {close}
                made := made + 1;
            END IF;
            month := (month + interval '1 month')::date;
        END LOOP;
    END LOOP;
    RETURN made;
END
$body$;
"""
FORTH = MAKE.format(
    rights="SECURITY DEFINER SET search_path = public, pg_temp",
    close="EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', part);",
)
BACK = MAKE.format(rights="SECURITY INVOKER", close="")


class Migration(migrations.Migration):
    dependencies = [
        ('performance', '0005_intake_keys_checked_by_the_delivery'),
        ("teams", "0004_wall_functions"),
    ]

    operations = [migrations.RunSQL(FORTH, BACK)]
