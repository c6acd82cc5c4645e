"""The approval engine against a plain model of it: sequences of verbs by all kinds of people, each answer and each outcome
compared. CI runs 2,000 sequences; FUZZ_SEQUENCES makes it more."""

import os
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from approvals.models import ApprovalRequest
from approvals.services import applying, clocks, deciding, requests
from teams.errors import OutOfReach, Refused
from teams.models import Skill
from teams.scoping import Grant
from tests import make
from tests.approvals import kinds
from tests.approvals.model import PEOPLE, POLICIES, Model
from tests.fuzz.seed import SEED

pytestmark = [pytest.mark.fuzz, pytest.mark.django_db]
SEQUENCES = int(os.environ.get("FUZZ_SEQUENCES", "2000"))
PARTS = 20  # each a transaction of its own: thousands of savepoints in one grow slow

people = st.sampled_from(PEOPLE)
deciders = st.sampled_from(("lead", "second", "above", "operator", "asker"))
names = st.sampled_from(("Deutsch", "Hochdeutsch", "impossible"))


@pytest.fixture
def stage(north, south, hub):
    kind = kinds.register()
    second = make.user("second-lead", is_staff=True)
    make.grant(second, north.team, Grant.LEAD)
    skill = Skill.objects.create(code="german", name="German")
    cast = {
        "asker": north.agent.user, "lead": north.lead, "second": second, "above": hub.lead, "stranger": south.lead,
        "operator": hub.operator,
    }  # fmt: skip
    yield kind, cast, skill, north.team
    kinds.forget()


def policy(name, at_expiry, cast):
    sources = {1: {"is": "grant", "grant": "LEAD"}}
    plans = []
    for mode, needed, source in POLICIES[name]:
        if source == frozenset({"lead"}):
            wanted = {"is": "person", "user": cast["lead"].pk}
        elif source == frozenset({"above"}):
            wanted = {"is": "lead_above", "level": 1}
        else:
            wanted = sources[1]
        plans.append({"mode": mode, "needed": needed, "source": wanted})
    return kinds.steps(*plans, expire=10, at_expiry=at_expiry)


def machine(kind, cast, skill, team):
    class Engine(RuleBasedStateMachine):
        """One word of the vocabulary, one request about it after the other."""

        def __init__(self):
            super().__init__()
            self.point = transaction.savepoint()
            self.pk, self.moves = None, 0
            self.versions = skill.history.count()

        def teardown(self):
            transaction.savepoint_rollback(self.point)

        @initialize(name=st.sampled_from(sorted(POLICIES)), at_expiry=st.sampled_from(("deny", "approve", "hold")))
        def begin(self, name, at_expiry):
            self.model = Model(name, at_expiry)
            type(kind).policy = policy(name, at_expiry, cast)

        def check(self, expected, verb, *args, **kwargs):
            """Do it, and compare the answer and all that may be seen afterwards."""
            code = ""
            try:
                with transaction.atomic():
                    made = verb(*args, **kwargs)
                if isinstance(made, ApprovalRequest):
                    self.pk = made.pk
            except Refused as refusal:
                code = refusal.code
            except OutOfReach:
                code = "out of reach"
            assert code == expected, f"{verb.__name__}: {code!r} where the model says {expected!r}"
            self.compare()

        def compare(self):
            model = self.model
            assert Skill.objects.get(pk=skill.pk).name == model.word
            assert skill.history.count() - self.versions == model.effects
            if self.pk is None:
                return
            row = ApprovalRequest.objects.get(pk=self.pk)
            assert (row.state, row.revision) == (model.state, model.revision)
            assert row.events.filter(kind="applied").count() <= model.effects
            is_waiting = row.state in ("submitted", "in_review")
            assert (row.next_due_at is not None) == (is_waiting and (model.is_clock_on or row.state == "submitted"))
            assert row.seats.filter(is_open=True).exists() <= (row.state == "in_review")

        def is_open(self):
            return self.pk is not None and self.model.state not in (
                "applied", "rejected", "withdrawn", "expired", "undone"
            )  # fmt: skip

        @precondition(lambda self: not self.is_open())
        @rule(who=people, name=names)
        def ask(self, who, name):
            expected = self.model.ask(who, name)
            self.check(expected, requests.ask, "rename", kinds.wish(skill, team, name), by=cast[who])

        @precondition(lambda self: self.pk is not None)
        @rule(who=people, name=names)
        def edit(self, who, name):
            expected = self.model.edit(who, name)
            self.check(expected, requests.edit, self.pk, kinds.wish(skill, team, name), by=cast[who])

        @precondition(lambda self: self.pk is not None)
        @rule(who=people)
        def withdraw(self, who):
            self.check(self.model.withdraw(who), requests.withdraw, self.pk, by=cast[who])

        @precondition(lambda self: self.pk is not None)
        @rule(who=deciders)
        def approve(self, who):
            self.check(self.model.approve(who), deciding.approve, self.pk, by=cast[who])

        @precondition(lambda self: self.is_open())
        @rule(who=deciders)
        def approve_once_more(self, who):
            self.check(self.model.approve(who), deciding.approve, self.pk, by=cast[who])

        @precondition(lambda self: self.pk is not None)
        @rule(who=people)
        def reject(self, who):
            self.check(self.model.reject(who), deciding.reject, self.pk, by=cast[who], words="no")

        @precondition(lambda self: self.pk is not None)
        @rule(who=people)
        def send_back(self, who):
            self.check(self.model.send_back(who), deciding.send_back, self.pk, by=cast[who], words="say which")

        @precondition(lambda self: self.pk is not None)
        @rule(who=people)
        def break_glass(self, who):
            self.check(self.model.break_glass(who), deciding.break_glass, self.pk, by=cast[who], words="now")

        @precondition(lambda self: self.pk is not None)
        @rule(who=people)
        def review_glass(self, who):
            self.check(self.model.review_glass(who), deciding.review_glass, self.pk, by=cast[who], words="seen")

        @precondition(lambda self: self.pk is not None)
        @rule(who=people)
        def apply_again(self, who):
            self.check(self.model.apply_again(who), applying.apply_again, self.pk, by=cast[who])

        @precondition(lambda self: self.pk is not None)
        @rule(who=people)
        def undo(self, who):
            self.check(self.model.undo(who), applying.undo, self.pk, by=cast[who], words="wrong")

        @precondition(lambda self: self.pk is not None)
        @rule()
        def time_passes(self):
            self.model.expire()
            self.check("", clocks.sweep, timezone.now() + timedelta(minutes=11))

        @rule()
        def the_world_moves(self):
            self.moves += 1
            self.model.move(f"moved {self.moves}")
            Skill.objects.filter(pk=skill.pk).update(name=f"moved {self.moves}")

    return Engine


@pytest.mark.parametrize("part", range(PARTS))
def test_the_engine_does_what_the_plain_model_says(stage, part):
    engine = machine(*stage)
    run_state_machine_as_test(
        seeded(SEED + part)(engine),
        settings=settings(
            max_examples=-(-SEQUENCES // PARTS), stateful_step_count=12, deadline=None, database=None,
            suppress_health_check=list(HealthCheck), phases=(Phase.generate, Phase.shrink), print_blob=False,
        ),
    )  # fmt: skip
