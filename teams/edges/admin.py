"""Bases of the admin doors: a site that takes only scoped admins, the scoped admin and inline, and the operator's own.

Django's model permissions are never asked: what may be seen follows from grants (`readers`, `writers`), row by row.
Row security in the database can join later at `OutpostAdminSite.admin_view`, which every page of the site passes.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.admin import display, helpers
from django.contrib.admin.utils import NestedObjects, unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db import DataError, models, router
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.functional import SimpleLazyObject
from django.utils.http import urlencode
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.sites import UnfoldAdminSite

from teams import audit, undoing
from teams.edges import history
from teams.edges import undo as undo_edge
from teams.edges.columns import Columns
from teams.edges.empty import EmptyLists
from teams.edges.filters import (
    ScopedChangeList,
    allowed_lookups,
    only_visible_relations,
    related_column,
    scoped_filters,
    searched,
)
from teams.edges.saved import SavedFilters
from teams.edges.scope import OUT_OF_REACH, holds, in_reach
from teams.edges.terms import term_words
from teams.edges.transfer import Transfers
from teams.edges.verbs import Verb
from teams.errors import OutOfReach, Refused
from teams.scoping import Grant, shown

POST_ONLY = partial(HttpResponseNotAllowed, ["POST"])
CLOSED_ROUTES = frozenset({"view_on_site"})  # answers past the scope, by content type


class OutpostAdminSite(UnfoldAdminSite):
    """Refuses any admin that is not scoped, so that a door cannot be opened by forgetting."""

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        self.disable_action("delete_selected")

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        if admin_class is None or not issubclass(admin_class, ScopedAdmin):
            raise TypeError(f"{admin_class!r} must derive from ScopedAdmin to be registered")
        if admin_class.list_editable or admin_class.save_as or admin_class.raw_id_fields:
            raise TypeError(
                f"{admin_class.__name__}: list_editable, save_as and raw_id_fields write or show past scope"
            )
        if not all(issubclass(inline, ScopedInline) for inline in admin_class.inlines):
            raise TypeError(f"{admin_class.__name__}: every inline must derive from ScopedInline")
        super().register(model_or_iterable, admin_class, **options)

    def get_urls(self) -> list[Any]:
        own = [
            path("lists/<str:label>/columns/", self.admin_view(self.arrange), name="list_columns"),
            path("lists/<str:label>/filters/", self.admin_view(self.keep_filters), name="list_filters"),
        ]
        return own + [route for route in super().get_urls() if getattr(route, "name", None) not in CLOSED_ROUTES]

    def arrange(self, request: HttpRequest, label: str) -> HttpResponse:
        """The person's own columns of a list they may open."""
        return self._list(request, label).arrange(request) if request.method == "POST" else POST_ONLY()

    def keep_filters(self, request: HttpRequest, label: str) -> HttpResponse:
        """The person's own filters of a list they may open."""
        return self._list(request, label).keep_filters(request) if request.method == "POST" else POST_ONLY()

    def _list(self, request: HttpRequest, label: str) -> "ScopedAdmin":
        """The admin of a list by its model. No such list, and one that is shut to this person, are one 404."""
        for admin in self._registry.values():
            if isinstance(admin, ScopedAdmin) and admin.listed == label and admin.has_view_permission(request):
                return admin
        raise Http404

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """There is one log-in page for everybody."""
        query = urlencode({"next": request.GET["next"]}) if request.GET.get("next") else ""
        return redirect(f"{reverse('login')}?{query}" if query else reverse("login"))

    login.login_required = False  # type: ignore[attr-defined]

    def search(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Finds pages of the menu by name. Rows are searched in their lists; nothing is kept for the next request."""
        term = request.GET.get("s", "").strip().lower()
        found = self._search_apps(self.get_app_list(request), term) if term else []
        extended = "extended" in request.GET
        template = "unfold/helpers/command_results.html" if extended else "unfold/helpers/search_results.html"
        page = Paginator(found, 100).get_page(1)
        context = {"page_obj": page.paginator, "results": page, "page_counter": 0, "execution_time": 0}
        return TemplateResponse(request, template, context, headers={"HX-Trigger": "search"})

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> Any:
        """All lists by app, put together when somebody looks: the frame of each page is given them and shows the menu."""
        together = super().get_app_list
        return SimpleLazyObject(lambda: together(request, app_label))

    def get_log_entries(self, request: HttpRequest) -> Any:
        """Django's own log keeps names for whoever reads it; changes stand in the history of their rows instead."""
        return super().get_log_entries(request).none()


site = OutpostAdminSite(name="admin")


class Scoped:
    """What admin and inline share: permissions from grants, and related choices cut to what the user may see."""

    model: type[models.Model]
    readers: ClassVar[tuple[Grant, ...] | None] = None  # None: as the model's queryset declares
    writers: ClassVar[tuple[Grant, ...] | None] = None
    open_relations: ClassVar[tuple[str, ...]] = ()  # related rows whose name belongs to the row itself: say why

    @display(description=_("from, until"), ordering="span")
    def term(self, row: Any) -> str:
        """The row's `span` in words; lists and pages name this in its place."""
        return term_words(row.span)

    def closed_relations(self) -> list[str]:
        """Relations whose rows are shown only if the user may see them by themselves."""
        fields = self.model._meta.concrete_fields
        return [each.name for each in fields if each.is_relation and each.name not in self.open_relations]

    def read_grants(self) -> tuple[Grant, ...]:
        declared = getattr(self.model._default_manager.all(), "read_grants", ())
        return declared if self.readers is None else self.readers

    def write_grants(self) -> tuple[Grant, ...]:
        declared = getattr(self.model._default_manager.all(), "write_grants", ())
        return declared if self.writers is None else self.writers

    def get_field_queryset(self, db: Any, db_field: Any, request: HttpRequest) -> Any:
        queryset = super().get_field_queryset(db, db_field, request)  # type: ignore[misc]
        if queryset is None:
            queryset = db_field.remote_field.model._default_manager.all()
        if db_field.name == getattr(self.model._default_manager.all(), "team_path", None):
            return in_reach(queryset, request.user, self.write_grants())  # no row is put where one may only read
        return shown(queryset, request.user)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if kwargs.get("queryset") is not None:
            kwargs["queryset"] = shown(kwargs["queryset"], request.user)
        formfield = super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]
        if formfield is not None and hasattr(formfield.widget, "can_add_related"):
            for way in ("add", "change", "delete", "view"):
                setattr(formfield.widget, f"can_{way}_related", False)
        return formfield


class ScopedAdmin(Columns, SavedFilters, EmptyLists, Transfers, Scoped, ModelAdmin):
    """Starts every read from who asks: rows, choices, filters, lookups, actions, history, deletion.

    The model's default queryset must offer `visible_to` and `manageable_by`. Adding, changing and deleting are off
    unless a subclass switches them on, and then still need a write grant. Fields with consequences have `verbs`.
    """

    may_add: ClassVar[bool] = False
    may_change: ClassVar[bool] = False
    may_delete: ClassVar[bool] = False
    verbs: ClassVar[tuple[Verb, ...]] = ()
    pages: ClassVar[tuple[tuple[Any, str], ...]] = ()  # buttons above the list for writers: title, name of the page
    list_before_template = "admin/list_bar.html"
    list_per_page = 50
    list_max_show_all = 0
    show_full_result_count = False
    show_facets = ModelAdmin.show_facets.NEVER
    list_filter_submit = False
    view_on_site = False

    # -- rows ----------------------------------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> Any:
        return self.scope(super().get_queryset(request), request)

    def scope(self, queryset: Any, request: HttpRequest) -> Any:
        return shown(queryset, request.user)

    def manageable(self, request: HttpRequest) -> Any:
        rows = self.model._default_manager.all()
        return rows.manageable_by(request.user) if hasattr(rows, "manageable_by") else shown(rows, request.user)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """The row, or the one 404 for foreign and missing alike. Who may not see any such row is told so first."""
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        field = self.opts.pk if from_field is None else self.opts.get_field(from_field)
        try:
            rows = only_visible_relations(self.get_queryset(request), request.user, self.closed_relations())
            rows = rows.select_related(*self.open_relations) if self.open_relations else rows
            row = rows.filter(**{field.name: field.to_python(object_id)}).first()
        except (ValidationError, DataError, ValueError, OverflowError) as error:
            raise Http404 from error
        if row is None:
            raise Http404
        return row

    # -- permissions ---------------------------------------------------------------------------------------------------

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return holds(request, self.read_grants())

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.may_add and holds(request, self.write_grants())

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may_change and self._may_write(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may_delete and self._may_write(request, obj)

    def _may_write(self, request: HttpRequest, obj: Any) -> bool:
        if not holds(request, self.write_grants()):
            return False
        if obj is None or request.user.is_superuser:
            return True
        return self.manageable(request).filter(pk=obj.pk).exists()

    # -- lists ---------------------------------------------------------------------------------------------------------

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ScopedChangeList]:
        return ScopedChangeList

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        relations = self.closed_relations()
        return [
            related_column(self.model, column) if column in relations else column
            for column in super().get_list_display(request)
        ]

    def get_list_select_related(self, request: HttpRequest) -> tuple[str, ...]:
        return self.open_relations

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        return scoped_filters(self.model, super().get_list_filter(request))

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        fields = self.get_search_fields(request) if search_term else ()
        return searched(queryset, fields, search_term, request.user, self.open_relations) if fields else queryset, False

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        return lookup in allowed_lookups(self.list_filter, self.date_hierarchy)

    def to_field_allowed(self, request: HttpRequest, to_field: str) -> bool:
        return to_field == self.opts.pk.name

    def response_action(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        """An action runs on exactly the rows that were ticked. One that is not in the list: 404, and nothing changes."""
        ticked = set(request.POST.getlist(helpers.ACTION_CHECKBOX_NAME))
        if request.POST.get("select_across") not in ("1", "True") and ticked:
            try:
                found = queryset.filter(pk__in=ticked).count()
            except (ValueError, TypeError) as error:
                raise Http404 from error
            if found != len(ticked):
                raise Http404
        return super().response_action(request, queryset)

    def each(self, request: HttpRequest, rows: Iterable[models.Model], verb: Callable[[Any], Any]) -> None:
        """Apply a service to each selected row; say how many went through and why the others did not."""
        done = 0
        for row in rows:
            try:
                verb(row.pk)
                done += 1
            except Refused as refusal:
                messages.error(request, f"{row}: {refusal.message}")
            except OutOfReach as error:
                raise Http404 from error
        if done:
            messages.success(request, _("Done: %(count)d.") % {"count": done})

    def changelist_view(self, request: HttpRequest, extra_context: dict | None = None) -> HttpResponse:
        if request.method in ("GET", "HEAD") and self.has_view_permission(request):
            opened = self.opened_with(request)
            if opened is not None:
                return opened
        buttons = [
            (verb.title, reverse(self.route(verb.slug))) for verb in self.verbs if not verb.on_row and verb.may(request)
        ]
        if holds(request, self.write_grants()):
            buttons += [(title, reverse(name)) for title, name in self.pages]
        context = {
            "buttons": buttons + self.transfer_buttons(request),
            "columns": partial(self.column_offers, request),
            "column_sets": partial(self.column_sets, request),
            "ways": partial(self.ways, request),
            "narrowing": partial(self.narrowing, request, request.GET),
            "files": partial(self.files, request),
            "listed": self.listed,
            "title": capfirst(self.opts.verbose_name_plural),
            **(extra_context or {}),
        }
        return super().changelist_view(request, context)

    # -- one row -------------------------------------------------------------------------------------------------------

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict | None = None
    ) -> HttpResponse:
        context = {"buttons": partial(self._row_buttons, request, object_id), **(extra_context or {})}
        return super().change_view(request, object_id, form_url, context)

    def _row_buttons(self, request: HttpRequest, object_id: str) -> list[tuple[Any, str]]:
        row = self.get_object(request, unquote(object_id))
        return [
            (verb.title, reverse(self.route(verb.slug), args=[object_id]))
            for verb in self.verbs
            if verb.on_row and (verb.fits is None or verb.fits(row)) and verb.may(request, row)
        ]

    def save_model(self, request: HttpRequest, obj: models.Model, form: Any, change: bool) -> None:
        audit.save_with_history(obj, by=request.user, reason=str(_("admin")))  # type: ignore[arg-type]

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        formset.save(commit=False)
        for row in [*formset.new_objects, *(changed for changed, _fields in formset.changed_objects)]:
            audit.save_with_history(row, by=request.user, reason=str(_("admin")))  # type: ignore[arg-type]
        for row in formset.deleted_objects:
            audit.delete_with_history(row, by=request.user, reason=str(_("admin")))  # type: ignore[arg-type]
        formset.save_m2m()

    def delete_model(self, request: HttpRequest, obj: models.Model) -> None:
        audit.delete_with_history(obj, by=request.user, reason=str(_("admin")))  # type: ignore[arg-type]

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[list, dict, set, list]:
        """What would go with `objs`, as far as the user may see it. Anything beyond: the deletion is refused unnamed."""
        collector = NestedObjects(using=router.db_for_write(self.model), origin=objs)
        collector.collect(objs)
        counts: dict[Any, int] = {}
        named: list[Any] = []
        lacking: set[Any] = set()
        found: dict[Any, Any] = collector.model_objs
        for model, rows in found.items():
            if model._meta.auto_created:
                continue
            seen = self._seen(model, rows, request)
            named += [f"{model._meta.verbose_name}: {row}" for row in seen]
            counts[model._meta.verbose_name_plural] = len(seen)
            if len(seen) < len(rows):
                lacking.add(OUT_OF_REACH)
        protected = []
        for row in collector.protected:
            protected.append(str(row) if self._seen(type(row), {row}, request) else str(OUT_OF_REACH))
        return named, counts, lacking, sorted(set(protected))

    def _seen(self, model: type[models.Model], rows: Iterable[Any], request: HttpRequest) -> list[Any]:
        pks = [row.pk for row in rows]
        return list(shown(model._default_manager.filter(pk__in=pks), request.user))

    def history_view(self, request: HttpRequest, object_id: str, extra_context: dict | None = None) -> HttpResponse:
        row = self.get_object(request, unquote(object_id))
        context = {
            **self.admin_site.each_context(request),
            "title": _("History: %(row)s") % {"row": row},
            "changes": history.trail(row, request.user),
            "undo": undo_edge.link(request, row),
            "opts": self.opts,
            "original": row,
            "back": reverse(self.route("change"), args=[object_id]),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/trail.html", context)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """No second log: history has it. Likewise below."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None: ...

    def log_deletions(self, request: HttpRequest, queryset: Any) -> None: ...

    # -- verbs ---------------------------------------------------------------------------------------------------------

    def route(self, name: str) -> str:
        return f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_{name}"

    def plug(self, verb: Verb) -> None:
        """Offer one more verb on these pages: how a floor above joins in, from its own `admin` module."""
        self.verbs = (*self.verbs, verb)  # type: ignore[misc]

    def get_urls(self) -> list[Any]:
        routes = []
        for verb in self.verbs:
            address = f"<path:object_id>/{verb.slug}/" if verb.on_row else f"{verb.slug}/"
            view = self.admin_site.admin_view(partial(self.verb_view, verb=verb))
            view.model_admin = self
            routes.append(path(address, view, name=self.route(verb.slug).partition(":")[2]))
        return routes + self.download_urls() + self.transfer_urls() + super().get_urls()

    def verb_view(self, request: HttpRequest, object_id: str | None = None, *, verb: Verb) -> HttpResponse:
        if request.method not in ("GET", "HEAD", "POST"):
            return HttpResponse(status=405, headers={"Allow": "GET, HEAD, POST"})
        if not verb.may(request):
            raise PermissionDenied
        row = self.get_object(request, unquote(object_id)) if object_id is not None else None
        if row is not None and not verb.may(request, row):
            raise PermissionDenied
        back = reverse(self.route("change"), args=[object_id]) if row else reverse(self.route("changelist"))
        initial = dict(verb.initial(row)) if verb.initial else {}
        form = verb.form(request.POST or None, user=request.user, row=row, initial=initial)
        preview = None
        if request.method == "POST":
            form.data, form.files = request.POST, request.FILES
            form.is_bound = True
            if form.is_valid() and verb.preview is not None and "confirmed" not in request.POST:
                preview = verb.preview(row, request.user, form.wish())
            elif form.is_valid():
                try:
                    with undoing.recording() as versions:
                        made = verb.run(*([row.pk] if row else []), by=request.user, **form.wish())
                except Refused as refusal:
                    form.add_error(None, str(refusal.message))
                except OutOfReach as error:
                    raise Http404 from error
                else:
                    undo_edge.say(request, verb.done, verb.undo, getattr(row or made, "pk", None), versions)
                    if verb.enter is not None:
                        return verb.enter(request, made)
                    if verb.goes_to_result and isinstance(made, self.model):
                        back = reverse(self.route("change"), args=[made.pk])
                    elif row is not None and not self.get_queryset(request).filter(pk=row.pk).exists():
                        back = reverse(self.route("changelist"))  # the verb took the row out of the user's sight
                    return HttpResponseRedirect(back)
        context = {
            **self.admin_site.each_context(request),
            "title": verb.title,
            "opts": self.opts,
            "original": row,
            "form": form,
            "preview": preview,
            "back": back,
        }
        return TemplateResponse(request, "admin/verb.html", context)


class OperatorOnlyAdmin(ScopedAdmin):
    """For what belongs to the running of the suite: nobody but the operator sees that it is there."""

    readers: ClassVar[tuple[Grant, ...] | None] = ()
    writers: ClassVar[tuple[Grant, ...] | None] = ()

    def scope(self, queryset: Any, request: HttpRequest) -> Any:
        return queryset if holds(request, ()) else queryset.none()

    def manageable(self, request: HttpRequest) -> Any:
        return self.scope(self.model._default_manager.all(), request)

    def _may_write(self, request: HttpRequest, obj: Any) -> bool:
        return holds(request, ())


class ScopedInline(Scoped, TabularInline):
    """Rows below a row: read-only, and only those the user may see. What changes them is a verb."""

    extra = 0
    max_num = 0
    can_delete = False
    show_change_link = False
    hide_title = True

    def get_queryset(self, request: HttpRequest) -> Any:
        rows = shown(super().get_queryset(request), request.user)
        parent = next(
            field.name
            for field in self.opts.concrete_fields
            if field.is_relation
            and issubclass(self.parent_model, field.remote_field.model)
            and (self.fk_name is None or field.name == self.fk_name)
        )
        rows = rows.select_related(*self.open_relations) if self.open_relations else rows
        return only_visible_relations(rows, request.user, [name for name in self.closed_relations() if name != parent])

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[Any]:
        return self.fields or super().get_readonly_fields(request, obj)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return holds(request, self.read_grants())

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
