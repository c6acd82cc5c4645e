"""What the tables of this floor, and of the packages below it, hold about people."""

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.utils.translation import gettext_lazy as _
from guardian.models import UserObjectPermission
from knox.models import AuthToken

from teams.channels.models import NoticeChannel, QuietHours
from teams.entry.models import EntryTry, Session
from teams.models import (
    AccessRecord,
    Agent,
    AgentZone,
    ColumnSet,
    Compensation,
    DataCopy,
    Erasure,
    Invitation,
    JobProgress,
    JobRun,
    Loan,
    Membership,
    Notice,
    SavedFilter,
    TeamUserGrant,
    UndoOffer,
    User,
    ViewAs,
)
from teams.personal import PSEUDONYM, DataClass, FreeText, enter, enter_texts, excuse

CLASSES = (
    DataClass(Agent, agent=("pk",), user=("user",), cleared=(("name", PSEUDONYM), ("number", PSEUDONYM))),
    DataClass(
        User,
        user=("pk",),
        hidden=frozenset({"password"}),
        cleared=(("username", PSEUDONYM), ("full_name", PSEUDONYM), ("email", "")),
    ),
    DataClass(AgentZone, agent=("agent",)),
    DataClass(Membership, agent=("agent",), cleared=(("reason", ""),)),
    DataClass(Loan, agent=("agent",), cleared=(("reason", ""),)),
    DataClass(Compensation, agent=("agent",)),  # money stays for the legal term, under the pseudonym
    DataClass(AccessRecord, agent=("agent",), named=frozenset({"viewer"}), is_deleted=True),
    DataClass(Notice, user=("recipient",), hidden=frozenset({"key", "message_id"}), is_deleted=True),
    DataClass(TeamUserGrant, user=("user",), cleared=(("reason", ""),)),
    DataClass(
        AuthToken,
        user=("user",),
        hidden=frozenset({"digest", "token_key"}),
        is_deleted=True,
        label=_("tokens of the API"),
    ),
    DataClass(DataCopy, agent=("agent",), user=("user",), hidden=frozenset({"file"}), cleared=(("reason", ""),)),
    DataClass(Erasure, agent=("agent",), cleared=(("reason", ""),)),
    DataClass(Session, user=("user",), hidden=frozenset({"session_key", "session_data"}), is_deleted=True),
    DataClass(EntryTry, user=("user",), hidden=frozenset({"key"}), is_deleted=True),
    DataClass(EmailAddress, user=("user",), is_deleted=True, label=_("addresses for mail")),
    DataClass(Authenticator, user=("user",), hidden=frozenset({"data"}), is_deleted=True, label=_("second factors")),
    DataClass(NoticeChannel, user=("owner",), hidden=frozenset({"sealed", "fingerprint"}), is_deleted=True),
    DataClass(QuietHours, user=("owner",), is_deleted=True),
    DataClass(ColumnSet, user=("user",), is_deleted=True),
    DataClass(SavedFilter, user=("user",), is_deleted=True),
    DataClass(Invitation, user=("user",), hidden=frozenset({"digest"}), is_deleted=True),
    DataClass(JobProgress, user=("asked_by",), cleared=(("reason", ""),)),
    DataClass(UndoOffer, user=("owner",), hidden=frozenset({"steps"}), is_deleted=True),
    DataClass(ViewAs, user=("person",), named=frozenset({"viewer"}), cleared=(("reason", ""),)),
)
TEXTS = (
    FreeText(JobRun, ("error",)),
    FreeText(Notice, ("about", "details", "error")),
)


def enter_all() -> None:
    enter(*CLASSES)
    enter_texts(*TEXTS)
    excuse("teams.accessrecord", "viewer", "a look belongs to the record of the agent looked at")
    excuse("teams.viewas", "viewer", "a look as somebody else belongs to the record of that person")
    excuse("teams.teamusergrant", "on_behalf_of", "a delegated grant belongs to whoever holds it")
    excuse("teams.datacopy", "asked_by", "a copy belongs to the record of the person it is about")
    excuse("teams.jobprogress", "cancelled_by", "who stopped a job belongs to the job of who asked for it")
    for column in ("asked_by", "settled_by"):
        excuse("teams.erasure", column, "who decided an erasure belongs to the erasure")
    for column in ("groups", "user_permissions"):
        excuse(f"teams.user_{column}", "user", "told with the account, as its groups")
    excuse("teams.agent_skills", "agent", "told with the agent, as their skills")
    excuse("teams.historicalagent_skills", "agent", "told with the earlier versions of the agent")
    excuse(UserObjectPermission._meta.label, "user", "a table of a package that is not written: grants stand on teams")
    excuse("admin.logentry", "user", "a table of Django's that is not written: history has it")
