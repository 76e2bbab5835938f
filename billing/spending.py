"""What an organization buys: what it pays a month and for what, and what it has paid."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta
from django.db.models import Count, DateField, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce, TruncDate, TruncMonth
from django.utils import timezone

from connections.models import Connection, Organization
from revampd.kit.money import Money, by_currency, in_order, total
from revampd.kit.prepared import prepared

from .models import BillingRequest, Invoice, Payment, Subscription
from .pricing import Interval, Item, Running, a_month_of
from .revenue import MONTHS, MonthEnd


@dataclass(frozen=True, slots=True)
class Bought:
    """What is bought on one connection, and its next invoice as things stand, usage apart."""

    connection: Connection
    items: list[Item]
    next_invoice: date | None
    next_total: Money

    @classmethod
    def of(cls, connection: Connection, running: Running, today: date) -> "Bought":
        lines = running.upcoming()
        return cls(
            connection=connection,
            items=[item for item in running.items if item.runs_on(today)],
            next_invoice=running.next_invoice if lines else None,
            next_total=total((line.amount for line in lines), connection.currency),
        )

    @property
    def monthly(self) -> Money:
        """What its prices come to in a month."""
        sums = dict.fromkeys(Interval, 0)
        for item in self.items:
            sums[item.interval] += item.price.minor
        minor = a_month_of(sums[Interval.MONTH], sums[Interval.YEAR])
        return Money(minor, self.connection.currency)

    @property
    def owed(self) -> Money:
        """What its invoices leave to pay."""
        return self.money("owed")

    @property
    def overdue(self) -> Money:
        return self.money("overdue")

    @property
    def available(self) -> Money:
        """What a Partner can have paid out; only where that was asked for."""
        return self.money("available")

    @property
    def coming(self) -> Money:
        """What the next payout of a Partner has so far; only where that was asked for."""
        return self.money("coming")

    def money(self, name: str) -> Money:
        """Minor units that were read with the connection."""
        return Money(getattr(self.connection, name), self.connection.currency)


@dataclass(frozen=True)
class Spending:
    """Everything that an organization buys, by connection."""

    bought: list[Bought]

    @classmethod
    def of(cls, buyer: Organization, today: date, **besides: Any) -> "Spending":
        """In two queries. `besides` are expressions of a connection's row that a page shows too."""
        connections = _connections(buyer.pk, besides=tuple(besides.items()))
        running = Subscription.running_on_each(connections)
        each = (Bought.of(one, running.get(one.pk, Running()), today) for one in connections)
        return cls(list(each))

    @property
    def monthly(self) -> list[Money]:
        """A month of it, in each currency."""
        return self._sums("monthly")

    @property
    def owed(self) -> list[Money]:
        return self._sums("owed")

    @property
    def overdue(self) -> list[Money]:
        return self._sums("overdue")

    @property
    def waiting(self) -> int:
        """How many requests wait for the decision of the buyer."""
        return sum(one.connection.waiting for one in self.bought)  # type: ignore[attr-defined]

    @property
    def next(self) -> Bought | None:
        """The connection whose invoice comes first."""
        coming = [one for one in self.bought if one.next_invoice]
        return min(coming, key=lambda one: one.next_invoice or date.max, default=None)

    def _sums(self, name: str) -> list[Money]:
        parts: dict[str, list[Money]] = defaultdict(list)
        for one in self.bought:
            parts[one.connection.currency].append(getattr(one, name))
        sums = (total(moneys, currency) for currency, moneys in parts.items())
        return in_order(money for money in sums if money)


@prepared
def _connections(buyer: Any, *, besides: tuple[tuple[str, Any], ...]) -> QuerySet[Connection]:
    own = {"connection": OuterRef("pk")}
    owed = Invoice.objects.owed().filter(**own).order_by().values("connection")
    late = owed.filter(state=Invoice.State.PAST_DUE)
    asked = BillingRequest.objects.pending().filter(**own).order_by().values("connection")
    rows = Connection.objects.filter(customer=buyer).select_related("provider", "customer")
    return rows.order_by("provider_kind", "provider__name").annotate(
        owed=Coalesce(Subquery(owed.values(sum=Sum("outstanding"))), 0),
        overdue=Coalesce(Subquery(late.values(sum=Sum("outstanding"))), 0),
        waiting=Coalesce(Subquery(asked.values(number=Count("pk"))), 0),
        **dict(besides),
    )


def paid_by_month(buyer: Organization, today: date) -> dict[str, list[MonthEnd]]:
    """What payment methods paid in each of the last twelve months, by currency."""
    first = today.replace(day=1) - relativedelta(months=MONTHS - 1)
    days = [first + relativedelta(months=number) for number in range(MONTHS)]
    sums: dict[str, dict[date, int]] = defaultdict(dict)
    grouped = _paid(buyer.pk, first, zone=timezone.get_current_timezone_name())
    for currency, month, minor in grouped:
        sums[currency][month] = minor
    return {
        currency: [
            MonthEnd(f"{day:%b %y}", Money(sums[currency].get(day, 0), currency)) for day in days
        ]
        for currency in sorted(sums, key=by_currency)
    }


@prepared
def _paid(buyer: Any, first: Any, *, zone: str) -> QuerySet[Payment, Any]:
    """By currency and month, as the days are in a time zone."""
    day = TruncDate("settled_at", tzinfo=ZoneInfo(zone))
    own = Payment.objects.succeeded().filter(connection__customer=buyer).annotate(day=day)
    months = own.filter(day__gte=first).annotate(month=TruncMonth("day", output_field=DateField()))
    sums: QuerySet[Payment, Any] = (
        months.order_by().values_list("currency", "month").annotate(sum=Sum("amount"))
    )
    return sums
