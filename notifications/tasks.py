"""Celery's way in: each task takes what waits in the database. All can be run again."""

from celery import shared_task

from connections.kinds import DRAIN_TASK

from . import draining, mail
from .events import SEND_TASK


@shared_task(name=DRAIN_TASK)
def drain_events() -> int:
    """Tell of what happened. Returns of how many events."""
    return draining.drain_events()


@shared_task(name=SEND_TASK)
def send_deliveries() -> int:
    """Send the mail that is due. Returns how many."""
    return mail.send_due()
