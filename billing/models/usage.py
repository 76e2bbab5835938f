"""Usage: bookings and transfers that a plan charges by number, on top of its price."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any, ClassVar, Self

import pgtrigger
from django.conf import settings
from django.db import models, transaction
from django.db.models import Case, F, Q, Sum, When

from billing import events
from billing.pricing import Measure
from connections.models import Connection, User
from revampd.kit.constraints import CompositeForeignKey, no_truncate
from revampd.kit.copying import copy_rows
from revampd.kit.errors import Invalid
from revampd.kit.money import Money

from .batches import Batch, KeyTaken, UsageRefused
from .entries import KEY_LENGTH, Meter, UsageEntry


@dataclass(frozen=True, slots=True)
class Counted:
    """How much of one measure, and what it costs."""

    measure: Measure
    count: int
    cost: Money

    def __str__(self) -> str:
        return self.measure.counted(self.count)


class UsageRecordQuerySet(models.QuerySet["UsageRecord"]):
    def unbilled(self) -> Self:
        """What is on no invoice yet."""
        return self.filter(line__isnull=True)

    def newest_first(self) -> Self:
        return self.order_by("-used_on", "-id")

    def with_cost(self) -> Self:
        """Each with its `cost` in minor units, by the fee of the plan that ran."""
        is_booking = When(measure=Measure.BOOKING, then=F("item__booking_fee"))
        fee = Case(is_booking, default=F("item__transfer_fee"))
        return self.annotate(cost=F("quantity") * fee)

    def counted(self, currency: str) -> list[Counted]:
        """What all of these come to, by measure."""
        rows = self.with_cost().order_by("measure").values_list("measure")
        sums = rows.annotate(Sum("quantity"), Sum("cost"))
        return [Counted(Measure(m), count, Money(cost, currency)) for m, count, cost in sums]


class UsageRecord(models.Model):
    """So many bookings or transfers on a day, entered once: `key` makes a repetition harmless.

    `line` is the invoice line that bills it; the database takes no second one.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    connection = models.ForeignKey(
        Connection, on_delete=models.PROTECT, related_name="usage", db_constraint=False
    )
    item = models.ForeignKey(
        "billing.SubscriptionItem",
        on_delete=models.PROTECT,
        related_name="usage",
        db_constraint=False,
    )
    measure = models.CharField(max_length=8, choices=Measure)
    used_on = models.DateField()
    quantity = models.PositiveIntegerField()
    key = models.CharField(max_length=KEY_LENGTH)
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    entered_at = models.DateTimeField()
    line = models.ForeignKey(
        "billing.InvoiceLine", on_delete=models.PROTECT, null=True, related_name="usage"
    )

    mutable = ("line",)

    objects: ClassVar[Any] = UsageRecordQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "key"], name="usage_key"),
            CompositeForeignKey(
                name="usage_of_item",
                fields=["connection", "item"],
                to="billing.SubscriptionItem",
                to_fields=["connection", "id"],
            ),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="usage_quantity"),
            models.CheckConstraint(condition=~Q(key=""), name="usage_has_key"),
            models.CheckConstraint(
                condition=Q(measure__in=["BOOKING", "TRANSFER"]), name="usage_measure"
            ),
        ]
        indexes = [
            models.Index(
                fields=["connection", "used_on"],
                condition=Q(line__isnull=True),
                name="usage_unbilled",
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="kept", operation=pgtrigger.Delete),
            no_truncate(),
            pgtrigger.Trigger(
                name="billed_once",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func="""
                    IF OLD.line_id IS NOT NULL
                       OR to_jsonb(OLD) - 'line_id' IS DISTINCT FROM to_jsonb(NEW) - 'line_id' THEN
                        RAISE EXCEPTION 'usage is entered once and billed once'
                            USING ERRCODE = 'integrity_constraint_violation';
                    ELSIF NOT EXISTS (
                        SELECT 1 FROM billing_invoiceline line
                        WHERE line.id = NEW.line_id AND line.item_id = NEW.item_id
                            AND line.measure = NEW.measure
                    ) THEN
                        RAISE EXCEPTION 'usage is billed by a line of its own item and measure'
                            USING ERRCODE = 'integrity_constraint_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return str(self.entry)

    # Verbs

    @classmethod
    @transaction.atomic
    def enter(
        cls,
        connection: Connection,
        *,
        measure: Measure,
        used_on: date,
        quantity: int,
        key: str,
        by: User,
        at: datetime,
    ) -> "UsageRecord":
        """Enter it for the next invoice; `at` is the connection's own time.

        The same once more changes nothing and returns the first. Raises KeyTaken if `key` stands
        for something else, Invalid for what no plan charges, NotAllowed.
        """
        entry = UsageEntry(connection.pk, measure, used_on, quantity, key)
        held = _hold([connection.pk])
        batch = cls.read([entry], held, by=by, moment=lambda _: at)
        if batch.taken:
            raise KeyTaken(batch.taken[0].sentence)
        if batch.objections:
            raise Invalid(batch.objections[0].sentence, field=batch.objections[0].field)
        cls._write(batch, by)
        return cls.objects.get(connection=connection, key=key)

    @classmethod
    @transaction.atomic
    def enter_all(cls, entries: Sequence[UsageEntry], *, by: User, at: datetime) -> int:
        """Enter all of them or none, in a few statements; `at` is real time.

        What is known already stays as it is. Returns how many were new. Raises UsageRefused with
        everything that speaks against them, NotAllowed.
        """
        held = _hold({entry.connection_id for entry in entries})
        batch = cls.read(entries, held, by=by, moment=partial(Connection.own_time, now=at))
        if batch.objections:
            raise UsageRefused(batch.objections)
        cls._write(batch, by)
        return len(batch.new)

    @classmethod
    def _write(cls, batch: Batch, by: User) -> None:
        meters, fields = batch.meters, ("connection", "measure", "used_on", "quantity", "key")
        copy_rows(
            cls,
            ("id", *fields, "item", "entered_by", "entered_at"),
            (
                (
                    *(uuid.uuid4(), one.entry.connection_id, one.entry.measure.value),
                    *(one.entry.used_on, one.entry.quantity, one.entry.key),
                    *(one.plan.key, by.pk, meters[one.entry.connection_id].at),
                )
                for one in batch.new
            ),
        )
        events.usage_recorded.record_each(Connection, batch.told(by))

    # Queries

    @classmethod
    def read(
        cls,
        entries: Sequence[UsageEntry],
        connections: Sequence[Connection],
        *,
        by: User,
        moment: Callable[[Connection], datetime],
    ) -> Batch:
        """What `by` would enter, beside what is there already. Raises NotAllowed."""
        for provider in {connection.provider for connection in connections}:
            provider.require_biller(by, or_staff=True)
        # The database takes no NUL, not even to look for it; the meter refuses such a key.
        keys = [entry.key for entry in entries if "\0" not in entry.key]
        rows = cls.objects.filter(connection__in=connections, key__in=keys)
        earlier = {(row.connection_id, row.key): row.entry for row in rows}
        return Batch.sort(entries, earlier, Meter.each(connections, moment))

    # Properties

    @property
    def entry(self) -> UsageEntry:
        """What was entered."""
        measure = Measure(self.measure)
        return UsageEntry(self.connection_id, measure, self.used_on, self.quantity, self.key)

    @property
    def counted(self) -> str:
        """ "3 bookings"."""
        return Measure(self.measure).counted(self.quantity)

    @property
    def cost_money(self) -> Money:
        """What it costs; for rows that were read `with_cost`."""
        return Money(self.cost, self.connection.currency)  # type: ignore[attr-defined]


def _hold(connection_ids: Any) -> list[Connection]:
    """Lock connections in the order in which the billing run does."""
    rows = Connection.objects.select_for_update(no_key=True, of=("self",))
    return list(rows.filter(pk__in=connection_ids).select_related("provider").order_by("pk"))
