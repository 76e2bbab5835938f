"""Tickets in every state."""

from datetime import datetime, timedelta

from billing.models import BillingRequest
from billing.models.proposals import Proposal
from revampd.charges import about
from tests.tickets.acts import answer, escalated, note, submit, support
from tickets.keeping import Checked, kept
from tickets.models import Side as TicketSide

from .furnished import LONG_NAME, LONG_NOTE, Furnished


def talk(house: Furnished, now: datetime) -> None:
    """Tickets in every state, one with all that can be in a conversation, and one escalated."""
    cast = house.cast
    support(cast)
    with kept([Checked(f"{LONG_NAME}.txt", "text/plain", b"Hello")]) as files:
        full = submit(cast, LONG_NAME, body=LONG_NOTE, files=files, at=now - timedelta(days=3))
    answer(full, cast.dana, LONG_NOTE, at=now - timedelta(days=2))
    note(full, cast.maya, LONG_NOTE, at=now - timedelta(days=2))
    full.escalate(LONG_NOTE, by=cast.dana, at=now - timedelta(days=2))
    full.consult("It is the carrier.", side=TicketSide.REVAMPD, by=cast.rhea, at=now)
    BillingRequest.propose(
        Proposal(cast.setup, note=LONG_NOTE, about=about(full)),
        connection=cast.northwind_bluebird,
        by=cast.noah,
        at=now,
    )
    closed = submit(cast, "Closed for good", at=now)
    closed.set_status("CLOSED", side=TicketSide.PROVIDER, by=cast.dana, at=now)
    back = escalated(cast, submit(cast, "Taken back"))
    back.take_back(by=cast.dana, at=now)
    house.values |= {
        "ticket_id": full.pk,
        "attachment_id": files[0].pk,
        "closed ticket": closed.pk,
        "returned ticket": back.pk,
    }
