"""Variables in canned replies: `{{customer_name}}` and the like, from a fixed list. Plain text in, plain text out."""

import re
from collections.abc import Mapping

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

KNOWN: Mapping[str, object] = {
    "customer_name": gettext_lazy("name of the customer"),
    "agent_name": gettext_lazy("name of the agent"),
    "team_name": gettext_lazy("name of the agent's team"),
    "ticket_number": gettext_lazy("number of the ticket"),
    "order_number": gettext_lazy("number of the order"),
    "product_name": gettext_lazy("name of the product"),
    "tracking_number": gettext_lazy("number of the parcel"),
    "today": gettext_lazy("date of today"),
    "opening_hours": gettext_lazy("opening hours"),
}
EXAMPLES: Mapping[str, object] = {
    "customer_name": gettext_lazy("Maria Chen"),
    "agent_name": gettext_lazy("Li Na"),
    "team_name": gettext_lazy("Customer care"),
    "ticket_number": "T-20481",
    "order_number": "88103342",
    "product_name": gettext_lazy("Travel kettle"),
    "tracking_number": "SF1029384756",
    "today": "2026-11-26",
    "opening_hours": "09:00–18:00",
}
WHOLE = re.compile(r"\{\{\s*([a-z_]+)\s*\}\}")
BRACES = re.compile(r"\{\{|\}\}")
INNER = re.compile(r"\{\{([^{}]*)\}\}")


def complaint(text: str) -> str:
    """What is wrong with the variables of `text`, naming it and the known ones; "" where all is well."""
    known = ", ".join(f"{{{{{name}}}}}" for name in KNOWN)
    for inner in INNER.findall(text):
        name = inner.strip()
        if name not in KNOWN:
            return _("“{{%(name)s}}” is no variable. Known are: %(known)s.") % {"name": name[:40], "known": known}
    if BRACES.search(WHOLE.sub("", text)):
        return _("A variable is broken: write it as {{customer_name}}, with two braces on each side. Known are: %(known)s.") % {
            "known": known
        }  # fmt: skip
    return ""


def filled(text: str, values: Mapping[str, object]) -> str:
    """`text` with the variables that `values` knows; the others stay as they are, for the platform to fill."""
    return WHOLE.sub(lambda found: str(values.get(found[1], found[0])), text)


def example(text: str) -> str:
    """`text` as a customer might read it."""
    return filled(text, EXAMPLES)
