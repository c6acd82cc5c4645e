"""Imported by the Celery worker (`--include`): its pool does not outlive it, not even after kill -9."""

import os
import signal

from celery.signals import worker_process_init

from config.runtime.processes import follow_parent


@worker_process_init.connect
def follow_the_worker(**_: object) -> None:
    follow_parent(signal.SIGKILL, os.getppid())
