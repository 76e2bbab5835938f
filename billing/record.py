"""Everything that belongs to one request, as its page shows it."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from connections.access import Party
from connections.models import Event
from connections.timeline import Entry, timeline

from . import events, terms
from .models import BillingRequest, Invoice, SubscriptionItem
from .statement import Statement

INVOICES_SHOWN = 5


@dataclass(frozen=True)
class Record:
    """A request, read by one party at one instant. It queries when it is asked."""

    request: BillingRequest
    party: Party
    at: datetime

    # The offer

    @cached_property
    def statement(self) -> Statement:
        """The money: as of today while it can be approved, as sealed afterwards."""
        if self.is_open:
            return Statement.on(self.request, self.request.connection.day_of(self.at))
        return Statement.sealed(self.request.terms)

    @property
    def canonical(self) -> str:
        """The text whose SHA-256 is the seal."""
        return terms.canonical(self.request.terms)

    @property
    def is_intact(self) -> bool:
        """Whether the stored terms still give the seal."""
        return terms.seal(self.request.terms) == self.request.seal

    # What can be done, and by whom

    @property
    def version(self) -> str:
        """Changes whenever somebody decides it, or nobody can any more."""
        return "LATE" if self.request.is_pending and not self.is_open else self.request.state

    @property
    def is_open(self) -> bool:
        return self.request.is_pending and self.request.expires_at > self.at

    @property
    def may_decide(self) -> bool:
        return self.is_open and self.party.may_decide

    @property
    def may_take_back(self) -> bool:
        return self.request.is_pending and self.party.may_propose

    @property
    def who_decides(self) -> str:
        """Why the reader is offered no decision."""
        customer = self.request.connection.customer
        if self.party.is_on_both_sides:
            return (
                f"You also belong to {self.request.connection.provider}, who sent this. "
                f"Somebody else at {customer} has to decide."
            )
        return f"An owner or billing member of {customer} decides."

    # What became of it

    @cached_property
    def revision(self) -> BillingRequest | None:
        """The request that took its place."""
        if self.request.state != BillingRequest.State.REVISED:
            return None
        return BillingRequest.objects.filter(revises=self.request).first()

    @cached_property
    def changes(self) -> list[terms.Difference]:
        """What it changed in the request that it revises."""
        before = self.request.revises
        return terms.differences(before.terms, self.request.terms) if before else []

    @cached_property
    def items(self) -> list[SubscriptionItem]:
        """What it started on the subscription."""
        if not self.request.is_approved:
            return []
        rows = self.request.items.select_related("subscription")
        return list(rows.order_by("start_date", "id"))

    @cached_property
    def invoices(self) -> list[Invoice]:
        """The latest invoices that charge what it allowed."""
        if not self.request.is_approved:
            return []
        lines = self.request.lines.values("invoice")
        return list(Invoice.objects.filter(pk__in=lines).newest_first()[:INVOICES_SHOWN])

    @cached_property
    def timeline(self) -> list[Entry]:
        told = Event.objects.about(self.request)
        if self.revision:
            # Its end is told as the beginning of the one that took its place.
            revised = Event.objects.about(self.revision).filter(code=events.request_revised.code)
            told = told | revised
        return timeline(told.select_related("actor").newest_first())
