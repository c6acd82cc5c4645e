"""What people arrange for their own screens, and what they may undo."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from teams import querysets
from teams.models.people import User


class ColumnSet(models.Model):
    """How one person arranges one list: `columns` holds [name, width in pixels or null] from left to right.

    Without a name it is what the person arranged last; with one, a set to return to. At most one is in use for a list;
    none means the list as its admin declares it. Names of columns are checked when a list is shown, not here: a column
    that is gone, or was never offered, falls out by itself.
    """

    user = models.ForeignKey(User, models.CASCADE, related_name="column_sets")
    listed = models.CharField(_("list"), max_length=80)  # the list, by its model: "teams.agent"
    name = models.CharField(_("name"), max_length=60, blank=True)
    columns = models.JSONField(_("columns"), default=list)
    is_used = models.BooleanField(_("in use"), default=False)

    objects = querysets.ScreenQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("set of columns"), _("sets of columns")
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(name="one_column_set_per_list_and_name", fields=["user", "listed", "name"]),
            models.UniqueConstraint(name="one_column_set_in_use", fields=["user", "listed"], condition=Q(is_used=True)),
        ]

    def __str__(self) -> str:
        return self.name or self.listed


class SavedFilter(models.Model):
    """A narrowing of one list that one person keeps: `query` maps each parameter of the address to its values.

    It opens nothing: when it is applied, the list judges it like an address that was typed in.
    """

    user = models.ForeignKey(User, models.CASCADE, related_name="saved_filters")
    listed = models.CharField(_("list"), max_length=80)
    name = models.CharField(_("name"), max_length=60)
    query = models.JSONField(_("narrowing"), default=dict)
    is_default = models.BooleanField(_("opens with the list"), default=False)

    objects = querysets.ScreenQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("saved filter"), _("saved filters")
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(name="one_saved_filter_per_list_and_name", fields=["user", "listed", "name"]),
            models.UniqueConstraint(
                name="one_default_filter_per_list", fields=["user", "listed"], condition=Q(is_default=True)
            ),
        ]

    def __str__(self) -> str:
        return self.name


class UndoOffer(models.Model):
    """What one person may take back for ten minutes (`teams.undoing`): which versions a verb wrote, row by row.

    `steps` holds [model label, row id, first version, last version]. It opens nothing: the undo asks again who may.
    """

    owner = models.ForeignKey(User, models.CASCADE, related_name="+", verbose_name=_("person"))
    verb = models.CharField(_("what was done"), max_length=60)
    about = models.CharField(max_length=80)  # the model on whose page it is offered: "teams.Agent"
    about_pk = models.BigIntegerField(_("number of the row"))
    steps = models.JSONField(default=list)
    made_at = models.DateTimeField(db_default=Now())
    until = models.DateTimeField()
    undone_at = models.DateTimeField(_("undone at"), null=True)

    objects = querysets.UndoOfferQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("offer to undo"), _("offers to undo")
        indexes = [models.Index(name="undo_offer_open", fields=["owner", "about", "about_pk"])]

    def __str__(self) -> str:
        return self.verb
