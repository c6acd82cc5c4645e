"""Canned replies as a file, out and in. A line about a shared reply becomes a proposal, one request for each line: whoever
decides takes them up to a hundred at once and can still refuse a single one, and each is compared with what stands at that
moment. A personal line becomes a reply of whoever brings the file, and of nobody else. What was used elsewhere counts nothing:
imported replies begin with heat 0.
"""

from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _
from import_export.fields import Field

from approvals.forms.replies import TEXTS, TextsForm
from approvals.models import ApprovalRequest, CannedReply, ReplyCategory
from approvals.services import replies, reply_proposals
from teams.edges.transfer import ScopedForeignKeyWidget, ScopedResource
from teams.errors import Refused
from teams.models import Team
from teams.scoping import shown

MOST_LINES = 200
NEEDED = ("scope", "short_code", "title", "body")
Scope = CannedReply.Scope


class ReplyResource(ScopedResource):
    team = Field(attribute="team", column_name="team", widget=ScopedForeignKeyWidget(Team, "code"))
    category = Field(attribute="category", column_name="category", widget=ScopedForeignKeyWidget(ReplyCategory, "name"))
    uses = Field(attribute="search__uses", column_name="uses")
    last_used_at = Field(attribute="search__last_used_at", column_name="last_used_at")

    class Meta:
        model = CannedReply
        fields: tuple[str, ...] = (
            "scope", "team", "short_code", "title", "body", "channel", "language", "category", "tags", "valid_from",
            "valid_until", "review_on", "status", "version", "uses", "last_used_at",
        )  # fmt: skip
        export_order: tuple[str, ...] = fields
        import_id_fields: ClassVar[tuple[str, ...]] = ("short_code",)

    def dehydrate_tags(self, reply: CannedReply) -> str:
        return ", ".join(reply.tags)


class ReplyImport(ReplyResource):
    class Meta(ReplyResource.Meta):
        fields = (
            "scope", "team", "short_code", "title", "body", "channel", "language", "category", "tags", "valid_from",
            "valid_until", "review_on",
        )  # fmt: skip
        export_order = fields

    uses = last_used_at = None

    def before_import(self, dataset: Any, **kwargs: Any) -> None:
        for name in NEEDED:
            if name not in (dataset.headers or []):
                raise ValueError(_("The column “%(name)s” is missing.") % {"name": name})
        if len(dataset) > MOST_LINES:
            raise ValueError(
                _("The file has more than %(most)d lines: nobody could decide on so many at once. Split it.")
                % {"most": MOST_LINES}
            )

    def get_instance(self, instance_loader: Any, row: Any) -> CannedReply | None:
        """The live reply of the same place, short code and language."""
        place = self._place(row)
        rows = CannedReply.objects.visible_to(self.user).live().filter(
            scope=place["scope"], team=place["team"], short_code__iexact=_cell(row, "short_code"),
            language=_cell(row, "language") or "en",
        )  # fmt: skip
        return rows.filter(owner=self.user if place["scope"] == Scope.PERSONAL else None).first()

    def import_instance(self, instance: Any, row: Any, **kwargs: Any) -> None:
        """Nothing is put on the instance: the verbs below take the values, and decide."""

    def skip_row(self, instance: Any, original: Any, row: Any, import_validation_errors: Any = None) -> bool:
        """A line that says what stands asks for nothing."""
        return bool(instance.pk) and replies.texts_of(instance) == {name: self._texts(row)[name] for name in TEXTS}

    def save_instance(self, instance: Any, is_create: bool, row: Any, **kwargs: Any) -> None:
        texts, place, words = self._texts(row), self._place(row), str(_("import"))
        if place["scope"] == Scope.PERSONAL:
            saved = replies.save_personal(texts, by=self.user, pk=instance.pk)
            instance.pk = saved.pk
        elif is_create:
            self._tell(reply_proposals.propose_new(texts, team=place["team"], by=self.user, words=words))
        else:
            self._tell(reply_proposals.propose_change(instance.pk, texts, by=self.user, words=words))
        instance.short_code, instance.title = texts["short_code"], texts["title"]

    def _tell(self, request: ApprovalRequest) -> None:
        if request.state == ApprovalRequest.State.REJECTED:
            raise Refused("rejected", _("A rule refuses this. Look at the request for why."))

    def _place(self, row: Any) -> dict[str, Any]:
        scope, code = _cell(row, "scope").lower(), _cell(row, "team")
        if scope not in Scope.values:
            raise Refused(
                "wrong_scope", _("“scope” is %(value)s: write personal, team or all.") % {"value": scope or "–"}
            )
        if scope != Scope.TEAM:
            return {"scope": scope, "team": None}
        team = shown(Team.objects.all(), self.user).filter(code=code).first()
        if team is None:
            raise Refused(
                "wrong_team", _("“team”: %(value)s was not found. Write the code of the team.") % {"value": code or "–"}
            )
        return {"scope": scope, "team": team.pk}

    def _texts(self, row: Any) -> dict[str, Any]:
        """The texts of a line, checked as at every door. Raises Refused naming each column and what is wrong with it."""
        cells: dict[str, Any] = {name: _cell(row, name) for name in TEXTS if _cell(row, name)}
        cells["tags"] = [tag.strip() for tag in cells.get("tags", "").replace("，", ",").split(",") if tag.strip()]
        if name := cells.pop("category", ""):
            category = ReplyCategory.objects.visible_to(self.user).filter(name__iexact=name).order_by("pk").first()
            if category is None:
                raise Refused(
                    "unknown_category",
                    _("“category”: %(value)s was not found. Add it first, or leave it empty.") % {"value": name},
                )
            cells["category"] = category.pk
        form = TextsForm(data=cells)
        if not form.is_valid():
            raise Refused(
                "bad_line",
                " ".join(f"“{name}”: {' '.join(map(str, errors))}" for name, errors in form.errors.items()),
            )
        return dict(form.validated_data)


def _cell(row: Any, name: str) -> str:
    value = row.get(name)
    if value is None:
        return ""
    return value.date().isoformat() if hasattr(value, "date") else str(value).strip()
