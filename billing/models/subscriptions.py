"""What runs on a connection: a subscription and its items, at the prices that were approved."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.db import models
from django.db.models import F, Q
from django.db.models.expressions import Combinable

from billing import events
from billing.pricing import Change, ItemKind, Running
from connections.models import Connection, User
from revampd.kit.ids import growing_id
from revampd.kit.keys import among, array_of
from revampd.kit.money import CurrencyField
from revampd.kit.prepared import prepared

from .items import SubscriptionItem

if TYPE_CHECKING:
    from .requests import BillingRequest


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
        subscription.start_date = min(subscription.start_date, change.start)
        opened = (replace(i, authority=i.authority or request.pk) for i in change.opened)
        subscription.alter(replace(change, opened=tuple(opened)))
        subscription._record_change(change, request, by, at)
        return subscription

    # Verbs

    def alter(self, change: Change) -> None:
        """Write what `change` does to the items. The caller holds the connection's lock."""
        SubscriptionItem.end(change.altered)
        for item in change.opened:
            SubscriptionItem.begin(self, item)
        self.next_invoice_date = change.next_invoice
        self.save(update_fields=["start_date", "next_invoice_date"])

    def _record_change(
        self, change: Change, request: "BillingRequest", by: User, at: datetime
    ) -> None:
        is_plan = request.kind == ItemKind.PLAN
        if not is_plan:
            kind = events.add_on_reduced if change.altered else events.add_on_joined
        elif change.altered:
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
        each: dict[Any, Running] = {}
        for key, currency, day, *priced in _running(array_of(one.pk for one in connections)):
            known = each.get(key, Running())
            item = SubscriptionItem.item_of(currency, *priced)
            each[key] = Running((*known.items, item), day)
        return each

    @property
    def running(self) -> Running:
        rows = self.items.unsettled().in_order()
        return Running(tuple(row.as_item() for row in rows), self.next_invoice_date)


@prepared
def _running(connections: Any) -> "models.QuerySet[SubscriptionItem, Any]":
    rows = SubscriptionItem.objects.unsettled().filter(among("connection", connections))
    live = rows.filter(subscription__end_date__isnull=True).in_order()
    columns = ("connection", "subscription__currency", "subscription__next_invoice_date")
    priced: models.QuerySet[SubscriptionItem, Any] = live.values_list(
        *columns, *SubscriptionItem.PRICED
    )
    return priced
