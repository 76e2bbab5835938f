"""What an organization sells: a month of it today and over time, and who pays most of it."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from dateutil.relativedelta import relativedelta
from django.core.cache import cache
from django.db.models import Case, F, Q, QuerySet, Sum, When, Window
from django.db.models.functions import RowNumber, TruncMonth

from connections.models import Event, Organization
from revampd.kit.doorbell import once_on_commit
from revampd.kit.money import Money, by_currency
from revampd.kit.prepared import prepared

from .models import SubscriptionItem
from .pricing import Interval, a_month_of

MONTHS = 12
SHOWN = 5
KEPT = 60  # seconds
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
        changes, largest = _sold(seller.pk, today)
        months, shares = _months(changes, today), _shares(largest)
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


# Reading


def _sold(seller: UUID, today: date) -> tuple[list[Any], list[Any]]:
    """What `_changes` and `_largest` give: both go through all customers, so it is kept a while."""
    kept: Any = cache.get(_key(seller))
    if not kept or kept[0] != today:
        kept = (today, _changes(seller, today), _largest(seller, today))
        cache.set(_key(seller), kept, KEPT)
    return kept[1], kept[2]


def forget(event: Event) -> None:
    """What runs has changed. Whoever reads before that commits and keeps it later is believed for
    a minute."""
    if connection := event.connection:
        once_on_commit(_Forget(connection.provider_id))


@dataclass(frozen=True)
class _Forget:
    seller: UUID

    def __call__(self) -> None:
        cache.delete(_key(self.seller))


def _key(seller: UUID) -> str:
    return f"revenue:{seller}"


@prepared
def _changes(seller: Any, today: Any) -> QuerySet[Any, Any]:
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


@prepared
def _largest(seller: Any, today: Any) -> QuerySet[Any, Any]:
    """Of each currency the customers that pay most of it."""
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
    largest: QuerySet[Any, Any] = summed.annotate(place=place).filter(place__lte=SHOWN)
    return largest.order_by("place")


# Adding up


def _months(rows: Iterable[Any], today: date) -> dict[str, list[MonthEnd]]:
    """By currency: what began by each month's end less what had ended by then."""
    changes: dict[str, dict[date, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    for currency, interval, month, amount in rows:
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


def _shares(largest: Iterable[Any]) -> dict[str, list[Share]]:
    """The largest in each currency."""
    shares: dict[str, list[Share]] = defaultdict(list)
    for key, name, currency, by_month, by_year, *_ in largest:
        amount = Money(a_month_of(by_month, by_year), currency)
        shares[currency].append(Share(key, name, amount))
    return shares
