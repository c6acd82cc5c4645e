"""Plans and their versions: drafted by payroll, published by a second person through approvals, never changed afterwards."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from approvals.models import ApprovalRequest
from incentives.figures import WEIGHED
from incentives.models import Acknowledgement, Plan, PlanVersion
from incentives.places import places
from incentives.plain.periods import Span, measured
from incentives.plain.terms import Terms, read
from performance.metrics import METRICS, Better
from teams.acting import system_scope
from teams.audit import delete_with_history, save_with_history
from teams.errors import OutOfReach, Refused
from teams.grants import reaches
from teams.models import Agent, Team, User
from teams.scoping import Grant

MOST_DRAFTS = 20
OTHERS = "what else holds is looked at as a whole, whoever asks"
BY_QUEUE = frozenset({"offered", "answered", "abandoned", "answered_in_time", "waited", "wait_seconds"})


def fitting_metrics() -> dict[str, Any]:
    """The figures of the registry that a plan can measure, by id: those of people in which more is better."""
    return {
        metric.id: metric
        for metric in METRICS.values()
        if metric.better is Better.MORE and not {metric.numerator, metric.denominator} & BY_QUEUE
    }


def checked(terms: Mapping[str, Any], since: date) -> Terms:
    """The terms as read. Raises Refused: bad_terms, with the sentence that says what to put right."""
    try:
        made = read(terms)
        _check_figures(made)
        _check_first_day(made, since)
    except ValueError as error:
        raise Refused("bad_terms", str(error)) from error
    return made


def _check_figures(terms: Terms) -> None:
    known = fitting_metrics()
    for place, measure in enumerate(terms.measures, 1):
        metric = known.get(measure.metric)
        told = {"place": place, "known": ", ".join(known)}
        if metric is None:
            raise ValueError(
                _("In measure %(place)d choose a figure of people in which more is better: %(known)s.") % told
            )
        if measure.is_ratio != (metric.denominator is not None):
            raise ValueError(_("In measure %(place)d say rightly whether the figure is a ratio.") % told)
    if terms.excluded and terms.measures[0].metric != WEIGHED:
        raise ValueError(
            _("Contacts are left out of “volume” only; choose it as the first measure, or leave nothing out.")
        )


def _check_first_day(terms: Terms, since: date) -> None:
    if terms.period != "shift_day" and measured(terms.period, since).first != since:
        first = measured(terms.period, since).last + timedelta(days=1)
        raise ValueError(
            _("A plan by %(period)s begins with one: let it hold from %(day)s.")
            % {"period": _("the week") if terms.period == "week" else _("the month"), "day": first.isoformat()}
        )


# -- plans ---------------------------------------------------------------------------------------------------------------


@transaction.atomic
def make_plan(
    team: int, name: str, *, by: User, roles: Sequence[str] = (), earning_code: str = "", reason: str = ""
) -> Plan:
    """A plan without a version: it pays nothing yet.

    Raises OutOfReach, or Refused: no_name, name_taken, bad_plan, unknown_role.
    """
    place = Team.objects.in_reach_of(by, Grant.SETTLE).filter(pk=team).first()
    if place is None:
        raise OutOfReach
    plan = Plan(team=place, name=name.strip(), roles=_roles(roles), earning_code=earning_code.strip(), made_by=by)
    _check_name(plan)
    save_with_history(plan, by=by, reason=reason)
    return plan


def _roles(roles: Sequence[str]) -> list[str]:
    if unknown := set(roles) - set(Agent.Role.values):
        raise Refused("unknown_role", _("There is no role “%(role)s”.") % {"role": sorted(unknown)[0]})
    return sorted(set(roles), key=Agent.Role.values.index)


def _check_name(plan: Plan) -> None:
    if not plan.name:
        raise Refused("no_name", _("Give the plan a name."))
    try:
        plan.clean_fields(exclude=["team", "roles", "made_by", "made_at"])
    except ValidationError as error:
        raise Refused("bad_plan", " ".join(error.messages)) from error
    if Plan.objects.filter(team=plan.team_id, name=plan.name).exclude(pk=plan.pk).exists():
        raise Refused("name_taken", _("This team has a plan of that name. Choose another name."))


@transaction.atomic
def rename_plan(pk: Any, name: str, *, by: User, earning_code: str = "", reason: str = "") -> Plan:
    """Another name, or earning code. Raises OutOfReach, or Refused: no_name, name_taken, bad_plan."""
    plan: Plan = Plan.objects.manageable_by(by).take(pk)
    plan.name, plan.earning_code = name.strip(), earning_code.strip()
    _check_name(plan)
    save_with_history(plan, "name", "earning_code", by=by, reason=reason)
    return plan


@transaction.atomic
def close_plan(pk: Any, on: date, *, by: User, reason: str) -> Plan:
    """Let a plan hold for the last time on the day before `on`; what has been earned is paid.

    Raises OutOfReach, or Refused: no_reason, is_closed, in_the_past, within_period.
    """
    plan: Plan = Plan.objects.manageable_by(by).take(pk)
    if plan.is_closed:
        raise Refused("is_closed", _("This plan is closed already."))
    if not reason.strip():
        raise Refused("no_reason", _("Say why: the reason is kept with the plan."))
    if on <= timezone.now().date():
        raise Refused("in_the_past", _("What has been worked for is paid: choose a day after today."))
    with system_scope(OTHERS):
        for version in PlanVersion.objects.select_for_update(of=("self",)).filter(plan=plan).published().order_by("pk"):
            if version.span.upper is None or version.span.upper > on:
                _end(version, on, by=by, reason=reason)
    plan.is_closed = True
    save_with_history(plan, "is_closed", by=by, reason=reason)
    return plan


def _end(version: PlanVersion, on: date, *, by: User | None, reason: str) -> None:
    """One that would begin on that day or later never holds. Raises Refused: within_period."""
    if version.span.lower >= on:
        version.state = PlanVersion.State.WITHDRAWN
        save_with_history(version, "state", by=by, reason=reason)
        return
    refuse_within_period(version, on)
    version.span = DateRange(version.span.lower, on)
    save_with_history(version, "span", by=by, reason=reason)


def refuse_within_period(version: PlanVersion, on: date) -> None:
    """A week or month that has begun is paid whole by the version it began under, so that nothing worked for is lost."""
    period = version.terms["period"]
    if period != "shift_day" and measured(period, on).first != on:
        following = measured(period, on).last + timedelta(days=1)
        raise Refused(
            "within_period",
            _("The plan that holds pays by %(period)s, and one would be cut in two. Choose %(day)s.")
            % {"period": _("the week") if period == "week" else _("the month"), "day": following.isoformat()},
        )


# -- versions ------------------------------------------------------------------------------------------------------------


@transaction.atomic
def draft_version(plan: Any, terms: Mapping[str, Any], since: date, *, by: User, reason: str = "") -> PlanVersion:
    """A draft with these terms, that would hold from `since` on. Raises OutOfReach, or Refused: bad_terms, is_closed."""
    row: Plan = Plan.objects.manageable_by(by).take(plan)
    if row.is_closed:
        raise Refused("is_closed", _("This plan is closed. Make a new one."))
    checked(terms, since)
    last = PlanVersion.objects.filter(plan=row).order_by("-number").first()
    version = PlanVersion(
        plan=row, number=last.number + 1 if last else 1, terms=dict(terms), span=DateRange(since, None), made_by=by,
        reason=reason.strip()[:300],
    )  # fmt: skip
    save_with_history(version, by=by, reason=reason)
    return version


@transaction.atomic
def edit_draft(pk: Any, terms: Mapping[str, Any], since: date, *, by: User, reason: str = "") -> PlanVersion:
    """Other terms for a draft. Raises OutOfReach, or Refused: bad_terms, not_a_draft, under_request."""
    version = take_draft(pk, by)
    checked(terms, since)
    version.terms, version.span = dict(terms), DateRange(since, None)
    save_with_history(version, "terms", "span", by=by, reason=reason)
    return version


@transaction.atomic
def discard_draft(pk: Any, *, by: User, reason: str = "") -> None:
    """Throw a draft away. Raises OutOfReach, or Refused: not_a_draft, under_request."""
    delete_with_history(take_draft(pk, by, may_be_sent_back=False), by=by, reason=reason)


def take_draft(pk: Any, by: User, *, may_be_sent_back: bool = True) -> PlanVersion:
    """A draft, locked. While a request to publish it was sent back to be put right, it may be: the request is then handed in
    anew. Raises OutOfReach, or Refused: not_a_draft, under_request."""
    version: PlanVersion = PlanVersion.objects.manageable_by(by).select_related("plan").take(pk)
    if version.state != PlanVersion.State.DRAFT:
        raise Refused("not_a_draft", _("What has been published stays as it is. Draft a new version."))
    if version.request_id is None:
        return version
    with system_scope(OTHERS):
        request = ApprovalRequest.objects.get(pk=version.request_id)
    is_sent_back = request.state == ApprovalRequest.State.CHANGES_REQUESTED
    if not (may_be_sent_back and is_sent_back):
        raise Refused("under_request", _("A request to publish this draft is open. Withdraw it first."))
    return version


def refuse_first_day(version: PlanVersion) -> None:
    """Raises Refused: retroactive, within_period, where a version cannot begin on its first day."""
    _refuse_retroactive(version)
    since = version.span.lower
    for held in PlanVersion.objects.filter(plan=version.plan_id).published().filter(span__contains=since):
        if held.span.lower < since:
            refuse_within_period(held, since)


def _refuse_retroactive(version: PlanVersion) -> None:
    """Days that have been are paid by what held on them. Where nothing held, a new version only adds pay."""
    since, today = version.span.lower, timezone.now().date()
    if since > today:
        return
    held = PlanVersion.objects.filter(plan=version.plan_id).published()
    if held.filter(span__overlap=DateRange(since, today + timedelta(days=1))).exists() or _takes_over(version, today):
        raise Refused(
            "retroactive",
            gettext_lazy("Days from %(day)s on were worked under the version that holds. Choose a day after today.")
            % {"day": since.isoformat()},
        )


def _takes_over(version: PlanVersion, today: date) -> bool:
    """Whether somebody would be under it on a day that they have worked under another plan, one above or beside it."""
    span = Span(version.span.lower, today)
    with system_scope(OTHERS):
        taken = {(place.team, place.role) for place in places(span, instead=version) if place.version == version.pk}
        return any((place.team, place.role) in taken for place in places(span))


def publish(version: PlanVersion, *, by: User | None, reason: str) -> None:
    """Let a draft hold: the version before ends where it begins. Called by the request that two people agreed to."""
    refuse_first_day(version)
    for held in PlanVersion.objects.select_for_update(of=("self",)).filter(plan=version.plan_id).published():
        if held.span.upper is None or held.span.upper > version.span.lower:
            _end(held, version.span.lower, by=by, reason=reason)
    version.state, version.published_at = PlanVersion.State.PUBLISHED, timezone.now()
    save_with_history(version, "state", "published_at", "request", by=by, reason=reason)


# -- the agents' part ----------------------------------------------------------------------------------------------------


@transaction.atomic
def acknowledge(version: Any, *, by: User) -> Acknowledgement:
    """Note that an agent has read the version that holds for them. Again: the same. Raises OutOfReach."""
    agent = Agent.objects.filter(user=by).first()
    if agent is None or agent.team_id is None:
        raise OutOfReach
    with system_scope("the terms of one's own plan are read by everybody under it"):
        row = PlanVersion.objects.published().filter(pk=version).first()
        if row is None or not _is_under(agent, row):
            raise OutOfReach
        noted, _is_new = Acknowledgement.objects.get_or_create(version=row, agent=agent)
    return noted


def _is_under(agent: Agent, version: PlanVersion) -> bool:
    plan = version.plan
    above = plan.team.descent.filter(descendant=agent.team_id).exists()
    return above and (not plan.roles or agent.role in plan.roles)


def may_settle(by: User, team: int) -> bool:
    return by.is_superuser or reaches(by, team, Grant.SETTLE)
