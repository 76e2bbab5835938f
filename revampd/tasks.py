"""What every worker and beat does besides its tasks: says that it is ready, counts, logs a line.

Celery imports this file with its first task; a web process never does.
"""

import logging
import os
from pathlib import Path
from time import monotonic
from typing import Any

from celery import Task
from celery.signals import (
    beat_init,
    task_postrun,
    task_prerun,
    worker_process_shutdown,
    worker_ready,
)
from django.conf import settings
from prometheus_client import multiprocess

from revampd.figures import Figures
from revampd.kit.metrics import TASK_SECONDS, TASKS, serve

log = logging.getLogger(__name__)

_begun: dict[str, float] = {}


@worker_ready.connect
def say_ready(**_: Any) -> None:
    """Tell whoever started us, if they named a file, that tasks are taken from now on."""
    if path := settings.WORKER_READY_FILE:
        Path(path).touch()
    if settings.METRICS_ADDRESS:
        serve(settings.METRICS_ADDRESS)


@beat_init.connect
def serve_figures(**_: Any) -> None:
    """Beat tells of the product, besides itself."""
    if settings.METRICS_ADDRESS:
        serve(settings.METRICS_ADDRESS, Figures())


@task_prerun.connect
def begin(task_id: str, **_: Any) -> None:
    _begun[task_id] = monotonic()


@task_postrun.connect
def end(task_id: str, task: Task[Any, Any], retval: Any, state: str, **_: Any) -> None:
    """Count it; log it if it did anything, took a while, or failed."""
    seconds = monotonic() - _begun.pop(task_id, monotonic())
    outcome = state.lower()
    TASKS.labels(task.name, outcome).inc()
    TASK_SECONDS.labels(task.name).observe(seconds)
    did = retval if isinstance(retval, int) else None
    idle = state == "SUCCESS" and not did and seconds < 1
    seen = {"outcome": outcome, "result": did, "ms": round(seconds * 1000, 1)}
    log.log(logging.DEBUG if idle else logging.INFO, task.name, extra=seen)


@worker_process_shutdown.connect
def forget_figures(pid: int, **_: Any) -> None:
    """What it counted stays; only what was true of the living process goes."""
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        multiprocess.mark_process_dead(pid)
