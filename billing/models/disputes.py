"""Disputes: what a bank claims back of a payment, until it decides for good."""

import uuid
from datetime import datetime
from typing import Any, ClassVar, Self

import pgtrigger
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.expressions import Combinable

from billing import events
from billing.gateways.base import Claim, ClaimState
from connections.kinds import EventKind
from connections.models import Connection, Organization
from revampd.kit.constraints import CompositeForeignKey, no_truncate
from revampd.kit.doorbell import ring_on_commit
from revampd.kit.money import CurrencyField, MinorUnitsField, Money

from .invoices import Invoice
from .ledger import Entry, Movement, Transfer
from .payments import Contradiction, Payment


class DisputeQuerySet(models.QuerySet["Dispute"]):
    def open(self) -> Self:
        return self.filter(state=Dispute.State.OPEN)

    def lost(self) -> Self:
        return self.filter(state=Dispute.State.LOST)

    def silent(self, *, known: datetime | Combinable, **_: object) -> Self:
        """The open ones not asked about since `known`; every one is known to the gateway."""
        return self.open().filter(asked_at__lt=known)

    def claim(self) -> "Dispute | None":
        """The one that waits longest and that nobody else has, until the transaction ends."""
        free = self.select_for_update(no_key=True, skip_locked=True, of=("self",))
        return free.order_by("asked_at", "id").first()

    def newest_first(self) -> Self:
        return self.order_by("-opened_at", "-id")


class Dispute(models.Model):
    """What the customer's bank claims back of one payment: a chargeback, as cards call it.

    The bank takes what is `claimed` at once, and gives it back if the dispute is won. `amount` is
    as much of it as the payment had left: what was refunded already is not booked twice. While it
    is open the invoice counts as paid; lost, that much is owed again, and `is_written_off` if
    nobody asked for the invoice any more. Triggers keep `disputed` of the payment and the invoice.
    """

    class State(models.TextChoices):
        OPEN = "OPEN", "Disputed"
        WON = "WON", "Dispute won"
        LOST = "LOST", "Charged back"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    connection = models.ForeignKey(
        Connection, on_delete=models.PROTECT, related_name="disputes", db_constraint=False
    )
    payment = models.ForeignKey(
        Payment, on_delete=models.PROTECT, related_name="disputes", db_constraint=False
    )
    gateway = models.CharField(max_length=20)
    reference = models.CharField(max_length=255)
    currency = CurrencyField()
    amount = MinorUnitsField()
    claimed = MinorUnitsField()
    reason = models.CharField(max_length=60)
    respond_by = models.DateTimeField(null=True)
    opened_at = models.DateTimeField()
    state = models.CharField(max_length=4, choices=State, default=State.OPEN)
    asked_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    is_written_off = models.BooleanField(default=False)

    mutable = ("state", "asked_at", "closed_at", "is_written_off")

    objects: ClassVar[Any] = DisputeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["gateway", "reference"], name="dispute_once"),
            models.UniqueConstraint(fields=["payment", "id"], name="dispute_payment_id"),
            CompositeForeignKey(
                name="dispute_of_payment",
                fields=["connection", "payment"],
                to="billing.Payment",
                to_fields=["connection", "id"],
            ),
            models.CheckConstraint(
                condition=Q(amount__gte=0, amount__lte=F("claimed"), claimed__gt=0),
                name="dispute_amount",
            ),
            models.CheckConstraint(
                condition=Q(state="OPEN", closed_at=None, is_written_off=False)
                | Q(state="WON", closed_at__isnull=False, is_written_off=False)
                | Q(state="LOST", closed_at__isnull=False),
                name="dispute_closed",
            ),
        ]
        indexes = [
            models.Index(fields=["asked_at"], condition=Q(state="OPEN"), name="dispute_open"),
        ]
        triggers = [
            pgtrigger.Protect(name="kept", operation=pgtrigger.Delete),
            no_truncate(),
            pgtrigger.Trigger(
                name="counted",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                func="""
                    IF NEW.state <> 'OPEN' THEN
                        RAISE EXCEPTION 'a dispute begins open'
                            USING ERRCODE = 'integrity_constraint_violation';
                    ELSIF NOT EXISTS (
                        SELECT 1 FROM billing_payment
                        WHERE id = NEW.payment_id AND state = 'SUCCEEDED'
                    ) THEN
                        RAISE EXCEPTION 'only what was paid is disputed'
                            USING ERRCODE = 'integrity_constraint_violation';
                    ELSIF NEW.amount > 0 THEN
                        UPDATE billing_payment SET disputed = disputed + NEW.amount
                        WHERE id = NEW.payment_id;
                        UPDATE billing_invoice SET disputed = disputed + NEW.amount
                        WHERE id = (
                            SELECT invoice_id FROM billing_payment WHERE id = NEW.payment_id
                        );
                    END IF;
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
                        "text[] := ARRAY['state', 'asked_at', 'closed_at', 'is_written_off']",
                    )
                ],
                func="""
                    IF OLD.state <> 'OPEN'
                       OR to_jsonb(OLD) - apart IS DISTINCT FROM to_jsonb(NEW) - apart THEN
                        RAISE EXCEPTION 'a dispute is decided once and never changes'
                            USING ERRCODE = 'integrity_constraint_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
            # What was lost is owed again, unless it is written off along with the rest.
            pgtrigger.Trigger(
                name="decided",
                when=pgtrigger.After,
                operation=pgtrigger.UpdateOf("state"),
                condition=pgtrigger.Q(old__state="OPEN")
                & pgtrigger.Q(new__state__in=["WON", "LOST"])
                & pgtrigger.Q(new__amount__gt=0),
                func="""
                    IF NEW.state = 'WON' THEN
                        UPDATE billing_payment SET disputed = disputed - NEW.amount
                        WHERE id = NEW.payment_id;
                    END IF;
                    UPDATE billing_invoice
                    SET disputed = disputed - NEW.amount,
                        paid = paid - CASE NEW.state WHEN 'LOST' THEN NEW.amount ELSE 0 END,
                        state = CASE WHEN NEW.state = 'LOST' AND state = 'PAID' THEN 'OPEN'
                            ELSE state END
                    WHERE id = (SELECT invoice_id FROM billing_payment WHERE id = NEW.payment_id);
                    RETURN NULL;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"dispute of {self.claimed_money}"

    # Factories

    @classmethod
    @transaction.atomic
    def learn(cls, payment: Payment, claim: Claim, *, gateway: str, at: datetime) -> "Dispute":
        """Book what a bank claims of a payment that succeeded, and how it was decided.

        Hearing it again changes nothing. Raises Contradiction if the payment did not succeed, or if
        the gateway says another end than it said before.
        """
        payment.invoice.hold()
        payment.refresh_from_db()
        named = {"gateway": gateway, "reference": claim.reference}
        dispute: Dispute | None = cls.objects.filter(**named).first()
        if dispute is None:
            dispute = cls._open(payment, claim, at=at, **named)
        if dispute.payment_id != payment.pk:
            raise Contradiction(f"The {dispute} was of another payment before.")
        dispute.payment = payment
        dispute._hear(claim.state, at)
        return dispute

    @classmethod
    def _open(cls, payment: Payment, claim: Claim, *, at: datetime, **named: str) -> "Dispute":
        if payment.state != Payment.State.SUCCEEDED:
            raise Contradiction(
                f"{payment} for {payment.invoice.code} is {payment.get_state_display().lower()} "
                f"here, but the bank claims {claim.amount} of it back."
            )
        if claim.amount.currency != payment.currency:
            raise Contradiction(f"The bank claims {claim.amount} back of {payment}.")
        dispute: Dispute = cls.objects.create(
            connection_id=payment.connection_id,
            payment=payment,
            currency=payment.currency,
            amount=min(claim.amount.minor, payment.kept),
            claimed=claim.amount.minor,
            reason=claim.reason[:60],
            respond_by=claim.respond_by,
            opened_at=at,
            asked_at=at,
            **named,
        )
        dispute._book(Movement.DISPUTED, at)
        dispute._record(events.dispute_opened, at)
        dispute._tell_staff(at)
        return dispute

    # Verbs

    def ask_again(self, *, at: datetime) -> None:
        """Note that the gateway is being asked now."""
        self.asked_at = at
        type(self).objects.open().filter(pk=self.pk).update(asked_at=at)

    def _hear(self, said: ClaimState, at: datetime) -> None:
        """What the bank decided, once. The caller holds the lock."""
        if said is ClaimState.OPEN or said == self.state:
            return
        if self.state != self.State.OPEN:
            raise Contradiction(
                f"The {self} of {self.payment.invoice.code} is {self.state.lower()} here, "
                f"but the gateway says {said.lower()}."
            )
        if said is ClaimState.WON:
            self._win(at)
        else:
            self._lose(at)
        # Refunds that waited for the bank go on.
        ring_on_commit(events.REFUND_TASK)

    def _win(self, at: datetime) -> None:
        self._close(at, state=self.State.WON)
        self._book(Movement.DISPUTE_WON, at)
        self._record(events.dispute_won, at)

    def _lose(self, at: datetime) -> None:
        invoice = self.payment.invoice
        invoice.refresh_from_db()
        is_given_up = invoice.state == Invoice.State.UNCOLLECTIBLE and self.amount > 0
        self._close(at, state=self.State.LOST, is_written_off=is_given_up)
        self._book(Movement.DISPUTE_LOST, at)
        invoice.refresh_from_db()
        if is_given_up:
            self._book(Movement.WRITTEN_OFF, at)
        elif self.amount:
            invoice.fall_due_again(at=at)
        self._record(events.dispute_lost, at, payable=invoice.amount_due)

    def _close(self, at: datetime, **changes: Any) -> None:
        changes["closed_at"] = at
        type(self).objects.filter(pk=self.pk).update(**changes)
        for name, value in changes.items():
            setattr(self, name, value)

    def _book(self, kind: Movement, at: datetime) -> None:
        Transfer.book(Entry(self.connection_id, kind, self.amount, self.pk), at=at)

    def _record(self, kind: EventKind, at: datetime, **facts: Any) -> None:
        connection, invoice = self.payment.connection, self.payment.invoice
        # About the payment, in whose timeline it stands.
        kind.record(
            self.payment,
            by=None,
            at=at,
            organization=connection.customer,
            connection=connection,
            number=invoice.number,
            code=invoice.code,
            amount=self.claimed_money,
            method=self.payment.method.label,
            reason=self.reason_in_words,
            provider=connection.provider.name,
            customer=connection.customer.name,
            **facts,
        )

    def _tell_staff(self, at: datetime) -> None:
        """Whoever has the account at the gateway can answer the bank there."""
        connection = self.payment.connection
        events.dispute_reported.record(
            self,
            by=None,
            at=at,
            organization=Organization.objects.platform(),
            connection=connection,
            code=self.payment.invoice.code,
            amount=self.claimed_money,
            reason=self.reason_in_words,
            respond_by=self.respond_by,
            reference=self.reference,
            provider=connection.provider.name,
            customer=connection.customer.name,
        )

    # Queries

    def covers(self, minor: int) -> bool:
        """Whether what the bank kept beyond `amount` pays for a refund of `minor` units, which was
        owed but not sent when the bank took it."""
        if self.state != self.State.LOST:
            return False
        given = self.payment.refunds.filter(reference=self.reference)
        used = given.aggregate(sum=models.Sum("amount", default=0))["sum"]
        return bool(minor <= self.claimed - self.amount - used)

    # Properties

    @property
    def total(self) -> Money:
        return Money(self.amount, self.currency)

    @property
    def claimed_money(self) -> Money:
        return Money(self.claimed, self.currency)

    @property
    def reason_in_words(self) -> str:
        """What the bank says, as people read it: "Product not received"."""
        return self.reason.replace("_", " ").capitalize()

    @property
    def is_open(self) -> bool:
        return self.state == self.State.OPEN

    @property
    def is_settled(self) -> bool:
        return not self.is_open
