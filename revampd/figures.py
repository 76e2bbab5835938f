"""The state of the product in figures, read from the database whenever Prometheus asks.

Beat serves them: there is one of it, and it has time. Each figure is a count over an index.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError, connection
from django.db.models import Min
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from billing.models import (
    BillingRun,
    BooksCheck,
    Discrepancy,
    GatewayEvent,
    Payment,
    Refund,
    Subscription,
)
from connections.models import Outbox
from notifications.models import Delivery
from notifications.models.mails import FAILURES
from payouts.models import BankTransfer

# What is due today may still be billed today, whatever the time zone; before that it is late.
LATE = timedelta(days=2)
RECENT = timedelta(days=1)

# Each figure by name: what it says.
HELP = {
    "revampd_database_answers": "1 if the figures could be read",
    "revampd_outbox_waiting": "Events of which nobody has been told yet",
    "revampd_outbox_age_seconds": "How long the oldest of them has waited",
    "revampd_outbox_set_aside": "Events that cannot be told, for staff",
    "revampd_mails_due": "Mails that should have left by now",
    "revampd_mails_age_seconds": "How long the oldest of them is overdue",
    "revampd_mails_failed": "Mails of the last day that failed, bounced or are held",
    "revampd_billing_late": "Subscriptions whose invoice is late by more than a day",
    "revampd_billing_stopped": "Connections whose invoice was stopped, for staff",
    "revampd_billing_run_connections": "Connections of the newest billing run",
    "revampd_billing_run_done": "Connections that it has done",
    "revampd_billing_run_issued": "Invoices that it has issued",
    "revampd_billing_run_failed": "1 if it ended with connections that were not billed",
    "revampd_billing_run_age_seconds": "How long ago it began",
    "revampd_payments_unsettled": "Payments of which the outcome is open",
    "revampd_payments_age_seconds": "How long the oldest of them is open",
    "revampd_refunds_unsettled": "Refunds of which the outcome is open",
    "revampd_transfers_unsettled": "Bank transfers of which the outcome is open",
    "revampd_webhooks_waiting": "Webhooks of gateways that wait",
    "revampd_webhooks_age_seconds": "How long the oldest of them has waited",
    "revampd_books_differences": "What the last comparison of the books found",
    "revampd_books_age_seconds": "How long ago that was",
}


class Figures(Collector):
    """What `HELP` lists, asked for anew each time. With the database down it says just that."""

    def describe(self) -> list[GaugeMetricFamily]:
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        try:
            values = read(timezone.now())
        except DatabaseError:
            values = {"revampd_database_answers": 0}
        finally:
            connection.close()  # this thread ends with the answer
        for name, value in values.items():
            yield GaugeMetricFamily(name, HELP[name], value=value)


def read(now: datetime) -> dict[str, float]:
    """Every figure as it stands. Raises DatabaseError."""
    values: dict[str, float] = {"revampd_database_answers": 1}
    for part in (_told, _mailed, _billed, _paid, _heard, _booked):
        values |= part(now)
    return values


def _told(now: datetime) -> dict[str, float]:
    waiting = Outbox.objects.waiting()
    return {
        "revampd_outbox_waiting": waiting.count(),
        "revampd_outbox_age_seconds": _age(waiting, "event__recorded_at", now),
        "revampd_outbox_set_aside": Outbox.objects.exclude(problem="").count(),
    }


def _mailed(now: datetime) -> dict[str, float]:
    due = Delivery.objects.filter(state=Delivery.State.QUEUED, due_at__lte=now)
    failed = Delivery.objects.filter(state__in=FAILURES, due_at__gte=now - RECENT)
    return {
        "revampd_mails_due": due.count(),
        "revampd_mails_age_seconds": _age(due, "due_at", now),
        "revampd_mails_failed": failed.count(),
    }


def _billed(now: datetime) -> dict[str, float]:
    values: dict[str, float] = {
        "revampd_billing_late": Subscription.objects.due((now - LATE).date()).count(),
        "revampd_billing_stopped": Discrepancy.objects.open().count(),
    }
    if run := BillingRun.objects.order_by("-started_at").first():
        values |= {
            "revampd_billing_run_connections": run.connections,
            "revampd_billing_run_done": run.done,
            "revampd_billing_run_issued": run.issued,
            "revampd_billing_run_failed": float(bool(run.problem)),
            "revampd_billing_run_age_seconds": (now - run.started_at).total_seconds(),
        }
    return values


def _paid(now: datetime) -> dict[str, float]:
    open_ = Payment.objects.unsettled()
    return {
        "revampd_payments_unsettled": open_.count(),
        "revampd_payments_age_seconds": _age(open_, "begun_at", now),
        "revampd_refunds_unsettled": Refund.objects.unsettled().count(),
        "revampd_transfers_unsettled": BankTransfer.objects.unsettled().count(),
    }


def _heard(now: datetime) -> dict[str, float]:
    waiting = GatewayEvent.objects.waiting()
    return {
        "revampd_webhooks_waiting": waiting.count(),
        "revampd_webhooks_age_seconds": _age(waiting, "received_at", now),
    }


def _booked(now: datetime) -> dict[str, float]:
    check = BooksCheck.objects.order_by("-checked_at").first()
    if check is None:
        return {}
    return {
        "revampd_books_differences": len(check.differences),
        "revampd_books_age_seconds": (now - check.checked_at).total_seconds(),
    }


def _age(rows: Any, field: str, now: datetime) -> float:
    """Seconds since the oldest of `rows`, 0 if there is none."""
    oldest = rows.aggregate(oldest=Min(field))["oldest"]
    return (now - oldest).total_seconds() if oldest else 0.0
