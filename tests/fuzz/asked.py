"""Requests of the marked world in every state that a verb may find them in, of a kind that this release has."""

from dataclasses import dataclass

from approvals.models import ApprovalRequest
from approvals.services import deciding, requests
from teams.models import Skill, User
from teams.scoping import Grant
from tests import make
from tests.access.world import Side, World, mark
from tests.approvals import kinds


@dataclass(frozen=True)
class Asked:
    """Requests of one team, by what they are ready for. `waits` was asked by the second agent, `own` and `draft` by the first;
    `second` is another lead of the team."""

    waits: ApprovalRequest
    own: ApprovalRequest
    draft: ApprovalRequest
    done: ApprovalRequest
    failed: ApprovalRequest
    glass: ApprovalRequest
    second: User

    @property
    def all(self) -> list[ApprovalRequest]:
        return [self.waits, self.own, self.draft, self.done, self.failed, self.glass]


def build(world: World, side: Side) -> Asked:
    """The kind of tests.approvals.kinds has to be registered."""
    words = mark(side.name, "detail")
    first, second = (agent.user for agent in side.agents[:2])

    def ask(name: str, by: User, *, is_draft: bool = False) -> ApprovalRequest:
        number = Skill.objects.count()
        skill = Skill.objects.create(code=f"asked{number}", name=f"Asked {number}")
        return requests.ask("rename", kinds.wish(skill, side.team, name), by=by, words=words, is_draft=is_draft)

    done, failed, glass = ask("Deutsch", second), ask("impossible", second), ask("Deutsch", second)
    for request in (done, failed):
        deciding.approve(request.pk, by=side.lead)
    operator = make.user(f"{side.name}-second-operator", is_staff=True, is_superuser=True)
    deciding.break_glass(glass.pk, by=operator, words=words)
    other = make.user(f"{side.name}-second-lead", is_staff=True)
    make.grant(other, side.team, Grant.LEAD)
    return Asked(
        ask("Deutsch", second), ask("Deutsch", first), ask("Deutsch", first, is_draft=True), done, failed, glass, other
    )
