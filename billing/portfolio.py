"""All customers of a provider side by side: what each has, pays a month, decides and owes.

What a month comes to is computed by pricing, of items that are read. To sort by it, SQL counts in
twelfths of a minor unit, which are exact.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import (
    BooleanField,
    Case,
    Count,
    Exists,
    ExpressionWrapper,
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
from connections.models import Connection, Invitation, Membership
from revampd.kit.money import Money

from .models import BillingRequest, Invoice, SubscriptionItem
from .pricing import Interval, ItemKind, a_month_of

OWN = {"connection": OuterRef("pk")}
UNENDED = Q(end_date__isnull=True) | Q(end_date__gt=OuterRef("day"))
LASTING = SubscriptionItem.objects.filter(UNENDED, ~Q(end_date=F("start_date")), **OWN)
RUNNING = LASTING.filter(start_date__lte=OuterRef("day"))
PLAN = RUNNING.filter(kind=ItemKind.PLAN)
PENDING = BillingRequest.objects.pending().filter(**OWN)
OVERDUE = Invoice.objects.filter(state=Invoice.State.PAST_DUE, **OWN)


def customers(provider: Any, zone: Any, at: Any) -> QuerySet[Any]:
    """The connections of `provider` on the day that each is at, at the real time `at`.

    Arguments of a prepared query, or the key of the provider, its time zone and an instant.
    """
    own = Connection.objects.filter(provider=provider)
    waiting = BillingRequest.objects.pending().filter(provider=provider)
    overdue = Invoice.objects.filter(state=Invoice.State.PAST_DUE, provider=provider)
    return own.annotate(
        day=day_of_each(zone, at), is_waiting=_is_of(waiting), is_overdue=_is_of(overdue)
    )


def _is_of(rows: QuerySet[Any]) -> ExpressionWrapper:
    """Whether a connection has any of them: they are few, and are read once for all."""
    return ExpressionWrapper(Q(pk__in=rows.values("connection")), BooleanField())


# Narrowing down: each takes and gives rows of `customers`


def called(rows: QuerySet[Any], text: str) -> QuerySet[Any]:
    """Those with `text` in their name, or in the address of a member or of who is invited."""
    members = Membership.objects.filter(
        organization=OuterRef("customer"), user__email__icontains=text
    )
    invited = Invitation.objects.pending().filter(email__icontains=text, **OWN)
    return rows.filter(Q(customer__name__icontains=text) | Q(Exists(members)) | Q(Exists(invited)))


def with_plan(rows: QuerySet[Any], name: str) -> QuerySet[Any]:
    """Those on whom a version of the plan of this name runs; for "", those without a plan."""
    named = PLAN.filter(request__plan_version__plan__name=name)
    return rows.filter(Exists(named) if name else ~Exists(PLAN))


def of_member(rows: QuerySet[Any], membership_id: int) -> QuerySet[Any]:
    """Those whose sales or support owner this member of the provider is."""
    return rows.filter(Q(sales_owner=membership_id) | Q(support_owner=membership_id))


# Reading


def counted(rows: QuerySet[Any]) -> QuerySet[Any]:
    """For a census: how many of them stand alike."""
    alike = rows.order_by().values_list("state", "is_waiting", "is_overdue")
    return alike.annotate(number=Count("pk"))


TONES = {state: Connection(state=state).tone for state in Connection.State}


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
        return TONES[self.state]


PRICE = F("unit_price") * F("quantity")
ITEM = JSONObject(kind="kind", name="name", price=PRICE, interval="interval", start="start_date")
TWELFTHS = Sum(Case(When(interval=Interval.MONTH, then=PRICE * 12), default=PRICE))
SUMS = {
    "twelfths": Subquery(RUNNING.order_by().values("connection").values(sum=TWELFTHS)),
    "overdue": Subquery(OVERDUE.order_by().values("connection").values(sum=Sum("outstanding"))),
    "waiting": Subquery(PENDING.order_by().values("connection").values(number=Count("pk"))),
}
READ = {
    "items": ArraySubquery(LASTING.order_by("start_date").values(row=ITEM)),
    **{name: Coalesce(query, 0) for name, query in SUMS.items()},
}


def read(rows: QuerySet[Any]) -> QuerySet[Any]:
    """The same rows as values, each of which `customer_of` makes a customer."""
    return rows.annotate(small_name=Lower("customer__name"), **READ).values(
        *("pk", "customer__name", "state", "currency", "created_at", "day"),
        *("items", "overdue", "waiting"),
    )


def customer_of(row: Any) -> Customer:
    day = row["day"].isoformat()
    running = [item for item in row["items"] if item["start"] <= day]
    plans = [item for item in row["items"] if item["kind"] == ItemKind.PLAN]
    plan = next((item for item in plans if item["start"] <= day), None)
    later = next((item for item in plans if item["start"] > day), None)
    costs = {interval: _sum(running, interval) for interval in Interval}
    return Customer(
        key=row["pk"],
        name=row["customer__name"],
        state=Connection.State(row["state"]),
        since=row["created_at"],
        plan=plan["name"] if plan else "",
        is_yearly=plan is not None and plan["interval"] == Interval.YEAR,
        next_plan=later["name"] if later else "",
        next_from=date.fromisoformat(later["start"]) if later else None,
        monthly=Money(a_month_of(costs[Interval.MONTH], costs[Interval.YEAR]), row["currency"]),
        waiting=row["waiting"],
        overdue=Money(row["overdue"], row["currency"]),
    )


def _sum(items: list[Any], interval: Interval) -> int:
    return sum(item["price"] for item in items if item["interval"] == interval)
