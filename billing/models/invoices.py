"""Invoices: what is done with one from its issue on, until it is paid or taken back."""

from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction

from billing import events
from billing.pricing import next_attempt
from connections.kinds import EventKind
from connections.models import User
from revampd.kit.errors import Conflict, Invalid
from revampd.kit.locking import lock
from revampd.kit.money import Money

from .applications import CreditApplication
from .issued import IssuedInvoice
from .ledger import REASON_LENGTH, Entry, Movement, Transfer


def grace() -> timedelta:
    """How long after an invoice is past due its connection is suspended."""
    return timedelta(days=settings.BILLING_GRACE_DAYS)


class NotVoidable(Conflict):
    """The invoice can no longer be taken back, or not in this way."""


class Invoice(IssuedInvoice):
    """What is owed for a period, and what can be done with it."""

    class Meta(IssuedInvoice.Meta):
        abstract = False

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
