"""The items of a subscription: a plan or an add-on from one day to another, as it was approved."""

import uuid
from collections.abc import Iterable
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Self

import pgtrigger
from django.apps import apps
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import Exists, F, Func, OuterRef, Q, Value

from billing.pricing import Ending, Interval, Item, ItemKind
from connections.models import Connection
from revampd.kit.constraints import CompositeForeignKey, no_truncate
from revampd.kit.ids import growing_id
from revampd.kit.money import MinorUnitsField, Money
from revampd.kit.prepared import prepared

if TYPE_CHECKING:
    from .subscriptions import Subscription

LONGEST_INTERVAL = timedelta(days=366)


class SubscriptionItemQuerySet(models.QuerySet["SubscriptionItem"]):
    def on(self, day: date) -> Self:
        """What runs on `day`."""
        unended = Q(end_date__isnull=True) | Q(end_date__gt=day)
        return self.filter(unended, start_date__lte=day)

    def unsettled(self) -> Self:
        """Those that a coming invoice may have to do with.

        An item that is billed to its end has nothing more to say, once that day is past: today is
        at most one interval before the next invoice. One that never begins, because another takes
        its place, has nothing to say; what was canceled or removed before can still be kept. But
        either may have been used, and nobody has billed that yet.
        """
        past = F("subscription__next_invoice_date") - LONGEST_INTERVAL
        never = Q(end_date=F("start_date"), ending=Ending.REPLACED)
        over = Q(end_date__lte=past) | never
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
        "billing.Subscription",
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
    ending = models.CharField(max_length=8, choices=Ending, blank=True)
    billed_to = models.DateField()

    mutable = ("end_date", "ending", "billed_to")

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
                condition=Q(end_date__isnull=True, ending="")
                | Q(end_date__isnull=False, ending__in=Ending.values),
                name="item_ending",
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
    def begin(cls, subscription: "Subscription", item: Item) -> "SubscriptionItem":
        return cls.objects.create(
            connection=subscription.connection,
            subscription=subscription,
            request_id=item.authority,
            kind=item.kind,
            name=item.name,
            unit_price=item.unit_price.minor,
            booking_fee=item.booking_fee,
            transfer_fee=item.transfer_fee,
            quantity=item.quantity,
            interval=item.interval,
            anchor_date=item.anchor,
            start_date=item.start,
            end_date=item.end,
            ending=item.ending,
            billed_to=item.billed_to,
        )

    # Verbs

    @classmethod
    def end(cls, altered: Iterable[Item]) -> None:
        """Write until when these run, and why no longer. The caller holds the connection's lock."""
        rows = [cls(pk=i.key, end_date=i.end, ending=i.ending) for i in altered]
        # What makes room goes first: no two plans may run on a day, not even for a moment.
        for part in ([r for r in rows if r.end_date], [r for r in rows if not r.end_date]):
            cls.objects.bulk_update(part, ["end_date", "ending"])

    # Properties

    PRICED = (
        *("pk", "kind", "name", "unit_price", "quantity", "interval", "anchor_date"),
        *("start_date", "end_date", "billed_to", "booking_fee", "transfer_fee"),
        *("request_id", "ending"),
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
        authority: uuid.UUID,
        ending: str,
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
            authority=authority,
            ending=Ending(ending) if ending else "",
        )

    @property
    def counted(self) -> str:
        """ "Phone number", "3 × Phone number"."""
        return self.name if self.quantity == 1 else f"{self.quantity:,} × {self.name}"

    @property
    def unit_money(self) -> Money:
        return Money(self.unit_price, self.subscription.currency)

    @property
    def price(self) -> Money:
        return self.unit_money * self.quantity

    @property
    def interval_label(self) -> str:
        return Interval(self.interval).label


@prepared
def coming(connection: Any) -> "models.QuerySet[SubscriptionItem]":
    """Those that a coming invoice may have to do with, as its lines stand."""
    rows = SubscriptionItem.objects.unsettled().filter(connection=connection)
    live = rows.filter(subscription__end_date__isnull=True).in_order()
    with_request: models.QuerySet[SubscriptionItem] = live.select_related(
        "subscription", "request__plan_version__plan"
    )
    return with_request
