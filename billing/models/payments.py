"""Payments and refunds: attempts that are recorded before the gateway is called."""

import uuid
from datetime import datetime
from typing import Any, ClassVar, Self

import pgtrigger
from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone

from billing import events
from billing.gateways.base import ChargeOrder, Outcome, RefundOrder
from billing.gateways.base import State as Outcomes
from connections.kinds import EventKind
from connections.models import Connection, User
from revampd.kit.constraints import CompositeForeignKey, no_truncate
from revampd.kit.doorbell import ring_on_commit
from revampd.kit.errors import Conflict
from revampd.kit.locking import lock
from revampd.kit.money import CurrencyField, MinorUnitsField, Money

from .invoices import Invoice
from .ledger import Entry, Movement, Transfer
from .methods import PaymentMethod
from .wallets import REASON_LENGTH, Credit


class NothingOwed(Conflict):
    """The invoice is paid, or was taken back."""


class PaymentUnderWay(Conflict):
    """One attempt at a time: what is under way may still succeed."""


class MethodRemoved(Conflict):
    """The method is no longer there to pay with."""


class Contradiction(Exception):
    """The gateway says two things about one payment; staff have to look."""


class PaymentQuerySet(models.QuerySet["Payment"]):
    def unsettled(self) -> Self:
        """Those whose outcome is not known for good yet; their amounts are held."""
        return self.filter(state__in=Payment.UNSETTLED)

    def succeeded(self) -> Self:
        return self.filter(state=Payment.State.SUCCEEDED)

    def newest_first(self) -> Self:
        return self.order_by("-begun_at", "-id")


class Payment(models.Model):
    """One attempt to collect an invoice. Its id is the gateway's idempotency key.

    The row is committed before the gateway is called, with the amount held on the invoice; so an
    answer that gets lost leaves a row to ask about, and nobody can pay the same twice meanwhile.
    Triggers keep the invoice's `held` and `paid` and this row's `refunded`.
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
        *("failure_code", "failure", "is_hard", "refunded"),
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
                condition=Q(refunded=0)
                | Q(state="SUCCEEDED", refunded__gt=0, refunded__lte=F("amount")),
                name="payment_never_over_refunded",
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
                    IF NEW.state <> 'INTENT' OR NEW.refunded <> 0 THEN
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
                        " 'failure_code', 'failure', 'is_hard', 'refunded']",
                    )
                ],
                func="""
                    IF to_jsonb(OLD) - apart IS DISTINCT FROM to_jsonb(NEW) - apart THEN
                        RAISE EXCEPTION 'a payment never changes'
                            USING ERRCODE = 'integrity_constraint_violation';
                    ELSIF OLD.state IN ('SUCCEEDED', 'FAILED')
                        AND to_jsonb(OLD) - 'refunded' IS DISTINCT FROM to_jsonb(NEW) - 'refunded'
                    THEN
                        RAISE EXCEPTION 'a settled payment never changes'
                            USING ERRCODE = 'integrity_constraint_violation';
                    ELSIF NEW.refunded <> OLD.refunded AND pg_trigger_depth() < 2 THEN
                        RAISE EXCEPTION 'a payment changes only by its refunds'
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
    ) -> "Payment":
        """Hold what is still owed, after the wallet has paid what it can. Nobody is asked yet.

        Raises NothingOwed, PaymentUnderWay, MethodRemoved.
        """
        invoice.hold()
        if invoice.held:
            raise PaymentUnderWay(f"A payment of {invoice.code} is under way already.")
        if invoice.is_owed:
            invoice.take_credit(at=at)
        if not invoice.is_owed:
            raise NothingOwed(f"Nothing of {invoice.code} is owed any more.")
        method.refresh_from_db()
        if method.removed_at:
            raise MethodRemoved(f"{method} was removed.", next_step="Choose another one.")
        return cls.objects.create(
            connection=invoice.connection,
            invoice=invoice,
            method=method,
            currency=invoice.currency,
            amount=invoice.outstanding,
            cause=cause,
            begun_by=by,
            begun_at=at,
            asked_at=timezone.now(),
        )

    # Verbs

    def ask_again(self) -> None:
        """Note that the gateway is being asked now, on the real clock."""
        self.asked_at = timezone.now()
        type(self).objects.unsettled().filter(pk=self.pk).update(asked_at=self.asked_at)

    @transaction.atomic
    def settle(self, outcome: Outcome, *, at: datetime) -> None:
        """Book what became of it at the gateway, once; hearing it again changes nothing.

        Raises Contradiction if the gateway took the money after it had said that it would not.
        """
        self.invoice.hold()
        self.refresh_from_db()
        if self.is_settled:
            if self.state == self.State.FAILED and outcome.state == Outcomes.SUCCEEDED:
                raise Contradiction(f"{self.pk} failed, but the gateway says that it succeeded.")
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
        if self.cause != self.Cause.PERSON or not self.invoice.attempts:
            self.invoice.count_failure(is_hard=self.is_hard, at=at)
        again = self.invoice.next_attempt_on
        self._record(events.payment_failed, at, failure=self.failure, again=again)

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
            description=f"{self.invoice.code} of {self.connection.provider}",
        )

    @property
    def total(self) -> Money:
        return Money(self.amount, self.currency)

    @property
    def is_settled(self) -> bool:
        return self.state not in self.UNSETTLED


class RefundQuerySet(models.QuerySet["Refund"]):
    def unsettled(self) -> Self:
        return self.filter(state=Refund.State.INTENT)


class Refund(models.Model):
    """Money on its way back to the method that paid. Its id is the gateway's idempotency key.

    Owed from the moment it is written: the invoice's `paid` and the payment's `refunded` count it
    at once. One that the gateway refuses for good becomes a credit in the wallet.
    """

    class State(models.TextChoices):
        INTENT = "INTENT", "Under way"
        SUCCEEDED = "SUCCEEDED", "Refunded"
        FAILED = "FAILED", "Credited instead"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    connection = models.ForeignKey(
        Connection, on_delete=models.PROTECT, related_name="refunds", db_constraint=False
    )
    payment = models.ForeignKey(
        Payment, on_delete=models.PROTECT, related_name="refunds", db_constraint=False
    )
    note = models.ForeignKey(
        "billing.CreditNote", on_delete=models.PROTECT, related_name="refunds", db_constraint=False
    )
    currency = CurrencyField()
    amount = MinorUnitsField()
    begun_at = models.DateTimeField()
    state = models.CharField(max_length=9, choices=State, default=State.INTENT)
    reference = models.CharField(max_length=255, blank=True)
    asked_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    failure = models.CharField(max_length=250, blank=True)

    mutable = ("state", "reference", "asked_at", "settled_at", "failure")

    objects: ClassVar[Any] = RefundQuerySet.as_manager()

    class Meta:
        constraints = [
            CompositeForeignKey(
                name="refund_of_payment",
                fields=["connection", "payment"],
                to="billing.Payment",
                to_fields=["connection", "id"],
            ),
            CompositeForeignKey(
                name="refund_for_note",
                fields=["connection", "note"],
                to="billing.CreditNote",
                to_fields=["connection", "id"],
                deferred=True,
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="refund_amount"),
            models.CheckConstraint(
                condition=Q(state="INTENT", settled_at=None)
                | Q(state__in=["SUCCEEDED", "FAILED"], settled_at__isnull=False),
                name="refund_settled",
            ),
        ]
        indexes = [
            models.Index(fields=["begun_at"], condition=Q(state="INTENT"), name="refund_unsettled"),
        ]
        triggers = [
            pgtrigger.Protect(name="kept", operation=pgtrigger.Delete),
            no_truncate(),
            pgtrigger.Trigger(
                name="counted",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                func="""
                    IF NEW.state <> 'INTENT' THEN
                        RAISE EXCEPTION 'a refund begins as an intent'
                            USING ERRCODE = 'integrity_constraint_violation';
                    END IF;
                    UPDATE billing_payment SET refunded = refunded + NEW.amount
                    WHERE id = NEW.payment_id;
                    UPDATE billing_invoice
                    SET paid = paid - NEW.amount,
                        state = CASE WHEN state = 'PAID' THEN 'OPEN' ELSE state END
                    WHERE id = (SELECT invoice_id FROM billing_payment WHERE id = NEW.payment_id);
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
                        " 'failure']",
                    )
                ],
                func="""
                    IF OLD.state <> 'INTENT'
                       OR to_jsonb(OLD) - apart IS DISTINCT FROM to_jsonb(NEW) - apart THEN
                        RAISE EXCEPTION 'a refund never changes'
                            USING ERRCODE = 'integrity_constraint_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"refund of {self.total}"

    # Factories

    @classmethod
    def owe(cls, payment: Payment, minor: int, *, note: Any, at: datetime) -> "Refund":
        """Owe `minor` units of a payment back, for a credit note. The caller holds the lock."""
        refund = cls.objects.create(
            connection_id=payment.connection_id,
            payment=payment,
            note=note,
            currency=payment.currency,
            amount=minor,
            begun_at=at,
        )
        owed = Entry(payment.connection_id, Movement.REFUND_OWED, minor, refund.pk)
        Transfer.book(owed, at=at)
        ring_on_commit(events.REFUND_TASK)
        return refund

    # Verbs

    def ask_again(self) -> None:
        """Note that the gateway is being asked now, on the real clock."""
        self.asked_at = timezone.now()
        type(self).objects.unsettled().filter(pk=self.pk).update(asked_at=self.asked_at)

    @transaction.atomic
    def settle(self, outcome: Outcome, *, at: datetime) -> None:
        """Book what became of it, once. What a card does not take back goes into the wallet."""
        connection = lock(self.connection)
        self.refresh_from_db()
        if self.state != self.State.INTENT or not outcome.is_final:
            return
        decline = outcome.decline
        self.state, self.settled_at = self.State(outcome.state), at
        self.reference = outcome.reference
        self.failure = decline.sentence[:250] if decline else ""
        self.save(update_fields=["state", "settled_at", "reference", "failure"])
        if self.state == self.State.FAILED:
            code = self.payment.invoice.code
            Credit.grant(
                connection,
                self.amount,
                origin=Credit.Origin.REFUND,
                reason=f"Refund of {code} that {self.payment.method} did not take"[:REASON_LENGTH],
                by=None,
                at=at,
            )
            return
        paid_back = Entry(self.connection_id, Movement.REFUNDED, self.amount, self.pk)
        Transfer.book(paid_back, at=at)
        events.refund_succeeded.record(
            self,
            by=None,
            at=at,
            organization=connection.provider,
            connection=connection,
            number=self.payment.invoice.number,
            code=self.payment.invoice.code,
            amount=self.total,
            method=self.payment.method.label,
            provider=connection.provider.name,
            customer=connection.customer.name,
        )

    # Properties

    @property
    def order(self) -> RefundOrder:
        """What the gateway is asked to do."""
        return RefundOrder(key=self.pk, charge=self.payment.reference, amount=self.total)

    @property
    def total(self) -> Money:
        return Money(self.amount, self.currency)
