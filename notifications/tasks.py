"""Celery's way in: each task takes what waits in the database. All can be run again."""

from celery import shared_task
from django.utils import timezone

from connections.kinds import DRAIN_TASK

from . import digests, draining, mail
from .events import DIGEST_TASK, SEND_TASK


@shared_task(name=DRAIN_TASK)
def drain_events() -> int:
    """Tell of what happened. Returns of how many events."""
    return draining.drain_events()


@shared_task(name=DIGEST_TASK)
def compose_digests() -> int:
    """Make the daily summaries that are due. Returns how many."""
    return digests.compose_digests(at=timezone.now())


@shared_task(name=SEND_TASK)
def send_deliveries() -> int:
    """Send the mail that is due. Returns how many."""
    return mail.send_due()
