"""The shape of a canned reply as somebody writes it, for every door: REST, pages, files and requests."""

import re
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from approvals.models import CannedReply, Channel, Language, ReplyRules
from approvals.plain import variables
from approvals.plain.pieces import folded, is_cjk, runs

SHORT_CODE = re.compile(r"\w[\w./-]{0,39}")
MOST_TAGS, LONGEST_BODY, MOST_FILES = 10, 4000, 5
TEXTS = (
    "title", "short_code", "body", "channel", "language", "category", "tags", "valid_from", "valid_until", "review_on",
)  # fmt: skip


def sensitive_in(text: str) -> list[str]:
    """The sensitive words of the organisation that `text` holds: a Latin word as a whole, Chinese anywhere."""
    plain = folded(text)
    padded = f" {' '.join(runs(plain))} "
    found = []
    for word in ReplyRules.current().words:
        wanted = runs(folded(word))
        if wanted and (folded(word) in plain if any(map(is_cjk, wanted)) else f" {' '.join(wanted)} " in padded):
            found.append(word)
    return found


class TextsForm(serializers.Serializer):
    """Everything a reply says. Refused at once: unknown or broken variables, and sensitive words, each named."""

    title = serializers.CharField(max_length=120, label=_("Title"))
    short_code = serializers.CharField(max_length=40, label=_("Short code"))
    body = serializers.CharField(max_length=LONGEST_BODY, label=_("Text"))
    channel = serializers.ChoiceField(choices=Channel.choices, default=Channel.ANY, label=_("Channel"))
    language = serializers.ChoiceField(choices=Language.choices, default=Language.EN, label=_("Language"))
    category = serializers.IntegerField(
        min_value=1, max_value=2**53, required=False, allow_null=True, default=None, label=_("Category")
    )
    tags = serializers.ListField(
        child=serializers.CharField(max_length=40), max_length=MOST_TAGS, required=False, default=list, label=_("Tags")
    )
    valid_from = serializers.DateField(required=False, allow_null=True, default=None, label=_("Valid from"))
    valid_until = serializers.DateField(required=False, allow_null=True, default=None, label=_("Valid until"))
    review_on = serializers.DateField(required=False, allow_null=True, default=None, label=_("Look at again on"))

    def validate_short_code(self, value: str) -> str:
        if value and not SHORT_CODE.fullmatch(value):
            raise serializers.ValidationError(
                _("Use letters, digits and . _ / - without spaces, beginning with a letter or digit.")
            )
        return value

    def validate_tags(self, value: list[str]) -> list[str]:
        return list(dict.fromkeys(tag.strip() for tag in value if tag.strip()))

    def validate_title(self, value: str) -> str:
        return _clean(value)

    def validate_body(self, value: str) -> str:
        if wrong := variables.complaint(value):
            raise serializers.ValidationError(wrong)
        return _clean(value)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        first, last = attrs.get("valid_from"), attrs.get("valid_until")
        if first and last and last < first:
            raise serializers.ValidationError(
                {"valid_until": [_("The last day lies before the first. Choose a later one.")]}
            )
        return attrs


def _clean(text: str) -> str:
    if words := sensitive_in(text):
        raise serializers.ValidationError(
            _("These words may not stand in a reply: %(words)s. Write it without them.") % {"words": ", ".join(words)}
        )
    return text


class ReplyForm(TextsForm):
    """What is asked about a shared reply. `create` and `edit` bring the texts; `retire` none; `roll_back` the number of an
    approved version."""

    ACTIONS = (
        ("create", _("new reply")), ("edit", _("change")), ("retire", _("retire")), ("roll_back", _("roll back")),
    )  # fmt: skip
    SHARED = ((CannedReply.Scope.TEAM.value, _("team and below")), (CannedReply.Scope.ALL.value, _("everybody")))

    action = serializers.ChoiceField(choices=ACTIONS, label=_("What"))
    reply = serializers.IntegerField(
        min_value=1, max_value=2**53, required=False, allow_null=True, default=None, label=_("Reply")
    )
    scope = serializers.ChoiceField(
        choices=SHARED, required=False, default=CannedReply.Scope.TEAM.value, label=_("For whom")
    )
    team = serializers.IntegerField(
        min_value=1, max_value=2**53, required=False, allow_null=True, default=None, label=_("Team")
    )
    number = serializers.IntegerField(
        min_value=1, max_value=2**31 - 1, required=False, allow_null=True, default=None, label=_("Version")
    )
    attachments = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**53), max_length=MOST_FILES, required=False, default=list,
        label=_("Attachments"),
    )  # fmt: skip
    title = serializers.CharField(max_length=120, required=False, allow_blank=True, default="", label=_("Title"))
    short_code = serializers.CharField(
        max_length=40, required=False, allow_blank=True, default="", label=_("Short code")
    )
    body = serializers.CharField(max_length=LONGEST_BODY, required=False, allow_blank=True, default="", label=_("Text"))

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        action = attrs["action"]
        needed: tuple[str, ...] = ()
        if action in ("create", "edit"):
            needed = ("title", "short_code", "body")
        if action != "create":
            needed = (*needed, "reply")
        elif attrs["scope"] == CannedReply.Scope.TEAM:
            needed = (*needed, "team")
        if action == "roll_back":
            needed = (*needed, "number")
        missing = {name: [_("This is needed here.")] for name in needed if not attrs.get(name)}
        if missing:
            raise serializers.ValidationError(missing)
        return super().validate(attrs)


def content(action: str, texts: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """The content of a request from texts as rows or forms hold them."""
    return {"action": action, **{name: texts[name] for name in TEXTS if name in texts}, **more}
