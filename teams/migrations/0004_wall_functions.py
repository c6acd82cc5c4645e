"""What the policies of the second wall ask (`teams.walls`): for whom this transaction reads, and which teams that opens.

The reach is worked out here, in SQL and from the tables themselves, and never by asking the filter in Python: the two walls
stand apart. `outpost_enter` is one statement per request; it raises rather than open half a scope.
"""

from django.db import migrations

FORTH = """
CREATE FUNCTION outpost_sees_all() RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE AS $body$
BEGIN
    RETURN coalesce(current_setting('outpost.scope', true) IN ('system', 'operator'), false);
END
$body$;

CREATE FUNCTION outpost_ids(of_what text) RETURNS bigint[] LANGUAGE plpgsql STABLE PARALLEL SAFE AS $body$
-- The ids that the scope of this transaction opens; null, and so nothing, where the scope is no person's.
BEGIN
    IF current_setting('outpost.scope', true) = 'person' THEN
        RETURN nullif(current_setting('outpost.' || of_what, true), '')::bigint[];
    END IF;
    RETURN NULL;
END
$body$;

CREATE FUNCTION outpost_one(of_what text) RETURNS bigint LANGUAGE plpgsql STABLE PARALLEL SAFE AS $body$
BEGIN
    IF current_setting('outpost.scope', true) = 'person' THEN
        RETURN nullif(current_setting('outpost.' || of_what, true), '')::bigint;
    END IF;
    RETURN NULL;
END
$body$;

CREATE FUNCTION outpost_guests() RETURNS SETOF bigint LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $body$
-- Agents who are lent to a team of the reader's roster at some time, or belonged to one formerly. Asked only for a row that no
-- other reason opens, and not inlined, so that it costs nothing where nobody is a guest.
DECLARE
    roster bigint[] := outpost_ids('roster');
BEGIN
    RETURN QUERY SELECT agent_id FROM teams_loan WHERE team_id = ANY(roster)
        UNION SELECT agent_id FROM teams_membership WHERE team_id = ANY(roster) AND NOT upper_inf(span);
END
$body$;

CREATE FUNCTION outpost_enter(person bigint) RETURNS text LANGUAGE plpgsql AS $body$
-- Opens, for this transaction, what `person` may reach; returns the scope: nobody, person or operator.
DECLARE
    who record;
    own bigint;
    held record;
    named bigint[];
BEGIN
    PERFORM set_config('outpost.scope', 'system', true);
    SELECT is_active, is_superuser INTO who FROM teams_user WHERE id = person;
    IF NOT coalesce(who.is_active, false) THEN
        RETURN set_config('outpost.scope', 'nobody', true);
    END IF;
    IF who.is_superuser THEN
        RETURN set_config('outpost.scope', 'operator', true);
    END IF;
    SELECT id INTO own FROM teams_agent WHERE user_id = person;
    SELECT array_agg(DISTINCT l.descendant_id) FILTER (WHERE p.codename = 'observe_team') AS observe,
           array_agg(DISTINCT l.descendant_id) FILTER (WHERE p.codename = 'lead_team') AS lead,
           array_agg(DISTINCT l.descendant_id) FILTER (WHERE p.codename = 'onboard_team') AS onboard,
           array_agg(DISTINCT l.descendant_id) FILTER (WHERE p.codename = 'review_team') AS review,
           array_agg(DISTINCT l.descendant_id) FILTER (WHERE p.codename = 'settle_team') AS settle,
           array_agg(DISTINCT l.descendant_id) FILTER (WHERE p.codename <> 'settle_team') AS roster,
           array_agg(DISTINCT l.descendant_id) AS every
      INTO held
    FROM (
        SELECT permission_id, content_object_id FROM teams_teamusergrant
        WHERE user_id = person AND (until IS NULL OR until > now())
        UNION
        SELECT g.permission_id, g.content_object_id
        FROM teams_teamgroupgrant g JOIN teams_user_groups m ON m.group_id = g.group_id
        WHERE m.user_id = person AND (g.until IS NULL OR g.until > now())
    ) given
    JOIN auth_permission p ON p.id = given.permission_id
    JOIN teams_teamlineage l ON l.ancestor_id = given.content_object_id
    WHERE p.codename IN ('observe_team', 'lead_team', 'onboard_team', 'review_team', 'settle_team');
    -- Teams whose name, sources and queues stand beside what may be read: those in reach, the own ones of all times, and
    -- whatever stands above any of them.
    SELECT array_agg(DISTINCT up.ancestor_id) INTO named
    FROM (
        SELECT unnest(held.every) AS team_id
        UNION SELECT team_id FROM teams_agent WHERE id = own
        UNION SELECT team_id FROM teams_membership WHERE agent_id = own
        UNION SELECT team_id FROM teams_loan WHERE agent_id = own
    ) near JOIN teams_teamlineage up ON up.descendant_id = near.team_id;
    PERFORM set_config('outpost.observe', coalesce(held.observe::text, ''), true),
        set_config('outpost.lead', coalesce(held.lead::text, ''), true),
        set_config('outpost.onboard', coalesce(held.onboard::text, ''), true),
        set_config('outpost.review', coalesce(held.review::text, ''), true),
        set_config('outpost.settle', coalesce(held.settle::text, ''), true),
        set_config('outpost.roster', coalesce(held.roster::text, ''), true),
        set_config('outpost.open', coalesce(held.every::text, ''), true),
        set_config('outpost.named', coalesce(named::text, ''), true),
        set_config('outpost.user', person::text, true),
        set_config('outpost.agent', coalesce(own::text, ''), true),
        set_config('outpost.groups', (
            SELECT coalesce(array_agg(group_id), '{}') FROM teams_user_groups WHERE user_id = person)::text, true);
    RETURN set_config('outpost.scope', 'person', true);
END
$body$;
"""

BACK = """
DROP FUNCTION outpost_enter(bigint);
DROP FUNCTION outpost_guests() CASCADE;
DROP FUNCTION outpost_one(text) CASCADE;
DROP FUNCTION outpost_ids(text) CASCADE;
DROP FUNCTION outpost_sees_all() CASCADE;
"""


def lower(apps, schema_editor):
    """Without their policies the tables would show nothing to anybody: the wall goes as a whole."""
    from teams import walls

    walls.lower()


class Migration(migrations.Migration):
    dependencies = [('teams', '0003_kills_files_in_the_database')]

    operations = [
        migrations.RunSQL(FORTH, BACK),
        migrations.RunPython(migrations.RunPython.noop, lower),
    ]
