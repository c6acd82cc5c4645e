"""A kind for tests: a word of the vocabulary gets another name. Each effect leaves a version, so effects can be counted."""

from datetime import timedelta
from typing import Any, ClassVar

from rest_framework import serializers

from approvals import kinds
from approvals.kinds import Fact, Kind, Line, Subject
from teams.audit import save_with_history
from teams.errors import Refused
from teams.models import Agent, Skill, Team, User


class RenameForm(serializers.Serializer):
    skill = serializers.IntegerField(min_value=1)
    team = serializers.IntegerField(min_value=1)
    name = serializers.CharField(max_length=80, label="New name")
    weight = serializers.IntegerField(min_value=0, default=0)
    agent = serializers.IntegerField(required=False, allow_null=True, default=None)


class Rename(Kind):
    name, title, payload = "rename", "Rename a word", RenameForm
    facts = (Fact("weight", "weight"), Fact("word", "word", is_number=False))
    undo_within = timedelta(days=7)
    allows_end = True
    policy: ClassVar[dict[str, Any]] = {}
    let_go: ClassVar[list[int]] = []

    def may_ask(self, wish, by):
        if not Team.objects.visible_to(by).filter(pk=wish["team"]).exists():
            raise kinds_out()
        if wish["name"] == "nonsense":
            raise Refused("nonsense", "That is no name.")

    def subject(self, wish, by):
        agent = Agent.objects.filter(pk=wish["agent"]).first() if wish["agent"] else None
        return Subject(
            f"skill:{wish['skill']}", wish["team"], f"word {wish['skill']}", agent.user_id if agent else None
        )

    def stands(self, wish, *, lock=False):
        rows = Skill.objects.select_for_update() if lock else Skill.objects.all()
        return {"name": rows.get(pk=wish["skill"]).name}

    def measured(self, wish, stands, now):
        return {"weight": wish["weight"], "word": wish["name"]}

    def standard(self):
        return self.policy or super().standard()

    def difference(self, wish, stands):
        return [Line("name", stands["name"], wish["name"])]

    def apply(self, request, wish, by):
        if wish["name"] == "impossible":
            raise Refused("impossible", "It cannot be called that.")
        skill = Skill.objects.get(pk=wish["skill"])
        former, skill.name = skill.name, wish["name"]
        save_with_history(skill, "name", by=by, reason=f"request {request.pk}")
        return {"former": former}

    def undo(self, request, wish, kept, by):
        skill = Skill.objects.select_for_update().get(pk=wish["skill"])
        if skill.name != wish["name"]:
            raise Refused("moved_on", "It has another name by now.")
        skill.name = kept["former"]
        save_with_history(skill, "name", by=by, reason="undone")

    def settled(self, request):
        self.let_go.append(request.pk)


def kinds_out():
    from teams.errors import OutOfReach

    return OutOfReach()


def effects(skill: Skill) -> int:
    """How often the word was renamed."""
    return skill.history.filter(history_type="~").count()


def wish(skill: Skill, team: Team, name: str = "Deutsch", **more: Any) -> dict[str, Any]:
    return {"skill": skill.pk, "team": team.pk, "name": name, **more}


def steps(*plans: dict[str, Any], **clock: Any) -> dict[str, Any]:
    return {"otherwise": {"outcome": "steps", "steps": list(plans)}, "clock": clock}


def lead(mode: str = "any", **more: Any) -> dict[str, Any]:
    return {"mode": mode, "source": {"is": "grant", "grant": "LEAD"}, **more}


def person(user: User, **more: Any) -> dict[str, Any]:
    return {"mode": "any", "source": {"is": "person", "user": user.pk}, **more}


def register() -> Rename:
    kind = Rename()
    kinds.register(kind)
    return kind


def forget() -> None:
    kinds.forget("rename")
    Rename.policy = {}
    Rename.let_go.clear()
