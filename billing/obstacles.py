"""What stands in a seller's way: requests that wait or were declined, and what is overdue."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Self
from uuid import UUID

from django.db.models import (
    BigIntegerField,
    Case,
    CharField,
    Count,
    Exists,
    F,
    Min,
    OuterRef,
    QuerySet,
    Sum,
    Value,
    When,
)
from django.db.models.fields.json import KT
from django.db.models.functions import Cast
from django.utils import timezone

from connections.models import Organization
from notifications.models import Delivery
from notifications.undelivered import undelivered_by
from revampd.kit.money import Money, in_order
from revampd.kit.prepared import prepared

from .models import BillingRequest, Invoice
from .pricing import Interval, ItemKind

SHOWN = 5
DAY = timedelta(days=1)
RECENTLY = 30 * DAY
UNDELIVERED = "UNDELIVERED"
PENDING, DECLINED = BillingRequest.State.PENDING, BillingRequest.State.REJECTED

# What an approval would add to a month: the terms say it for a month or for a year.
NEW = Cast(KT("terms__afterwards__new"), BigIntegerField())
NEW_A_MONTH = Case(
    When(kind=ItemKind.ONE_TIME, then=0),
    When(terms__afterwards__interval=Interval.YEAR, then=NEW / 12),
    default=NEW,
    output_field=BigIntegerField(),
)
MAIL_FAILED = Exists(
    Delivery.objects.failed().filter(
        event__subject_type=BillingRequest._meta.label_lower,
        event__subject_id=Cast(OuterRef("pk"), CharField()),
    )
)


@dataclass(frozen=True, slots=True)
class Debt:
    """What one customer has not paid in time: how many invoices, and since when."""

    connection_id: UUID
    name: str
    since: date
    number: int
    amount: Money


@dataclass(frozen=True, slots=True)
class Whole:
    """How many there are in all, and what they come to in each currency."""

    number: int
    amounts: list[Money]


@dataclass(frozen=True)
class Obstacles:
    """The first few of everything, and the sums of all of it.

    `pending` are the requests that expire first, `waiting` what all of them would add a month.
    `declined` are the latest. Each request has `mail_failed`: somebody did not get a mail about
    it. `debts` are those that are overdue for longest. `undelivered` mails nobody got or read.
    """

    pending: list[BillingRequest]
    waiting: Whole
    declined: list[BillingRequest]
    debts: list[Debt]
    overdue: Whole
    undelivered: int

    @classmethod
    def of(cls, seller: Organization, today: date) -> Self:
        """In three queries."""
        recently = timezone.make_aware(datetime.combine(today - RECENTLY, time.min) + DAY)
        requests = _requests(seller.pk, recently)
        sums = _sums(seller.pk, timezone.now() - RECENTLY)
        return cls(
            pending=[request for request in requests if request.state == PENDING],
            waiting=_whole(sums, PENDING),
            declined=[request for request in requests if request.state == DECLINED],
            debts=[
                Debt(key, name, since, number, Money(minor, currency))
                for key, name, since, number, minor, currency in _debts(seller.pk)
            ],
            overdue=_whole(sums, Invoice.State.PAST_DUE),
            undelivered=_whole(sums, UNDELIVERED).number,
        )


@prepared
def _requests(seller: Any, recently: Any) -> QuerySet[BillingRequest]:
    own = BillingRequest.objects.filter(provider=seller).annotate(mail_failed=MAIL_FAILED)
    rows = own.select_related("connection__customer", "decided_by")
    pending = rows.filter(state=PENDING).order_by("expires_at", "id")
    declined = rows.filter(state=DECLINED, decided_at__gte=recently)
    latest: QuerySet[BillingRequest] = declined.order_by("-decided_at", "-id")
    # PostgreSQL appends one to the other, each in its order.
    return pending[:SHOWN].union(latest[:SHOWN], all=True)


@prepared
def _sums(seller: Any, lately: Any) -> QuerySet[Any, Any]:
    """By state and currency: how many, and what they come to. Apart from the rows that are shown,
    so that nothing wide is sorted for it."""
    pending = _summed(BillingRequest.objects.filter(provider=seller, state=PENDING), NEW_A_MONTH)
    overdue = _summed(_past_due(seller), F("outstanding"))
    lost = undelivered_by(seller, lately).annotate(of=Value(UNDELIVERED), currency=Value(""))
    mails = lost.order_by().values_list("of", "currency")
    nothing = Value(0, BigIntegerField())
    return pending.union(overdue, mails.annotate(number=Count("pk"), amount=nothing), all=True)


def _summed(rows: QuerySet[Any], amount: Any) -> QuerySet[Any, Any]:
    groups = rows.order_by().values_list("state", "currency")
    return groups.annotate(number=Count("pk"), amount=Sum(amount))


def _whole(sums: Sequence[Any], state: str) -> Whole:
    own = [(currency, number, minor) for of, currency, number, minor in sums if of == state]
    amounts = [Money(minor, currency) for currency, _, minor in own if minor]
    return Whole(sum(number for _, number, _ in own), in_order(amounts))


def _past_due(seller: Any) -> QuerySet[Invoice]:
    return Invoice.objects.filter(connection__provider=seller, state=Invoice.State.PAST_DUE)


@prepared
def _debts(seller: Any) -> QuerySet[Invoice, Any]:
    customers = _past_due(seller).values_list("connection", "connection__customer__name")
    owed: Any = customers.annotate(
        since=Min("past_due_on"), number=Count("pk"), amount=Sum("outstanding"), of=F("currency")
    )
    longest: QuerySet[Invoice, Any] = owed.order_by("since", "connection")[:SHOWN]
    return longest
