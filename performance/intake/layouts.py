"""The kinds of rows that can come in, and what each field of them may hold. The names are those of our normal form."""

from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext_lazy as _

from performance.models import BaseState, Channel, Complexity, HandleMethod


class Kind(StrEnum):
    TEXT = "text"
    MOMENT = "moment"
    SECONDS = "seconds"
    COUNT = "count"
    SWITCH = "switch"
    CHOICE = "choice"
    RATING = "rating"
    CUSTOMER = "customer"
    PHONE = "phone"


SECRET = (Kind.CUSTOMER, Kind.PHONE)


@dataclass(frozen=True)
class Field:
    """One field of a layout. `most` is the longest text or the largest number."""

    name: str
    label: object
    kind: Kind
    is_required: bool = False
    most: int = 200
    choices: tuple[str, ...] = ()
    also_called: tuple[str, ...] = ()


@dataclass(frozen=True)
class Layout:
    """A kind of rows. `starts` is the moment that decides the month a fact lies in."""

    name: str
    label: object
    starts: str
    fields: tuple[Field, ...]

    def __getitem__(self, name: str) -> Field:
        return next(field for field in self.fields if field.name == name)

    def names(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.fields)


SMALL = 32767
WHOLE = 2147483647

_agent = Field("agent", _("agent"), Kind.TEXT, also_called=("agent_name", "assignee", "server", "user", "坐席", "客服"))
_queue = Field("queue", _("queue"), Kind.TEXT, also_called=("inbox", "group", "skill", "队列", "技能组"))
_topic = Field("topic", _("topic"), Kind.TEXT, also_called=("subject", "category", "主题"))
_customer = Field("customer", _("customer"), Kind.CUSTOMER, also_called=("customer_id", "client", "客户"))
_phone = Field("phone", _("telephone"), Kind.PHONE, also_called=("telephone", "caller", "mobile", "电话", "手机"))
_updated = Field("updated_at", _("version of"), Kind.MOMENT, also_called=("updated", "last_updated", "更新时间"))

CONTACTS = Layout(
    "contacts",
    _("contacts"),
    "opened_at",
    (
        Field(
            "external_id", _("id at source"), Kind.TEXT, True, 120, also_called=("id", "call_id", "ticket_id", "编号")
        ),
        Field("opened_at", _("opened"), Kind.MOMENT, True, also_called=("opened", "created_at", "created", "开始时间")),
        _agent,
        _queue,
        Field("assigned_at", _("assigned"), Kind.MOMENT, also_called=("assigned",)),
        Field("first_reply_at", _("first reply"), Kind.MOMENT, also_called=("first_reply", "first_response_at")),
        Field("ended_at", _("ended"), Kind.MOMENT, also_called=("ended", "closed_at", "solved_at", "结束时间")),
        _updated,
        Field("shift_started_at", _("start of the shift"), Kind.MOMENT, also_called=("shift_start",)),
        Field("channel", _("channel"), Kind.CHOICE, choices=tuple(Channel.values), also_called=("渠道",)),
        _topic,
        Field("complexity", _("complexity"), Kind.CHOICE, choices=tuple(Complexity.values)),
        Field("wait_seconds", _("waited (s)"), Kind.SECONDS, most=WHOLE, also_called=("wait", "等待时长")),
        Field("first_reply_seconds", _("first reply after (s)"), Kind.SECONDS, most=WHOLE),
        Field("handle_seconds", _("handling time (s)"), Kind.SECONDS, most=WHOLE, also_called=("talk", "处理时长")),
        Field("handle_method", _("handling time is"), Kind.CHOICE, choices=tuple(HandleMethod.values)),
        Field("business_seconds", _("business time (s)"), Kind.SECONDS, most=WHOLE),
        Field("reopen_count", _("reopened"), Kind.COUNT, most=SMALL, also_called=("reopens",)),
        Field("transfer_count", _("transferred"), Kind.COUNT, most=SMALL, also_called=("transfers",)),
        Field("reply_count", _("replies"), Kind.COUNT, most=SMALL, also_called=("replies",)),
        Field("is_answered", _("answered"), Kind.SWITCH, also_called=("answered", "是否接听")),
        Field("is_abandoned", _("abandoned"), Kind.SWITCH, also_called=("abandoned",)),
        Field("is_resolved", _("resolved"), Kind.SWITCH, also_called=("resolved", "是否解决")),
        Field("is_bot_only", _("bot only"), Kind.SWITCH, also_called=("bot_only",)),
        Field("is_excluded", _("not counted"), Kind.SWITCH, also_called=("excluded",)),
        Field("rating", _("rating"), Kind.RATING, also_called=("satisfaction", "csat", "满意度", "评分")),
        Field("rating_comment", _("rating comment"), Kind.TEXT, most=4000, also_called=("comment", "feedback")),
        _customer,
        _phone,
    ),
)

LEGS = Layout(
    "legs",
    _("legs of contacts"),
    "started_at",
    (
        Field("contact", _("contact at source"), Kind.TEXT, True, 120, also_called=("external_id", "contact_id")),
        Field("agent", _("agent"), Kind.TEXT, True, also_called=("agent_name", "坐席")),
        Field("started_at", _("from"), Kind.MOMENT, True, also_called=("start", "started")),
        Field("ended_at", _("until"), Kind.MOMENT, also_called=("end", "ended")),
        Field("reply_count", _("replies"), Kind.COUNT, most=SMALL, also_called=("replies",)),
        Field("end_reason", _("ended by"), Kind.TEXT, most=60, also_called=("reason",)),
    ),
)

STATES = Layout(
    "states",
    _("state intervals"),
    "started_at",
    (
        Field("agent", _("agent"), Kind.TEXT, True, also_called=("agent_name", "坐席")),
        Field("state", _("state"), Kind.CHOICE, True, choices=tuple(BaseState.values), also_called=("base", "状态")),
        Field("reason", _("reason"), Kind.TEXT, most=60),
        Field("started_at", _("from"), Kind.MOMENT, True, also_called=("start", "started")),
        Field("ended_at", _("until"), Kind.MOMENT, also_called=("end", "ended")),
        Field("confidence", _("confidence (%)"), Kind.COUNT, most=100),
    ),
)

INTERVALS = Layout(
    "intervals",
    _("half hours as the source counted them"),
    "started_at",
    (
        Field("queue", _("queue"), Kind.TEXT, True, also_called=("inbox", "group", "skill", "队列")),
        Field("started_at", _("half hour from"), Kind.MOMENT, True, also_called=("start", "interval")),
        Field("offered", _("offered"), Kind.COUNT, True, WHOLE, also_called=("received", "calls")),
        Field("answered", _("answered"), Kind.COUNT, most=WHOLE),
        Field("abandoned", _("abandoned"), Kind.COUNT, most=WHOLE),
        Field("handle_seconds", _("mean handling time (s)"), Kind.SECONDS, most=WHOLE, also_called=("aht",)),
    ),
)

EVENTS = Layout(
    "events",
    _("event log, one contact per case"),
    "at",
    (
        Field("external_id", _("case"), Kind.TEXT, True, 120, also_called=("case", "caseid", "case_id", "ticket_id")),
        Field("activity", _("activity"), Kind.TEXT, True, also_called=("activityid", "event", "action")),
        Field("at", _("moment"), Kind.MOMENT, True, also_called=("timestamp", "completetimestamp", "time")),
        _agent,
        _queue,
        _topic,
        _customer,
        _phone,
    ),
)

LAYOUTS: dict[str, Layout] = {each.name: each for each in (CONTACTS, LEGS, STATES, INTERVALS, EVENTS)}
