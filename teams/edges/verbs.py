"""A verb's page in the admin: one small form, one service, one answer. Written once, used by every app.

An admin names its verbs in `verbs`. GET shows the form; POST calls the service with the form's values and `by`; a refusal
stands above the form as a sentence, out of reach is 404, success goes back with a message.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.db import models
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.widgets import CHECKBOX_CLASSES, INPUT_CLASSES, SELECT_CLASSES, TEXTAREA_CLASSES

from teams.edges.scope import holds, in_reach
from teams.scoping import Grant, shown
from teams.undoing import Undo


class DayInput(forms.DateInput):
    """The browser's own date field; days are written as in 2026-03-29."""

    input_type = "date"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%d")


class MomentInput(forms.DateTimeInput):
    input_type = "datetime-local"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%dT%H:%M")


class DayField(forms.DateField):
    widget = DayInput


class MomentField(forms.DateTimeField):
    widget = MomentInput

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"], **kwargs)


class ReasonField(forms.CharField):
    """Why: kept with the change, so it is asked for."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", _("reason"))
        super().__init__(max_length=100, **kwargs)


class VerbForm(forms.Form):
    """A wish. Each choice of rows is cut to what the user may see; a posted id beyond it is refused as unknown."""

    def __init__(self, *args: Any, user: Any, row: models.Model | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user, self.row = user, row
        for field in self.fields.values():
            if isinstance(field, forms.ModelChoiceField):
                field.queryset = shown(field.queryset, user)  # type: ignore[arg-type]
            field.widget.attrs["class"] = " ".join(_classes(field.widget))
            field.label = capfirst(field.label)  # labels are words of a vocabulary; on a page each begins a line

    def wish(self) -> dict[str, Any]:
        """The values for the service: rows become their ids, as services take them under lock themselves."""
        return {
            name: value.pk if isinstance(value, models.Model) else value for name, value in self.cleaned_data.items()
        }


def _classes(widget: forms.Widget) -> list[str]:
    if isinstance(widget, forms.CheckboxInput | forms.CheckboxSelectMultiple):
        return CHECKBOX_CLASSES
    if isinstance(widget, forms.Select):
        return SELECT_CLASSES
    if isinstance(widget, forms.Textarea):
        return TEXTAREA_CLASSES
    return INPUT_CLASSES


class ReasonForm(VerbForm):
    reason = ReasonField()


DONE = _("Done.")


@dataclass(frozen=True)
class Preview:
    """What a verb would change, shown before it is confirmed: a template of its own and what it is filled with."""

    template: str
    context: Mapping[str, Any]


@dataclass(frozen=True)
class Verb:
    """`run(pk, by=user, **wish)` for a row, `run(by=user, **wish)` for the whole list. Without `grants`: the operator's."""

    slug: str
    title: Any
    run: Callable[..., Any]
    form: type[VerbForm] = ReasonForm
    grants: tuple[Grant, ...] = ()
    done: Any = DONE
    on_row: bool = True
    initial: Callable[[Any], Mapping[str, Any]] | None = None
    fits: Callable[[Any], bool] | None = (
        None  # whether the verb makes sense for this row at all; decides the button only
    )
    goes_to_result: bool = False  # after success: the page of what the service returned
    preview: Callable[..., Any] | None = None  # (row, user, wish) -> Preview: shown, and confirmed, before it runs
    undo: Undo | None = None  # after success the message offers to take it back
    enter: Callable[[HttpRequest, Any], Any] | None = None  # after success: what the door does with what was returned

    def may(self, request: HttpRequest, row: models.Model | None = None) -> bool:
        """Whether the user may call this verb, and on `row`. Asked for buttons and pages; the service asks again."""
        if not holds(request, self.grants):
            return False
        if row is None or not self.grants:
            return True
        return in_reach(type(row)._default_manager.all(), request.user, self.grants).filter(pk=row.pk).exists()
