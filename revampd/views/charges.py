"""Asking for money inside a ticket: what billing and tickets do together."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse

from billing.views.requests import compose
from connections.access import Duty, Party, Side, party_view
from revampd.charges import about
from tickets.seats import seat_of
from tickets.views.conversation import show


@party_view(side=Side.PROVIDER, duty=Duty.BILL, refused=show)
def offer_charge(request: HttpRequest, party: Party, ticket_id: UUID) -> HttpResponse:
    """The form of a new request, for a one-time charge that names the ticket."""
    seat = seat_of(party, ticket_id)
    return compose(request, party, about=about(seat.ticket))
