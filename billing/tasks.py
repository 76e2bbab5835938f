"""Celery's way in: each task looks for what is due and calls one verb. All can be run again.

They pass on real time; how far a demo has moved the clock of a connection is added row by row.
"""

from uuid import UUID

from celery import shared_task
from django.utils import timezone

from . import filing, importing
from .checking import check_asked, check_books
from .collecting import collect_due, reconcile
from .cycle import bill_due, carry_on
from .deadlines import expire_overdue, remind_of_pending
from .disputing import find_disputes, follow_disputes
from .events import (
    BOOKS_TASK,
    COLLECT_TASK,
    FILE_TASK,
    IMPORT_TASK,
    RECONCILE_TASK,
    REFUND_TASK,
    RUN_TASK,
    WEBHOOK_TASK,
)
from .models import BillingRun
from .postman import deliver
from .refunding import settle_refunds as settle_every_refund
from .webhooks import work_off


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


@shared_task(name=RUN_TASK)
def run_asked() -> int:
    """Go on with the run that somebody asked for. Returns how many invoices it has issued."""
    now = timezone.now()
    for run in BillingRun.objects.asked().silent(now):
        if run.take(now):
            run.refresh_from_db()
            return carry_on(run, at=now)
    return 0


@shared_task(name="billing.verify_books")
def verify_books() -> int:
    """Compare the books, keep what was found, and tell staff of differences. Returns how many."""
    return len(check_books(at=timezone.now()).differences)


@shared_task(name=BOOKS_TASK)
def check_books_now() -> int:
    """Compare the books for staff who asked. Returns how many asked."""
    return check_asked(timezone.now)


@shared_task(name=COLLECT_TASK)
def collect_payments() -> int:
    """Take the next step with every invoice whose day has come. Returns with how many."""
    return collect_due(at=timezone.now())


@shared_task(name=RECONCILE_TASK)
def reconcile_payments() -> int:
    """Ask about payments and disputes whose outcome is unknown. Returns how many were settled."""
    now = timezone.now()
    return reconcile(at=now) + follow_disputes(at=now)


@shared_task(name="billing.find_disputes")
def look_for_disputes() -> int:
    """Ask the gateway for disputes that no webhook told of. Returns how many were new."""
    return find_disputes(at=timezone.now())


@shared_task(name=REFUND_TASK)
def settle_refunds() -> int:
    """Send the refunds that are owed. Returns how many were settled."""
    return settle_every_refund(at=timezone.now())


@shared_task(name=WEBHOOK_TASK)
def work_off_webhooks() -> int:
    """Follow what gateways told us. Returns how many webhooks are done."""
    return work_off(at=timezone.now())


@shared_task(name="billing.deliver_sandbox_webhooks")
def deliver_sandbox_webhooks() -> int:
    """Bring the sandbox's webhooks to our door, in the demo. Returns how many."""
    return deliver(at=timezone.now())


@shared_task(name=FILE_TASK)
def file_documents(first: str = "") -> int:
    """Render the PDFs that are missing, `first` the one somebody waits for. Returns how many."""
    return filing.file_documents(UUID(first) if first else None)


@shared_task(name=IMPORT_TASK)
def import_sub_orgs() -> int:
    """Invite the Sub-Orgs of confirmed files that are still waiting. Returns how many rows."""
    return importing.go_on()
