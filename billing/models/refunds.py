"""Refunds: money on its way back to the card that paid, for a credit note."""

import uuid
from datetime import datetime
from typing import Any, ClassVar, Self

import pgtrigger
from django.db import models, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.expressions import Combinable

from billing import events
from billing.gateways.base import Outcome, RefundOrder
from connections.kinds import EventKind
from connections.models import Connection
from revampd.kit.constraints import CompositeForeignKey, no_truncate
from revampd.kit.doorbell import ring_on_commit
from revampd.kit.locking import lock
from revampd.kit.money import CurrencyField, MinorUnitsField, Money

from .credits import Credit
from .ledger import REASON_LENGTH, Entry, Movement, Transfer
from .payments import Contradiction, Payment


class RefundQuerySet(models.QuerySet["Refund"]):
    def unsettled(self) -> Self:
        return self.filter(state=Refund.State.INTENT)

    def silent(self, *, unknown: datetime | Combinable, known: datetime | Combinable) -> Self:
        """Those never sent; not asked about since `unknown`, or `known` if the gateway has them.

        One that was not sent waits while a bank disputes the payment.
        """
        since = Q(reference="", asked_at__lt=unknown) | ~Q(reference="") & Q(asked_at__lt=known)
        disputed = Exists(Payment.objects.filter(pk=OuterRef("payment"), disputes__state="OPEN"))
        return self.unsettled().filter(since | Q(asked_at=None) & ~disputed)

    def claim(self) -> "Refund | None":
        """The one that waits longest and that nobody else has, until the transaction ends."""
        free = self.select_for_update(no_key=True, skip_locked=True, of=("self",))
        return free.order_by(F("asked_at").asc(nulls_first=True), "begun_at", "id").first()


class Refund(models.Model):
    """Money on its way back to the method that paid. Its id is the gateway's idempotency key.

    Owed from the moment it is written: the invoice's `paid` and the payment's `refunded` count it
    at once. It is not sent while a bank disputes the payment; if the bank then keeps more than the
    payment had left, that is the refund, under the dispute's reference. One that the gateway
    refuses for good becomes a credit in the wallet.
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
            models.UniqueConstraint(fields=["payment", "id"], name="refund_payment_id"),
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

    def ask_again(self, *, at: datetime) -> None:
        """Note that the gateway is being asked now."""
        self.asked_at = at
        type(self).objects.unsettled().filter(pk=self.pk).update(asked_at=at)

    def put_off(self) -> None:
        """The gateway has never heard of it, and it is not sent now: it counts as not sent."""
        self.asked_at = None
        type(self).objects.unsettled().filter(pk=self.pk).update(asked_at=None)

    @transaction.atomic
    def settle(self, outcome: Outcome, *, at: datetime) -> None:
        """Book what became of it, once. What a card does not take back goes into the wallet.

        Raises Contradiction if the gateway says another end than it said before.
        """
        connection = lock(self.connection)
        self.refresh_from_db()
        if self.state != self.State.INTENT:
            if outcome.is_final and outcome.state != self.state:
                raise Contradiction(
                    f"The {self} is {self.get_state_display().lower()} here, "
                    f"but the gateway says {outcome.state.lower()}."
                )
            return
        self._note(outcome, at)
        if self.state == self.State.SUCCEEDED:
            paid_back = Entry(self.connection_id, Movement.REFUNDED, self.amount, self.pk)
            Transfer.book(paid_back, at=at)
            self._record(events.refund_succeeded, connection, at)
        elif self.state == self.State.FAILED:
            self._credit_instead(connection, at)

    def _note(self, outcome: Outcome, at: datetime) -> None:
        self.reference = outcome.reference or self.reference
        if outcome.is_final:
            self.state, self.settled_at = self.State(outcome.state), at
            self.failure = outcome.decline.sentence[:250] if outcome.decline else ""
        self.save(update_fields=["state", "settled_at", "reference", "failure"])

    def _credit_instead(self, connection: Connection, at: datetime) -> None:
        reason = f"Refund of {self.payment.invoice.code} that {self.payment.method} did not take"
        Credit.grant(
            connection,
            self.amount,
            origin=Credit.Origin.REFUND,
            reason=reason[:REASON_LENGTH],
            by=None,
            at=at,
        )

    def _record(self, kind: EventKind, connection: Connection, at: datetime) -> None:
        kind.record(
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

    @property
    def is_settled(self) -> bool:
        return self.state != self.State.INTENT
