"""How one invoice stands: what it comes to, what paid it, what was taken back, and what is next."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import chain
from typing import Any, TypeVar

from django.db.models import QuerySet
from django.urls import reverse

from connections.access import Party
from connections.models.events import history_of
from connections.timeline import Entry, timeline
from revampd.kit.money import Money
from revampd.kit.prepared import prepared

from .models import (
    CreditApplication,
    CreditNote,
    Dispute,
    Document,
    Invoice,
    InvoiceLine,
    Payment,
    PaymentMethod,
    Refund,
)
from .outlook import Outlook

Row = TypeVar("Row", InvoiceLine, Payment)


@dataclass(frozen=True)
class Posting:
    """A line of the receipt below the total: what changed what is owed, and by how much."""

    text: str
    amount: Money
    detail: str = ""
    at: datetime | None = None
    url: str = ""


@dataclass(frozen=True)
class Settlement:
    """An invoice, read by one party at one instant. It queries when it is asked."""

    invoice: Invoice
    party: Party
    at: datetime

    # What it charges

    @cached_property
    def lines(self) -> list[InvoiceLine]:
        return self._own(_lines(self.invoice.pk))

    # What became of it

    @cached_property
    def payments(self) -> list[Payment]:
        """Every attempt, the newest first."""
        return self._own(_payments(self.invoice.pk))

    @cached_property
    def disputes(self) -> list[Dispute]:
        """What banks claim back or have kept, the last one last; each is the badge of its payment.

        Those that were won have left nothing but their events.
        """
        disputed = {row.pk: row for row in self.payments if row.disputed}
        if not disputed:
            return []
        rows = Dispute.objects.filter(payment__in=list(disputed)).exclude(state=Dispute.State.WON)
        found = list(rows.order_by("opened_at", "pk"))
        for one in found:
            one.payment = disputed[one.payment_id]
            one.payment.returned = one  # type: ignore[attr-defined]
        return found

    @property
    def open_disputes(self) -> list[Dispute]:
        return [one for one in self.disputes if one.is_open]

    @property
    def lost_disputes(self) -> list[Dispute]:
        return [one for one in self.disputes if one.amount and not one.is_open]

    @cached_property
    def applications(self) -> list[CreditApplication]:
        invoice = self.invoice
        # What was returned whole leaves nothing credited; only a correction returns anything.
        if not (invoice.credited or invoice.corrected or invoice.state == Invoice.State.VOID):
            return []
        return list(invoice.applications.select_related("credit").oldest_first())

    @cached_property
    def notes(self) -> list[CreditNote]:
        """The credit notes that correct it, the newest first."""
        if not self.invoice.corrected:
            return []
        return list(self.invoice.credit_notes.select_related("issued_by").newest_first())

    @cached_property
    def refunds(self) -> list[Refund]:
        if not self.notes:
            return []
        rows = Refund.objects.filter(note__in=self.notes).select_related("payment__method")
        return list(rows.order_by("begun_at", "pk"))

    @cached_property
    def document(self) -> Document | None:
        return Document.objects.filter(invoice=self.invoice).defer("content").first()

    @cached_property
    def timeline(self) -> list[Entry]:
        subjects = (self.invoice, *self.payments, *self.notes, *self.refunds)
        return timeline(history_of(subjects))

    def _own(self, rows: list[Row]) -> list[Row]:
        """The rows, which know their invoice without asking for it."""
        for row in rows:
            row.invoice = self.invoice
        return rows

    # The receipt

    @cached_property
    def postings(self) -> list[Posting]:
        """All that is between the total and what is owed, in the order in which it happened."""
        found = chain(
            *(self._credits(), self._payments(), self._taken_back()),
            *(self._notes(), self._returns(), self._end()),
        )
        return list(found)

    def _credits(self) -> Iterator[Posting]:
        for used in self.applications:
            reason = f"Credit: {used.credit.reason}"
            yield Posting(reason, -used.total, at=used.applied_at, url=self._credit_url(used))

    def _payments(self) -> Iterator[Posting]:
        for payment in reversed(self.payments):
            if payment.state == Payment.State.SUCCEEDED:
                yield Posting(f"Paid by {payment.method}", -payment.total, at=payment.settled_at)

    def _taken_back(self) -> Iterator[Posting]:
        for lost in self.lost_disputes:
            text = f"Taken back by the bank: {lost.payment.method}"
            yield Posting(text, lost.total, lost.reason_in_words, lost.closed_at)

    def _notes(self) -> Iterator[Posting]:
        for note in reversed(self.notes):
            url = reverse("billing:credit-note", args=[note.connection_id, note.number])
            text = f"Credit note {note.code}"
            yield Posting(text, -note.total, note.reason, note.issued_at, url)

    def _returns(self) -> Iterator[Posting]:
        for used in self.applications:
            if used.returned:
                back = Money(used.returned, self.invoice.currency)
                text = f"Back to the wallet: {used.credit.reason}"
                yield Posting(text, back, url=self._credit_url(used))
        for refund in self.refunds:
            method = refund.payment.method
            yield Posting(f"Back to {method}", refund.total, refunded(refund), refund.begun_at)

    def _end(self) -> Iterator[Posting]:
        """What is not owed any more without having been paid."""
        words = {Invoice.State.VOID: "Void", Invoice.State.UNCOLLECTIBLE: "Written off"}
        state = Invoice.State(self.invoice.state)
        if state in words:
            left = Money(self.invoice.outstanding, self.invoice.currency)
            yield Posting(words[state], -left)

    # What comes next

    @cached_property
    def methods(self) -> list[PaymentMethod]:
        """What the customer can pay with, the default first."""
        rows = self.party.connection.payment_methods.usable()
        return list(rows.order_by("-is_default", "-added_at"))

    @property
    def under_way(self) -> Payment | None:
        """The attempt whose outcome is not known yet."""
        return next((payment for payment in self.payments if not payment.is_settled), None)

    @property
    def last_failure(self) -> Payment | None:
        """The latest attempt, if it failed and its amount is still owed."""
        latest = next(iter(self.payments), None)
        is_one = latest and self.invoice.is_owed and latest.state == Payment.State.FAILED
        return latest if is_one else None

    @cached_property
    def outlook(self) -> Outlook | None:
        if not self.invoice.is_owed or self.under_way:
            return None
        default = next((method for method in self.methods if method.is_default), None)
        today = self.party.connection.day_of(self.at)
        return Outlook(self.invoice, default, today, self.party, bool(self.lost_disputes))

    # What the reader may do

    @property
    def may_pay(self) -> bool:
        return self.party.may_decide and self.invoice.is_owed and not self.under_way

    @property
    def may_settle(self) -> bool:
        """Whether the reader may look after the payment that is under way."""
        return self.party.may_decide and self.under_way is not None

    @property
    def may_correct(self) -> bool:
        return self._may_act and self.invoice.corrected < self.invoice.total

    @property
    def may_void(self) -> bool:
        return self._may_act and not (self.invoice.paid or self.invoice.corrected)

    @property
    def may_write_off(self) -> bool:
        return self._may_act and self.invoice.is_owed

    @property
    def _may_act(self) -> bool:
        over = (Invoice.State.VOID, Invoice.State.UNCOLLECTIBLE)
        is_over = self.invoice.state in over
        is_free = not (self.invoice.held or self.invoice.disputed)
        return self.party.may_propose and not is_over and is_free

    def _credit_url(self, used: CreditApplication) -> str:
        return reverse("billing:credit", args=[self.party.connection.pk, used.credit_id])


def refunded(refund: Refund) -> str:
    """How a refund stands, in words."""
    if refund.state == Refund.State.FAILED:
        return "The card did not take it: it is in the wallet instead"
    if refund.state == Refund.State.SUCCEEDED:
        return "Refunded. Banks take a few days"
    return "On its way"


@prepared
def _lines(invoice: Any) -> QuerySet[InvoiceLine]:
    lines = InvoiceLine.objects.filter(invoice=invoice).order_by("position")
    return lines.select_related("request__proposed_by", "request__decided_by")


@prepared
def _payments(invoice: Any) -> QuerySet[Payment]:
    payments = Payment.objects.filter(invoice=invoice).newest_first()
    told: QuerySet[Payment] = payments.select_related("method", "begun_by")
    return told
