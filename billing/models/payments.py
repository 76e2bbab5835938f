"""Payments: attempts to collect that are recorded before the gateway is called."""

import uuid
from datetime import datetime
from typing import Any, ClassVar, Self

import pgtrigger
from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.expressions import Combinable
from django.utils.formats import date_format

from billing import events
from billing.gateways.base import ChargeOrder, Outcome
from connections.kinds import EventKind
from connections.models import Connection, User
from revampd.kit.constraints import CompositeForeignKey, no_truncate
from revampd.kit.doorbell import ring_on_commit
from revampd.kit.errors import Conflict
from revampd.kit.money import CurrencyField, MinorUnitsField, Money

from .invoices import Invoice
from .ledger import Entry, Movement, Transfer
from .methods import PaymentMethod


class NothingOwed(Conflict):
    """The invoice is paid, or was taken back."""


class PaymentUnderWay(Conflict):
    """One attempt at a time: what is under way may still succeed."""


class MethodRemoved(Conflict):
    """The method is no longer there to pay with."""


class Contradiction(Exception):
    """The gateway says two things about one payment or refund; staff have to look."""


class PaymentQuerySet(models.QuerySet["Payment"]):
    def unsettled(self) -> Self:
        """Those whose outcome is not known for good yet; their amounts are held."""
        return self.filter(state__in=Payment.UNSETTLED)

    def silent(self, *, unknown: datetime | Combinable, known: datetime | Combinable) -> Self:
        """Those not asked about since `unknown`; since `known`, if the gateway has them in hand."""
        intent = Payment.State.INTENT
        in_hand = self.unsettled().filter(~Q(state=intent), asked_at__lt=known)
        return self.filter(state=intent, asked_at__lt=unknown) | in_hand

    def claim(self) -> "Payment | None":
        """The one that waits longest and that nobody else has, until the transaction ends."""
        free = self.select_for_update(no_key=True, skip_locked=True, of=("self",))
        return free.order_by("asked_at", "id").first()

    def succeeded(self) -> Self:
        return self.filter(state=Payment.State.SUCCEEDED)

    def charged_back(self) -> Self:
        """Those of which a bank has kept something."""
        return self.filter(disputes__state="LOST", disputes__amount__gt=0)

    def newest_first(self) -> Self:
        return self.order_by("-begun_at", "-id")


class Payment(models.Model):
    """One attempt to collect an invoice. Its id is the gateway's idempotency key.

    The row is committed before the gateway is called, with the amount held on the invoice; so an
    answer that gets lost leaves a row to ask about, and nobody can pay the same twice meanwhile.
    Triggers keep the invoice's `held` and `paid`, and this row's `refunded` and `disputed`: what
    banks claim back of it, or have kept.
    """

    class State(models.TextChoices):
        INTENT = "INTENT", "Under way"
        PROCESSING = "PROCESSING", "Processing"
        ACTION = "ACTION", "Needs confirmation"
        SUCCEEDED = "SUCCEEDED", "Paid"
        FAILED = "FAILED", "Failed"

    class Cause(models.TextChoices):
        ISSUE = "ISSUE", "Automatic"
        RETRY = "RETRY", "Retry"
        METHOD = "METHOD", "New payment method"
        PERSON = "PERSON", "Pay now"

    UNSETTLED = (State.INTENT, State.PROCESSING, State.ACTION)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    connection = models.ForeignKey(
        Connection, on_delete=models.PROTECT, related_name="payments", db_constraint=False
    )
    invoice = models.ForeignKey(
        "billing.Invoice", on_delete=models.PROTECT, related_name="payments", db_constraint=False
    )
    method = models.ForeignKey(
        PaymentMethod, on_delete=models.PROTECT, related_name="payments", db_constraint=False
    )
    currency = CurrencyField()
    amount = MinorUnitsField()
    refunded = MinorUnitsField(default=0)
    disputed = MinorUnitsField(default=0, db_default=0)
    cause = models.CharField(max_length=6, choices=Cause)
    begun_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    begun_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State, default=State.INTENT)
    reference = models.CharField(max_length=255, blank=True)
    asked_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    failure_code = models.CharField(max_length=60, blank=True)
    failure = models.CharField(max_length=250, blank=True)
    is_hard = models.BooleanField(default=False)

    mutable = (
        *("state", "reference", "asked_at", "settled_at"),
        *("failure_code", "failure", "is_hard", "refunded", "disputed"),
    )

    objects: ClassVar[Any] = PaymentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "id"], name="payment_connection_id"),
            models.UniqueConstraint(
                fields=["invoice"],
                condition=Q(state__in=["INTENT", "PROCESSING", "ACTION"]),
                name="payment_one_at_a_time",
            ),
            CompositeForeignKey(
                name="payment_of_invoice",
                fields=["connection", "invoice"],
                to="billing.Invoice",
                to_fields=["connection", "id"],
            ),
            CompositeForeignKey(
                name="payment_by_method",
                fields=["connection", "method"],
                to="billing.PaymentMethod",
                to_fields=["connection", "id"],
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="payment_amount"),
            models.CheckConstraint(
                condition=Q(refunded=0, disputed=0)
                | Q(
                    *(Q(state="SUCCEEDED"), Q(refunded__gte=0), Q(disputed__gte=0)),
                    refunded__lte=F("amount") - F("disputed"),
                ),
                name="payment_never_over_returned",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["INTENT", "PROCESSING", "ACTION"], settled_at=None)
                | Q(state__in=["SUCCEEDED", "FAILED"], settled_at__isnull=False),
                name="payment_settled",
            ),
        ]
        indexes = [
            models.Index(
                fields=["begun_at"],
                condition=Q(state__in=["INTENT", "PROCESSING", "ACTION"]),
                name="payment_unsettled",
            ),
            models.Index(fields=["invoice", "-begun_at"], name="payment_of_invoice_idx"),
        ]
        triggers = [
            pgtrigger.Protect(name="kept", operation=pgtrigger.Delete),
            no_truncate(),
            pgtrigger.Trigger(
                name="begun",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func="""
                    IF NEW.state <> 'INTENT' OR (NEW.refunded, NEW.disputed) <> (0, 0) THEN
                        RAISE EXCEPTION 'a payment begins as an intent'
                            USING ERRCODE = 'integrity_constraint_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="held",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                func="""
                    UPDATE billing_invoice SET held = held + NEW.amount
                    WHERE id = NEW.invoice_id;
                    RETURN NULL;
                """,
            ),
            pgtrigger.Trigger(
                name="frozen",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                declare=[
                    (
                        "apart",
                        "text[] := ARRAY['state', 'reference', 'asked_at', 'settled_at',"
                        " 'failure_code', 'failure', 'is_hard', 'refunded', 'disputed']",
                    ),
                    ("settled", "text[] := ARRAY['refunded', 'disputed']"),
                ],
                func="""
                    IF to_jsonb(OLD) - apart IS DISTINCT FROM to_jsonb(NEW) - apart THEN
                        RAISE EXCEPTION 'a payment never changes'
                            USING ERRCODE = 'integrity_constraint_violation';
                    ELSIF OLD.state IN ('SUCCEEDED', 'FAILED')
                        AND to_jsonb(OLD) - settled IS DISTINCT FROM to_jsonb(NEW) - settled
                    THEN
                        RAISE EXCEPTION 'a settled payment never changes'
                            USING ERRCODE = 'integrity_constraint_violation';
                    ELSIF (NEW.refunded, NEW.disputed) <> (OLD.refunded, OLD.disputed)
                        AND pg_trigger_depth() < 2
                    THEN
                        RAISE EXCEPTION 'a payment changes only by its refunds and disputes'
                            USING ERRCODE = 'integrity_constraint_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="settled",
                when=pgtrigger.After,
                operation=pgtrigger.UpdateOf("state"),
                condition=pgtrigger.Q(new__state__in=["SUCCEEDED", "FAILED"])
                & pgtrigger.Q(old__state__in=["INTENT", "PROCESSING", "ACTION"]),
                func="""
                    IF NEW.state = 'FAILED' THEN
                        UPDATE billing_invoice SET held = held - NEW.amount
                        WHERE id = NEW.invoice_id;
                    ELSE
                        UPDATE billing_invoice
                        SET held = held - NEW.amount,
                            paid = paid + NEW.amount,
                            state = CASE WHEN outstanding = NEW.amount THEN 'PAID' ELSE state END
                        WHERE id = NEW.invoice_id;
                    END IF;
                    RETURN NULL;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.total} by {self.method}"

    # Factories

    @classmethod
    @transaction.atomic
    def begin(
        cls,
        invoice: Invoice,
        method: PaymentMethod,
        *,
        cause: "Payment.Cause",
        at: datetime,
        by: User | None = None,
    ) -> "Payment | None":
        """Hold what is still owed, after the wallet has paid what it can. Nobody is asked yet.

        None if the wallet paid everything. Raises NothingOwed, PaymentUnderWay, MethodRemoved.
        """
        invoice.hold()
        if invoice.held:
            raise PaymentUnderWay(f"A payment of {invoice.code} is under way already.")
        if not invoice.is_owed:
            raise NothingOwed(f"Nothing of {invoice.code} is owed any more.")
        method.refresh_from_db()
        if method.removed_at:
            raise MethodRemoved(f"{method} was removed.", next_step="Choose another one.")
        invoice.take_credit(at=at)
        if not invoice.outstanding:
            return None
        payment: Payment = cls.objects.create(
            connection=invoice.connection,
            invoice=invoice,
            method=method,
            currency=invoice.currency,
            amount=invoice.outstanding,
            cause=cause,
            begun_by=by,
            begun_at=at,
            asked_at=at,
        )
        return payment

    # Verbs

    def ask_again(self, *, at: datetime) -> None:
        """Note that the gateway is being asked now."""
        self.asked_at = at
        type(self).objects.unsettled().filter(pk=self.pk).update(asked_at=at)

    @transaction.atomic
    def settle(self, outcome: Outcome, *, at: datetime) -> None:
        """Book what became of it at the gateway, once; hearing it again changes nothing.

        Raises Contradiction if the gateway says another end than it said before.
        """
        self.invoice.hold()
        self.refresh_from_db()
        if self.is_settled:
            if outcome.is_final and outcome.state != self.state:
                raise Contradiction(
                    f"{self} for {self.invoice.code} is {self.get_state_display().lower()} here, "
                    f"but the gateway says {outcome.state.lower()}."
                )
            return
        before = self.state
        self._note(outcome, at)
        self.invoice.refresh_from_db()
        if self.state == self.State.SUCCEEDED:
            self._succeed(at)
        elif self.state == self.State.FAILED:
            self._fail(at)
        elif self.state == self.State.ACTION != before:
            self._record(events.payment_action_needed, at)

    def _note(self, outcome: Outcome, at: datetime) -> None:
        decline = outcome.decline
        changes: dict[str, Any] = {
            "state": self.State(outcome.state),
            "reference": outcome.reference or self.reference,
            "settled_at": at if outcome.is_final else None,
            "failure_code": decline.code[:60] if decline else "",
            "failure": decline.sentence[:250] if decline else "",
            "is_hard": decline.is_hard if decline else False,
        }
        type(self).objects.filter(pk=self.pk).update(**changes)
        for name, value in changes.items():
            setattr(self, name, value)

    def _succeed(self, at: datetime) -> None:
        Transfer.book(Entry(self.connection_id, Movement.PAID, self.amount, self.pk), at=at)
        self._record(events.payment_succeeded, at)
        if self.invoice.state == Invoice.State.PAID:
            self.invoice.close(at=at)

    def _fail(self, at: datetime) -> None:
        invoice, default = self.invoice, self.connection.payment_methods.default()
        is_by_person = self.cause == self.Cause.PERSON
        if not (is_by_person and invoice.attempts):
            # Another card's hard decline says nothing of the one that is tried by itself.
            invoice.count_failure(is_hard=self.is_hard and self.method == default, at=at)
        if default and self.method != default and not is_by_person:
            invoice.begin_again(at=at)  # The new method came while the old one was tried.
            ring_on_commit(events.COLLECT_TASK)
        self._record(
            events.payment_failed,
            at,
            failure=self.failure,
            again=invoice.next_attempt_on,
            plan=self._plan(),
        )

    def _plan(self) -> str:
        """What happens next by itself, as the notice of a failure says it."""
        if again := self.invoice.next_attempt_on:
            return f"We try again on {date_format(again, 'j M Y')}."
        if self.invoice.is_stuck:
            return "It is not tried again by itself."
        return f"We try {self.connection.payment_methods.default()} next."

    def _record(self, kind: EventKind, at: datetime, **facts: Any) -> None:
        connection = self.connection
        kind.record(
            self,
            by=self.begun_by,
            at=at,
            organization=connection.customer,
            connection=connection,
            number=self.invoice.number,
            code=self.invoice.code,
            amount=self.total,
            method=self.method.label,
            provider=connection.provider.name,
            customer=connection.customer.name,
            **facts,
        )

    # Properties

    @property
    def order(self) -> ChargeOrder:
        """What the gateway is asked to do."""
        return ChargeOrder(
            key=self.pk,
            amount=self.total,
            customer=self.method.customer_reference,
            method=self.method.reference,
            # As it was frozen: an order never changes, or its key would be another order's.
            description=f"{self.invoice.code} of {self.invoice.provider_details['name']}",
        )

    @property
    def total(self) -> Money:
        return Money(self.amount, self.currency)

    @property
    def kept(self) -> int:
        """What of it neither went back nor is claimed back, in minor units."""
        return int(self.amount) - int(self.refunded) - int(self.disputed)

    @property
    def is_settled(self) -> bool:
        return self.state not in self.UNSETTLED
