"""How the web process serves: a few workers with threads, on loopback only, loaded once and shared."""

import os
import shutil
import signal
from typing import Any

from config import logs
from config.runtime import places
from config.runtime.processes import follow_parent

bind = f"127.0.0.1:{os.environ.get('OUTPOST_PORT', '').strip() or '8000'}"
worker_class = "gthread"
workers = int(os.environ.get("OUTPOST_WEB_WORKERS", "").strip() or "2")
threads = 4
preload_app = True
timeout = 60
graceful_timeout = 5
max_requests = 20_000
max_requests_jitter = 2_000
forwarded_allow_ips = ""  # who is a proxy is said once, by OUTPOST_TRUSTED_PROXIES, and asked by the application
control_socket_disable = True  # the supervisor is the only one in control
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108 - no heartbeat waits for a disk
logconfig_dict = logs.configuration(
    os.environ.get("OUTPOST_LOG_FORM", "").strip() or "json", os.environ.get("OUTPOST_LOG_LEVEL", "").strip() or "INFO"
)


def _counts() -> str:
    """Where the processes of this master add up what they served: emptied at each start, kept when the master reloads."""
    place = places.make_home() / "counts"
    if os.environ.get("_OUTPOST_COUNTING") != str(os.getpid()):
        shutil.rmtree(place, ignore_errors=True)
        os.environ["_OUTPOST_COUNTING"] = str(os.getpid())
    place.mkdir(mode=0o700, exist_ok=True)
    return str(place)


# Before the application is loaded, as the counters ask for it when they are made.
os.environ["PROMETHEUS_MULTIPROC_DIR"] = _counts()


def child_exit(server: Any, worker: Any) -> None:
    """What a process that has ended was counting at this moment is no longer there; what it served stays counted."""
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)


def post_fork(server: object, worker: object) -> None:
    """A worker does not outlive its master, not even a master that was killed."""
    follow_parent(signal.SIGTERM, os.getppid())
