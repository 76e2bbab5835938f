"""All customers of a provider side by side: what each has, pays a month, decides and owes.

Prices by the month and by the year are summed apart in SQL, and a month of both is computed by
pricing. To sort by it, SQL counts in twelfths of a minor unit, which are exact.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.models import (
    Case,
    Count,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    When,
)
from django.db.models.functions import Coalesce, JSONObject, Lower

from connections.clocks import day_of_each
from connections.models import Connection, Invitation, Membership, Organization
from revampd.kit.money import Money

from .models import BillingRequest, Invoice, SubscriptionItem
from .pricing import Interval, ItemKind, a_month_of

OWN = {"connection": OuterRef("pk")}
UNENDED = Q(end_date__isnull=True) | Q(end_date__gt=OuterRef("day"))
RUNNING = SubscriptionItem.objects.filter(UNENDED, start_date__lte=OuterRef("day"), **OWN)
PLAN = RUNNING.filter(kind=ItemKind.PLAN)
PENDING = BillingRequest.objects.pending().filter(**OWN)
OVERDUE = Invoice.objects.filter(state=Invoice.State.PAST_DUE, **OWN)


def customers(provider: Organization, at: datetime) -> QuerySet[Any]:
    """The connections of `provider` on the day that each is at, at the real time `at`."""
    own = Connection.objects.filter(provider=provider)
    return own.annotate(
        day=day_of_each(provider, at),
        is_waiting=Exists(PENDING),
        is_overdue=Exists(OVERDUE),
        small_name=Lower("customer__name"),
    )


# Narrowing down: each takes and gives rows of `customers`


def called(rows: QuerySet[Any], text: str) -> QuerySet[Any]:
    """Those with `text` in their name, or in the address of a member or of who is invited."""
    members = Membership.objects.filter(
        organization=OuterRef("customer"), user__email__icontains=text
    )
    invited = Invitation.objects.pending().filter(email__icontains=text, **OWN)
    return rows.filter(Q(customer__name__icontains=text) | Q(Exists(members)) | Q(Exists(invited)))


def with_plan(rows: QuerySet[Any], name: str) -> QuerySet[Any]:
    """Those on whom a plan of this name runs; for "", those without a plan."""
    return rows.filter(Exists(PLAN.filter(name=name)) if name else ~Exists(PLAN))


def of_member(rows: QuerySet[Any], membership_id: int) -> QuerySet[Any]:
    """Those whose sales or support owner this member of the provider is."""
    return rows.filter(Q(sales_owner=membership_id) | Q(support_owner=membership_id))


# Reading


@dataclass(frozen=True, slots=True)
class Customer:
    """One of them. `plan` runs today ("" if none does), `next_plan` begins on `next_from`."""

    key: UUID
    name: str
    state: Connection.State
    since: datetime
    plan: str
    is_yearly: bool
    next_plan: str
    next_from: date | None
    monthly: Money
    waiting: int
    overdue: Money

    @property
    def tone(self) -> str:
        return Connection(state=self.state).tone


def read(rows: QuerySet[Any]) -> QuerySet[Any]:
    """The same rows as values, each of which `customer_of` makes a customer."""
    price = F("unit_price") * F("quantity")
    is_monthly = Q(interval=Interval.MONTH)
    prices = RUNNING.order_by().values("connection")
    by_month = Sum(price, filter=is_monthly, default=0)
    by_year = Sum(price, filter=~is_monthly, default=0)
    twelfths = Sum(Case(When(is_monthly, then=price * 12), default=price))
    later = SubscriptionItem.objects.filter(
        UNENDED, kind=ItemKind.PLAN, start_date__gt=OuterRef("day"), **OWN
    )
    first_later = later.order_by("start_date").values(row=JSONObject(name="name", day="start_date"))
    owed = OVERDUE.order_by().values("connection").values(sum=Sum("outstanding"))
    asked = PENDING.order_by().values("connection").values(number=Count("pk"))
    return rows.annotate(
        plan=Subquery(PLAN.values(row=JSONObject(name="name", interval="interval"))[:1]),
        later=Subquery(first_later[:1]),
        prices=Subquery(prices.values(row=JSONObject(by_month=by_month, by_year=by_year))),
        twelfths=Coalesce(Subquery(prices.values(sum=twelfths)), 0),
        overdue=Coalesce(Subquery(owed), 0),
        waiting=Coalesce(Subquery(asked), 0),
    ).values(
        *("pk", "customer__name", "state", "currency", "created_at"),
        *("plan", "later", "prices", "overdue", "waiting"),
    )


def customer_of(row: Any) -> Customer:
    plan, later, prices = row["plan"] or {}, row["later"] or {}, row["prices"] or {}
    monthly = a_month_of(prices.get("by_month", 0), prices.get("by_year", 0))
    return Customer(
        key=row["pk"],
        name=row["customer__name"],
        state=Connection.State(row["state"]),
        since=row["created_at"],
        plan=plan.get("name", ""),
        is_yearly=plan.get("interval") == Interval.YEAR,
        next_plan=later.get("name", ""),
        next_from=date.fromisoformat(later["day"]) if later else None,
        monthly=Money(monthly, row["currency"]),
        waiting=row["waiting"],
        overdue=Money(row["overdue"], row["currency"]),
    )
