"""A form for people made from the payload's serializer of a kind, so that every kind can be edited without a page of its own.

The form only reads what was typed; whether it is right the serializer says, and its complaints come back to the fields.
"""

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any

from django import forms
from django.db import models
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from approvals.kinds import Kind
from teams.edges.verbs import DayField, MomentField, VerbForm

NESTED = serializers.BaseSerializer | serializers.DictField | serializers.JSONField
SHORT = 200  # longer texts are typed into a larger field


class Lines(forms.CharField):
    """A list, one value a line."""

    widget = forms.Textarea

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]
        return [line.strip() for line in (value or "").splitlines() if line.strip()]

    def validate(self, value: Any) -> None:
        forms.Field.validate(self, value)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(map(str, value)) if isinstance(value, list) else value


class Structure(forms.JSONField):
    """What has no field of its own is typed as it is kept."""


class PayloadForm(VerbForm):
    """The content of a request, to be changed. `content` gives plain JSON, as the serializer takes it."""

    version = forms.IntegerField(min_value=1, widget=forms.HiddenInput)

    def __init__(self, *args: Any, kind: Kind, kept: Mapping[str, Any], **kwargs: Any) -> None:
        self.kind, self.kept = kind, dict(kept)
        super().__init__(*args, **kwargs)

    def content(self) -> dict[str, Any]:
        """What was typed over what is kept: fields that say what the request is about stay."""
        typed = {name: _plain(self.cleaned_data[name]) for name in self.payload_names()}
        return self.kept | typed

    def payload_names(self) -> list[str]:
        return [name for name in self.fields if name not in ("version", "words")]

    def complain(self, errors: Any) -> bool:
        """Put the serializer's complaints beside the fields they are about; False where none is."""
        found = False
        for name, words in dict(errors or {}).items():
            if name in self.fields:
                found = True
                for each in words if isinstance(words, list) else [words]:
                    self.add_error(name, str(each))
        return found


def payload_form(kind: Kind) -> type[PayloadForm]:
    """The form of a kind; in the scope of whoever asks, which choices of rows are cut to by `VerbForm`."""
    made = {
        name: _field(field)
        for name, field in kind.payload().fields.items()
        if not field.read_only and not isinstance(field, serializers.HiddenField) and name not in kind.fixed
    }
    made["words"] = forms.CharField(
        label=_("why"), max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    return type(f"{type(kind).__name__}Form", (PayloadForm,), made)


def initial(kind: Kind, content: Mapping[str, Any]) -> dict[str, Any]:
    """Kept content as the form's fields show it: moments on the reader's clock."""
    shown = {}
    for name, field in kind.payload().fields.items():
        value = content.get(name)
        if isinstance(field, serializers.DateTimeField) and isinstance(value, str):
            moment = parse_datetime(value)
            value = timezone.localtime(moment) if moment is not None and timezone.is_aware(moment) else moment
        elif isinstance(field, serializers.DateField) and isinstance(value, str):
            value = parse_date(value)
        shown[name] = value
    return shown


def _field(field: serializers.Field) -> forms.Field:
    required = field.required and not field.allow_null and not getattr(field, "allow_blank", False)
    common: dict[str, Any] = {
        "label": capfirst(str(field.label or field.field_name)), "required": required, "help_text": field.help_text or "",
    }  # fmt: skip
    if isinstance(field, serializers.BooleanField):
        return forms.BooleanField(**common | {"required": False})
    if isinstance(field, serializers.MultipleChoiceField):
        return forms.MultipleChoiceField(choices=list(field.choices.items()), **common)
    if isinstance(field, serializers.ChoiceField):
        blank = [] if required else [("", "–")]
        return forms.ChoiceField(choices=[*blank, *field.choices.items()], **common)
    if isinstance(field, serializers.PrimaryKeyRelatedField):
        return forms.ModelChoiceField(queryset=vars(field)["queryset"], **common)
    if isinstance(field, serializers.IntegerField):
        return forms.IntegerField(min_value=field.min_value, max_value=field.max_value, **common)
    if isinstance(field, serializers.DecimalField | serializers.FloatField):
        return forms.DecimalField(**common)
    if isinstance(field, serializers.DateTimeField):
        return MomentField(**common)
    if isinstance(field, serializers.DateField):
        return DayField(**common)
    if isinstance(field, serializers.TimeField):
        return forms.TimeField(widget=forms.TimeInput(attrs={"type": "time"}), **common)
    if isinstance(field, serializers.ListField) and not isinstance(
        field.child, serializers.BaseSerializer | serializers.DictField
    ):
        return Lines(**common)
    if isinstance(field, serializers.CharField):
        is_long = field.max_length is None or field.max_length > SHORT
        widget = forms.Textarea(attrs={"rows": 6}) if is_long else forms.TextInput()
        return forms.CharField(max_length=field.max_length, strip=field.trim_whitespace, widget=widget, **common)
    return Structure(**common)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return value.pk if isinstance(value, models.Model) else value
