"""Invoices: numbered without gaps, frozen when issued, every line with its authority."""

import uuid
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, ClassVar, NamedTuple, Self

import pgtrigger
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import TruncMonth

from billing import events
from billing.pricing import ItemKind, Period
from connections.models import Connection, Organization, User
from revampd.kit.constraints import CompositeForeignKey, no_truncate
from revampd.kit.locking import lock
from revampd.kit.money import CurrencyField, MinorUnitsField, Money, total

from .lines import DraftLine, InvoiceLine

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


class Month(NamedTuple):
    """What a month's invoices come to, and what of it is still owed, in minor units."""

    invoiced: int
    open: int


class InvoiceQuerySet(models.QuerySet["Invoice"]):
    def newest_first(self) -> Self:
        return self.order_by("-number")

    def open(self) -> Self:
        return self.filter(state=Invoice.State.OPEN)

    def by_month(self) -> "dict[date, Month]":
        """What each month's invoices come to, in minor units, void ones apart."""
        valid = self.exclude(state=Invoice.State.VOID)
        owed = Q(state__in=[Invoice.State.OPEN, Invoice.State.PAST_DUE])
        rows = valid.annotate(month=TruncMonth("issue_date")).values_list("month")
        sums = rows.annotate(
            invoiced=models.Sum("total"), owed=models.Sum("total", filter=owed, default=0)
        )
        return {month: Month(invoiced, open_) for month, invoiced, open_ in sums}


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
