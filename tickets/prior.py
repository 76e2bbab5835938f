"""What else a customer has asked, beside the conversation that somebody answers."""

from .desk import ACTIVITY
from .models import Ticket
from .seats import Seat

SHOWN = 5


def prior(seat: Seat) -> list[Ticket]:
    """The customer's other tickets that this seat may open, those with the newest word first.

    The customer itself has its list; Revampd sees of a Partner's customer what was escalated.
    """
    if seat.is_customer:
        return []
    rows = Ticket.objects.filter(connection=seat.ticket.connection_id).exclude(pk=seat.ticket.pk)
    if seat.is_revampd:
        rows = rows.filter(escalated_over=seat.party.connection)
    return list(rows.order_by(f"-{ACTIVITY[seat.side]}", "-pk")[:SHOWN])
