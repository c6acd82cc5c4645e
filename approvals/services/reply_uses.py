"""Counting uses of canned replies: once per contact, kept apart for the agent, the team and all."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from approvals.models import CannedReply, ReplyRules, ReplyUse
from approvals.plain import heat
from teams.acting import system_scope
from teams.errors import OutOfReach, Refused
from teams.models import Agent, User

COUNTS = "a use counts for the agent, the team and all, whoever of them may read what"
WITHOUT_CONTACT = timedelta(minutes=10)

ADD = f"""
INSERT INTO approvals_replyheat AS heat (reply_id, team_id, agent_id, level, uses, last_used_at)
VALUES (%(reply)s, %(team)s, %(agent)s, %(level)s, 1, %(at)s), (%(reply)s, %(team)s, NULL, %(level)s, 1, %(at)s)
ON CONFLICT (reply_id, team_id, agent_id) DO UPDATE SET uses = heat.uses + 1,
    level = {heat.JOINED_SQL.format(kept="heat.level", level="excluded.level")},
    last_used_at = greatest(heat.last_used_at, excluded.last_used_at)
"""
ADD_TO_ALL = f"""
UPDATE approvals_replysearch SET uses = uses + 1,
    level = {heat.JOINED_SQL.format(kept="level", level="%(level)s::float8")},
    last_used_at = greatest(last_used_at, %(at)s)
WHERE reply_id = %(reply)s
"""
REBUILD = """
WITH used AS (
    SELECT reply_id, team_id, agent_id, extract(epoch FROM used_at - %(epoch)s)::float8 / 86400 / %(half_life)s AS level
    FROM approvals_replyuse
), summed AS (
    SELECT reply_id, team_id, agent_id, max(level) AS top, array_agg(level) AS levels FROM used
    GROUP BY GROUPING SETS ((reply_id), (reply_id, team_id), (reply_id, team_id, agent_id))
), made AS (
    SELECT reply_id, team_id, agent_id, top + ln(
        (SELECT sum(power(2.0::float8, -least(top - each, 1000))) FROM unnest(levels) AS each)
    ) / ln(2.0::float8) AS level
    FROM summed
), own AS (
    UPDATE approvals_replyheat heat SET level = coalesce(
        (SELECT made.level FROM made WHERE made.reply_id = heat.reply_id AND made.team_id = heat.team_id
            AND made.agent_id IS NOT DISTINCT FROM heat.agent_id), 0)
)
UPDATE approvals_replysearch search SET level = coalesce(
    (SELECT made.level FROM made WHERE made.reply_id = search.reply_id AND made.team_id IS NULL), 0)
"""

COUNTS_ANEW = """
INSERT INTO approvals_replyheat AS heat (reply_id, team_id, agent_id, level, uses, last_used_at)
SELECT reply_id, team_id, agent_id, 0, count(*), max(used_at) FROM approvals_replyuse
GROUP BY GROUPING SETS ((reply_id, team_id), (reply_id, team_id, agent_id))
ON CONFLICT (reply_id, team_id, agent_id) DO UPDATE SET uses = excluded.uses, last_used_at = excluded.last_used_at;
UPDATE approvals_replysearch search SET uses = used.uses, last_used_at = used.last
FROM (SELECT reply_id, count(*) AS uses, max(used_at) AS last FROM approvals_replyuse GROUP BY reply_id) used
WHERE used.reply_id = search.reply_id
"""


@transaction.atomic
def use(reply: Any, contact: str = "", *, by: User, edited: Decimal | None = None, at: datetime | None = None) -> bool:
    """Note that an agent sent a reply; whether it counted: a contact counts once, however often it is told.

    Without a contact the agent and ten minutes stand in its place. `edited` is the share of the text that was changed before
    sending, 0 to 1. Raises OutOfReach, or Refused: no_agent, not_live, wrong_share.
    """
    row = CannedReply.objects.visible_to(by).filter(pk=reply).first()
    if row is None:
        raise OutOfReach
    agent = Agent.objects.about(by).first()
    if agent is None or agent.team_id is None:
        raise Refused("no_agent", _("Only agents who work in a team send replies; nothing was counted."))
    if row.status != CannedReply.Status.LIVE:
        raise Refused("not_live", _("This reply is not in use. Choose another one."))
    if edited is not None and not (edited.is_finite() and 0 <= edited <= 1):
        raise Refused("wrong_share", _("The share that was edited is between 0 and 1: write 0.3 for 30 %."))
    now = at or timezone.now()
    contact = contact.strip()[:200]
    with system_scope(COUNTS):
        once = f"contact {contact}" if contact else f"agent {agent.pk} at {_slot(now)}"
        _use, is_new = ReplyUse.objects.get_or_create(
            reply=row, once=once,
            defaults={
                "agent": agent, "team_id": agent.team_id, "contact": contact, "used_at": now,
                "edited_share": None if edited is None else round(edited, 3),
            },
        )  # fmt: skip
        if is_new:
            level = heat.half_lives(now, ReplyRules.current().half_life_days)
            given: dict[str, Any] = {
                "reply": row.pk,
                "team": agent.team_id,
                "agent": agent.pk,
                "level": level,
                "at": now,
            }
            with connection.cursor() as cursor:
                cursor.execute(ADD, given)
                cursor.execute(ADD_TO_ALL, given)
    return is_new


def _slot(moment: datetime) -> str:
    seconds = int(WITHOUT_CONTACT.total_seconds())
    return datetime.fromtimestamp(int(moment.timestamp()) // seconds * seconds, moment.tzinfo).isoformat()


def count_anew() -> None:
    """Counts and levels from the single uses: for whoever brings many in at once."""
    with connection.cursor() as cursor:
        cursor.execute(COUNTS_ANEW)
    rebuild()


def rebuild() -> None:
    """Work out all levels anew from the uses that are kept, as after a change of the half-life. Counts stay."""
    with connection.cursor() as cursor:
        cursor.execute(REBUILD, {"epoch": heat.EPOCH, "half_life": ReplyRules.current().half_life_days})
