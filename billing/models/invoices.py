"""Invoices: numbered without gaps, frozen when issued, every line with its authority."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Self

import pgtrigger
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import TruncMonth

from billing import events
from billing.pricing import ItemKind, Period
from connections.models import Connection, Organization, User
from revampd.kit.constraints import AppendOnly, CompositeForeignKey, no_truncate
from revampd.kit.locking import lock
from revampd.kit.money import CurrencyField, MinorUnitsField, Money, total

if TYPE_CHECKING:
    from .requests import BillingRequest
    from .subscriptions import SubscriptionItem

DUE_AFTER = timedelta(days=14)


class InvoiceSeries(models.Model):
    """The running number of a provider's invoices.

    A row, not a sequence: a number taken by a transaction that fails is given back with it, so
    there are no gaps.
    """

    provider = models.OneToOneField(Organization, on_delete=models.PROTECT, primary_key=True)
    last_number = models.PositiveBigIntegerField(default=0)

    class Meta:
        verbose_name_plural = "invoice series"

    def __str__(self) -> str:
        return f"Invoices of {self.provider}: {self.last_number}"

    @classmethod
    def take(cls, provider: Organization) -> int:
        """The next number. Take it last in the transaction: it serializes the provider."""
        series, _ = cls.objects.get_or_create(provider=provider)
        series = lock(series)
        cls.objects.filter(pk=series.pk).update(last_number=F("last_number") + 1)
        return series.last_number + 1


@dataclass(frozen=True, slots=True)
class DraftLine:
    """A line to be: what it charges, for which days, and the request that allows it."""

    kind: ItemKind
    description: str
    quantity: int
    unit_price: Money
    amount: Money
    request: "BillingRequest"
    item: "SubscriptionItem | None" = None
    period: Period | None = None


class InvoiceQuerySet(models.QuerySet["Invoice"]):
    def newest_first(self) -> Self:
        return self.order_by("-number")

    def open(self) -> Self:
        return self.filter(state=Invoice.State.OPEN)

    def amount_open(self, currency: str) -> Money:
        """What is still owed on these invoices."""
        owed = self.filter(state__in=[Invoice.State.OPEN, Invoice.State.PAST_DUE])
        return Money(owed.aggregate(sum=models.Sum("total"))["sum"] or 0, currency)

    def total_by_month(self, since: date) -> dict[date, int]:
        """What was invoiced in each month from `since` on, in minor units, void ones apart."""
        valid = self.exclude(state=Invoice.State.VOID).filter(issue_date__gte=since)
        months = valid.annotate(month=TruncMonth("issue_date")).values_list("month")
        return dict(months.annotate(sum=models.Sum("total")))


class Invoice(models.Model):
    """What is owed for a period, in minor units. Issued, only its state changes.

    Names and addresses of both parties are frozen on it.
    """

    class State(models.TextChoices):
        OPEN = "OPEN", "Open"
        PAID = "PAID", "Paid"
        PAST_DUE = "PAST_DUE", "Past due"
        VOID = "VOID", "Void"
        UNCOLLECTIBLE = "UNCOLLECTIBLE", "Uncollectible"

    class Kind(models.TextChoices):
        SUBSCRIPTION = "SUBSCRIPTION", "Subscription"
        ADD_ON = "ADD_ON", "Add-on"
        ONE_TIME = "ONE_TIME", "One-time"
        MIXED = "MIXED", "Mixed"

    mutable = ("state",)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    connection = models.ForeignKey(
        Connection, on_delete=models.PROTECT, related_name="invoices", db_constraint=False
    )
    provider = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    number = models.PositiveBigIntegerField()
    state = models.CharField(max_length=13, choices=State, default=State.OPEN)
    kind = models.CharField("type", max_length=12, choices=Kind)
    currency = CurrencyField()
    total = MinorUnitsField()
    period_start = models.DateField(null=True)
    period_end = models.DateField(null=True)
    issue_date = models.DateField()
    due_date = models.DateField()
    issued_at = models.DateTimeField()
    provider_details = models.JSONField()
    customer_details = models.JSONField()
    # A constant that the key to the first line needs: an invoice without lines is refused.
    first_position = models.GeneratedField(
        expression=Value(1), output_field=models.PositiveIntegerField(), db_persist=True
    )

    objects: ClassVar[Any] = InvoiceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "number"], name="invoice_number"),
            models.UniqueConstraint(fields=["connection", "id"], name="invoice_connection_id"),
            CompositeForeignKey(
                name="invoice_of_provider",
                fields=["connection", "provider"],
                to="connections.Connection",
                to_fields=["id", "provider"],
            ),
            CompositeForeignKey(
                name="invoice_has_lines",
                fields=["id", "first_position"],
                to="billing.InvoiceLine",
                to_fields=["invoice", "position"],
                deferred=True,
            ),
            models.CheckConstraint(condition=Q(total__gte=0), name="invoice_total"),
            models.CheckConstraint(condition=Q(number__gte=1), name="invoice_number_positive"),
            models.CheckConstraint(
                condition=Q(due_date__gte=F("issue_date")), name="invoice_due_after_issue"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["OPEN", "PAID", "PAST_DUE", "VOID", "UNCOLLECTIBLE"]),
                name="invoice_state",
            ),
        ]
        indexes = [
            models.Index(fields=["connection", "-number"], name="invoice_of_connection"),
        ]
        triggers = [
            pgtrigger.Protect(name="kept", operation=pgtrigger.Delete),
            no_truncate(),
            pgtrigger.Trigger(
                name="frozen",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                # Generated columns have no value yet when this runs.
                declare=[("apart", "text[] := ARRAY['state', 'first_position']")],
                func="""
                    IF to_jsonb(OLD) - apart IS DISTINCT FROM to_jsonb(NEW) - apart THEN
                        RAISE EXCEPTION 'an issued invoice never changes'
                            USING ERRCODE = 'integrity_constraint_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return self.code

    # Factories

    @classmethod
    def issue(
        cls,
        connection: Connection,
        lines: Sequence[DraftLine],
        *,
        on: date,
        at: datetime,
        period: Period | None = None,
        by: User | None = None,
    ) -> "Invoice":
        """Issue `lines` as one invoice dated `on`, due two weeks later.

        The caller holds the connection's lock. Raises ValueError for no lines.
        """
        if not lines:
            raise ValueError("an invoice needs a line")
        amount = total((line.amount for line in lines), connection.currency)
        invoice = cls.objects.create(
            connection=connection,
            provider=connection.provider,
            kind=cls._kind_of(lines),
            currency=connection.currency,
            total=amount.minor,
            period_start=period.start if period else None,
            period_end=period.end if period else None,
            issue_date=on,
            due_date=on + DUE_AFTER,
            issued_at=at,
            provider_details=connection.provider.party_details,
            customer_details=connection.customer.party_details,
            number=InvoiceSeries.take(connection.provider),
        )
        invoice._write(lines)
        invoice._record_issue(by, at)
        return invoice

    @classmethod
    def _kind_of(cls, lines: Sequence[DraftLine]) -> "Invoice.Kind":
        kinds = {line.kind for line in lines}
        if ItemKind.ONE_TIME in kinds:
            return cls.Kind.ONE_TIME if len(kinds) == 1 else cls.Kind.MIXED
        return cls.Kind.SUBSCRIPTION if ItemKind.PLAN in kinds else cls.Kind.ADD_ON

    def _write(self, lines: Sequence[DraftLine]) -> None:
        # One statement: the trigger on the lines compares their sum with the total after it.
        InvoiceLine.objects.bulk_create(
            InvoiceLine(
                invoice=self,
                connection=self.connection,
                request=line.request,
                item=line.item,
                position=position,
                kind=line.kind,
                description=line.description,
                quantity=line.quantity,
                unit_price=line.unit_price.minor,
                amount=line.amount.minor,
                period_start=line.period.start if line.period else None,
                period_end=line.period.end if line.period else None,
            )
            for position, line in enumerate(lines, start=1)
        )

    def _record_issue(self, by: User | None, at: datetime) -> None:
        events.invoice_issued.record(
            self,
            by=by,
            at=at,
            organization=self.provider,
            connection=self.connection,
            number=self.number,
            code=self.code,
            amount=self.total_money,
            due=self.due_date,
            provider=self.connection.provider.name,
            customer=self.connection.customer.name,
        )

    # Properties

    @property
    def code(self) -> str:
        """The number as people write it."""
        return f"INV-{self.number:05d}"

    @property
    def total_money(self) -> Money:
        return Money(self.total, self.currency)

    @property
    def amount_due(self) -> Money:
        owed = self.state in (self.State.OPEN, self.State.PAST_DUE)
        return Money(self.total if owed else 0, self.currency)

    @property
    def period(self) -> Period | None:
        if self.period_start is None or self.period_end is None:
            return None
        return Period(self.period_start, self.period_end)


def _each_day_once(name: str, side: Q) -> ExclusionConstraint:
    """No day of an item is on two lines of the same side: charged, or given back."""
    days = Func(F("period_start"), F("period_end"), function="daterange")
    return ExclusionConstraint(
        name=name,
        expressions=[("item", RangeOperators.EQUAL), (days, RangeOperators.OVERLAPS)],
        condition=side & Q(item__isnull=False),
    )


class InvoiceLine(AppendOnly):
    """One charge, in minor units, and the approved request that allows it.

    `request_state` is a constant that the composite key needs: only an approved request of the
    same connection and kind can be an authority, and while a line points at it, it stays approved.
    """

    connection = models.ForeignKey(
        Connection, on_delete=models.PROTECT, related_name="+", db_constraint=False
    )
    invoice = models.ForeignKey(
        Invoice, on_delete=models.PROTECT, related_name="lines", db_constraint=False
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
    description = models.CharField(max_length=250)
    quantity = models.PositiveIntegerField()
    unit_price = MinorUnitsField()
    amount = MinorUnitsField()
    period_start = models.DateField(null=True)
    period_end = models.DateField(null=True)

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
                    IF EXISTS (
                        SELECT 1 FROM added
                        JOIN billing_invoice invoice ON invoice.id = added.invoice_id
                        GROUP BY invoice.id, invoice.total
                        HAVING sum(added.amount) <> invoice.total
                    ) THEN
                        RAISE EXCEPTION 'the lines of an invoice add up to its total'
                            USING ERRCODE = 'integrity_constraint_violation';
                    ELSIF EXISTS (
                        SELECT 1 FROM billing_invoiceline line
                        WHERE line.invoice_id IN (SELECT invoice_id FROM added)
                            AND line.id NOT IN (SELECT id FROM added)
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
