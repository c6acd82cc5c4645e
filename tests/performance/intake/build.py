"""What the tests of intake share: a source, a file, a delivery."""

from pathlib import Path
from typing import Any

from django.db.backends.postgresql.psycopg_any import DateRange

from performance.models import AgentAlias, Contact, ImportRun, Queue, QueueAlias, Source
from performance.services import intake
from teams.models import Agent
from tests import make

SIMPLE = {
    "layout": "contacts",
    "fields": {
        "external_id": "id", "opened_at": "opened", "ended_at": "ended", "agent": "agent", "queue": "queue",
        "handle_seconds": "handle", "is_answered": "answered", "rating": {"column": "rating", "scale": 5},
    },
}  # fmt: skip
HEADER = "id,opened,ended,agent,queue,handle,answered,rating"


def take(tmp_path: Path, source: Source, content: str | bytes, mapping: Any = SIMPLE, **options: Any) -> ImportRun:
    """Take `content` in through the code of the CSV door."""
    path = tmp_path / "delivery.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return intake.take_in_file(source, mapping, path, **options)


def lines(*rows: str) -> str:
    return "\n".join([HEADER, *rows]) + "\n"


def counts(run: ImportRun, *names: str) -> tuple[int, ...]:
    return tuple(run.counts[name] for name in names)


def refused(run: ImportRun) -> list[tuple[int, str, str]]:
    return list(run.refusals.order_by("row_number", "pk").values_list("row_number", "field", "code"))


def name(source: Source, external: str, agent: Agent, span: DateRange | None = None) -> None:
    AgentAlias.objects.create(source=source, external=external, agent=agent, span=span or DateRange(None, None))


def line(source: Source, external: str, queue: Queue) -> None:
    QueueAlias.objects.create(source=source, external=external, queue=queue)


def contact(external_id: str = "1") -> Contact:
    return Contact.objects.get(external_id=external_id)


def source(team: Any = None, **fields: Any) -> Source:
    return make.source(team or make.team(), **fields)


GOOD_LINES = lines("1,2026-01-02 03:04:05,2026-01-02 03:10:00,ann,sales,200,Y,4")
