"""From where somebody looks at a ticket: which side they are on, what they may read and do."""

from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

from django.db.models import Q
from django.http import Http404

from connections.access import Party

from .models import Audience, Ticket
from .models.messages import Side
from .models.records import Status

READ_WITH = (
    "connection__provider",
    "connection__customer",
    "escalated_over__provider",
    "assignee",
    "revampd_assignee",
    "opened_by",
)


@dataclass(frozen=True)
class Seat:
    """One ticket, from one side, by one person."""

    ticket: Ticket
    party: Party
    side: Side

    @classmethod
    def of_customer(cls, ticket: Ticket, party: Party) -> Self:
        return cls(ticket, party, Side.CUSTOMER)

    @property
    def is_customer(self) -> bool:
        return self.side == Side.CUSTOMER

    @property
    def is_provider(self) -> bool:
        return self.side == Side.PROVIDER

    @property
    def is_revampd(self) -> bool:
        return self.side == Side.REVAMPD

    @property
    def length(self) -> int:
        """How many messages there are to read from here."""
        return self.ticket.length_for(self.side)

    @property
    def assignee_id(self) -> int | None:
        """Who looks after it on this side."""
        return self.ticket.revampd_assignee_id if self.is_revampd else self.ticket.assignee_id

    # What can be done

    @property
    def may_write(self) -> bool:
        here = not self.is_revampd or self.ticket.is_escalated
        return here and self.party.membership.may_support and bool(self.audiences)

    @property
    def may_answer(self) -> bool:
        """Whether they are whom the customer asks; they see which mails did not arrive."""
        return not self.is_customer and self.party.membership.may_support

    @property
    def may_change(self) -> bool:
        """Status, priority and assignee."""
        here = self.is_provider or self.ticket.is_escalated
        return self.may_answer and here and not self.ticket.is_closed

    @property
    def may_resolve(self) -> bool:
        """A customer says that it is done; the provider has the whole form."""
        is_open = self.ticket.status in (Status.OPEN, Status.IN_PROGRESS)
        return self.is_customer and is_open and self.party.membership.may_support

    @property
    def may_escalate(self) -> bool:
        own = self.ticket.connection
        return self.is_provider and not own.is_self_service and self.may_change

    @property
    def may_offer(self) -> bool:
        """Whether they may ask for money for it: as its provider, for what is still open."""
        return self.is_provider and self.party.may_propose and not self.ticket.is_closed

    # Who reads what is written from here

    @property
    def audiences(self) -> list[Audience]:
        """From the narrowest to the widest; a closed ticket takes notes alone."""
        if self.is_customer:
            return [] if self.ticket.is_closed else [Audience.EVERYONE]
        found = [Audience.INTERNAL]
        if self.ticket.is_escalated:
            found.append(Audience.ESCALATION)
        return found if self.ticket.is_closed else [*found, Audience.EVERYONE]

    @property
    def narrowest(self) -> Audience:
        """What a form begins with: nothing reaches the customer because somebody overlooked it."""
        return self.audiences[0] if self.audiences else Audience.EVERYONE

    def words_for(self, audience: Audience) -> str:
        own = self.ticket.connection
        if audience == Audience.INTERNAL:
            return f"Only {self.party.organization}"
        if audience == Audience.ESCALATION:
            return f"{own.provider} and Revampd"
        return f"{own.customer} too" if not self.is_customer else "Everyone"


def seats_of(party: Party) -> Q:
    """The tickets that this party may open: of the connection, or escalated over it."""
    own = Q(connection=party.connection)
    if party.is_provider and party.connection.sells_tiers:
        return own | Q(escalated_over=party.connection)
    return own


def seat_of(party: Party, ticket_id: UUID) -> Seat:
    """The seat of `party` at a ticket, read with everybody named in it. Raises Http404."""
    return seated(Ticket.objects.select_related(*READ_WITH), party, ticket_id)


def seated(rows: Any, party: Party, ticket_id: UUID) -> Seat:
    """The seat at the one of `rows` that is asked for. Raises Http404."""
    ticket = rows.filter(seats_of(party), pk=ticket_id).first()
    if ticket is None:
        raise Http404
    if ticket.connection_id != party.connection.pk:
        return Seat(ticket, party, Side.REVAMPD)
    ticket.connection = party.connection
    return Seat(ticket, party, Side.PROVIDER if party.is_provider else Side.CUSTOMER)
