"""What was recorded stays: a record of looks may only count up. Erasure and retention say that they are at work.

The functions are shared: other append-only tables name `teams_append_only` in their trigger.
"""

from django.db import migrations

FORTH = """
CREATE FUNCTION teams_append_only() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    IF coalesce(current_setting('outpost.erasing', true), '') <> 'on' THEN
        RAISE EXCEPTION '% keeps what was recorded', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
    END IF;
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
    RETURN NEW;
END
$body$;
CREATE FUNCTION teams_count_up_only() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    IF coalesce(current_setting('outpost.erasing', true), '') <> 'on' AND (
        TG_OP = 'DELETE' OR NEW.times < OLD.times OR NEW.last_at < OLD.last_at
        OR (NEW.id, NEW.agent_id, NEW.viewer_id, NEW.door, NEW.seen_on)
           IS DISTINCT FROM (OLD.id, OLD.agent_id, OLD.viewer_id, OLD.door, OLD.seen_on)
    ) THEN
        RAISE EXCEPTION '% keeps what was recorded', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
    END IF;
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
    RETURN NEW;
END
$body$;
CREATE TRIGGER access_records_stay BEFORE UPDATE OR DELETE ON teams_accessrecord
    FOR EACH ROW EXECUTE FUNCTION teams_count_up_only();
"""
BACK = """
DROP TRIGGER access_records_stay ON teams_accessrecord;
DROP FUNCTION teams_count_up_only();
DROP FUNCTION teams_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [('teams', '0007_privacy_rules_copies_erasures')]

    operations = [migrations.RunSQL(FORTH, BACK)]
