"""What an empty list says: why it is empty, and the next step as a link that this person may open.

There are three reasons. Nothing matches what was searched or filtered: it can be cleared. Nothing is there yet: the list
declares a sentence and the steps that fill it. Nothing is within reach: it says which teams are, and whom to ask. Rows
that exist out of reach are never hinted at: to the one who asks, they are not there.
"""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from teams.edges.scope import holds
from teams.models import Team, User
from teams.scoping import Grant

NAMED = 3  # teams and people that a sentence names


@dataclass(frozen=True)
class Step:
    """A page, by its name, where the list may be filled. `grants`: who may open a page that is no admin's own."""

    title: Any
    page: str
    grants: tuple[Grant, ...] | None = None
    query: str = ""


@dataclass(frozen=True)
class Emptiness:
    title: str
    words: str
    reach: str = ""
    links: list[tuple[str, str]] = field(default_factory=list)


class EmptyLists:
    """Mixed into the scoped admin."""

    empty_words: ClassVar[Any] = ""
    empty_steps: ClassVar[tuple[Step, ...]] = ()
    wider: ClassVar[tuple[Step, ...]] = ()  # for lists that narrow themselves: a wider look at the same list

    def emptiness(self: Any, request: HttpRequest, shown: Any) -> Emptiness:
        """What the list says in place of its rows. `shown`: the change list, which knows how it was narrowed."""
        rows = self.opts.verbose_name_plural
        wider = [(str(step.title), f"?{step.query}") for step in self.wider]
        if shown.query or shown.get_filters_params():
            words = _("No %(rows)s match what was searched or filtered for.") % {"rows": rows}
            return Emptiness(
                _("Nothing matches"), words, links=[(_("Clear search and filters"), shown.bare_address), *wider]
            )
        words = str(self.empty_words or _("There are no %(rows)s yet.") % {"rows": rows})
        links = wider + self.steps(request)
        if not links:
            links = [(_("Back to the overview"), reverse("admin:index"))]
        title = _("No %(rows)s here") if wider else _("No %(rows)s yet")
        return Emptiness(title % {"rows": rows}, words, self._reach_words(request), links)

    def steps(self, request: HttpRequest) -> list[tuple[str, str]]:
        """Title and address of the declared steps that this person may take."""
        return [
            (str(step.title), reverse(step.page) + (f"?{step.query}" if step.query else ""))
            for step in self.empty_steps
            if self._opens(request, step)
        ]

    def _opens(self: Any, request: HttpRequest, step: Step) -> bool:
        if step.grants is not None:
            return holds(request, step.grants)
        for admin in self.admin_site._registry.values():
            stem = admin.route("")
            if step.page.startswith(stem):
                return admin.opens(request, step.page.removeprefix(stem))
        return True

    def opens(self: Any, request: HttpRequest, page: str) -> bool:
        """Whether this person may open a page of this admin that needs no row."""
        if page == "changelist":
            return self.has_view_permission(request)
        if page == "add":
            return self.has_add_permission(request)
        if page == "import":
            return self.may_import(request)
        return any(verb.slug == page and not verb.on_row and verb.may(request) for verb in self.verbs)

    def _reach_words(self: Any, request: HttpRequest) -> str:
        user: Any = request.user
        if user.is_superuser or not self.read_grants():
            return ""
        askable = User.objects.filter(is_superuser=True, is_active=True).order_by("pk")[:NAMED]
        operators = listing([str(each) for each in askable]) or _("the operator")
        teams = Team.objects.in_reach_of(user, *self.read_grants()).order_by("name", "pk")
        names = list(teams.values_list("name", flat=True)[: NAMED + 1])
        if not names:
            return _("No team is open to you for this. Ask %(whom)s for a grant, naming your team.") % {
                "whom": operators
            }
        if len(names) > NAMED:
            more = teams.count() - NAMED
            reached = ngettext("%(teams)s and %(more)d more team", "%(teams)s and %(more)d more teams", more) % {
                "teams": listing(names[:NAMED]),
                "more": more,
            }
        else:
            reached = listing(names)
        return _("You see: %(teams)s. If something is missing, ask %(whom)s.") % {"teams": reached, "whom": operators}


def listing(names: list[str]) -> str:
    return pgettext("between names in a row", ", ").join(names)
