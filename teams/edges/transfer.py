"""Lists as files, and files as rows: django-import-export's resources, scoped, behind two plain pages.

Export: the rows of the list as it is narrowed on the screen. Import: upload, look at what would happen, confirm. The
file waits inside the signed form of the user who uploaded it: nothing lies on a disk for others to name.
"""

import base64
import io
import zipfile
from typing import Any, ClassVar

import tablib
from django import forms
from django.contrib import messages
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _
from import_export import resources, widgets

from teams.clock import local_day
from teams.edges import exports
from teams.edges.filters import only_visible_relations
from teams.edges.scope import holds, person
from teams.errors import Refused
from teams.scoping import shown

MOST_BYTES = 2 * 1024 * 1024
MOST_UNPACKED = 64 * 1024 * 1024
MOST_ROWS = 5000
PATIENCE = 3600  # seconds in which an upload may be confirmed
PORTION = 2000
SAMPLE = 100


class ScopedForeignKeyWidget(widgets.ForeignKeyWidget):
    """Finds a related row among those the user may see; any other value reads as not there."""

    user: Any = None

    def get_queryset(self, value: Any, row: Any, *args: Any, **kwargs: Any) -> Any:
        return shown(super().get_queryset(value, row, *args, **kwargs), self.user)

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        try:
            return super().clean(value, row, **kwargs)
        except self.model.DoesNotExist as error:
            raise ValueError(_("“%(value)s” was not found.") % {"value": value}) from error


class ScopedResource(resources.ModelResource):
    """Reads and writes only what its user may; a line that names a foreign row is refused like one that names none."""

    def __init__(self, user: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.user = user
        for field in self.fields.values():
            if isinstance(field.widget, ScopedForeignKeyWidget):
                field.widget.user = user

    def get_queryset(self) -> Any:
        return shown(super().get_queryset(), self.user)

    def before_import(self, dataset: Any, **kwargs: Any) -> None:
        missing = [name for name in self.get_import_id_fields() if name not in (dataset.headers or [])]
        if missing:
            raise ValueError(_("The column “%(name)s” is missing.") % {"name": missing[0]})

    def relations(self) -> list[str]:
        """The relations its columns start from."""
        starts = {str(field.attribute).partition("__")[0] for field in self.get_export_fields() if field.attribute}
        return [
            each.name for each in self._meta.model._meta.concrete_fields if each.is_relation and each.name in starts
        ]

    def header(self) -> list[str]:
        return [str(field.column_name) for field in self.get_export_fields()]

    def line(self, row: Any) -> list[Any]:
        """One row as typed values; related rows by what their widget calls them."""
        cells = []
        for field in self.get_export_fields():
            method = getattr(self, f"dehydrate_{field.column_name}", None)
            value = method(row) if method else field.get_value(row)
            cells.append(field.widget.render(value) if isinstance(field.widget, widgets.ForeignKeyWidget) else value)
        return cells


class UploadForm(forms.Form):
    file = forms.FileField(label=_("file"), help_text=_("CSV or XLSX, at most 2 MB and 5,000 lines."))


class Transfers:
    """Mixed into the scoped admin: an export for lists with a `resource`, an import for those with `import_resource`."""

    resource: ClassVar[type[ScopedResource] | None] = None
    import_resource: ClassVar[type[ScopedResource] | None] = None

    def may_import(self, request: HttpRequest) -> bool:
        return self.import_resource is not None and holds(request, self.write_grants())  # type: ignore[attr-defined]

    def transfer_urls(self: Any) -> list[Any]:
        routes = []
        if self.resource is not None:
            routes.append(("export/<slug:kind>/", self.export_view, "export"))
        if self.import_resource is not None:
            routes.append(("import/", self.import_view, "import"))
        return [
            path(address, self.admin_site.admin_view(view), name=self.route(name).partition(":")[2])
            for address, view, name in routes
        ]

    def transfer_buttons(self: Any, request: HttpRequest) -> list[tuple[Any, str]]:
        return [(_("Import"), reverse(self.route("import")))] if self.may_import(request) else []

    def files(self: Any, request: HttpRequest) -> list[tuple[Any, str]]:
        """The downloads of this list as it is narrowed now: what is seen, and all fields where a resource names them."""
        narrowed = f"?{request.GET.urlencode()}" if request.GET else ""
        made = [(_("As shown, %(kind)s"), "download", kind) for kind in exports.KINDS]
        if self.resource is not None:
            made += [(_("All fields, %(kind)s"), "export", kind) for kind in exports.KINDS]
        return [
            (title % {"kind": kind.upper()}, reverse(self.route(page), args=[kind]) + narrowed)
            for title, page, kind in made
        ]

    def export_view(self: Any, request: HttpRequest, kind: str) -> HttpResponseBase:
        """The list as narrowed by the address, all pages of it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        resource = self.resource(user=request.user)
        rows = self.get_changelist_instance(request).queryset.prefetch_related(None)
        wanted = resource.relations()
        rows = only_visible_relations(rows, request.user, [name for name in self.closed_relations() if name in wanted])
        title = slugify(self.opts.verbose_name_plural, allow_unicode=True)
        name = f"{title}-{local_day(timezone.now(), person(request).zone):%Y-%m-%d}"
        lines = (resource.line(row) for row in rows.iterator(chunk_size=PORTION))
        return exports.as_file(kind, name, resource.header(), lines)

    def import_view(self: Any, request: HttpRequest) -> HttpResponse:
        if not self.may_import(request):
            raise PermissionDenied
        form, result, waiting = UploadForm(), None, ""
        salt = f"import:{self.opts.label_lower}:{request.user.pk}"
        if request.method == "POST" and "waiting" in request.POST:
            try:
                parcel = signing.loads(request.POST["waiting"], salt=salt, max_age=PATIENCE)
            except signing.BadSignature:
                messages.error(request, _("This upload has expired. Choose the file again."))
                return HttpResponseRedirect(request.path)
            result = self._run(request, parcel["name"], base64.b64decode(parcel["data"]), dry_run=False)
            if not (result.has_errors() or result.has_validation_errors()):
                done = result.totals["new"] + result.totals["update"]
                messages.success(request, _("Imported: %(count)d lines.") % {"count": done})
                return HttpResponseRedirect(reverse(self.route("changelist")))
        elif request.method == "POST":
            form = UploadForm(request.POST, request.FILES)
            if form.is_valid():
                name, data = form.cleaned_data["file"].name, form.cleaned_data["file"].read(MOST_BYTES + 1)
                try:
                    result = self._run(request, name, data, dry_run=True)
                except Refused as refusal:
                    form.add_error("file", str(refusal.message))
                else:
                    if not (result.has_errors() or result.has_validation_errors()):
                        parcel = {"name": name, "data": base64.b64encode(data).decode()}
                        waiting = signing.dumps(parcel, salt=salt, compress=True)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Import: %(what)s") % {"what": self.opts.verbose_name_plural},
            "opts": self.opts,
            "form": form,
            "result": result,
            "lines": _lines(result) if result else [],
            "waiting": waiting,
            "columns": self.import_resource(user=request.user).header(),
            "back": reverse(self.route("changelist")),
        }
        return TemplateResponse(request, "admin/import.html", context)

    def _run(self: Any, request: HttpRequest, name: str, data: bytes, *, dry_run: bool) -> Any:
        resource = self.import_resource(user=request.user)
        return resource.import_data(
            read_table(name, data),
            dry_run=dry_run,
            raise_errors=False,
            use_transactions=True,
            rollback_on_validation_errors=True,
            user=request.user,
        )


def read_table(name: str, data: bytes) -> tablib.Dataset:
    """The table in an uploaded file, cells as they were before export. Raises Refused with what is wrong."""
    if len(data) > MOST_BYTES:
        raise Refused("too_large", _("The file is larger than 2 MB. Split it."))
    try:
        if name.lower().endswith(".xlsx"):
            with zipfile.ZipFile(io.BytesIO(data)) as packed:
                if sum(part.file_size for part in packed.infolist()) > MOST_UNPACKED:
                    raise Refused("too_large", _("The file is larger than 2 MB. Split it."))
            table = tablib.Dataset().load(io.BytesIO(data), format="xlsx")
        else:
            table = tablib.Dataset().load(_decoded(data), format="csv")
    except Refused:
        raise
    except Exception as error:
        raise Refused("unreadable", _("The file cannot be read. Save it as CSV (UTF-8) or XLSX.")) from error
    if not table.headers or not len(table):
        raise Refused("empty", _("The file has no lines below its headings."))
    if len(table) > MOST_ROWS:
        raise Refused("too_many_rows", _("The file has more than 5,000 lines. Split it."))
    width = len(table.headers)
    return tablib.Dataset(
        *([exports.restore(cell) for cell in row][:width] for row in table),
        headers=[str(title or "").strip() for title in table.headers],
    )


def _decoded(data: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding).replace("\x00", "")
        except UnicodeDecodeError:
            continue
    raise ValueError("neither UTF-8 nor GB 18030")


def _lines(result: Any) -> list[tuple[int, Any, str]]:
    """The first lines of a result: number in the file, what happens to it, and why not."""
    words = {"new": _("new"), "update": _("changed"), "skip": _("unchanged"), "delete": _("removed")}
    lines: list[tuple[int, Any, str]] = [(0, _("refused"), str(error.error)) for error in result.base_errors]
    for number, row in enumerate(result.rows, start=2):
        if row.errors:
            lines.append((number, _("refused"), "; ".join(str(error.error) for error in row.errors)))
        elif row.validation_error:
            lines.append((number, _("refused"), "; ".join(row.validation_error.messages)))
        else:
            lines.append((number, words.get(row.import_type, row.import_type), row.object_repr or ""))
    refused = [line for line in lines if line[1] == _("refused")]
    return (refused or lines)[:SAMPLE]
