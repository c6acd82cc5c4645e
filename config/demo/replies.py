"""Canned replies of the demo organisation: what its teams answer most, in three languages, and how often they used it.

They stand in `replies.csv` beside this file. Uses fall on the agents of the team and below, more on some replies than on
others, as in life; a few replies nobody uses, two say the same, and one ends soon.
"""

import csv
import random
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from approvals.models import ApprovalRequest, CannedReply, CannedReplyVersion, ReplyCategory, ReplySearch, ReplyUse
from approvals.services import replies, reply_proposals, reply_uses
from teams.models import Agent, Team, User

DAYS = 75
SHELVES = ("Money", "Parcels", "Accounts", "Technical", "Manners")
LANGUAGES = {"lisbon-care": ("en", "pt"), "saopaulo-sales": ("en", "pt")}  # by team; others have that of the agent


def fill(now: datetime, seed: int) -> int:
    """Put the shelves, the replies, their uses and two proposals that wait into the database; how many replies there are."""
    teams = {team.code: team for team in Team.objects.all()}
    shelves = {name: ReplyCategory(name=name) for name in SHELVES}
    for shelf in shelves.values():
        shelf.save()
    with Path(__file__).with_suffix(".csv").open(encoding="utf-8", newline="") as file:
        made = [(_reply(line, teams, shelves, now), float(line["uses_a_day"])) for line in csv.DictReader(file)]
    _use(made, now, random.Random(seed))
    _propose({reply.short_code: reply for reply, _often in made})
    return len(made)


def _reply(
    line: dict[str, str], teams: dict[str, Team], shelves: dict[str, ReplyCategory], now: datetime
) -> CannedReply:
    team = teams[line["team"]] if line["team"] else None
    reply = CannedReply(scope="team" if team else "all", team=team, version=0)
    texts = {name: line[name] for name in ("title", "short_code", "body", "channel", "language")}
    shelf = shelves[line["category"]]
    replies.put(reply, {
        **texts, "category": shelf, "tags": [shelf.name.lower()],
        "valid_until": now.date() + timedelta(days=9) if line["short_code"] == "xmas" else None,
        "review_on": now.date() - timedelta(days=3) if line["short_code"] == "warranty" else None,
    })  # fmt: skip
    reply.category = shelf
    replies.write(reply, by=None)
    then = now - timedelta(days=DAYS + 60)
    CannedReply.objects.filter(pk=reply.pk).update(made_at=then, updated_at=then)
    CannedReplyVersion.objects.filter(reply=reply).update(made_at=then)
    ReplySearch.objects.filter(pk=reply.pk).update(updated_at=then)
    return reply


def _use(made: list[tuple[CannedReply, float]], now: datetime, dice: random.Random) -> None:
    """Each agent sends a reply of the own languages so often a day, and some more than others."""
    agents = Agent.objects.current().select_related("team").exclude(team=None).order_by("pk")
    above: dict[int | None, set[int | None]] = {
        team.pk: {None, *Team.objects.filter(descent__descendant=team).values_list("pk", flat=True)}
        for team in Team.objects.all()
    }
    uses = [
        _sent(agent, reply, day, now, dice)
        for agent in agents
        for reply, often in made
        if reply.language in _languages(agent) and reply.team_id in above[agent.team_id]
        for habit in [often * dice.uniform(0.2, 1.2) / 4]
        for day in range(DAYS)
        if dice.random() < habit
    ]
    ReplyUse.objects.bulk_create(uses, batch_size=2000)
    reply_uses.count_anew()


def _languages(agent: Agent) -> tuple[str, ...]:
    return LANGUAGES.get(agent.team.code if agent.team else "", (agent.locale.lower(),))


def _sent(agent: Agent, reply: CannedReply, day: int, now: datetime, dice: random.Random) -> ReplyUse:
    """A use on one of the last days. The words of regret are changed most before they are sent."""
    contact = f"D{agent.pk}-{reply.pk}-{day}"
    changed = min(1.0, max(0.0, dice.gauss(0.45 if reply.short_code in ("sorry", "bq") else 0.1, 0.1)))
    return ReplyUse(
        reply=reply, agent=agent, team=agent.team, contact=contact, once=f"contact {contact}",
        used_at=now - timedelta(days=day, seconds=dice.randrange(8 * 3600)), edited_share=Decimal(f"{changed:.3f}"),
    )  # fmt: skip


def _propose(by_code: dict[str, CannedReply]) -> list[ApprovalRequest]:
    """A change and a retirement that an agent of the team has proposed."""
    changed = by_code["track"]
    asker = User.objects.filter(agent__team__code="lisbon-care", is_active=True, is_staff=False).order_by("pk").first()
    if asker is None:
        return []
    texts = replies.texts_of(changed)
    texts["body"] = changed.body.replace("within two working days", "within one to three working days")
    return [
        reply_proposals.propose_change(changed.pk, texts, by=asker, words="The courier is slower since October."),
        reply_proposals.propose_retirement(by_code["returns-how"].pk, by=asker, words="Says the same as “return”."),
    ]
