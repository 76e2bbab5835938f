"""What runs on a connection: a subscription and its items, at the prices that were approved."""

import uuid
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Self

import pgtrigger
from django.apps import apps
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import Exists, F, Func, OuterRef, Q, Value
from django.db.models.expressions import Combinable

from billing import events
from billing.pricing import Change, Interval, Item, ItemKind, Running
from connections.models import Connection, User
from revampd.kit.constraints import CompositeForeignKey, no_truncate
from revampd.kit.ids import growing_id
from revampd.kit.money import CurrencyField, MinorUnitsField, Money

if TYPE_CHECKING:
    from .requests import BillingRequest

LONGEST_INTERVAL = timedelta(days=366)


class SubscriptionQuerySet(models.QuerySet["Subscription"]):
    def live(self) -> Self:
        return self.filter(end_date__isnull=True)

    def due(self, on: date | Combinable) -> Self:
        """Those whose next invoice is to be issued by the day `on`."""
        return self.live().filter(next_invoice_date__lte=on)


class Subscription(models.Model):
    """What is running on a connection: a plan version, its add-ons, a cycle. One at a time.

    A change is dated, not switched: what runs on a day are the items whose days contain it. So a
    plan that was approved for next month is here already, and needs nobody to start it.
    """

    id = models.UUIDField(primary_key=True, default=growing_id, editable=False)
    connection = models.ForeignKey(
        Connection, on_delete=models.PROTECT, related_name="subscriptions", db_index=False
    )
    currency = CurrencyField()
    start_date = models.DateField()
    end_date = models.DateField(null=True)
    next_invoice_date = models.DateField(null=True)

    objects: ClassVar[Any] = SubscriptionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection"],
                condition=Q(end_date__isnull=True),
                name="subscription_one_live",
            ),
            models.UniqueConstraint(fields=["connection", "id"], name="subscription_connection"),
            models.CheckConstraint(
                condition=Q(end_date__isnull=True, next_invoice_date__isnull=False)
                | Q(end_date__isnull=False, end_date__gte=F("start_date")),
                name="subscription_dates",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_invoice_date", "connection"],
                condition=Q(end_date__isnull=True),
                name="subscription_due",
            ),
        ]

    def __str__(self) -> str:
        return f"Subscription of {self.connection} since {self.start_date}"

    # Factories

    @classmethod
    def carry_out(
        cls, change: Change, request: "BillingRequest", *, by: User, at: datetime
    ) -> "Subscription":
        """Start what an approved request opens and end what it replaces.

        The caller holds the connection's lock.
        """
        connection = request.connection
        subscription, _ = cls.objects.live().get_or_create(
            connection=connection,
            defaults={
                "currency": connection.currency,
                "start_date": change.start,
                "next_invoice_date": change.next_invoice,
            },
        )
        authorities = subscription._end(change.closed)
        for item in change.opened:
            authority = authorities.get(item.key, request)
            SubscriptionItem.begin(subscription, item, authority)
        subscription.start_date = min(subscription.start_date, change.start)
        subscription.next_invoice_date = change.next_invoice
        subscription.save(update_fields=["start_date", "next_invoice_date"])
        subscription._record_change(change, request, by, at)
        return subscription

    def _end(self, closed: Iterable[Item]) -> "dict[Any, BillingRequest]":
        rows = self.items.select_related("request").in_bulk([item.key for item in closed])
        for item in closed:
            rows[item.key].end_date = item.end
        SubscriptionItem.objects.bulk_update(rows.values(), ["end_date"])
        return {key: row.request for key, row in rows.items()}

    def _record_change(
        self, change: Change, request: "BillingRequest", by: User, at: datetime
    ) -> None:
        is_plan = request.kind == ItemKind.PLAN
        if not is_plan:
            kind = events.add_on_joined
        elif change.closed:
            kind = events.subscription_changed
        else:
            kind = events.subscription_started
        kind.record(
            self,
            by=by,
            at=at,
            organization=self.connection.customer,
            connection=self.connection,
            item=request.item_name,
            price=request.price_in_words,
            start=change.start,
            next_invoice=change.next_invoice,
        )

    # Queries

    @classmethod
    def running_on(cls, connection: Connection) -> Running:
        """What runs on `connection`, as the pure functions of pricing take it."""
        return cls.running_on_each([connection]).get(connection.pk, Running())

    @classmethod
    def running_on_each(cls, connections: Iterable[Connection]) -> dict[Any, Running]:
        """`running_on` for many connections in one query; those without a plan are missing."""
        rows = SubscriptionItem.objects.unsettled().filter(
            subscription__connection__in=list(connections),
            subscription__end_date__isnull=True,
        )
        each: dict[Any, Running] = {}
        for row in rows.in_order().select_related("subscription"):
            known = each.get(row.connection_id, Running())
            items = (*known.items, row.as_item())
            each[row.connection_id] = Running(items, row.subscription.next_invoice_date)
        return each

    @property
    def running(self) -> Running:
        rows = self.items.unsettled().in_order()
        return Running(tuple(row.as_item() for row in rows), self.next_invoice_date)


class SubscriptionItemQuerySet(models.QuerySet["SubscriptionItem"]):
    def on(self, day: date) -> Self:
        """What runs on `day`."""
        unended = Q(end_date__isnull=True) | Q(end_date__gt=day)
        return self.filter(unended, start_date__lte=day)

    def unsettled(self) -> Self:
        """Those that a coming invoice may have to do with.

        An item that is billed to its end has nothing more to say, once that day is past: today is
        at most one interval before the next invoice. One that never began has nothing to say. But
        either may have been used, and nobody has billed that yet.
        """
        past = F("subscription__next_invoice_date") - LONGEST_INTERVAL
        over = Q(end_date__lte=past) | Q(end_date=F("start_date"))
        settled = Q(end_date=F("billed_to")) & over & ~Exists(self._unbilled_usage())
        return self.filter(Q(end_date__isnull=True) | ~settled)

    @staticmethod
    def _unbilled_usage() -> models.QuerySet[Any]:
        # Usage points at items, so they find its table by name.
        rows = apps.get_model("billing.UsageRecord").objects
        own = {"connection": OuterRef("connection"), "item": OuterRef("pk")}
        unbilled: models.QuerySet[Any] = rows.filter(line__isnull=True, **own)
        return unbilled

    def in_order(self) -> Self:
        """The order of the lines: plans first, then add-ons, the oldest first."""
        return self.order_by("-kind", "start_date", "id")

    def after(self, day: date) -> Self:
        """What is approved and begins later than `day`."""
        unended = Q(end_date__isnull=True) | Q(end_date__gt=F("start_date"))
        return self.filter(unended, start_date__gt=day)


class SubscriptionItem(models.Model):
    """A plan or add-on from `start_date` up to `end_date`, with the prices that were approved.

    `unit_price` is for one `interval`, in minor units. The approved request that allows it goes
    along; the database takes no other.
    """

    id = models.UUIDField(primary_key=True, default=growing_id, editable=False)
    connection = models.ForeignKey(
        Connection,
        on_delete=models.PROTECT,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    subscription = models.ForeignKey(
        Subscription,
        on_delete=models.PROTECT,
        related_name="items",
        db_constraint=False,
        db_index=False,
    )
    request = models.ForeignKey(
        "billing.BillingRequest",
        on_delete=models.PROTECT,
        related_name="items",
        db_constraint=False,
    )
    request_state = models.GeneratedField(
        expression=Value("APPROVED"),
        output_field=models.CharField(max_length=10),
        db_persist=True,
    )
    kind = models.CharField(max_length=10, choices=ItemKind)
    name = models.CharField(max_length=80)
    unit_price = MinorUnitsField()
    booking_fee = MinorUnitsField(default=0)
    transfer_fee = MinorUnitsField(default=0)
    quantity = models.PositiveIntegerField(default=1)
    interval = models.CharField(max_length=5, choices=Interval)
    anchor_date = models.DateField()
    start_date = models.DateField()
    end_date = models.DateField(null=True)
    billed_to = models.DateField()

    mutable = ("end_date", "billed_to")

    objects: ClassVar[Any] = SubscriptionItemQuerySet.as_manager()

    class Meta:
        constraints = [
            # Lines point at (connection, id, request): the item and its authority.
            models.UniqueConstraint(
                fields=["connection", "id", "request"], name="item_with_authority"
            ),
            models.UniqueConstraint(fields=["connection", "id"], name="item_connection_id"),
            CompositeForeignKey(
                name="item_of_subscription",
                fields=["connection", "subscription"],
                to="billing.Subscription",
                to_fields=["connection", "id"],
            ),
            CompositeForeignKey(
                name="item_authority",
                fields=["connection", "request", "kind", "request_state"],
                to="billing.BillingRequest",
                to_fields=["connection", "id", "kind", "state"],
            ),
            ExclusionConstraint(
                name="item_one_plan_a_day",
                expressions=[
                    ("subscription", RangeOperators.EQUAL),
                    (
                        Func(F("start_date"), F("end_date"), function="daterange"),
                        RangeOperators.OVERLAPS,
                    ),
                ],
                condition=Q(kind="PLAN"),
            ),
            models.CheckConstraint(
                condition=Q(end_date__isnull=True) | Q(end_date__gte=F("start_date")),
                name="item_dates",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["PLAN", "ADD_ON"], unit_price__gte=0, quantity__gte=1),
                name="item_price",
            ),
        ]
        indexes = [models.Index(fields=["subscription", "start_date"], name="item_subscription")]
        triggers = [
            # By column, so that the billing run, which moves `billed_to`, pays nothing for it.
            pgtrigger.Protect(
                name="as_approved",
                operation=pgtrigger.Delete
                | pgtrigger.UpdateOf(
                    "connection_id",
                    "subscription_id",
                    "request_id",
                    "kind",
                    "name",
                    "unit_price",
                    "booking_fee",
                    "transfer_fee",
                    "quantity",
                    "interval",
                    "anchor_date",
                    "start_date",
                ),
            ),
            no_truncate(),
        ]

    def __str__(self) -> str:
        return self.name

    # Factories

    @classmethod
    def begin(
        cls, subscription: Subscription, item: Item, request: "BillingRequest"
    ) -> "SubscriptionItem":
        return cls.objects.create(
            connection=subscription.connection,
            subscription=subscription,
            request=request,
            kind=item.kind,
            name=item.name,
            unit_price=item.unit_price.minor,
            booking_fee=request.terms.get("booking_fee", 0),
            transfer_fee=request.terms.get("transfer_fee", 0),
            quantity=item.quantity,
            interval=item.interval,
            anchor_date=item.anchor,
            start_date=item.start,
            end_date=item.end,
            billed_to=item.billed_to,
        )

    # Properties

    PRICED = (
        *("pk", "kind", "name", "unit_price", "quantity", "interval", "anchor_date"),
        *("start_date", "end_date", "billed_to", "booking_fee", "transfer_fee"),
    )

    def as_item(self) -> Item:
        """The value that pricing computes with."""
        values = (getattr(self, name) for name in self.PRICED)
        return self.item_of(self.subscription.currency, *values)

    @staticmethod
    def item_of(
        currency: str,
        key: uuid.UUID,
        kind: str,
        name: str,
        unit_price: int,
        quantity: int,
        interval: str,
        anchor: date,
        start: date,
        end: date | None,
        billed_to: date,
        booking_fee: int,
        transfer_fee: int,
    ) -> Item:
        """The item of a row whose columns PRICED have these values."""
        return Item(
            kind=ItemKind(kind),
            name=name,
            unit_price=Money(unit_price, currency),
            quantity=quantity,
            interval=Interval(interval),
            anchor=anchor,
            start=start,
            end=end,
            billed_to=billed_to,
            key=key,
            booking_fee=booking_fee,
            transfer_fee=transfer_fee,
        )

    @property
    def unit_money(self) -> Money:
        return Money(self.unit_price, self.subscription.currency)

    @property
    def price(self) -> Money:
        return self.unit_money * self.quantity

    @property
    def interval_label(self) -> str:
        return Interval(self.interval).label
