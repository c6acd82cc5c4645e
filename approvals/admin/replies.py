"""Canned replies in the admin: lists, versions, proposals, the report; categories; the operator's rules."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import SimpleListFilter
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminTextareaWidget

from approvals.admin.reply_files import ReplyImport, ReplyResource
from approvals.models import (
    ApprovalRequest,
    CannedReply,
    CannedReplyVersion,
    Channel,
    Language,
    ReplyCategory,
    ReplyRules,
)
from approvals.plain import heat, variables
from approvals.reports import replies as reports
from approvals.services import replies, reply_proposals, reply_rules
from approvals.services.reply_kind import LABELS, word_of
from teams.clock import local_day
from teams.edges.admin import OperatorOnlyAdmin, ScopedAdmin, ScopedInline, site
from teams.edges.columns import Raw
from teams.edges.empty import Step
from teams.edges.history import Change, Difference
from teams.edges.scope import labels, person
from teams.edges.verbs import DayField, ReasonField, Verb, VerbForm
from teams.models import Team, User
from teams.querysets import ROSTER_READERS
from teams.scoping import Grant

Status = ApprovalRequest.State
WAITS = (Status.SUBMITTED, Status.IN_REVIEW, Status.CHANGES_REQUESTED)


class WordsField(forms.CharField):
    """Why: read by whoever decides."""

    def __init__(self, *, required: bool = False) -> None:
        super().__init__(label=_("why"), max_length=500, required=required)


class TextsVerbForm(VerbForm):
    title = forms.CharField(label=_("title"), max_length=120)
    short_code = forms.CharField(
        label=_("short code"), max_length=40, help_text=_("Letters, digits and . _ / - without spaces.")
    )
    body = forms.CharField(
        label=_("text"), max_length=4000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 8}),
        help_text=_("Variables stand in double braces, such as customer_name, and are filled in when it is sent."),
    )  # fmt: skip
    language = forms.ChoiceField(label=_("language"), choices=Language.choices)
    channel = forms.ChoiceField(label=_("channel"), choices=Channel.choices)
    category = forms.ModelChoiceField(ReplyCategory.objects.all(), label=_("category"), required=False)
    tags = forms.CharField(label=_("tags"), max_length=400, required=False, help_text=_("Separate them by commas."))
    valid_from = DayField(label=_("valid from"), required=False)
    valid_until = DayField(label=_("valid until"), required=False, help_text=_("The last day."))
    review_on = DayField(label=_("look at again on"), required=False)
    file = forms.FileField(
        label=_("attachment"), required=False, widget=UnfoldAdminFileFieldWidget,
        help_text=_("At most 5 MB. It joins the files that the reply has."),
    )  # fmt: skip
    words = WordsField()

    def clean_tags(self) -> list[str]:
        return [tag.strip() for tag in self.cleaned_data["tags"].replace("，", ",").split(",") if tag.strip()]


class NewReplyForm(TextsVerbForm):
    team = forms.ModelChoiceField(
        Team.objects.all(), label=_("for whom"), required=False, empty_label=_("everybody"),
        help_text=_("A team and all below it. The leads of the team decide; for everybody, those of the top team."),
    )  # fmt: skip
    field_order = ("team",)


class RetireForm(VerbForm):
    words = WordsField(required=True)


class VersionForm(VerbForm):
    number = forms.TypedChoiceField(label=_("version"), coerce=int)
    words = WordsField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        earlier = self.row.versions.order_by("-number")[1:100] if isinstance(self.row, CannedReply) else ()
        self.fields["number"].choices = [  # type: ignore[attr-defined]
            (each.number, f"{each.number} · {each.title}: {each.body[:60]}") for each in earlier
        ]


@transaction.atomic
def _new(*, by: User, team: int | None, words: str, file: UploadedFile | None, **texts: Any) -> ApprovalRequest:
    files = [replies.bring_file(file, by=by, team=team).pk] if file is not None else []
    return reply_proposals.propose_new(texts, team=team, by=by, words=words, files=files)


@transaction.atomic
def _change(pk: Any, *, by: User, words: str, file: UploadedFile | None, **texts: Any) -> ApprovalRequest:
    """A refusal takes the file back with it."""
    reply = replies.reachable(pk, by)
    files = list(reply.attachments.values_list("pk", flat=True))
    if file is not None:
        files.append(replies.bring_file(file, by=by, team=reply.team_id).pk)
    return reply_proposals.propose_change(pk, texts, by=by, words=words, files=files)


def _roll_back(pk: Any, *, by: User, number: int, words: str) -> ApprovalRequest:
    return reply_proposals.propose_version(pk, number, by=by, words=words)


def _texts(reply: CannedReply) -> Mapping[str, Any]:
    return {**replies.texts_of(reply), "tags": ", ".join(reply.tags)}


def _tell(request: HttpRequest, made: ApprovalRequest) -> HttpResponse:
    """Whether it waits or is live by now, then back to the list."""
    if made.state in WAITS:
        messages.info(request, _("It waits for approval. What stands stays live until then."))
    elif made.state == Status.APPLIED:
        messages.info(request, _("A rule approved it: it is live."))
    else:
        messages.warning(request, _("It is %(state)s.") % {"state": made.get_state_display()})
    return redirect("admin:approvals_cannedreply_changelist")


HANDED_IN = _("The proposal has been handed in.")


class Ending(SimpleListFilter):
    title, parameter_name = _("ends"), "ends"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("past", _("ended")), ("soon", _("within 14 days")), ("look", _("to be looked at again"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        today = timezone.localdate()
        match self.value():
            case "past":
                return queryset.filter(valid_until__lt=today)
            case "soon":
                return queryset.filter(valid_until__gte=today, valid_until__lte=today + reports.SOON)
            case "look":
                return queryset.filter(review_on__lte=today)
        return queryset


class Use(SimpleListFilter):
    title, parameter_name = _("use"), "used"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("recent", _("used in 90 days")), ("unused", _("not used in 90 days")), ("never", _("never used"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        since = timezone.now() - reports.RECENT
        match self.value():
            case "recent":
                return queryset.filter(search__last_used_at__gte=since)
            case "unused":
                return queryset.filter(Q(search__last_used_at=None) | Q(search__last_used_at__lt=since))
            case "never":
                return queryset.filter(search__last_used_at=None)
        return queryset


class VersionInline(ScopedInline):
    model = CannedReplyVersion
    fields = ("number", "title", "body", "made_at", "made_by")
    open_relations = ("made_by",)  # who wrote a version stands beside it, as who made a change does
    verbose_name_plural = _("versions")


@admin.register(CannedReply, site=site)
class CannedReplyAdmin(ScopedAdmin):
    empty_words = _("No canned reply is offered in your teams. Anybody may propose one; a lead approves it.")
    empty_steps = (Step(_("Propose a new reply"), "admin:approvals_cannedreply_create"),)
    writers = ROSTER_READERS  # whoever reads may propose; the verbs below write nothing themselves
    open_relations = ("team", "category")  # for whom a reply is, and where it stands, belongs to the reply
    list_display = (
        "short_code", "title", "whose", "category", "language", "channel", "status", "heat", "uses", "last_used",
        "valid_until",
    )  # fmt: skip
    more_columns = ("version", "updated_at", "valid_from", "review_on", "tags")
    raw_columns: ClassVar[dict[str, Raw]] = {
        "uses": Raw(lambda row: row.search.uses), "last_used": Raw(lambda row: row.search.last_used_at),
    }  # fmt: skip
    list_filter = ("status", "scope", "team", "category", "language", "channel", Use, Ending)
    search_fields = ("short_code", "title", "body", "category__name")
    ordering = ("-search__level", "title", "pk")
    fields = readonly_fields = (
        "title", "short_code", "whose", "body", "example", "language", "channel", "category", "tags", "status", "version",
        "valid_from", "valid_until", "review_on", "files_of_reply", "heat", "uses", "last_used", "updated_at", "waiting",
    )  # fmt: skip
    inlines = (VersionInline,)
    resource = ReplyResource
    import_resource = ReplyImport
    pages = (
        (_("Report"), "admin:approvals_cannedreply_report"),
        (_("Categories"), "admin:approvals_replycategory_changelist"),
    )
    verbs = (
        Verb(
            "create", _("Propose a new reply"), _new, NewReplyForm, ROSTER_READERS, HANDED_IN, on_row=False, enter=_tell,
        ),
        Verb(
            "edit", _("Propose a change"), _change, TextsVerbForm, ROSTER_READERS, HANDED_IN, initial=_texts,
            fits=lambda reply: reply.is_shared, enter=_tell,
        ),
        Verb(
            "retire", _("Propose to retire"), reply_proposals.propose_retirement, RetireForm, ROSTER_READERS, HANDED_IN,
            fits=lambda reply: reply.is_shared and reply.status != CannedReply.Status.RETIRED, enter=_tell,
        ),
        Verb(
            "roll-back", _("Propose an earlier version"), _roll_back, VersionForm, ROSTER_READERS, HANDED_IN,
            fits=lambda reply: reply.is_shared and reply.version > 1, enter=_tell,
        ),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> Any:
        rules = ReplyRules.objects.filter(pk=1).values("half_life_days")
        half_life = Coalesce(Subquery(rules), Value(ReplyRules().half_life_days))
        rows = super().get_queryset(request).select_related("search", *self.open_relations)
        return rows.defer("search__names", "search__body", "search__sketch").annotate(half_life=half_life)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @display(description=_("for whom"), ordering="team__name")
    def whose(self, reply: CannedReply) -> str:
        if reply.scope == CannedReply.Scope.PERSONAL:
            return str(reply.get_scope_display())
        return replies.team_in_words(reply.team)

    @display(description=_("heat"), ordering="search__level")
    def heat(self, reply: Any) -> str:
        return f"{heat.heat(reply.search.level, timezone.now(), reply.half_life):.2f}"

    @display(description=_("uses"), ordering="search__uses")
    def uses(self, reply: CannedReply) -> int:
        return reply.search.uses

    @display(description=_("last used"), ordering="search__last_used_at")
    def last_used(self, reply: CannedReply) -> Any:
        return reply.search.last_used_at

    @display(description=_("as a customer may read it"))
    def example(self, reply: CannedReply) -> str:
        return variables.example(reply.body)

    @display(description=_("attachments"))
    def files_of_reply(self, reply: CannedReply) -> str:
        return ", ".join(reply.attachments.order_by("name").values_list("name", flat=True)) or "–"

    @display(description=_("open proposal"))
    def waiting(self, reply: CannedReply) -> str:
        rows = ApprovalRequest.objects.open().filter(kind=reply_proposals.KIND, subject_key=f"reply:{reply.pk}")
        return ", ".join(str(each.get_state_display()) for each in rows) or "–"

    def import_view(self, request: HttpRequest) -> HttpResponse:
        answer = super().import_view(request)
        if answer.status_code == 302 and answer["Location"] != request.path:
            words = _(
                "Lines about shared replies wait for approval, each by itself; replies that are new begin with heat 0."
            )
            messages.info(request, words)
        return answer

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.report_view)
        return [path("report/", view, name="approvals_cannedreply_report"), *super().get_urls()]

    def report_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        user = person(request)
        teams = Team.objects.filter(pk__in=CannedReply.objects.visible_to(user).shared().values("team")).order_by(
            "name"
        )
        wish = request.GET.get("team", "")
        team = teams.filter(pk=int(wish)).first() if wish.isascii() and wish.isdigit() and len(wish) < 18 else None
        now = timezone.now()
        context = {
            **self.admin_site.each_context(request), "title": _("Report on canned replies"), "opts": self.opts,
            "report": reports.report(user, now, local_day(now, user.zone), team), "teams": teams, "team": team,
        }  # fmt: skip
        return TemplateResponse(request, "admin/reply_report.html", context)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: dict | None = None) -> HttpResponse:
        """The trail of a reply is that of its versions."""
        reply = self.get_object(request, object_id)
        return super().history_view(
            request, object_id, {"changes": changes(reply, person(request)), **(extra_context or {})}
        )


def changes(reply: CannedReply, viewer: User) -> list[Change]:
    """The versions of a reply as changes, the newest first: who, when, why, and what differs from the one before."""
    rows = list(reply.versions.select_related("request", "category").order_by("-number")[:100])
    people = labels(User, {row.made_by_id for row in rows} - {None}, viewer)
    told = []
    for row, former in zip(rows, [*rows[1:], None], strict=True):
        new = replies.texts_of(row)
        old = replies.texts_of(former) if former is not None else {}
        words = [(name, word_of(name, old.get(name)), word_of(name, new[name])) for name in replies.TEXTS]
        told.append(
            Change(
                at=row.made_at,
                who=people.get(row.made_by_id, str(_("the system"))),
                kind=str(_("version %(number)d") % {"number": row.number}),
                reason=row.request.words if row.request is not None else "",
                differences=tuple(Difference(str(LABELS[name]), a or "–", b or "–") for name, a, b in words if a != b),
            )
        )
    return told


class CategoryForm(VerbForm):
    name = forms.CharField(label=_("name"), max_length=80)
    team = forms.ModelChoiceField(
        Team.objects.all(), label=_("team"), required=False, empty_label=_("everybody"),
        help_text=_("Everybody's categories are the operator's to add."),
    )  # fmt: skip
    parent = forms.ModelChoiceField(ReplyCategory.objects.all(), label=_("above"), required=False)
    reason = ReasonField(required=False)


class RenameCategoryForm(VerbForm):
    name = forms.CharField(label=_("name"), max_length=80)
    reason = ReasonField(required=False)


class RemoveForm(VerbForm):
    reason = ReasonField(required=False)


@admin.register(ReplyCategory, site=site)
class ReplyCategoryAdmin(ScopedAdmin):
    empty_words = _("There is no category yet. Categories are the shelves on which canned replies are found.")
    empty_steps = (Step(_("New category"), "admin:approvals_replycategory_create"),)
    open_relations = ("team", "parent")  # whose a category is, and below which it stands, belongs to its name
    list_display = ("name", "parent", "team")
    list_filter = ("team",)
    search_fields = ("name",)
    fields = readonly_fields = ("name", "parent", "team")
    verbs = (
        Verb(
            "create", _("New category"), reply_rules.add_category, CategoryForm, (Grant.LEAD,),
            _("The category has been added."), on_row=False, goes_to_result=True,
        ),
        Verb(
            "rename", _("Rename"), reply_rules.rename_category, RenameCategoryForm, (Grant.LEAD,),
            _("The category has a new name."), initial=lambda category: {"name": category.name},
        ),
        Verb(
            "remove", _("Remove"), reply_rules.remove_category, RemoveForm, (Grant.LEAD,),
            _("The category has been removed."),
        ),
    )  # fmt: skip


class RulesForm(VerbForm):
    half_life_days = forms.IntegerField(
        label=_("half-life of heat in days"), min_value=1, max_value=365,
        help_text=_("After so many days a use counts half. Another half-life works out all heat anew."),
    )  # fmt: skip
    words = forms.CharField(
        label=_("sensitive words"), required=False, max_length=8000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 6}),
        help_text=_("One on each line. A reply that holds one is refused when it is handed in."),
    )  # fmt: skip
    reason = ReasonField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        rules = ReplyRules.current()
        kwargs["initial"] = {"half_life_days": rules.half_life_days, "words": "\n".join(rules.words)}
        super().__init__(*args, **kwargs)

    def clean_words(self) -> list[str]:
        return [line.strip() for line in self.cleaned_data["words"].splitlines() if line.strip()]


@admin.register(ReplyRules, site=site)
class ReplyRulesAdmin(OperatorOnlyAdmin):
    empty_words = _("The rules are as they came: heat halves in 14 days, and no word is refused.")
    empty_steps = (Step(_("Set rules"), "admin:approvals_replyrules_set"),)
    list_display = ("half_life_days", "words")
    fields = readonly_fields = ("half_life_days", "words")
    verbs = (
        Verb(
            "set", _("Set rules"), reply_rules.set_rules, RulesForm, done=_("The rules hold from now on."), on_row=False,
        ),
    )  # fmt: skip
