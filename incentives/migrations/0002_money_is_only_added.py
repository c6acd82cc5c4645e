"""Entries, items of batches and corrections are only ever added, and the terms of a published version never change.

Of an entry that stands only its batch may be named, once. A version's terms and number stay from its publication on.
"""

from django.db import migrations

FORTH = """
CREATE FUNCTION incentives_keep_entry() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'an entry is never removed: post a difference' USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.batch_id IS NOT NULL AND NEW.batch_id IS DISTINCT FROM OLD.batch_id THEN
        RAISE EXCEPTION 'an entry is paid by one batch' USING ERRCODE = 'restrict_violation';
    END IF;
    IF (NEW.id, NEW.agent_id, NEW.team_id, NEW.plan_id, NEW.version_id, NEW.begins, NEW.ends, NEW.month, NEW.kind, NEW.cause,
        NEW.amount, NEW.withheld, NEW.currency, NEW.wages, NEW.digest, NEW.posted_at)
       IS DISTINCT FROM
       (OLD.id, OLD.agent_id, OLD.team_id, OLD.plan_id, OLD.version_id, OLD.begins, OLD.ends, OLD.month, OLD.kind, OLD.cause,
        OLD.amount, OLD.withheld, OLD.currency, OLD.wages, OLD.digest, OLD.posted_at)
    THEN
        RAISE EXCEPTION 'an entry is never changed: post a difference' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$body$;
CREATE TRIGGER incentives_entry_stays BEFORE UPDATE OR DELETE ON incentives_entry
    FOR EACH ROW EXECUTE FUNCTION incentives_keep_entry();

CREATE FUNCTION incentives_keep_row() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    RAISE EXCEPTION 'a row of % is never changed or removed', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$body$;
CREATE TRIGGER incentives_item_stays BEFORE UPDATE OR DELETE ON incentives_batchitem
    FOR EACH ROW EXECUTE FUNCTION incentives_keep_row();
CREATE TRIGGER incentives_correction_stays BEFORE UPDATE OR DELETE ON incentives_correction
    FOR EACH ROW EXECUTE FUNCTION incentives_keep_row();
CREATE TRIGGER incentives_download_stays BEFORE UPDATE OR DELETE ON incentives_batchdownload
    FOR EACH ROW EXECUTE FUNCTION incentives_keep_row();

CREATE FUNCTION incentives_keep_batch() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a pay-out batch is never removed' USING ERRCODE = 'restrict_violation';
    END IF;
    IF (NEW.run_id, NEW.number, NEW.is_correction, NEW.count, NEW.sums, NEW.checksum, NEW.format_version, NEW.made_by_id)
       IS DISTINCT FROM
       (OLD.run_id, OLD.number, OLD.is_correction, OLD.count, OLD.sums, OLD.checksum, OLD.format_version, OLD.made_by_id)
    THEN
        RAISE EXCEPTION 'what a pay-out batch pays never changes' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$body$;
CREATE TRIGGER incentives_batch_stays BEFORE UPDATE OR DELETE ON incentives_batch
    FOR EACH ROW EXECUTE FUNCTION incentives_keep_batch();

CREATE FUNCTION incentives_keep_terms() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    IF OLD.state <> 'draft' AND (TG_OP = 'DELETE' OR (NEW.terms, NEW.number, NEW.plan_id, lower(NEW.span))
                                 IS DISTINCT FROM (OLD.terms, OLD.number, OLD.plan_id, lower(OLD.span)))
    THEN
        RAISE EXCEPTION 'the terms of a published version never change' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END
$body$;
CREATE TRIGGER incentives_terms_stay BEFORE UPDATE OR DELETE ON incentives_planversion
    FOR EACH ROW EXECUTE FUNCTION incentives_keep_terms();
"""
BACK = """
DROP TRIGGER incentives_terms_stay ON incentives_planversion;
DROP FUNCTION incentives_keep_terms();
DROP TRIGGER incentives_batch_stays ON incentives_batch;
DROP FUNCTION incentives_keep_batch();
DROP TRIGGER incentives_download_stays ON incentives_batchdownload;
DROP TRIGGER incentives_correction_stays ON incentives_correction;
DROP TRIGGER incentives_item_stays ON incentives_batchitem;
DROP FUNCTION incentives_keep_row();
DROP TRIGGER incentives_entry_stays ON incentives_entry;
DROP FUNCTION incentives_keep_entry();
"""


class Migration(migrations.Migration):
    dependencies = [("incentives", "0001_plans_runs_entries")]

    operations = [migrations.RunSQL(FORTH, BACK)]
