"""What no program may do, whichever way it writes: a request goes only the ways that its states have, and nobody decides from a
seat what they asked for, edited last or are concerned by. The services refuse both with a sentence; this is the last net."""

from django.db import migrations

FORTH = """
CREATE FUNCTION approvals_ways_of_states() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    IF NEW.state = OLD.state OR NEW.state = ANY (CASE OLD.state
        WHEN 'draft' THEN ARRAY['submitted', 'withdrawn']
        WHEN 'submitted' THEN ARRAY['in_review', 'approved', 'rejected', 'withdrawn', 'expired']
        WHEN 'in_review' THEN ARRAY['submitted', 'approved', 'rejected', 'changes_requested', 'withdrawn', 'expired']
        WHEN 'changes_requested' THEN ARRAY['submitted', 'approved', 'rejected', 'withdrawn']
        WHEN 'approved' THEN ARRAY['applied', 'apply_failed', 'changes_requested']
        WHEN 'apply_failed' THEN ARRAY['approved', 'withdrawn']
        WHEN 'applied' THEN ARRAY['undone']
        ELSE ARRAY[]::text[] END)
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a request that is % does not become %', OLD.state, NEW.state USING ERRCODE = 'restrict_violation';
END
$body$;
CREATE TRIGGER approvals_state_goes_its_way BEFORE UPDATE OF state ON approvals_approvalrequest
    FOR EACH ROW EXECUTE FUNCTION approvals_ways_of_states();

CREATE FUNCTION approvals_four_eyes() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    IF NEW.verdict <> '' AND EXISTS (
        SELECT 1 FROM approvals_approvalrequest request WHERE request.id = NEW.request_id
        AND (NEW.decided_by_id IN (request.requester_id, request.editor_id, request.subject_person_id)
             OR NEW.user_id IN (request.requester_id, request.editor_id, request.subject_person_id))
    ) THEN
        RAISE EXCEPTION 'nobody decides a request of their own' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$body$;
CREATE TRIGGER approvals_seat_has_four_eyes BEFORE INSERT OR UPDATE OF verdict, decided_by_id, user_id ON approvals_approvalseat
    FOR EACH ROW EXECUTE FUNCTION approvals_four_eyes();
"""
BACK = """
DROP TRIGGER approvals_seat_has_four_eyes ON approvals_approvalseat;
DROP FUNCTION approvals_four_eyes();
DROP TRIGGER approvals_state_goes_its_way ON approvals_approvalrequest;
DROP FUNCTION approvals_ways_of_states();
"""


class Migration(migrations.Migration):
    dependencies = [("approvals", "0002_trace_is_only_added_to")]

    operations = [migrations.RunSQL(FORTH, BACK)]
