"""Charges for what was asked in a ticket: the offer and the decision stand in its conversation.

Billing seals what a request is about without knowing what that is; tickets tell of an event in its
own words. See docs/decisions/0016.
"""

from django.urls import reverse

from billing import events
from billing.models.proposals import About
from connections.models import Event
from tickets.models import Ticket
from tickets.seats import READ_WITH

OFFERS = (events.request_sent.code, events.request_revised.code)


def about(ticket: Ticket) -> About:
    """The ticket, as a proposal names it. Raises Closed."""
    ticket.guard_open()
    return About(
        key=str(ticket.pk),
        reference=f"Ticket {ticket.reference}",
        title=ticket.title,
        path=reverse("tickets:ticket", args=[ticket.connection_id, ticket.pk]),
    )


def follow(event: Event) -> None:
    """Say in its ticket that a request was sent or decided; called in the same transaction."""
    key = event.facts.get("about")
    if not key:
        return
    ticket = Ticket.objects.select_related(*READ_WITH).get(pk=key)
    ticket.follow(event, is_offer=event.code in OFFERS)
