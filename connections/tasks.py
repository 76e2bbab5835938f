"""Celery's way in to what belongs to people."""

from celery import shared_task
from django.utils import timezone

from .models import Viewing


@shared_task(name="connections.end_viewings")
def end_viewings() -> int:
    """End the views whose time is over, so that the record says so. Returns how many."""
    now, ended = timezone.now(), 0
    for viewing in Viewing.objects.overdue(now).select_related("staff", "person"):
        viewing.end(at=now)
        ended += 1
    return ended
