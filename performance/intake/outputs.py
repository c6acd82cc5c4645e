"""What the typed rows of each layout look like: a name for each column and its SQL over the values of the fields."""

from performance.intake.mapping import Mapping
from performance.intake.rules import Typing
from performance.models import Source

# Columns of the contact table that come straight from a row, in the order of its payload hash.
CONTACT_VALUES = (
    "channel", "topic", "complexity", "assigned_at", "first_reply_at", "ended_at", "wait_seconds", "first_reply_seconds",
    "handle_seconds", "handle_method", "business_seconds", "reopen_count", "transfer_count", "reply_count", "is_answered",
    "is_abandoned", "is_resolved", "is_bot_only", "is_excluded", "rating_raw", "rating_scale", "rating", "rating_comment",
    "customer_key", "phone_mask",
)  # fmt: skip
HASHED = ("external_id", "opened_at", "shift_at", "agent_external", "queue_external", *CONTACT_VALUES)


def contacts(typing: Typing, mapping: Mapping, source: Source) -> dict[str, str]:
    """A contact without id; answered defaults to "has an agent", complexity stays open for the queue to decide."""
    value, given = typing.value, typing.given
    rating = mapping["rating"]
    lowest, scale = (rating.lowest, rating.scale) if rating else (1, 5)
    raw = value("rating", "NULL::numeric")
    typing.refuse("ended_at", "ends_before_opening", f"{value('ended_at', 'NULL')} < v_opened_at")
    typing.refuse("external_id", "sign", "f_external_id ~ '[\\x01-\\x1f]'")
    if "first_reply_at" in typing.mapped and "first_reply_seconds" not in typing.mapped:
        replied = "greatest(0, extract(epoch FROM v_first_reply_at - v_opened_at))::integer"
    else:
        replied = value("first_reply_seconds", "NULL::integer")
    keys = [value("customer", "NULL"), "v_phone_key" if "phone" in typing.mapped else "NULL"]
    return {
        "external_id": "v_external_id",
        "opened_at": "v_opened_at",
        "version_at": value("updated_at", "NULL::timestamptz"),
        "shift_at": value("shift_started_at", "NULL::timestamptz"),
        "at": f"coalesce({value('ended_at', 'NULL')}, v_opened_at)",
        "agent_external": given("agent", "''"),
        "queue_external": given("queue", "''"),
        "channel": given("channel", f"'{source.channel}'"),
        "topic": given("topic", "''"),
        "complexity": value("complexity", "NULL::text"),
        "assigned_at": value("assigned_at", "NULL::timestamptz"),
        "first_reply_at": value("first_reply_at", "NULL::timestamptz"),
        "ended_at": value("ended_at", "NULL::timestamptz"),
        "wait_seconds": value("wait_seconds", "NULL::integer"),
        "first_reply_seconds": replied,
        "handle_seconds": value("handle_seconds", "NULL::integer"),
        "handle_method": given(
            "handle_method",
            "CASE WHEN v_handle_seconds IS NULL THEN 'none' ELSE 'measured' END"
            if "handle_seconds" in typing.mapped
            else "'none'",
        ),
        "business_seconds": value("business_seconds", "NULL::integer"),
        "reopen_count": given("reopen_count", "0"),
        "transfer_count": given("transfer_count", "0"),
        "reply_count": value("reply_count", "NULL::integer"),
        "is_answered": given("is_answered", f"({value('agent', 'NULL')} IS NOT NULL)"),
        "is_abandoned": given("is_abandoned", "false"),
        "is_resolved": value("is_resolved", "NULL::boolean"),
        "is_bot_only": given("is_bot_only", "false"),
        "is_excluded": given("is_excluded", "false"),
        "rating_raw": raw,
        "rating_scale": f"CASE WHEN {raw} IS NULL THEN NULL ELSE {scale} END",
        "rating": f"round(({raw} - {lowest}) / {scale - lowest}::numeric, 4)",
        "rating_comment": given("rating_comment", "''"),
        "customer_key": f"coalesce({keys[0]}, {keys[1]}, '')",
        "phone_mask": given("phone", "''"),
    }


def legs(typing: Typing, mapping: Mapping, source: Source) -> dict[str, str]:
    value, given = typing.value, typing.given
    typing.refuse("ended_at", "ends_before_opening", f"{value('ended_at', 'NULL')} < v_started_at")
    return {
        "contact_external": "v_contact",
        "agent_external": "v_agent",
        "queue_external": "''",
        "started_at": "v_started_at",
        "ended_at": value("ended_at", "NULL::timestamptz"),
        "at": f"coalesce({value('ended_at', 'NULL')}, v_started_at)",
        "shift_at": "NULL::timestamptz",
        "reply_count": value("reply_count", "NULL::integer"),
        "end_reason": given("end_reason", "''"),
    }


def states(typing: Typing, mapping: Mapping, source: Source) -> dict[str, str]:
    value, given = typing.value, typing.given
    typing.refuse("ended_at", "ends_before_opening", f"{value('ended_at', 'NULL')} < v_started_at")
    return {
        "agent_external": "v_agent",
        "queue_external": "''",
        "base": "v_state",
        "reason": given("reason", "''"),
        "started_at": "v_started_at",
        "ended_at": value("ended_at", "NULL::timestamptz"),
        "confidence": given("confidence", "100"),
    }


def intervals(typing: Typing, mapping: Mapping, source: Source) -> dict[str, str]:
    value = typing.value
    local = f"(v_started_at AT TIME ZONE '{typing.zone}')"
    typing.refuse(
        "started_at", "not_a_half_hour",
        f"extract(minute FROM {local}) NOT IN (0, 30) OR extract(second FROM {local}) <> 0",
    )  # fmt: skip
    return {
        "queue_external": "v_queue",
        "agent_external": "''",
        "started_at": "v_started_at",
        "offered": "v_offered",
        "answered": value("answered", "NULL::integer"),
        "abandoned": value("abandoned", "NULL::integer"),
        "handle_seconds": value("handle_seconds", "NULL::integer"),
    }


def events(typing: Typing, mapping: Mapping, source: Source) -> dict[str, str]:
    value = typing.value
    keys = [value("customer", "NULL"), "v_phone_key" if "phone" in typing.mapped else "NULL"]
    return {
        "external_id": "v_external_id",
        "activity": "v_activity",
        "happened_at": "v_at",
        "agent_external": value("agent", "NULL::text"),
        "queue_external": value("queue", "NULL::text"),
        "topic": value("topic", "NULL::text"),
        "customer_key": f"coalesce({keys[0]}, {keys[1]})",
        "phone_mask": value("phone", "NULL::text"),
    }


OUTPUTS = {"contacts": contacts, "legs": legs, "states": states, "intervals": intervals, "events": events}

# An event log is folded to one contact per case: opened with the first event, ended with the last if that one closes.
FOLDED = """
SELECT max(n) AS n, external_id, min(happened_at) AS opened_at, max(happened_at) AS version_at,
       NULL::timestamptz AS shift_at, max(happened_at) AS last_at,
       (array_agg(agent_external ORDER BY happened_at DESC, n DESC) FILTER (WHERE agent_external IS NOT NULL))[1] AS agent,
       (array_agg(queue_external ORDER BY happened_at DESC, n DESC) FILTER (WHERE queue_external IS NOT NULL))[1] AS queue,
       (array_agg(topic ORDER BY happened_at DESC, n DESC) FILTER (WHERE topic IS NOT NULL))[1] AS topic,
       max(customer_key) AS customer_key, max(phone_mask) AS phone_mask,
       count(*) FILTER (WHERE closes AND NOT next_closes) AS reopen_count,
       (array_agg(closes ORDER BY happened_at DESC, n DESC))[1] AS closes,
       count(DISTINCT agent_external) AS agents
FROM (
    SELECT e.*, activity IN ({closing}) AS closes,
           lead(activity IN ({closing})) OVER (PARTITION BY external_id ORDER BY happened_at, n) AS next_closes
    FROM (SELECT DISTINCT ON (external_id, happened_at, activity, agent_external, queue_external) * FROM intake_typed
          ORDER BY external_id, happened_at, activity, agent_external, queue_external, n) e
) e GROUP BY external_id
"""
CASES = """
SELECT n, '{{}}'::text[] AS problems, external_id, opened_at, version_at, shift_at,
       CASE WHEN closes THEN last_at ELSE opened_at END AS at,
       coalesce(agent, '') AS agent_external, coalesce(queue, '') AS queue_external, '{channel}' AS channel,
       coalesce(topic, '') AS topic, NULL::text AS complexity, NULL::timestamptz AS assigned_at,
       NULL::timestamptz AS first_reply_at, CASE WHEN closes THEN last_at END AS ended_at, NULL::integer AS wait_seconds,
       NULL::integer AS first_reply_seconds, NULL::integer AS handle_seconds, 'none' AS handle_method,
       NULL::integer AS business_seconds, least(reopen_count, 32767)::integer AS reopen_count,
       least(greatest(agents - 1, 0), 32767)::integer AS transfer_count, NULL::integer AS reply_count,
       agent IS NOT NULL AS is_answered, false AS is_abandoned, NULL::boolean AS is_resolved, false AS is_bot_only,
       false AS is_excluded, NULL::numeric AS rating_raw, NULL::integer AS rating_scale, NULL::numeric AS rating,
       '' AS rating_comment, coalesce(customer_key, '') AS customer_key, coalesce(phone_mask, '') AS phone_mask
FROM ({folded}) f
"""
