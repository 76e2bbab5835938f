"""Bank transfers: attempts to send money that are recorded before the gateway is asked."""

import uuid
from datetime import datetime
from typing import Any, ClassVar, Self

import pgtrigger
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.expressions import Combinable

from billing.gateways.base import Outcome, State
from billing.models.ledger import Entry, Movement, Transfer
from billing.models.payments import Contradiction
from connections.kinds import EventKind
from connections.models import Connection
from payouts import events
from payouts.gateways.base import TransferOrder
from revampd.kit.constraints import CompositeForeignKey, no_truncate
from revampd.kit.doorbell import ring_on_commit
from revampd.kit.locking import lock
from revampd.kit.money import CurrencyField, MinorUnitsField, Money

from .accounts import BankAccount
from .settlements import Settlement


class BankTransferQuerySet(models.QuerySet["BankTransfer"]):
    def unsettled(self) -> Self:
        """Those of which it is not known for good whether they arrived."""
        return self.filter(state__in=BankTransfer.UNSETTLED)

    def silent(self, *, unknown: datetime | Combinable, known: datetime | Combinable) -> Self:
        """Those never sent; not asked about since `unknown`, or `known` if the gateway has them."""
        intent = BankTransfer.State.INTENT
        in_hand = self.unsettled().filter(~Q(state=intent), asked_at__lt=known)
        open_ = self.filter(state=intent).filter(Q(asked_at=None) | Q(asked_at__lt=unknown))
        return open_ | in_hand

    def claim(self) -> "BankTransfer | None":
        """The one that waits longest and that nobody else has, until the transaction ends."""
        free = self.select_for_update(no_key=True, skip_locked=True, of=("self",))
        return free.order_by(F("asked_at").asc(nulls_first=True), "begun_at", "id").first()

    def newest_first(self) -> Self:
        return self.order_by("-begun_at", "-id")


class BankTransfer(models.Model):
    """A part of a payout on its way to the bank. Its id is the gateway's idempotency key.

    It is committed before the gateway is asked. While the outcome is unknown or to come, the payout
    is in transit; a transfer that fails returns its amount to what is available, by the trigger.
    So does one that the bank sends back after it was paid: it has failed, and says when it was
    returned.
    """

    class State(models.TextChoices):
        INTENT = "INTENT", "Being sent"
        PROCESSING = "PROCESSING", "In transit"
        SUCCEEDED = "SUCCEEDED", "Paid"
        FAILED = "FAILED", "Failed"

    UNSETTLED = (State.INTENT, State.PROCESSING)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    connection = models.ForeignKey(
        Connection, on_delete=models.PROTECT, related_name="bank_transfers", db_constraint=False
    )
    settlement = models.OneToOneField(
        Settlement, on_delete=models.PROTECT, related_name="bank_transfer", db_constraint=False
    )
    payout = models.ForeignKey(
        "payouts.Payout",
        on_delete=models.PROTECT,
        related_name="bank_transfers",
        db_constraint=False,
    )
    account = models.ForeignKey(
        BankAccount, on_delete=models.PROTECT, related_name="transfers", db_constraint=False
    )
    currency = CurrencyField()
    amount = MinorUnitsField()
    begun_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State, default=State.INTENT)
    reference = models.CharField(max_length=255, blank=True)
    asked_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    returned_at = models.DateTimeField(null=True)
    failure = models.CharField(max_length=250, blank=True)

    mutable = ("state", "reference", "asked_at", "settled_at", "returned_at", "failure")

    objects: ClassVar[Any] = BankTransferQuerySet.as_manager()

    class Meta:
        constraints = [
            CompositeForeignKey(
                name="bank_transfer_of_settlement",
                fields=["connection", "settlement", "payout", "amount"],
                to="payouts.Settlement",
                to_fields=["connection", "id", "payout", "banked"],
            ),
            CompositeForeignKey(
                name="bank_transfer_to_own_account",
                fields=["connection", "account"],
                to="payouts.BankAccount",
                to_fields=["connection", "id"],
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="bank_transfer_amount"),
            models.CheckConstraint(
                condition=Q(state__in=["INTENT", "PROCESSING"], settled_at=None, returned_at=None)
                | Q(state="SUCCEEDED", settled_at__isnull=False, returned_at=None)
                | Q(state="FAILED", settled_at__isnull=False),
                name="bank_transfer_settled",
            ),
        ]
        indexes = [
            models.Index(
                fields=["begun_at"],
                condition=Q(state__in=["INTENT", "PROCESSING"]),
                name="bank_transfer_unsettled",
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="kept", operation=pgtrigger.Delete),
            no_truncate(),
            pgtrigger.Trigger(
                name="begun",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                condition=~pgtrigger.Q(new__state="INTENT"),
                func="""
                    RAISE EXCEPTION 'a bank transfer begins as an intent'
                        USING ERRCODE = 'integrity_constraint_violation';
                """,
            ),
            pgtrigger.Trigger(
                name="frozen",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                declare=[
                    (
                        "apart",
                        "text[] := CASE OLD.state"
                        " WHEN 'FAILED' THEN '{}'"
                        " WHEN 'SUCCEEDED' THEN '{state,returned_at,failure}'"
                        " ELSE '{state,reference,asked_at,settled_at,failure}' END",
                    )
                ],
                func="""
                    IF to_jsonb(OLD) - apart IS DISTINCT FROM to_jsonb(NEW) - apart THEN
                        RAISE EXCEPTION 'a bank transfer never changes'
                            USING ERRCODE = 'integrity_constraint_violation';
                    ELSIF OLD.state = 'SUCCEEDED'
                        AND (NEW.state <> 'FAILED' OR NEW.returned_at IS NULL) THEN
                        RAISE EXCEPTION 'a bank transfer that was paid can only come back'
                            USING ERRCODE = 'integrity_constraint_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="settled",
                when=pgtrigger.After,
                operation=pgtrigger.UpdateOf("state"),
                condition=pgtrigger.Q(new__state__in=["SUCCEEDED", "FAILED"]),
                func="""
                    UPDATE payouts_payout
                    SET banked = banked - CASE NEW.state WHEN 'FAILED' THEN NEW.amount ELSE 0 END,
                        state = CASE NEW.state WHEN 'FAILED' THEN 'AVAILABLE' ELSE 'SETTLED' END
                    WHERE id = NEW.payout_id;
                    RETURN NULL;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.total} to {self.account}"

    # Factories

    @classmethod
    def begin(cls, settlement: Settlement, account: BankAccount, *, at: datetime) -> "BankTransfer":
        """Owe it to the bank account. Nobody is asked yet; the caller holds the lock."""
        transfer: BankTransfer = cls.objects.create(
            connection=settlement.connection,
            settlement=settlement,
            payout=settlement.payout,
            account=account,
            currency=settlement.currency,
            amount=settlement.banked,
            begun_at=at,
        )
        transfer._book(Movement.PAYOUT_SENT, at)
        ring_on_commit(events.SEND_TASK)
        return transfer

    # Verbs

    def ask_again(self, *, at: datetime) -> None:
        """Note that the gateway is being asked now."""
        self.asked_at = at
        type(self).objects.unsettled().filter(pk=self.pk).update(asked_at=at)

    @transaction.atomic
    def settle(self, outcome: Outcome, *, at: datetime) -> None:
        """Book what became of it at the gateway, once; hearing it again changes nothing.

        What was paid can still come back. Raises Contradiction if the gateway says any other end
        than it said before.
        """
        self.connection = lock(self.connection)
        self.refresh_from_db(fields=[*self.mutable])
        if self.is_paid and outcome.state == State.FAILED:
            self._come_back(outcome, at)
            return
        if self.is_settled:
            if outcome.is_final and outcome.state != self.state:
                raise Contradiction(
                    f"The transfer of {self} is {self.get_state_display().lower()} here, "
                    f"but the gateway says {outcome.state.lower()}."
                )
            return
        before = self.state
        self._note(outcome, at)
        if self.state == self.State.SUCCEEDED:
            self._book(Movement.PAYOUT_PAID, at)
            self._record(events.transfer_paid, at)
        elif self.state == self.State.FAILED:
            self._book(Movement.PAYOUT_FAILED, at)
            self._record(events.transfer_failed, at)
        elif self.state != before:
            self._record(events.transfer_sent, at)

    def _come_back(self, outcome: Outcome, at: datetime) -> None:
        """The bank sent back what it had taken, and the money is with us again."""
        self.state, self.returned_at = self.State.FAILED, at
        self.failure = _failure(outcome)
        self.save(update_fields=["state", "returned_at", "failure"])
        self._book(Movement.PAYOUT_RETURNED, at)
        self._record(events.transfer_returned, at)

    def _note(self, outcome: Outcome, at: datetime) -> None:
        self.state = self.State(outcome.state)
        self.reference = outcome.reference or self.reference
        self.settled_at = at if outcome.is_final else None
        self.failure = _failure(outcome)
        self.save(update_fields=["state", "reference", "settled_at", "failure"])

    def _book(self, kind: Movement, at: datetime) -> None:
        Transfer.book(Entry(self.connection_id, kind, self.amount, self.pk), at=at)

    def _record(self, kind: EventKind, at: datetime) -> None:
        kind.record(
            self,
            by=None,
            at=at,
            organization=self.connection.customer,
            connection=self.connection,
            payout=self.payout_id,
            week=self.payout.week,
            amount=self.total,
            account=str(self.account),
            failure=self.failure,
            provider=self.connection.provider.name,
            customer=self.connection.customer.name,
        )

    # Properties

    @property
    def order(self) -> TransferOrder:
        """What the gateway is asked to do."""
        return TransferOrder(
            key=self.pk,
            amount=self.total,
            account=self.account.reference,
            description=f"Revampd payout, {self.payout.week}",
        )

    @property
    def total(self) -> Money:
        return Money(self.amount, self.currency)

    @property
    def is_settled(self) -> bool:
        return self.state not in self.UNSETTLED

    @property
    def is_paid(self) -> bool:
        return self.state == self.State.SUCCEEDED


def _failure(outcome: Outcome) -> str:
    return outcome.decline.sentence[:250] if outcome.decline else ""
