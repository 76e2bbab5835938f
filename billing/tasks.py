"""Celery's way in: each task looks for what is due and calls one verb. All can be run again."""

from celery import shared_task
from django.utils import timezone

from .cycle import bill_due
from .models import BillingRequest


@shared_task(name="billing.expire_requests")
def expire_requests() -> int:
    """Close the requests whose time is over. Returns how many."""
    now = timezone.now()
    return sum(request.expire(at=now) for request in BillingRequest.objects.overdue(now))


@shared_task(name="billing.remind_of_requests")
def remind_of_requests() -> int:
    """Remind customers of requests that expire soon. Returns how many."""
    now = timezone.now()
    return sum(request.remind(at=now) for request in BillingRequest.objects.to_remind(now))


@shared_task(name="billing.run_cycle")
def run_cycle() -> int:
    """Issue what is due today where each provider is. Returns how many invoices."""
    return bill_due(at=timezone.now())
