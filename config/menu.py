"""The menu of the admin, by role: only doors that this person may open, in the order of their day."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _

from approvals.models import ApprovalRequest
from performance.reports import dashboard
from teams.edges.admin import site
from teams.edges.scope import holds
from teams.querysets import ROSTER_READERS
from teams.scoping import Grant

Badge = Callable[[HttpRequest], int]


@dataclass(frozen=True)
class Door:
    """A list of the admin by its model, or a page by its name, shown to holders of `grants` (nobody named: all staff)."""

    title: Any
    icon: str
    model: str = ""
    page: str = ""
    grants: tuple[Grant, ...] = ()
    badge: Badge | None = None
    query: str = ""  # how the page is narrowed, where two doors lead to one list


def _tray(request: HttpRequest) -> int:
    return dashboard.tray(request.user)


def waiting_requests(request: HttpRequest) -> int:
    """Requests that ask this person, as the list of them shows: whoever is asked sees the request."""
    return ApprovalRequest.objects.waiting_for(request.user).count()


REQUESTS = "admin:approvals_approvalrequest_changelist"
GROUPS: tuple[tuple[Any, tuple[Door, ...]], ...] = (
    ("", (Door(_("Overview"), "dashboard", page="admin:index"), Door(_("My day"), "today", page="my_day"))),
    (
        _("People"),
        (
            Door(_("Agents"), "headset_mic", "teams.agent"),
            Door(_("Teams"), "groups", "teams.team"),
            Door(_("Memberships"), "badge", "teams.membership"),
            Door(_("Loans"), "swap_horiz", "teams.loan"),
            Door(_("Skills"), "psychology", "teams.skill"),
            Door(_("Compensation"), "payments", "teams.compensation"),
            Door(_("Who looked at whom"), "visibility", "teams.accessrecord"),
            Door(_("Looks at telephone numbers"), "phone_locked", "performance.phonereveal"),
            Door(_("Erasures"), "person_remove", "teams.erasure"),
        ),
    ),
    (
        _("Approvals"),
        (
            Door(_("Waits for me"), "how_to_vote", page=REQUESTS, badge=waiting_requests, query="show=me"),
            Door(_("All requests"), "checklist", page=REQUESTS, query="show=all"),
            Door(_("Rules of approval"), "gavel", "approvals.approvalpolicy"),
            Door(_("Absences"), "event_busy", "approvals.approvalabsence"),
            Door(_("Board"), "view_kanban", page="board", grants=(Grant.OBSERVE, Grant.LEAD, Grant.ONBOARD)),
            Door(_("Time lines"), "timeline", "approvals.statusspan"),
            Door(_("Cover of teams"), "shield", "approvals.teamcover"),
            Door(_("Reasons of statuses"), "sell", "approvals.statusreason"),
            Door(_("Canned replies"), "quickreply", "approvals.cannedreply"),
            Door(_("Report on replies"), "analytics", page="admin:approvals_cannedreply_report", grants=ROSTER_READERS),
            Door(_("Reply categories"), "account_tree", "approvals.replycategory"),
            Door(_("Rules for replies"), "rule_settings", "approvals.replyrules"),
            Door(_("Blacklist"), "block", "approvals.blockentry"),
            Door(_("Hits of the blacklist"), "person_alert", "approvals.blockhit"),
        ),
    ),
    (
        _("Performance"),
        (
            Door(_("Nightly reports"), "nights_stay", "performance.nightlyreport"),
            Door(_("Contacts"), "forum", "performance.contact"),
            Door(_("Agent days"), "person_check", "performance.agentday"),
            Door(_("Team days"), "calendar_month", "performance.teamday"),
            Door(_("Half hours of queues"), "grid_on", "performance.queuehalfhour"),
            Door(_("Targets"), "flag", "performance.target"),
        ),
    ),
    (
        _("Incentives"),
        (
            Door(_("Attainment"), "speed", "incentives.attainment"),
            Door(_("Records of days"), "event_note", "incentives.dayrecord"),
            Door(_("Incentive plans"), "redeem", "incentives.plan"),
            Door(_("Versions of plans"), "history_edu", "incentives.planversion"),
            Door(_("Plans tried on a month"), "science", "incentives.simulation"),
            Door(_("Incentive runs"), "event_repeat", "incentives.run"),
            Door(_("Entries"), "receipt_long", "incentives.entry"),
            Door(_("Pay-out batches"), "account_balance", "incentives.batch"),
            Door(_("Lifted gates"), "lock_open", "incentives.gateoverride"),
            Door(_("Corrected counts"), "edit_note", "incentives.correction"),
            Door(_("Who has read a plan"), "done_all", "incentives.acknowledgement"),
        ),
    ),
    (
        _("Intake"),
        (
            Door(_("Deliveries"), "upload_file", "performance.importrun"),
            Door(_("Tray of names"), "inbox", page="intake_tray", grants=(Grant.LEAD,), badge=_tray),
            Door(_("Agents at sources"), "assignment_ind", "performance.agentalias"),
            Door(_("Queues at sources"), "alt_route", "performance.queuealias"),
            Door(_("Queues"), "format_list_bulleted", "performance.queue"),
            Door(_("Sources"), "hub", "performance.source"),
        ),
    ),
    (
        _("Settings"),
        (
            Door(_("First start"), "rocket_launch", page="start_overview"),
            Door(_("Accounts"), "manage_accounts", "teams.user"),
            Door(_("Groups"), "group_work", "auth.group"),
            Door(_("Grants to persons"), "key", "teams.teamusergrant"),
            Door(_("Grants to groups"), "vpn_key", "teams.teamgroupgrant"),
            Door(_("People's data"), "shield_person", page="people_data", grants=()),
            Door(_("Views as somebody"), "supervised_user_circle", "teams.viewas"),
            Door(_("Tries at the log-in"), "shield_lock", "teams.entrytry"),
            Door(_("Job runs"), "work_history", "teams.jobrun"),
            Door(_("Notices"), "outgoing_mail", "teams.notice"),
            Door(_("Backups"), "backup", "teams.backup"),
            Door(_("Timetable"), "schedule", "django_celery_beat.periodictask"),
        ),
    ),
)


def for_request(request: HttpRequest) -> list[dict[str, Any]]:
    """The sidebar in the shape that the theme wants."""
    groups = []
    for title, doors in GROUPS:
        items = [item for door in doors if (item := _item(request, door)) is not None]
        if items:
            groups.append({"title": title, "separator": bool(title), "collapsible": False, "items": items})
    return groups


def pages(request: HttpRequest) -> list[tuple[Any, Any, str]]:
    """Title, group and address of every page of the menu that this person may open, without counting what waits."""
    return [
        (door.title, title, address)
        for title, doors in GROUPS
        for door in doors
        if (address := _address(request, door)) is not None
    ]


def links(request: HttpRequest) -> dict[str, str]:
    """The lists this person may open, by model in lower case with an underscore: for links on the first page."""
    return {
        door.model.replace(".", "_"): address
        for _title, doors in GROUPS
        for door in doors
        if door.model and (address := _address(request, door)) is not None
    }


def _item(request: HttpRequest, door: Door) -> dict[str, Any] | None:
    address = _address(request, door)
    if address is None:
        return None
    item = {"title": door.title, "icon": door.icon, "link": address}
    if door.page == "admin:index":
        item["active"] = request.path == address
    elif door.query:
        item["active"] = request.path == address.partition("?")[0] and request.GET.get("show", "me") in door.query
    if door.badge is not None and (count := door.badge(request)):
        item |= {"badge": str(count), "badge_variant": "warning"}
    return item


def _address(request: HttpRequest, door: Door) -> str | None:
    """Where the door is, or None where it is shut or not built in."""
    if door.grants and not holds(request, door.grants):
        return None
    if door.page == "people_data" and not request.user.is_superuser:
        return None
    if door.page == "my_day" and not hasattr(request.user, "agent"):
        return None
    if door.page == "start_overview" and not request.user.is_superuser:
        return None
    if door.page == REQUESTS and not site.get_model_admin(ApprovalRequest).has_view_permission(request):
        return None
    if door.model:
        if not apps.is_installed(door.model.split(".")[0]) or not _opens(request, door.model):
            return None
        door_name = f"admin:{door.model.replace('.', '_')}_changelist"
    else:
        door_name = door.page
    address = link(door_name)
    return f"{address}?{door.query}" if address and door.query else address


def link(page: str, *args: object) -> str | None:
    """The address of a page by its name; None where it is not built in."""
    try:
        return reverse(page, args=args)
    except NoReverseMatch:
        return None


def _opens(request: HttpRequest, label: str) -> bool:
    """Whether the model has an admin here, its declared readers hold a grant, and the admin itself lets the user look."""
    model = apps.get_model(label)
    if not site.is_registered(model):
        return False
    readers = getattr(model._default_manager.all(), "read_grants", ())
    if readers and not holds(request, readers):
        return False
    return site.get_model_admin(model).has_view_permission(request)
