"""The wallet of a connection as its page shows it: what it holds, and what comes next."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from connections.models import Connection
from revampd.kit.money import Money
from revampd.kit.prepared import prepared

from .models import Credit, Deduction, PaymentMethod
from .pricing import first_in_first_out
from .runs import Runs
from .standing import DEFAULT_METHOD, recognized


@dataclass(frozen=True)
class NextUse:
    """What the next invoice, issued on `day` over `total`, will take out of the wallet."""

    day: date
    total: Money
    taken: Money

    @property
    def left(self) -> Money:
        """What of the invoice the payment method has to pay."""
        return self.total - self.taken


@dataclass(frozen=True)
class Adjustment:
    """What an adjustment would do: the balance before, its change, and what is owed already."""

    before: Money
    change: Money
    owed: Money

    @property
    def at_once(self) -> Money:
        """What of it pays invoices that are owed already."""
        if self.change.minor <= 0:
            return Money(0, self.change.currency)
        return Money(min(self.change.minor, self.owed.minor), self.change.currency)

    @property
    def taken_at_once(self) -> Money:
        return -self.at_once

    @property
    def after(self) -> Money:
        return self.before + self.change - self.at_once

    @property
    def is_possible(self) -> bool:
        return bool(self.change) and self.after.minor >= 0


@dataclass(frozen=True)
class Wallet:
    """The credits of a connection on a day. It queries when it is asked."""

    connection: Connection
    day: date

    @cached_property
    def facts(self) -> dict[str, Any]:
        """In one query: what it holds (minor units), how long its lists are, what is charged."""
        found: dict[str, Any] | None = _facts.first(self.connection.pk)
        return found or {}

    @property
    def balance(self) -> Money:
        return Money(self.facts["held"], self.connection.currency)

    @cached_property
    def runs(self) -> Runs:
        return Runs(self.connection, self.day)

    @cached_property
    def method(self) -> PaymentMethod | None:
        """What pays the rest."""
        return recognized(self.facts["method"])

    @cached_property
    def takes(self) -> dict[UUID, Money]:
        """What the next invoice will take of each credit, by the same rule as the run."""
        if self.runs.next_invoice is None or not self.balance:
            return {}
        taken = first_in_first_out(_unspent(self.connection.pk), self.runs.upcoming_total.minor)
        return {pk: Money(minor, self.connection.currency) for pk, minor in taken}

    @cached_property
    def next_use(self) -> NextUse | None:
        """None if no invoice is to come, or the wallet is empty."""
        if self.runs.next_invoice is None or not self.takes:
            return None
        taken = sum(self.takes.values(), Money(0, self.connection.currency))
        return NextUse(self.runs.next_invoice, self.runs.upcoming_total, taken)

    def adjusted(self, change: Money) -> Adjustment:
        """What changing the balance by `change` would come to today."""
        owed = self.connection.invoices.owed().aggregate(
            free=Sum(F("outstanding") - F("held"), default=0)
        )
        return Adjustment(self.balance, change, Money(owed["free"], self.connection.currency))


@prepared
def _facts(connection: Any) -> QuerySet[Any]:
    lots = Credit.objects.filter(connection=OuterRef("pk")).order_by().values("connection")
    taken_out = Deduction.objects.filter(connection=OuterRef("pk")).order_by()
    unspent = Q(applied__lt=F("amount"))
    return Connection.objects.filter(pk=connection).values(
        held=_sum(lots.values(n=Sum(F("amount") - F("applied")))),
        lots=_sum(lots.values(n=Count("pk"))),
        unspent_lots=_sum(lots.values(n=Count("pk", filter=unspent))),
        taken_out=_sum(taken_out.values("connection").values(n=Count("pk"))),
        method=DEFAULT_METHOD,
    )


@prepared
def _unspent(connection: Any) -> QuerySet[Credit, Any]:
    lots = Credit.objects.filter(connection=connection).unspent().oldest_first()
    left: QuerySet[Credit, Any] = lots.values_list("pk", F("amount") - F("applied"))
    return left


def _sum(rows: Any) -> Coalesce:
    """What one row of `rows` says, 0 where there is none."""
    return Coalesce(Subquery(rows), 0)
