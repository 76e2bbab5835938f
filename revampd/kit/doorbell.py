"""The doorbell: wakes a worker after commit. PostgreSQL is the queue, the broker only rings.

A lost ring loses nothing: Celery beat looks into the queue every few seconds anyway.
"""

import logging

from celery import current_app
from django.db import transaction

log = logging.getLogger(__name__)


def ring_on_commit(task: str) -> None:
    """Ask for `task` (a Celery task name) once this transaction has committed, once only."""
    pending = transaction.get_connection().run_on_commit
    if any(getattr(entry[1], "task", None) == task for entry in pending):
        return
    transaction.on_commit(_Ring(task), robust=True)


class _Ring:
    def __init__(self, task: str) -> None:
        self.task = task

    def __call__(self) -> None:
        try:
            current_app.send_task(self.task, ignore_result=True, retry=False)
        except Exception:  # noqa: BLE001 - whatever is wrong with the broker, the work is stored
            log.warning("The broker does not answer; %s waits for the next sweep", self.task)
