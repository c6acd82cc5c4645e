"""The doors to an undo: the offer in the message after a verb, and the one on the page of a row's history."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.db import models
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _

from teams import undoing
from teams.edges.scope import person
from teams.undoing import Undo


def say(request: HttpRequest, done: Any, undo: Undo | None, pk: Any, versions: Sequence[Any]) -> None:
    """The message after a verb, with the way back where there is one."""
    offered = undoing.offer(undo, pk, versions, by=person(request)) if undo is not None and pk is not None else None
    if offered is None:
        messages.success(request, done)
        return
    address = reverse("undo", args=[offered.pk])
    messages.success(
        request, format_html('{} <a class="font-semibold underline" href="{}">{}</a>', done, address, _("Undo"))
    )


def link(request: HttpRequest, row: models.Model) -> tuple[Any, str] | None:
    """Title and address of the newest undo that is open to this person about `row`."""
    offered = undoing.open_offer(row._meta.label, row.pk, person(request)) if isinstance(row.pk, int) else None
    known = undoing.of_offer(offered) if offered else None
    return (known.title, reverse("undo", args=[offered.pk])) if offered and known else None
