"""Usage: bookings and transfers that a plan charges by number, on top of its price."""

import uuid
from datetime import date
from typing import Any, ClassVar, Self

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from billing.pricing import Measure
from connections.models import Connection
from revampd.kit.constraints import CompositeForeignKey, no_truncate


class UsageRecordQuerySet(models.QuerySet["UsageRecord"]):
    def unbilled(self, before: date) -> Self:
        """What was used before the day `before` and is on no invoice yet."""
        return self.filter(line__isnull=True, used_on__lt=before)

    def newest_first(self) -> Self:
        return self.order_by("-used_on", "-id")


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
    key = models.CharField(max_length=100)
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
        plural = "" if self.quantity == 1 else "s"
        return f"{self.quantity} {self.get_measure_display()}{plural} on {self.used_on}"
