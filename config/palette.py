"""What the command palette finds for one person: pages they may open, and teams, people and contacts within their reach.

Rows are asked for through the admin of their list, so that the palette finds what a search there finds and nothing else;
agents, who have no admin, find their own pages and their own contacts. What is out of reach is not found, in no other way
than what does not exist. The verbs of the page at hand and the pages visited last are known to the browser alone.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from config import menu
from performance.models import Contact
from teams.edges.admin import site
from teams.models import Agent, Team

LONGEST = 80  # characters of a wish that are read
LEAST = 2  # characters before rows are looked for: one letter would find everybody
EACH = 6  # results of one kind
ROWS = ((gettext_lazy("People"), Agent), (gettext_lazy("Teams"), Team))
OWN_PAGES = (
    (gettext_lazy("My day"), "my_day"),
    (gettext_lazy("30 days"), "my_days"),
    (gettext_lazy("Contacts"), "my_contacts"),
    (gettext_lazy("Incentives"), "my_incentives"),
    (gettext_lazy("My record"), "my_record"),
)
ACCOUNT_PAGES = ((gettext_lazy("Time zone"), "account"), (gettext_lazy("Change password"), "password_change"))


@dataclass(frozen=True)
class Found:
    title: str
    hint: str
    link: str


@require_safe
def find(request: HttpRequest) -> JsonResponse:
    """Groups of results for `q`: pages first, then rows. Without a wish, all pages."""
    wish = " ".join(request.GET.get("q", "").replace("\x00", "")[:LONGEST].split())
    groups = [{"title": _("Pages"), "items": [asdict(page) for page in _pages(request, wish)]}]
    if len(wish) >= LEAST:
        groups += [{"title": title, "items": [asdict(row) for row in rows]} for title, rows in _rows(request, wish)]
    answer = JsonResponse({"groups": [group for group in groups if group["items"]]})
    answer.headers["Cache-Control"] = "no-store, private"
    return answer


def _pages(request: HttpRequest, wish: str) -> list[Found]:
    """Pages whose title holds every word of `wish`, in the language of the person or in English."""
    words, found = wish.casefold().split(), []
    for title, group, link in _doors(request):
        said = f"{title} {group}"
        with translation.override("en"):
            said = f"{said} {title} {group}".casefold()
        if all(word in said for word in words):
            found.append(Found(str(title), str(group), link))
    return found[: EACH if words else None]


def _doors(request: HttpRequest) -> Iterator[tuple[Any, Any, str]]:
    if request.user.is_staff:
        yield from menu.pages(request)
    has_own_pages = hasattr(request.user, "agent")
    for title, page in OWN_PAGES if has_own_pages else ():
        if not (request.user.is_staff and page == "my_day"):  # the menu of the admin has it already
            yield title, _("Own pages"), reverse(page)
    for title, page in ACCOUNT_PAGES:
        yield title, _("Your account"), reverse(page)


def _rows(request: HttpRequest, wish: str) -> Iterator[tuple[str, list[Found]]]:
    for title, model in ROWS if request.user.is_staff else ():
        admin = site.get_model_admin(model)
        if admin.has_view_permission(request):
            rows, _is_double = admin.get_search_results(request, admin.get_queryset(request), wish)
            page = admin.route("change")
            yield (
                str(title),
                [
                    Found(row.name, row.number if isinstance(row, Agent) else row.code, reverse(page, args=[row.pk]))
                    for row in rows[:EACH]
                ],
            )
    yield _("Contacts"), list(_contacts(request, wish))


def _contacts(request: HttpRequest, wish: str) -> Iterator[Found]:
    """Contacts by their id at the source, whole: those of one's reach in the admin, the own ones on the own pages."""
    if request.user.is_staff:
        if not site.get_model_admin(Contact).has_view_permission(request):
            return
        rows, page = Contact.objects.visible_to(request.user).called(wish), "admin:performance_contact_change"
    else:
        rows, page = Contact.objects.about(request.user).filter(external_id=wish), "my_contact"
    for contact in rows[:EACH]:
        yield Found(contact.external_id, contact.get_channel_display(), reverse(page, args=[contact.pk]))
