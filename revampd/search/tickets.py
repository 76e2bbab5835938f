"""Tickets, by number, title and what was said in them that one may read."""

from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from revampd.kit.search import beginnings, uuid_in
from revampd.templatetags.ui import state_badge
from tickets.models import Ticket
from tickets.models.records import number_in

from .hits import Asked, Hit, Noun


def rows(mine: Any, **known: Any) -> QuerySet[Any]:
    return Ticket.objects.found(mine, **known).order_by("-opened_at", "-pk")


def hit(asked: Asked, ticket: Ticket) -> Hit:
    connection = ticket.connection
    is_own = not {connection.provider_id, connection.customer_id}.isdisjoint(asked.by.organizations)
    over = connection.pk if is_own else ticket.escalated_over_id
    other = asked.other_side(connection) if is_own else connection.provider
    return Hit(
        title=ticket.title,
        detail=f"{ticket.reference}, {other}",
        url=reverse("tickets:ticket", args=[over, ticket.pk]),
        icon="ticket",
        on=ticket.opened_at,
        state=state_badge(ticket.get_status_display(), ticket.tone),
    )


READS = {"words": beginnings, "pk": uuid_in, "number": number_in}
TICKETS = Noun("tickets", "Tickets", READS, rows, hit)
