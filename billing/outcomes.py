"""What came of a billing run: which invoices it issued, what was collected of them, what failed.

Ids of invoices begin with the time at which they were made, so that those of a run lie together.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet, Sum
from django.utils import timezone

from revampd.kit.money import Money

from .models import BillingRun, Invoice, Payment

REASONS = 5


@dataclass(frozen=True)
class Sums:
    """So many invoices of one currency, and what they come to."""

    currency: str
    number: int
    issued: Money
    collected: Money
    owed: Money
    late: int  # how many are past due


@dataclass(frozen=True)
class Outcome:
    """It queries when it is asked, each number once."""

    run: BillingRun

    @property
    def invoices(self) -> QuerySet[Invoice]:
        """Issued from the beginning of the run to its end; a dry one leaves none."""
        if self.run.is_dry:
            return Invoice.objects.none()
        last = self.run.finished_at or self.run.went_on_at or timezone.now()
        first, beyond = _first_id(self.run.started_at), _first_id(last, after=True)
        found: QuerySet[Invoice] = Invoice.objects.filter(pk__gte=first, pk__lt=beyond)
        return found

    @cached_property
    def sums(self) -> list[Sums]:
        rows = self.invoices.values("currency").annotate(
            number=Count("pk"),
            issued=Sum("total"),
            collected=Sum("paid"),
            owed=Sum("outstanding"),
            late=Count("pk", filter=Q(state=Invoice.State.PAST_DUE)),
        )
        return [_sums(row) for row in rows.order_by("currency")]

    @cached_property
    def failures(self) -> list[tuple[str, int]]:
        """Why payments of these invoices failed, what happened most often first."""
        failed = Payment.objects.filter(
            state=Payment.State.FAILED, invoice__in=self.invoices.values("pk")
        )
        counted = failed.values_list("failure").annotate(number=Count("pk"))
        return list(counted.order_by("-number", "failure")[:REASONS])

    @property
    def problems(self) -> list[str]:
        """What could not be billed, and why."""
        return self.run.problem.splitlines()


def _sums(row: Any) -> Sums:
    currency = row["currency"]
    amounts = {name: Money(row[name], currency) for name in ("issued", "collected", "owed")}
    return Sums(currency, row["number"], late=row["late"], **amounts)


def _first_id(instant: datetime, *, after: bool = False) -> UUID:
    """The least id that `growing_id` makes in this millisecond, or in the next."""
    return UUID(int=(int(instant.timestamp() * 1000) + after) << 80)
