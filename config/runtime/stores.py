"""The embedded servers as parts of a crew: the same for `run`, which must not lose a row, and for `test`."""

import os
import signal
from pathlib import Path

from config.runtime import backups
from config.runtime.crew import Crew, Part
from config.runtime.places import embedded_parts, socket_dir
from config.runtime.postgres import Cluster
from config.runtime.processes import Patience, Progress
from config.runtime.valkey import Broker

START_SECONDS = 10.0


def start_stores(crew: Crew, patience: Patience, progress: Progress, place: Path, purpose: str) -> None:
    """Start the servers that no address replaces, and furnish the database. `place` holds data and logs."""
    is_durable = purpose == "run"
    database_is_ours, broker_is_ours = embedded_parts()
    if not (database_is_ours or broker_is_ours):
        return
    sockets = socket_dir(purpose)
    if database_is_ours:
        kept = _keep_log(place) if is_durable else ""
        cluster = Cluster(place / "postgres", sockets, place / "logs" / "postgres.log", is_durable, kept)
        if not (cluster.data / "PG_VERSION").exists():
            progress.say("Making the database")
        cluster.initialise()
        crew.start(_database(cluster, patience))
        _furnish(cluster, crew)
        progress.say("The database is up")
    if broker_is_ours:
        broker = Broker(place / "valkey", sockets, place / "logs" / "valkey.log", is_durable)
        broker.initialise()
        crew.start(_broker(broker))
        progress.say("The broker is up")


def _keep_log(place: Path) -> str:
    """The command that keeps the database's log of changes, so that a backup can be brought up to the last minutes."""
    return backups.archive_command(backups.make_place(backups.default_place()) / backups.life_of(place))


def _furnish(cluster: Cluster, crew: Crew) -> None:
    """Furnish the database; once more where it was killed between its start and this."""
    import psycopg

    try:
        cluster.furnish()
    except psycopg.OperationalError:
        crew.bring_back("database")
        cluster.furnish()


def _database(cluster: Cluster, patience: Patience) -> Part:
    return Part(
        name="database",
        command=cluster.command,
        log=cluster.log,
        environment=_bare_environment(),
        leash=signal.SIGINT,
        stops=((0, signal.SIGINT), (8, signal.SIGQUIT), (9, signal.SIGKILL)),
        is_store=True,
        is_ready=cluster.is_ready,
        before=lambda: cluster.clear(patience.pause),
        patience_seconds=START_SECONDS,
    )


def _broker(broker: Broker) -> Part:
    return Part(
        name="broker",
        command=broker.command,
        log=broker.log,
        environment=_bare_environment(),
        stops=((0, signal.SIGTERM), (8, signal.SIGKILL)),
        is_store=True,
        is_ready=broker.is_ready,
        patience_seconds=START_SECONDS,
    )


def _bare_environment() -> dict[str, str]:
    """Servers get the language of their messages and no secret."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"}
