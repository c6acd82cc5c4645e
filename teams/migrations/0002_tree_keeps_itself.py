"""The tree keeps itself: a trigger derives TeamLineage from Team.parent and refuses a cycle, whoever writes.

Writers are put in line by an advisory lock held until the end of their transaction, so two moves that are each harmless
cannot close a circle together.
"""

from django.db import migrations

FORTH = """
CREATE FUNCTION teams_keep_lineage() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('teams_tree'));
    IF TG_OP = 'INSERT' THEN
        INSERT INTO teams_teamlineage (ancestor_id, descendant_id, depth)
        SELECT ancestor_id, NEW.id, depth + 1 FROM teams_teamlineage WHERE descendant_id = NEW.parent_id
        UNION ALL SELECT NEW.id, NEW.id, 0;
        RETURN NULL;
    END IF;
    IF NEW.parent_id IS NOT DISTINCT FROM OLD.parent_id THEN
        RETURN NULL;
    END IF;
    IF EXISTS (
        SELECT 1 FROM teams_teamlineage WHERE ancestor_id = NEW.id AND descendant_id = NEW.parent_id
    ) THEN
        RAISE EXCEPTION 'team % cannot stand below itself', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'team_tree_has_no_cycle';
    END IF;
    DELETE FROM teams_teamlineage cut
    USING teams_teamlineage up, teams_teamlineage down
    WHERE up.descendant_id = NEW.id AND up.ancestor_id <> NEW.id AND down.ancestor_id = NEW.id
      AND cut.ancestor_id = up.ancestor_id AND cut.descendant_id = down.descendant_id;
    INSERT INTO teams_teamlineage (ancestor_id, descendant_id, depth)
    SELECT up.ancestor_id, down.descendant_id, up.depth + down.depth + 1
    FROM teams_teamlineage up CROSS JOIN teams_teamlineage down
    WHERE up.descendant_id = NEW.parent_id AND down.ancestor_id = NEW.id;
    RETURN NULL;
END
$body$;

CREATE TRIGGER teams_keep_lineage AFTER INSERT OR UPDATE OF parent_id ON teams_team
    FOR EACH ROW EXECUTE FUNCTION teams_keep_lineage();

CREATE FUNCTION teams_rebuild_lineage() RETURNS void LANGUAGE plpgsql AS $body$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('teams_tree'));
    DELETE FROM teams_teamlineage;
    INSERT INTO teams_teamlineage (ancestor_id, descendant_id, depth)
    WITH RECURSIVE walk (ancestor_id, descendant_id, depth) AS (
        SELECT id, id, 0 FROM teams_team
        UNION ALL
        SELECT walk.ancestor_id, child.id, walk.depth + 1
        FROM walk JOIN teams_team child ON child.parent_id = walk.descendant_id
    )
    SELECT ancestor_id, descendant_id, depth FROM walk;
END
$body$;
"""

BACK = """
DROP TRIGGER teams_keep_lineage ON teams_team;
DROP FUNCTION teams_keep_lineage();
DROP FUNCTION teams_rebuild_lineage();
"""


class Migration(migrations.Migration):
    dependencies = [("teams", "0001_initial")]

    operations = [migrations.RunSQL(FORTH, BACK)]
