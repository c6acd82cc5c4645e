"""What the operator is told when somebody wants to see more telephone numbers than one person may."""

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from performance.models import PhoneReveal
from teams.models import Notice, User
from teams.outbox import Mail


def limit_mail(notice: Notice) -> Mail | None:
    """Who it is and where the looks stand; nothing to whoever is no operator any more."""
    if not notice.recipient.is_superuser:
        return None
    viewer = User.objects.filter(pk=notice.about).first()
    if viewer is None:
        return None
    name = "".join(sign if sign.isprintable() else "?" for sign in str(viewer))
    link = settings.OUTPOST_URL + reverse("admin:performance_phonereveal_changelist") + f"?q={viewer.get_username()}"
    told = {"name": name, "count": PhoneReveal.objects.filter(viewer=viewer).count(), "link": link}
    return Mail(_("Many telephone numbers looked at"), render_to_string("mail/reveal_limit.txt", told))
