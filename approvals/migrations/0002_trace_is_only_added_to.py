"""The trace of requests is only ever added to: no line goes, and of a line only the words may change, as erasure must."""

from django.db import migrations

FORTH = """
CREATE FUNCTION approvals_keep_trace() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a line of the trace of a request is never removed' USING ERRCODE = 'restrict_violation';
    END IF;
    IF (NEW.id, NEW.request_id, NEW.kind, NEW.at, NEW.actor_id, NEW.on_behalf_of_id, NEW.revision, NEW.content_hash, NEW.step)
       IS DISTINCT FROM
       (OLD.id, OLD.request_id, OLD.kind, OLD.at, OLD.actor_id, OLD.on_behalf_of_id, OLD.revision, OLD.content_hash, OLD.step)
    THEN
        RAISE EXCEPTION 'a line of the trace of a request is never changed' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$body$;
CREATE TRIGGER approvals_trace_stays BEFORE UPDATE OR DELETE ON approvals_approvalevent
    FOR EACH ROW EXECUTE FUNCTION approvals_keep_trace();
"""
BACK = """
DROP TRIGGER approvals_trace_stays ON approvals_approvalevent;
DROP FUNCTION approvals_keep_trace();
"""


class Migration(migrations.Migration):
    dependencies = [("approvals", "0001_requests")]

    operations = [migrations.RunSQL(FORTH, BACK)]
