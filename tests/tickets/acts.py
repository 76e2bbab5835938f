"""What the tests of tickets do again and again."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from connections.models import Connection, User
from tests.cast import Cast
from tickets.keeping import Checked, kept
from tickets.models import Message, Side, Ticket

NOW = datetime(2026, 11, 10, 9, 30, tzinfo=UTC)
# Nowhere else: what finds it has found the note.
SECRET = "xylophone-secret-they-never-pay"


def support(cast: Cast, connection: Connection | None = None, owner: User | None = None) -> None:
    """Dana looks after Bluebird."""
    member = (owner or cast.dana).memberships.get(
        organization=(connection or cast.northwind_bluebird).provider
    )
    (connection or cast.northwind_bluebird).assign_owners(sales=None, support=member, by=cast.maya)


def submit(cast: Cast, title: str = "Booking form is broken", **details: Any) -> Ticket:
    """Sam of Bluebird asks Northwind."""
    given: dict[str, Any] = {
        "connection": cast.northwind_bluebird,
        "body": "It says 500 since this morning.",
        "by": cast.sam,
        "at": NOW,
    }
    return Ticket.submit(**given | {"title": title} | details)


def answer(ticket: Ticket, by: User, body: str = "We are on it.", **details: Any) -> None:
    ticket.reply(body, side=Side.PROVIDER, by=by, **{"at": NOW} | details)


def ask(ticket: Ticket, by: User, body: str = "Any news?", **details: Any) -> None:
    ticket.reply(body, side=Side.CUSTOMER, by=by, **{"at": NOW} | details)


def note(ticket: Ticket, by: User, body: str = SECRET, **details: Any) -> None:
    ticket.note(body, side=Side.PROVIDER, by=by, **{"at": NOW} | details)


def escalated(cast: Cast, ticket: Ticket | None = None) -> Ticket:
    """A ticket that Dana has escalated to Revampd."""
    ticket = ticket or submit(cast)
    ticket.escalate("Is the form builder down?", by=cast.dana, at=NOW)
    return ticket


def texts(ticket: Ticket, side: str) -> list[str]:
    """What this side reads, in order."""
    rows = Message.objects.visible_to(side).filter(ticket=ticket).in_order()
    return list(rows.values_list("body", flat=True))


def with_file(cast: Cast, text: bytes = b"line 1\n", name: str = "error.log") -> Any:
    """A ticket with a file, and the file."""
    with kept([Checked(name, "text/plain", text)]) as files:
        ticket = submit(cast, files=files)
    return ticket, files[0]


def url(ticket: Ticket, page: str = "", connection: Connection | None = None) -> str:
    over = connection.pk if connection else ticket.connection_id
    return f"/connections/{over}/tickets/{ticket.pk}/{page}"


def message(body: str, audience: str = "EVERYONE", **fields: Any) -> dict[str, Any]:
    """What the form of a message sends."""
    return {"key": uuid4(), "body": body, "audience": audience} | fields


def list_url(connection: Connection) -> str:
    return f"/connections/{connection.pk}/tickets/"
