"""Celery's way in: each task looks for what is due and calls one verb. All can be run again.

They pass on real time; how far a demo has moved the clock of a connection is added row by row.
"""

from celery import shared_task
from django.utils import timezone

from .books import differences
from .cycle import bill_due
from .deadlines import expire_overdue, remind_of_pending
from .models import BooksCheck


@shared_task(name="billing.expire_requests")
def expire_requests() -> int:
    """Close the requests whose time is over. Returns how many."""
    return expire_overdue(at=timezone.now())


@shared_task(name="billing.remind_of_requests")
def remind_of_requests() -> int:
    """Remind customers of requests that expire soon. Returns how many."""
    return remind_of_pending(at=timezone.now())


@shared_task(name="billing.run_cycle")
def run_cycle() -> int:
    """Issue what is due today where each provider is. Returns how many invoices."""
    return bill_due(at=timezone.now())


@shared_task(name="billing.verify_books")
def verify_books() -> int:
    """Compare the books, keep what was found, and tell staff of differences. Returns how many."""
    return len(BooksCheck.keep(differences(), at=timezone.now()).differences)
