"""Canned replies: their texts, versions and files, how warm they are, and what finds them while somebody types."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower, Now
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from approvals.models.requests import ApprovalRequest
from approvals.querysets import replies as querysets
from teams.models import Agent, Team, User


class Channel(models.TextChoices):
    ANY = "any", _("any channel")
    PHONE = "phone", _("phone")
    CHAT = "chat", _("chat")
    MAIL = "mail", _("mail")
    TICKET = "ticket", _("ticket")


class Language(models.TextChoices):
    """Languages in which customers are answered, by their own names."""

    EN = "en", "English"
    ZH_HANS = "zh-hans", "简体中文"
    ZH_HANT = "zh-hant", "繁體中文"
    PT = "pt", "Português"
    ES = "es", "Español"
    FR = "fr", "Français"
    DE = "de", "Deutsch"
    IT = "it", "Italiano"
    JA = "ja", "日本語"
    KO = "ko", "한국어"
    RU = "ru", "Русский"
    AR = "ar", "العربية"


class ReplyCategory(models.Model):
    """A place in the tree of replies; of a team and all below it, or everybody's."""

    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name=_("above")
    )
    team = models.ForeignKey(
        Team, models.PROTECT, null=True, blank=True, related_name="reply_categories", verbose_name=_("team")
    )
    name = models.CharField(_("name"), max_length=80)

    objects = querysets.CategoryQuerySet.as_manager()
    history = HistoricalRecords(verbose_name=_("earlier version of category"))

    class Meta:
        verbose_name, verbose_name_plural = _("reply category"), _("reply categories")
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(
                "parent", "team", Lower("name"), name="one_category_per_name_and_place", nulls_distinct=False
            ),
            models.CheckConstraint(name="category_not_below_itself", condition=~Q(parent=F("id"))),
        ]

    def __str__(self) -> str:
        return self.name


class ReplyTexts(models.Model):
    """What a reply says and where it holds: the same fields for what is live and for each version of it."""

    title = models.CharField(_("title"), max_length=120)
    short_code = models.CharField(_("short code"), max_length=40)
    body = models.TextField(_("text"))
    channel = models.CharField(_("channel"), max_length=10, choices=Channel, default=Channel.ANY)
    language = models.CharField(_("language"), max_length=10, choices=Language, default=Language.EN)
    category = models.ForeignKey(
        ReplyCategory, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("category")
    )
    tags = ArrayField(models.CharField(max_length=40), default=list, blank=True, verbose_name=_("tags"))
    valid_from = models.DateField(_("valid from"), null=True, blank=True)
    valid_until = models.DateField(_("valid until"), null=True, blank=True)  # the last day, by the agent's calendar
    review_on = models.DateField(_("look at again on"), null=True, blank=True)

    class Meta:
        abstract = True


class ReplyAttachment(models.Model):
    """A file that goes with a reply. It is brought before the reply is approved, and belongs to the versions that name it."""

    brought_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("brought by"))
    team = models.ForeignKey(
        Team, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("team")
    )  # whose leads look at it before it is approved
    file = models.FileField(_("file"), upload_to="replies")
    name = models.CharField(_("file name"), max_length=200)
    size = models.PositiveIntegerField(_("size"), default=0)
    brought_at = models.DateTimeField(_("brought at"), db_default=Now())

    objects = querysets.AttachmentQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("file of replies"), _("files of replies")
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name


class CannedReply(ReplyTexts):
    """A reply as it stands now. A shared one changes by an approved request only; each change is a version.

    `version` counts every change, also of the status: whoever read an older one is refused.
    """

    class Scope(models.TextChoices):
        PERSONAL = "personal", _("personal")
        TEAM = "team", _("team and below")
        ALL = "all", _("everybody")

    class Status(models.TextChoices):
        DRAFT = "draft", _("draft")
        LIVE = "live", _("live")
        RETIRED = "retired", _("retired")

    scope = models.CharField(_("for whom"), max_length=10, choices=Scope)
    team = models.ForeignKey(
        Team, models.PROTECT, null=True, blank=True, related_name="canned_replies", verbose_name=_("team")
    )
    owner = models.ForeignKey(
        User, models.CASCADE, null=True, blank=True, related_name="canned_replies", verbose_name=_("owner")
    )
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.LIVE)
    version = models.PositiveIntegerField(_("version"), default=1)
    made_at = models.DateTimeField(_("made at"), db_default=Now())
    updated_at = models.DateTimeField(_("last changed"), db_default=Now())
    attachments = models.ManyToManyField(
        ReplyAttachment, blank=True, related_name="replies", verbose_name=_("attachments")
    )
    # `approvals.plain.sounds.keys`, with spaces between them
    code_sounds = models.TextField(_("pinyin of the short code"), default="", editable=False)
    title_sounds = models.TextField(_("pinyin of the title"), default="", editable=False)

    objects = querysets.ReplyQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("canned reply"), _("canned replies")
        ordering = ["title", "pk"]
        constraints = [
            models.CheckConstraint(
                name="reply_is_somebodys_a_teams_or_everybodys",
                condition=Q(scope="personal", owner__isnull=False, team=None)
                | Q(scope="team", team__isnull=False, owner=None)
                | Q(scope="all", team=None, owner=None),
            ),
            models.CheckConstraint(
                name="reply_ends_not_before_it_begins",
                condition=Q(valid_from=None) | Q(valid_until=None) | Q(valid_until__gte=F("valid_from")),
            ),
            models.UniqueConstraint(
                "scope", "team", "owner", Lower("short_code"), "language", name="one_live_reply_per_short_code",
                condition=Q(status="live"), nulls_distinct=False,
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(name="reply_by_team", fields=["team", "status"]),
            models.Index(name="reply_by_owner", fields=["owner"], condition=Q(owner__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.short_code} · {self.title}"

    @property
    def is_shared(self) -> bool:
        return self.scope != self.Scope.PERSONAL


class CannedReplyVersion(ReplyTexts):
    """A reply as it stood from a moment on, who wrote it, and by which request. Never changed."""

    reply = models.ForeignKey(CannedReply, models.CASCADE, related_name="versions", verbose_name=_("canned reply"))
    number = models.PositiveIntegerField(_("version"))
    request = models.ForeignKey(
        ApprovalRequest, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("request")
    )  # null: a personal reply
    made_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("by"))
    made_at = models.DateTimeField(_("made at"), db_default=Now())
    attachments = models.ManyToManyField(ReplyAttachment, blank=True, related_name="+", verbose_name=_("attachments"))

    objects = querysets.ReplyRowQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("version of a reply"), _("versions of replies")
        ordering = ["reply", "-number"]
        constraints = [models.UniqueConstraint(name="one_version_per_reply_and_number", fields=["reply", "number"])]

    def __str__(self) -> str:
        return f"{self.short_code} v{self.number}"


class ReplyUse(models.Model):
    """A reply was sent. `once` is what it counts once for: the contact, or where none is named the agent and ten minutes."""

    reply = models.ForeignKey(CannedReply, models.CASCADE, related_name="uses", verbose_name=_("canned reply"))
    agent = models.ForeignKey(Agent, models.PROTECT, related_name="reply_uses", verbose_name=_("agent"))
    team = models.ForeignKey(Team, models.PROTECT, related_name="+", verbose_name=_("team"))  # the agent's of that day
    contact = models.CharField(_("contact"), max_length=200, blank=True)
    once = models.CharField(_("counted once for"), max_length=240)
    used_at = models.DateTimeField(_("used at"), db_default=Now())
    edited_share = models.DecimalField(
        _("share edited"), max_digits=4, decimal_places=3, null=True, blank=True
    )  # null: nobody said

    objects = querysets.UseQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("use of a reply"), _("uses of replies")
        ordering = ["-used_at", "-pk"]
        constraints = [
            models.UniqueConstraint(name="one_use_per_reply_and_contact", fields=["reply", "once"]),
            models.CheckConstraint(
                name="edited_share_between_0_and_1",
                condition=Q(edited_share=None) | Q(edited_share__gte=0, edited_share__lte=1),
            ),
        ]
        indexes = [
            models.Index(name="use_by_moment", fields=["used_at"]),
            models.Index(name="use_by_agent", fields=["agent", "-used_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.reply_id} {self.used_at:%Y-%m-%d}"


class ReplyHeat(models.Model):
    """How warm a reply is for a team, or for one agent of it. `level` as in `approvals.plain.heat`: it needs no rewriting."""

    reply = models.ForeignKey(CannedReply, models.CASCADE, related_name="heats", verbose_name=_("canned reply"))
    team = models.ForeignKey(Team, models.PROTECT, related_name="+", verbose_name=_("team"))
    agent = models.ForeignKey(
        Agent, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("agent")
    )  # null: the team as a whole
    level = models.FloatField(_("heat"), default=0)
    uses = models.PositiveIntegerField(_("uses"), default=0)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)

    objects = querysets.HeatQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("heat of a reply"), _("heat of replies")
        ordering = ["-level", "pk"]
        constraints = [
            models.UniqueConstraint(
                name="one_heat_per_reply_and_holder", fields=["reply", "team", "agent"], nulls_distinct=False
            )
        ]
        indexes = [
            models.Index(name="heat_of_team", fields=["team", "-level"], condition=Q(agent=None)),
            models.Index(name="heat_of_agent", fields=["agent", "-level"], condition=Q(agent__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.reply_id}: {self.uses}"


class ReplySearch(models.Model):
    """What finds a reply while somebody types: numbers of the pieces of its texts (`approvals.plain.pieces`), no word of them.

    It stands outside the second wall, because row security lets no index be asked for what is not leakproof, and no operator
    on arrays is. Nothing can be read from it; a reply found by it is read behind its own wall.
    """

    reply = models.OneToOneField(CannedReply, models.CASCADE, primary_key=True, related_name="search")
    place = models.BigIntegerField()  # 0: everybody's; the id of its team; or the id of its owner, negative
    is_live = models.BooleanField()
    channel = models.CharField(max_length=10)
    language = models.CharField(max_length=10)
    valid_from = models.DateField(null=True)
    valid_until = models.DateField(null=True)
    updated_at = models.DateTimeField()
    names = ArrayField(models.IntegerField())  # pieces of short code, title, tags and category
    body = ArrayField(models.IntegerField())  # pieces of the text
    sketch = ArrayField(models.BigIntegerField())  # four numbers, of which texts much alike share one
    level = models.FloatField(default=0)  # heat of all uses
    uses = models.PositiveIntegerField(default=0)
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name, verbose_name_plural = _("search key of a reply"), _("search keys of replies")
        ordering = ["-level", "-updated_at", "-reply_id"]
        indexes = [
            GinIndex(name="reply_names", fields=["names"], fastupdate=False),
            GinIndex(name="reply_body", fields=["body"], fastupdate=False),
            GinIndex(name="reply_sketch", fields=["sketch"], fastupdate=False),
            models.Index(name="reply_warmest", fields=["-level", "-updated_at", "-reply"]),
            models.Index(name="reply_place", fields=["place"]),
        ]

    def __str__(self) -> str:
        return str(self.reply_id)


class ReplyRules(models.Model):
    """The one row of rules for replies: how fast heat fades, and words that no reply may hold."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    half_life_days = models.PositiveSmallIntegerField(
        _("half-life of heat in days"), default=14, validators=[MinValueValidator(1), MaxValueValidator(365)]
    )
    words = ArrayField(models.CharField(max_length=80), default=list, blank=True, verbose_name=_("sensitive words"))

    objects = querysets.RulesQuerySet.as_manager()
    history = HistoricalRecords(verbose_name=_("earlier version of rules"))

    class Meta:
        verbose_name, verbose_name_plural = _("rules for replies"), _("rules for replies")
        constraints = [models.CheckConstraint(name="one_row_of_reply_rules", condition=Q(id=1))]

    def __str__(self) -> str:
        return str(self._meta.verbose_name)

    @classmethod
    def current(cls) -> "ReplyRules":
        """The rules in force; as they come where nobody has set any."""
        return cls.objects.filter(pk=1).first() or cls()
