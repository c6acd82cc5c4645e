"""The REST list of 100 contacts with agent, team and queue nested, beside the bare json_agg of the same rows.

    python -m benchmarks.api_list [--contacts 200000 --agents 2000] [--keep]

The contacts of one agent, asked by a lead whose reach is a sixth of the tree, as of the supervisor's list, and by one who
leads all of it: scope is part of what is measured.
"""

import argparse
import sys
from collections.abc import Callable
from typing import Any

from benchmarks import figure_ground as ground  # sets Django up: first

# isort: split

from django.db import connection
from django.test import Client, override_settings
from guardian.shortcuts import assign_perm

from teams.models import Agent, Team, User
from teams.scoping import Grant

LIMIT, ROWS, CALLS = 8, 100, 20
PATH = f"/api/v1/contacts/?page_size={ROWS}&agent="
AS_SERVED = {"ALLOWED_HOSTS": ["*"], "SECURE_SSL_REDIRECT": False, "SECOND_FACTOR": False}  # a lead who may ask at once
COLUMNS = (
    "id, external_id, channel, day, zone, topic, complexity, opened_at, assigned_at, first_reply_at, ended_at,"
    " wait_seconds, first_reply_seconds, handle_seconds, handle_method, reopen_count, transfer_count, reply_count,"
    " is_answered, is_abandoned, is_resolved, is_bot_only, is_excluded, rating, phone_mask"
)
BARE = f"""
SELECT json_agg(line)::text FROM (
    SELECT {", ".join("contact." + name.strip() for name in COLUMNS.split(","))},
        json_build_object('id', agent.id, 'number', agent.number, 'name', agent.name) AS agent,
        json_build_object('id', team.id, 'code', team.code, 'name', team.name) AS team,
        json_build_object('id', queue.id, 'code', queue.code, 'name', queue.name) AS queue
    FROM performance_contact contact
    LEFT JOIN teams_agent agent ON agent.id = contact.agent_id
    LEFT JOIN teams_team team ON team.id = contact.team_id
    LEFT JOIN performance_queue queue ON queue.id = contact.queue_id
    WHERE contact.agent_id = %s ORDER BY contact.opened_at DESC, contact.id DESC LIMIT {ROWS}
) line
"""


def bare(agent: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(BARE, [agent])
        cursor.fetchone()


def a_sixth() -> Team:
    """A team above a sixth of the others, with the first agent's among them."""
    region, is_new = Team.objects.get_or_create(
        code="region", defaults={"name": "Region", "parent": Team.objects.get(code="hub")}
    )
    if is_new:
        below = (
            Team.objects.filter(parent__code="hub").exclude(pk=region.pk).order_by("pk").values_list("pk", flat=True)
        )
        Team.objects.filter(pk__in=list(below)[: len(below) // 6]).update(parent=region)
        ground.tidy()
    return region


def asking(name: str, top: Team, agent: int) -> Callable[[], Any]:
    """The list as the lead of `top` asks for it."""
    lead, _is_new = User.objects.get_or_create(username=name)
    assign_perm(Grant.LEAD.value, lead, top)
    client = Client()
    client.force_login(lead)

    def ask() -> Any:
        answer = client.get(f"{PATH}{agent}")
        assert answer.status_code == 200
        return answer

    return ask


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--contacts", type=int, default=5_000_000)
    arguments.add_argument("--agents", type=int, default=20_000)
    arguments.add_argument("--keep", action="store_true", help="keep the scratch database for the next run")
    wish = arguments.parse_args()
    ratios: list[float] = []
    with ground.scratch_database("bench_figures", keep=wish.keep) as is_new, override_settings(**AS_SERVED):
        if is_new:
            ground.fill(wish.contacts, wish.agents)
        agent = Agent.objects.order_by("pk").values_list("pk", flat=True)[0]
        for name, top in (("a sixth", a_sixth()), ("all", Team.objects.get(code="hub"))):
            ask = asking(f"bench-{top.code}", top, agent)
            rows = ask().json()["results"]
            assert len(rows) == ROWS and all(row["agent"] and row["team"] and row["queue"] for row in rows)
            theirs, ours = (
                ground.median_seconds(lambda: [work() for _call in range(CALLS)]) / CALLS  # noqa: B023
                for work in (lambda: bare(agent), ask)
            )
            ratios.append(ours / theirs)
            verdict = "PASS" if ratios[-1] <= LIMIT else "NOT MET"
            print(
                f"list of {ROWS} nested rows, reach over {name} of the tree: {ours * 1000:.1f} ms / {theirs * 1000:.1f} ms"
                f" = {ratios[-1]:.2f} (limit {LIMIT}) {verdict}",
                flush=True,
            )
    return 0 if max(ratios) <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
