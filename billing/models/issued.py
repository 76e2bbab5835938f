"""An invoice as it stands in the database: numbered without gaps, frozen when issued."""

import re
import uuid
from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar, Self

import pgtrigger
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.expressions import Combinable
from django.utils.text import slugify

from billing.pricing import Period, next_attempt
from connections.models import Connection, Organization
from revampd.kit.constraints import CompositeForeignKey, no_truncate
from revampd.kit.keys import among
from revampd.kit.money import DEFAULT_CURRENCY, CurrencyField, MinorUnitsField, Money
from revampd.kit.search import any_of

if TYPE_CHECKING:
    from .invoices import Invoice  # noqa: F401 - what the query set gives

_NUMBER = re.compile(r"(?:inv[- ]?|#)?\s?([0-9]{1,12})", re.ASCII | re.IGNORECASE)


class IssuedInvoiceQuerySet(models.QuerySet["Invoice"]):
    def newest_first(self) -> Self:
        return self.order_by("-number")

    def open(self) -> Self:
        return self.filter(state=IssuedInvoice.State.OPEN)

    def owed(self) -> Self:
        return self.filter(state__in=IssuedInvoice.UNSETTLED)

    def to_collect(self, on: date | Combinable) -> Self:
        """Those that collecting looks at on the day `on`; a payment under way comes first."""
        return self.filter(collect_on__lte=on, held=0)

    def found(self, mine: Any, *, total: Any = None, named: Any = None, **known: Any) -> Self:
        """Those of the organizations `mine` with what is `known`, pk or number, or this total.

        In minor units. And all of their connections `named`.
        """
        sold, owed = Q(among("provider", mine)), Q(among("connection__customer", mine))
        asked = any_of(**known)
        if total is not None:
            asked |= Q(total=total, currency=DEFAULT_CURRENCY)
        # Each has an index of its own, which one condition over all of them would not use.
        parts = [self.filter(sold, asked), self.filter(owed, asked)]
        if named is not None:
            parts.append(self.filter(sold | owed, among("connection", named)))
        ids = [part.values("pk") for part in parts]
        return self.filter(pk__in=ids[0].union(*ids[1:]))


class IssuedInvoice(models.Model):
    """What is owed for a period, in minor units. Issued, only its settlement changes.

    Names and addresses of both parties are frozen on it. What was credited (from the wallet),
    paid, held (by a payment under way) and corrected (by credit notes) is kept by triggers on the
    rows that do so, and `outstanding` follows. What is `disputed` counts as paid until it is lost.
    `collect_on` is the day on which collecting looks at it again; it `is_stuck` if no payment is
    tried any more until there is another method.
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

    UNSETTLED = (State.OPEN, State.PAST_DUE)

    mutable = (
        *("state", "credited", "paid", "held", "corrected", "disputed"),
        *("collect_on", "attempts", "first_failed_on", "past_due_on"),
        "is_stuck",
    )

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    connection = models.ForeignKey(
        Connection,
        on_delete=models.PROTECT,
        related_name="invoices",
        db_constraint=False,
        db_index=False,
    )
    provider = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    number = models.PositiveBigIntegerField()
    state = models.CharField(max_length=13, choices=State, default=State.OPEN)
    kind = models.CharField("type", max_length=12, choices=Kind)
    currency = CurrencyField()
    total = MinorUnitsField()
    credited = MinorUnitsField(default=0)
    paid = MinorUnitsField(default=0)
    held = MinorUnitsField(default=0)
    corrected = MinorUnitsField(default=0)
    disputed = MinorUnitsField(default=0, db_default=0)
    outstanding = models.GeneratedField(
        expression=F("total") - F("credited") - F("paid") - F("corrected"),
        output_field=MinorUnitsField(),
        db_persist=True,
    )
    period_start = models.DateField(null=True)
    period_end = models.DateField(null=True)
    issue_date = models.DateField()
    due_date = models.DateField()
    issued_at = models.DateTimeField()
    collect_on = models.DateField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    first_failed_on = models.DateField(null=True)
    past_due_on = models.DateField(null=True)
    is_stuck = models.BooleanField(default=False)
    provider_details = models.JSONField()
    customer_details = models.JSONField()
    # A constant that the key to the first line needs: an invoice without lines is refused.
    first_position = models.GeneratedField(
        expression=Value(1), output_field=models.PositiveIntegerField(), db_persist=True
    )

    objects: ClassVar[Any] = IssuedInvoiceQuerySet.as_manager()

    class Meta:
        abstract = True
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
                condition=Q(credited__gte=0, paid__gte=0, held__gte=0, corrected__gte=0),
                name="invoice_settlement",
            ),
            models.CheckConstraint(
                condition=Q(disputed__gte=0, disputed__lte=F("paid")), name="invoice_disputed"
            ),
            models.CheckConstraint(
                condition=Q(held__lte=F("total") - F("credited") - F("paid") - F("corrected")),
                name="invoice_never_over_paid",
            ),
            models.CheckConstraint(
                condition=Q(state="PAID", total=F("credited") + F("paid") + F("corrected"))
                | Q(
                    state__in=["OPEN", "PAST_DUE", "UNCOLLECTIBLE"],
                    total__gt=F("credited") + F("paid") + F("corrected"),
                )
                | Q(state="VOID", credited=0, paid=0, held=0),
                name="invoice_state",
            ),
        ]
        indexes = [
            models.Index(fields=["connection", "-number"], name="invoice_of_connection"),
            models.Index(
                fields=["collect_on"],
                condition=Q(collect_on__isnull=False),
                name="invoice_to_collect",
            ),
            # Few rows, asked for of thousands of connections at once.
            models.Index(
                fields=["connection"], condition=Q(state="PAST_DUE"), name="invoice_past_due"
            ),
            # For search: to read the 100,000 invoices of a provider instead takes longer than all
            # else that the page does. It adds a hundredth to the WAL of a billing run.
            models.Index(fields=["provider", "total"], name="invoice_amount"),
        ]
        triggers = [
            pgtrigger.Protect(name="kept", operation=pgtrigger.Delete),
            no_truncate(),
            pgtrigger.Trigger(
                name="frozen",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                # Generated columns have no value yet when this runs.
                declare=[
                    (
                        "apart",
                        "text[] := ARRAY['state', 'credited', 'paid', 'held', 'corrected',"
                        " 'disputed', 'collect_on', 'attempts', 'first_failed_on', 'past_due_on',"
                        " 'is_stuck', 'outstanding', 'first_position']",
                    )
                ],
                func="""
                    IF to_jsonb(OLD) - apart IS DISTINCT FROM to_jsonb(NEW) - apart THEN
                        RAISE EXCEPTION 'an issued invoice never changes'
                            USING ERRCODE = 'integrity_constraint_violation';
                    ELSIF OLD.state = 'VOID' THEN
                        RAISE EXCEPTION 'a void invoice stays void'
                            USING ERRCODE = 'integrity_constraint_violation';
                    ELSIF pg_trigger_depth() < 2
                        AND (OLD.credited, OLD.paid, OLD.held, OLD.corrected, OLD.disputed)
                            IS DISTINCT FROM
                            (NEW.credited, NEW.paid, NEW.held, NEW.corrected, NEW.disputed)
                    THEN
                        RAISE EXCEPTION 'an invoice is settled only by what is booked on it'
                            USING ERRCODE = 'integrity_constraint_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="unsettled",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition(
                    "((NEW.credited, NEW.paid, NEW.held, NEW.corrected, NEW.disputed)"
                    " <> (0, 0, 0, 0, 0))"
                ),
                func="""
                    RAISE EXCEPTION 'an invoice begins with nothing settled'
                        USING ERRCODE = 'integrity_constraint_violation';
                """,
            ),
        ]

    def __str__(self) -> str:
        return self.code

    # Properties

    @staticmethod
    def code_of(number: int) -> str:
        """A number as people write it."""
        return f"INV-{number:05d}"

    @staticmethod
    def number_in(text: str) -> int | None:
        """The number that somebody typed: 12, #12, INV-12 or INV-00012."""
        match = _NUMBER.fullmatch(text)
        return int(match[1]) if match else None

    @property
    def code(self) -> str:
        return self.code_of(self.number)

    @property
    def total_money(self) -> Money:
        return Money(self.total, self.currency)

    @property
    def credited_money(self) -> Money:
        return Money(self.credited, self.currency)

    @property
    def paid_money(self) -> Money:
        return Money(self.paid, self.currency)

    @property
    def disputed_money(self) -> Money:
        return Money(self.disputed, self.currency)

    @property
    def corrected_money(self) -> Money:
        return Money(self.corrected, self.currency)

    @property
    def amount_due(self) -> Money:
        return Money(self.outstanding if self.is_owed else 0, self.currency)

    @property
    def next_attempt_on(self) -> date | None:
        """The day on which a payment that failed is tried again by itself."""
        if self.is_stuck or not self.is_owed or self.first_failed_on is None:
            return None
        return next_attempt(self.first_failed_on, self.attempts)

    def may_be_tried(self, today: date) -> bool:
        """Whether a payment is due by itself: at once when it is issued, then on its schedule."""
        again = self.next_attempt_on
        is_its_day = again is None or again <= today
        return is_its_day and not self.is_stuck

    @property
    def is_owed(self) -> bool:
        return self.state in self.UNSETTLED

    @property
    def standing(self) -> str:
        """Its state in a word. What a bank disputes counts as paid, and is called by its name."""
        if self.disputed and self.state == self.State.PAID:
            return "Disputed"
        return str(self.State(self.state).label)

    @property
    def is_credited(self) -> bool:
        """Nothing of it was charged in the end: credit notes took all of it back."""
        return bool(0 < self.total == self.corrected)

    @property
    def file_name(self) -> str:
        """What its PDF is called, in letters that every system takes."""
        return f"{slugify(self.provider_details['name'])}-{self.code}.pdf".lstrip("-")

    @property
    def period(self) -> Period | None:
        if self.period_start is None or self.period_end is None:
            return None
        return Period(self.period_start, self.period_end)
