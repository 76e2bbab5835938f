"""The lines of an invoice, each with the approved request that allows it."""

from typing import Any, ClassVar

import pgtrigger
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Sum, Value
from django.db.models.functions import Greatest

from billing.pricing import ItemKind
from connections.models import Connection
from revampd.kit.constraints import AppendOnly, CompositeForeignKey
from revampd.kit.money import MinorUnitsField, Money


def _each_day_once(name: str, side: Q) -> ExclusionConstraint:
    """No day of an item is on two lines of the same side: charged, or given back."""
    days = Func(F("period_start"), F("period_end"), function="daterange")
    return ExclusionConstraint(
        name=name,
        expressions=[("item", RangeOperators.EQUAL), (days, RangeOperators.OVERLAPS)],
        condition=side & Q(item__isnull=False, measure=""),
    )


class InvoiceLineQuerySet(models.QuerySet["InvoiceLine"]):
    def with_left(self, invoice: Any) -> "models.QuerySet[Any]":
        """The lines of `invoice`, each with what credit notes have `left` of it, in minor units."""
        taken = Sum("corrections__amount", default=0)
        left = Greatest(F("amount") - taken, 0)
        return self.filter(invoice=invoice).annotate(left=left).order_by("position")


class InvoiceLine(AppendOnly):
    """One charge, in minor units, and the approved request that allows it.

    `measure` is empty for the price of days; else it names the usage that is charged.

    `request_state` is a constant that the composite key needs: only an approved request of the
    same connection and kind can be an authority, and while a line points at it, it stays approved.
    """

    connection = models.ForeignKey(
        Connection, on_delete=models.PROTECT, related_name="+", db_constraint=False
    )
    invoice = models.ForeignKey(
        "billing.Invoice",
        on_delete=models.PROTECT,
        related_name="lines",
        db_constraint=False,
        db_index=False,
    )
    request = models.ForeignKey(
        "billing.BillingRequest",
        on_delete=models.PROTECT,
        related_name="lines",
        db_constraint=False,
    )
    request_state = models.GeneratedField(
        expression=Value("APPROVED"),
        output_field=models.CharField(max_length=10),
        db_persist=True,
    )
    item = models.ForeignKey(
        "billing.SubscriptionItem",
        on_delete=models.PROTECT,
        related_name="lines",
        null=True,
        db_constraint=False,
    )
    position = models.PositiveIntegerField()
    kind = models.CharField(max_length=10, choices=ItemKind)
    measure = models.CharField(max_length=8, blank=True, default="")
    description = models.CharField(max_length=250)
    quantity = models.PositiveIntegerField()
    unit_price = MinorUnitsField()
    amount = MinorUnitsField()
    period_start = models.DateField(null=True)
    period_end = models.DateField(null=True)

    objects: ClassVar[Any] = InvoiceLineQuerySet.as_manager()

    class Meta(AppendOnly.Meta):
        abstract = False
        constraints = [
            models.UniqueConstraint(fields=["invoice", "position"], name="invoice_line_position"),
            CompositeForeignKey(
                name="invoice_line_of_invoice",
                fields=["connection", "invoice"],
                to="billing.Invoice",
                to_fields=["connection", "id"],
            ),
            CompositeForeignKey(
                name="invoice_line_authority",
                fields=["connection", "request", "kind", "request_state"],
                to="billing.BillingRequest",
                to_fields=["connection", "id", "kind", "state"],
            ),
            CompositeForeignKey(
                name="invoice_line_of_item",
                fields=["connection", "item", "request"],
                to="billing.SubscriptionItem",
                to_fields=["connection", "id", "request"],
            ),
            # A one-time charge is billed once, and so is each day of an item.
            models.UniqueConstraint(
                fields=["request"], condition=Q(kind="ONE_TIME"), name="one_time_billed_once"
            ),
            _each_day_once("item_charged_once", Q(amount__gte=0)),
            _each_day_once("item_credited_once", Q(amount__lt=0)),
            models.CheckConstraint(
                condition=Q(kind="ONE_TIME", item__isnull=True)
                | Q(
                    kind__in=["PLAN", "ADD_ON"],
                    item__isnull=False,
                    period_start__isnull=False,
                    period_end__gt=F("period_start"),
                ),
                name="invoice_line_kind",
            ),
            models.CheckConstraint(
                condition=Q(measure="")
                | Q(measure__in=["BOOKING", "TRANSFER"], kind="PLAN", amount__gt=0),
                name="invoice_line_measure",
            ),
        ]
        triggers = [
            *AppendOnly.Meta.triggers,
            # Per statement, not per row: a billing run writes lines by the thousand.
            pgtrigger.Trigger(
                name="adds_up",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                referencing=pgtrigger.Referencing(new="added"),
                func="""
                    -- Looked up one by one: a join may scan all invoices or lines there are.
                    IF EXISTS (
                        SELECT 1 FROM (
                            SELECT invoice_id, sum(amount) AS amount FROM added GROUP BY 1
                        ) sums
                        WHERE sums.amount <> (
                            SELECT total FROM billing_invoice WHERE id = sums.invoice_id
                        )
                    ) THEN
                        RAISE EXCEPTION 'the lines of an invoice add up to its total'
                            USING ERRCODE = 'integrity_constraint_violation';
                    ELSIF EXISTS (
                        SELECT 1 FROM (
                            SELECT invoice_id, count(*) AS lines FROM added GROUP BY 1
                        ) counts
                        WHERE counts.lines <> (
                            SELECT count(*) FROM billing_invoiceline line
                            WHERE line.invoice_id = counts.invoice_id
                        )
                    ) THEN
                        RAISE EXCEPTION 'an issued invoice gets no more lines'
                            USING ERRCODE = 'integrity_constraint_violation';
                    END IF;
                    RETURN NULL;
                """,
            ),
        ]

    def __str__(self) -> str:
        return self.description

    @property
    def amount_money(self) -> Money:
        return Money(self.amount, self.invoice.currency)

    @property
    def unit_money(self) -> Money:
        return Money(self.unit_price, self.invoice.currency)
