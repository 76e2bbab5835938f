"""What an organization sells: a month of it today and over time, and who pays most of it."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from dateutil.relativedelta import relativedelta
from django.db.models import Case, F, Q, QuerySet, Sum, When, Window
from django.db.models.functions import RowNumber, TruncMonth

from connections.models import Organization
from revampd.kit.money import Money, by_currency

from .models import SubscriptionItem
from .pricing import Interval, a_month_of

MONTHS = 12
SHOWN = 5
PRICE = F("unit_price") * F("quantity")


@dataclass(frozen=True, slots=True)
class MonthEnd:
    """What a month came to at the prices that ran on its last day, or today."""

    label: str
    amount: Money


@dataclass(frozen=True, slots=True)
class Share:
    """What one customer pays a month."""

    connection_id: UUID
    name: str
    amount: Money


@dataclass(frozen=True)
class Revenue:
    """Recurring revenue in one currency, usage and charges apart: the last twelve months of it.

    `top` are the customers that pay most of it today, the most first.
    """

    currency: str
    months: list[MonthEnd]
    top: list[Share]

    @classmethod
    def of_each_currency(cls, seller: Organization, today: date) -> "list[Revenue]":
        """Of what `seller` has sold."""
        months = _months(seller, today)
        shares = _shares(seller, today)
        currencies = sorted(months, key=by_currency)
        return [cls(currency, months[currency], shares[currency]) for currency in currencies]

    @property
    def monthly(self) -> Money:
        return self.months[-1].amount

    @property
    def growth(self) -> str:
        """How it compares with the end of last month, in words; "" if it is the same."""
        more = self.monthly - self.months[-2].amount
        if not more:
            return ""
        words = f"{more} more" if more.minor > 0 else f"{-more} less"
        return f"{words} than at the end of last month"

    @property
    def rest(self) -> Money:
        """What all other customers pay together."""
        return self.monthly - Money(sum(one.amount.minor for one in self.top), self.currency)


def _months(seller: Organization, today: date) -> dict[str, list[MonthEnd]]:
    """By currency, in one query: what began by each month's end less what had ended by then."""
    changes: dict[str, dict[date, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    for currency, interval, month, amount in _changes(seller, today):
        known = changes[currency][month]
        known[interval] = known.get(interval, 0) + amount
    first = today.replace(day=1) - relativedelta(months=MONTHS - 1)
    days = [first + relativedelta(months=number) for number in range(MONTHS)]
    return {
        currency: [MonthEnd(f"{day:%b %y}", _until(day, own, currency)) for day in days]
        for currency, own in changes.items()
    }


def _until(month: date, changes: dict[date, dict[str, int]], currency: str) -> Money:
    sums = dict.fromkeys(Interval.values, 0)
    for day, change in changes.items():
        if day <= month:
            for interval, amount in change.items():
                sums[interval] += amount
    return Money(a_month_of(sums[Interval.MONTH], sums[Interval.YEAR]), currency)


def _changes(seller: Organization, today: date) -> QuerySet[Any]:
    """By currency, interval and month: what began (above zero) and what ended (below)."""
    items = SubscriptionItem.objects.filter(connection__provider=seller)
    parts = [
        items.filter(**{f"{day}__lte": today})
        .annotate(currency=F("connection__currency"), month=TruncMonth(day))
        .order_by()
        .values_list("currency", "interval", "month")
        .annotate(amount=Sum(PRICE) * sign)
        for day, sign in (("start_date", 1), ("end_date", -1))
    ]
    return parts[0].union(parts[1], all=True)


def _shares(seller: Organization, today: date) -> dict[str, list[Share]]:
    """The largest in each currency."""
    is_yearly = Q(interval=Interval.YEAR)
    running = SubscriptionItem.objects.on(today).filter(connection__provider=seller)
    customers = running.order_by().values_list(
        "connection", "connection__customer__name", "connection__currency"
    )
    summed = customers.annotate(
        by_month=Sum(PRICE, filter=~is_yearly, default=0),
        by_year=Sum(PRICE, filter=is_yearly, default=0),
        twelfths=Sum(Case(When(is_yearly, then=PRICE), default=PRICE * MONTHS)),
    )
    place = Window(RowNumber(), F("connection__currency"), [F("twelfths").desc(), "connection"])
    largest = summed.annotate(place=place).filter(place__lte=SHOWN).order_by("place")
    shares: dict[str, list[Share]] = defaultdict(list)
    for key, name, currency, by_month, by_year, *_ in largest:
        amount = Money(a_month_of(by_month, by_year), currency)
        shares[currency].append(Share(key, name, amount))
    return shares
