"""Invoices: numbered without gaps, frozen when issued, every line with its authority."""

import re
import uuid
from datetime import date, datetime, timedelta
from typing import Any, ClassVar, Self

import pgtrigger
from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q, Value
from django.db.models.expressions import Combinable
from django.utils.text import slugify

from billing import events
from billing.pricing import Period, next_attempt
from connections.kinds import EventKind
from connections.models import Connection, Organization, User
from revampd.kit.constraints import CompositeForeignKey, no_truncate
from revampd.kit.errors import Conflict, Invalid
from revampd.kit.keys import among
from revampd.kit.locking import lock
from revampd.kit.money import DEFAULT_CURRENCY, CurrencyField, MinorUnitsField, Money
from revampd.kit.search import any_of

from .applications import CreditApplication
from .ledger import REASON_LENGTH, Entry, Movement, Transfer

_NUMBER = re.compile(r"(?:inv[- ]?|#)?\s?([0-9]{1,12})", re.ASCII | re.IGNORECASE)


def grace() -> timedelta:
    """How long after an invoice is past due its connection is suspended."""
    return timedelta(days=settings.BILLING_GRACE_DAYS)


class NotVoidable(Conflict):
    """The invoice can no longer be taken back, or not in this way."""


class InvoiceQuerySet(models.QuerySet["Invoice"]):
    def newest_first(self) -> Self:
        return self.order_by("-number")

    def open(self) -> Self:
        return self.filter(state=Invoice.State.OPEN)

    def owed(self) -> Self:
        return self.filter(state__in=Invoice.UNSETTLED)

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


class Invoice(models.Model):
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

    # Verbs

    def take_credit(self, *, at: datetime) -> int:
        """Let the wallet pay what it can of it. The caller holds the connection's lock.

        Returns the minor units that it paid.
        """
        owed = self.outstanding - self.held
        used = CreditApplication.spend(self.connection, owed, at=at, invoice=self)
        self.refresh_from_db()
        if used:
            self._record(events.credit_applied, by=None, at=at, used=Money(used, self.currency))
        if used and self.state == self.State.PAID:
            self.close(at=at)
        return used

    @transaction.atomic
    def void(self, *, reason: str, by: User, at: datetime) -> None:
        """Take the whole invoice back; what the wallet paid returns to the same credits.

        Raises NotAllowed, NotVoidable, and Invalid for no reason.
        """
        self.hold()
        reason = self.guard_correction(by, reason)
        if self.state in (self.State.VOID, self.State.UNCOLLECTIBLE):
            raise NotVoidable(f"{self.code} is {self.get_state_display().lower()} already.")
        if self.paid:
            raise NotVoidable(
                f"{self.paid_money} was paid by card.", next_step="Issue a credit note instead."
            )
        if self.corrected:
            raise NotVoidable(
                "A credit note corrects it already.", next_step="Correct the rest the same way."
            )
        self._return_credit(at)
        self._book(Movement.VOIDED, at)
        self._record(events.invoice_voided, by=by, at=at, reason=reason)
        self._settle(state=self.State.VOID, collect_on=None)
        self._recover(at)

    @transaction.atomic
    def write_off(self, *, reason: str, by: User, at: datetime) -> None:
        """Give up on what is still owed. Raises NotAllowed, NotVoidable, Invalid."""
        self.hold()
        reason = self.guard_correction(by, reason)
        if not self.is_owed:
            raise NotVoidable(f"Nothing of {self.code} is owed any more.")
        self._book(Movement.WRITTEN_OFF, at)
        lost = self.amount_due
        self._record(events.invoice_written_off, by=by, at=at, reason=reason, lost=lost)
        self._settle(state=self.State.UNCOLLECTIBLE, collect_on=None)
        self._recover(at)

    def close(self, *, at: datetime) -> None:
        """Everything is paid: nobody looks at it again. The caller holds the lock."""
        self._record(events.invoice_paid, by=None, at=at)
        self.stop_collecting(at=at)

    def stop_collecting(self, *, at: datetime) -> None:
        """Nothing is owed any more. A connection that was suspended for what was comes back."""
        self._settle(collect_on=None)
        self._recover(at)

    def _recover(self, at: datetime) -> None:
        if not self.connection.invoices.filter(state=self.State.PAST_DUE).exists():
            self.connection.resume(at=at)

    def count_failure(self, *, is_hard: bool, at: datetime) -> None:
        """A payment of it failed: it is past due, and is tried again on its schedule.

        A hard decline fails every time, so it waits for another method. The caller holds the lock.
        """
        today = self.connection.day_of(at)
        first, attempts = self.first_failed_on or today, self.attempts + 1
        self._settle(
            state=self.State.PAST_DUE,
            attempts=attempts,
            first_failed_on=first,
            past_due_on=self.past_due_on or today,
            is_stuck=is_hard or next_attempt(first, attempts) is None,
        )
        self._be_patient(today, at)

    def wait(self, *, at: datetime) -> None:
        """No payment can be tried now: it is past due after its day. The caller holds the lock."""
        today = self.connection.day_of(at)
        if self.state == self.State.OPEN and today > self.due_date:
            self._settle(state=self.State.PAST_DUE, past_due_on=today)
            self._record(events.invoice_past_due, by=None, at=at)
        self._be_patient(today, at)

    def _be_patient(self, today: date, at: datetime) -> None:
        """Look again when time alone changes something; suspend the connection after the grace."""
        days = [self.due_date + timedelta(days=1)]
        if self.past_due_on:
            days = [self.past_due_on + grace(), self.next_attempt_on or date.min]
            if days[0] <= today:
                self.connection.suspend(at=at, code=self.code, payable=self.amount_due)
        self._settle(collect_on=min((day for day in days if day > today), default=None))

    def fall_due_again(self, *, at: datetime) -> None:
        """A bank took back what paid it: it is past due from today. The caller holds the lock."""
        if self.state == self.State.OPEN:  # It was paid: what had been past due before is over.
            self._settle(past_due_on=None, first_failed_on=None, attempts=0)
        self.count_failure(is_hard=True, at=at)

    def begin_again(self, *, at: datetime) -> None:
        """There is a new method: try at once, on a schedule of its own.

        What a bank took back waits for a person who pays it.
        """
        if self.payments.charged_back().exists():
            return
        today = self.connection.day_of(at)
        self._settle(attempts=0, first_failed_on=None, is_stuck=False, collect_on=today)

    def hold(self) -> None:
        """Lock the connection and read what stands now. Every verb begins so."""
        lock(self.connection)
        self.refresh_from_db()

    def guard_correction(self, by: User, reason: str) -> str:
        """The reason, if `by` may correct the invoice now."""
        self.connection.provider.require_biller(by, or_staff=True)
        if self.held:
            raise NotVoidable(
                "A payment is under way.", next_step="Wait until it has gone through or failed."
            )
        if self.disputed:
            raise NotVoidable(
                f"{self.disputed_money} of it are disputed.",
                next_step="Wait for the bank to decide.",
            )
        reason = reason.strip()
        if not reason:
            raise Invalid("Say why: the customer reads it on the invoice.", field="reason")
        if len(reason) > REASON_LENGTH:
            raise Invalid(f"Keep the reason under {REASON_LENGTH} characters.", field="reason")
        return reason

    def _return_credit(self, at: datetime) -> None:
        for application in self.applications.standing():
            application.give_back(application.amount - application.returned, at=at)
        self.refresh_from_db()

    def _book(self, kind: Movement, at: datetime) -> None:
        Transfer.book(Entry(self.connection_id, kind, self.outstanding, self.pk), at=at)

    def _settle(self, **changes: Any) -> None:
        type(self).objects.filter(pk=self.pk).update(**changes)
        for name, value in changes.items():
            setattr(self, name, value)

    def _record(self, kind: EventKind, *, by: User | None, at: datetime, **facts: Any) -> None:
        kind.record(
            self,
            by=by,
            at=at,
            organization=self.provider,
            connection=self.connection,
            number=self.number,
            code=self.code,
            amount=self.total_money,
            payable=self.amount_due,
            due=self.due_date,
            provider=self.connection.provider.name,
            customer=self.connection.customer.name,
            **facts,
        )

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
