"""What the engine should do, once more in plain Python and from the issue's words alone: no database, no code shared with it.

Four people hold rights (two leads of the team, the lead above, an operator), two hold none (who asks, a stranger). The model
answers each verb with the code of its refusal, or with nothing, and keeps what must be true afterwards.
"""

from dataclasses import dataclass, field

LEADS = frozenset({"lead", "second", "above"})  # whom LEAD on the team reaches
ABOVE = frozenset({"above"})
PEOPLE = ("asker", "lead", "second", "above", "stranger", "operator")
POLICIES: dict[str, list[tuple[str, int, frozenset[str]]]] = {
    "any": [("any", 1, LEADS)],
    "all": [("all", 1, LEADS)],
    "quorum": [("quorum", 2, LEADS)],
    "two steps": [("any", 1, frozenset({"lead"})), ("any", 1, ABOVE)],
    "same twice": [("any", 1, LEADS), ("any", 1, LEADS)],
}
BEFORE_DECISION = {"submitted", "in_review", "changes_requested"}


@dataclass
class Model:
    policy: str
    at_expiry: str
    word: str = "German"
    effects: int = 0
    state: str = ""
    asker: str = ""
    editor: str = ""
    name: str = ""
    stood: str = ""
    former: str = ""
    revision: int = 0
    step: int = 0
    verdicts: dict[str, str] = field(default_factory=dict)  # of the step under way
    agreed: set[str] = field(default_factory=set)  # in earlier steps of this revision
    needed: int = 0
    entitled: frozenset[str] = frozenset()
    has_fallback: bool = False
    seated: set[str] = field(default_factory=set)  # ever, in this request
    is_clock_on: bool = False
    glass_by: str = ""
    is_glass_reviewed: bool = False
    deciders: set[str] = field(default_factory=set)

    # -- who --------------------------------------------------------------------------------------------------------------

    @property
    def barred(self) -> set[str]:
        return {self.asker, self.editor}

    def sees(self, who: str) -> bool:
        return who in LEADS | {"operator", self.asker} or who in self.seated

    # -- asking -----------------------------------------------------------------------------------------------------------

    def ask(self, who: str, name: str) -> str:
        if who == "stranger":
            return "out of reach"
        self.asker = self.editor = who
        self.revision, self.seated, self.deciders = 1, set(), set()
        self.glass_by, self.is_glass_reviewed = "", False
        self._begin(name)
        return ""

    def edit(self, who: str, name: str) -> str:
        if not self.sees(who) or who not in LEADS | {self.asker, "operator"}:
            return "out of reach"
        if self.state not in BEFORE_DECISION:
            return "over"
        self.editor = who
        self.revision += 1
        self._begin(name)
        return ""

    def withdraw(self, who: str) -> str:
        if who != self.asker:
            return "out of reach"
        if self.state == "withdrawn":
            return ""
        if self.state not in BEFORE_DECISION | {"apply_failed"}:
            return "over"
        self._stop("withdrawn")
        return ""

    def _begin(self, name: str) -> None:
        self.name, self.stood, self.step = name, self.word, 0
        self.agreed = set()
        self.is_clock_on = True
        self._next()

    def _next(self) -> None:
        steps = POLICIES[self.policy]
        if self.step == len(steps):
            self._approve()
            return
        mode, needed, source = steps[self.step]
        out = self.barred | self.agreed
        people, self.has_fallback = source - out, False
        if len(people) < needed:
            people, self.has_fallback = (source | ABOVE) - out, True
        self.verdicts = {}
        if len(people) < needed:
            self.state, self.entitled = "submitted", frozenset()
            return
        self.state = "in_review"
        self.needed = len(people) if mode == "all" else needed
        self.entitled = source | ABOVE if self.has_fallback else source
        self._open = set(people)
        self.seated |= people

    # -- deciding ---------------------------------------------------------------------------------------------------------

    def _may_decide(self, who: str) -> str:
        if not self.sees(who):
            return "out of reach"
        if who in self.barred:
            return "own_request"
        if self.state == "submitted":
            return "not_asked"
        if self.state != "in_review":
            return "settled"
        if who in self.verdicts:
            return "already_decided"
        if who not in self.entitled:
            return "not_asked"
        if who in self.agreed:
            return "already_decided"
        return ""

    def approve(self, who: str) -> str:
        refusal = self._may_decide(who)
        if refusal:
            return refusal
        self.verdicts[who] = "approved"
        self.seated.add(who)
        self._open.add(who)
        self.deciders.add(who)
        if list(self.verdicts.values()).count("approved") >= self.needed:
            self.agreed |= set(self.verdicts)
            self.step += 1
            self._next()
        return ""

    def reject(self, who: str) -> str:
        refusal = self._may_decide(who)
        if refusal:
            return refusal
        self.verdicts[who] = "rejected"
        self.seated.add(who)
        self._open.add(who)
        self.deciders.add(who)
        still = len(self._open) - list(self.verdicts.values()).count("rejected")
        if POLICIES[self.policy][self.step][0] == "quorum" and still >= self.needed:
            return ""
        self._stop("rejected")
        return ""

    def send_back(self, who: str) -> str:
        refusal = self._may_decide(who)
        if not refusal:
            self.seated.add(who)
            self._stop("changes_requested")
        return refusal

    def break_glass(self, who: str) -> str:
        if who != "operator":
            return "out of reach"
        if self.state not in ("submitted", "in_review"):
            return "settled"
        if who in self.barred:
            return "own_request"
        self.glass_by = who
        self._approve()
        return ""

    def review_glass(self, who: str) -> str:
        if not self.sees(who):
            return "out of reach"
        if not self.glass_by:
            return "no_glass"
        if who == self.glass_by:
            return "own_glass"
        if who in self.barred:
            return "own_request"
        if who not in LEADS:
            return "not_asked"
        if self.is_glass_reviewed:
            return "reviewed"
        self.is_glass_reviewed = True
        return ""

    # -- time and the world -----------------------------------------------------------------------------------------------

    def expire(self) -> None:
        """Eleven minutes pass; the clock of the policy stands at ten."""
        if self.state not in ("submitted", "in_review"):
            return
        if not self.is_clock_on:
            if self.state == "submitted":
                self._next()
            return
        if self.at_expiry == "approve":
            self._approve()
        elif self.at_expiry == "deny":
            self._stop("expired")
        else:
            self.is_clock_on = False

    def move(self, word: str) -> None:
        self.word = word

    # -- effects ----------------------------------------------------------------------------------------------------------

    def _stop(self, state: str) -> None:
        self.state, self.is_clock_on = state, False

    def _approve(self) -> None:
        self._stop("approved")
        self._apply()

    def _apply(self) -> None:
        if self.word != self.stood:
            self.state = "changes_requested"
        elif self.name == "impossible":
            self.state = "apply_failed"
        else:
            self.state, self.former, self.word = "applied", self.word, self.name
            self.effects += 1

    def apply_again(self, who: str) -> str:
        if not self.sees(who):
            return "out of reach"
        if self.state != "apply_failed":
            return "not_failed"
        self._apply()
        return ""

    def undo(self, who: str) -> str:
        if not self.sees(who):
            return "out of reach"
        if self.state != "applied":
            return "not_applied"
        if who in self.barred:
            return "own_request"
        if who not in LEADS | self.deciders | {"operator"}:
            return "not_asked"
        if self.word != self.name:
            return "moved_on"
        self.word, self.state = self.former, "undone"
        self.effects += 1
        return ""
