"""The doorbell: wakes a worker after commit. PostgreSQL is the queue, the broker only rings.

A lost ring loses nothing: Celery beat looks into the queue every few seconds anyway.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from celery import current_app
from django.db import transaction

from revampd.kit.origin import current_origin

log = logging.getLogger(__name__)


def ring_on_commit(task: str, *hints: str) -> None:
    """Ask for `task` (a Celery task name) once this transaction has committed, once only.

    `hints` are its arguments, and no more than that: it looks for what is due all the same.
    """
    once_on_commit(_Ring(task, hints))


def once_on_commit(act: Callable[[], None]) -> None:
    """Do it once this transaction has committed, however often it was asked for by an equal."""
    pending = transaction.get_connection().run_on_commit
    if not any(entry[1] == act for entry in pending):
        transaction.on_commit(act, robust=True)


@dataclass(frozen=True)
class _Ring:
    task: str
    hints: tuple[str, ...]

    def __call__(self) -> None:
        # Whose work it is, for the log: the request that rang.
        by = {"rung_by": current_origin().get("request", "")}
        try:
            current_app.send_task(
                self.task, args=self.hints, headers=by, ignore_result=True, retry=False
            )
        except Exception:  # noqa: BLE001 - whatever is wrong with the broker, the work is stored
            log.warning("The broker does not answer; %s waits for the next sweep", self.task)
