"""Celery's way in: each task looks for what is due and calls one verb. All can be run again."""

from uuid import UUID

from celery import shared_task
from django.utils import timezone

from . import closing, filing, harvest, postman, sending, webhooks
from .affiliates import closing as affiliates
from .events import SEND_TASK, STATEMENT_TASK, WEBHOOK_TASK


@shared_task(name="payouts.collect_earnings")
def collect_earnings() -> int:
    """Collect the earnings of what was paid and refunded. Returns how many."""
    return harvest.collect_earnings()


@shared_task(name="payouts.close_weeks")
def close_weeks() -> int:
    """Make payouts of the weeks that are over. Returns how many."""
    harvest.collect_earnings()
    return closing.close_weeks(at=timezone.now())


@shared_task(name="payouts.pay_affiliates")
def pay_affiliates() -> int:
    """Make affiliate payouts of the periods that are over, and credit them. Returns how many."""
    harvest.collect_earnings()
    return affiliates.pay_affiliates(at=timezone.now())


@shared_task(name=SEND_TASK)
def send_transfers() -> int:
    """Send bank transfers, and ask about those on their way. Returns how many came to their end."""
    return sending.send_transfers(at=timezone.now())


@shared_task(name=WEBHOOK_TASK)
def work_off_webhooks() -> int:
    """Follow what the gateway told of transfers and accounts. Returns how many are done."""
    return webhooks.INBOX.work_off(at=timezone.now())


@shared_task(name="payouts.deliver_sandbox_webhooks")
def deliver_sandbox_webhooks() -> int:
    """Bring the webhooks of the sandbox's bank to our door, in the demo. Returns how many."""
    return postman.deliver(at=timezone.now())


@shared_task(name=STATEMENT_TASK)
def file_statement(payout: str) -> bool:
    """Render the statement that somebody waits for. False if it is there, or just being made."""
    return filing.file_statement(UUID(payout))
