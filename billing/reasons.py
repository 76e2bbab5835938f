"""Why this charge: from a line to the person who said yes, for a page and in one line of paper."""

from typing import Any

from django.urls import reverse
from django.utils.formats import date_format

from connections.models import Connection

from .models import InvoiceLine
from .models.proposals import About

SEAL_SHOWN = 12


def reasons(line: InvoiceLine) -> list[dict[str, Any]]:
    """The chain of one line, as _chain.html takes it."""
    asked, about = line.request, line.request.about
    url = reverse("billing:request", args=[asked.connection_id, asked.pk])
    return [
        {
            "icon": "invoice",
            "kind": "Line",
            "title": line.description,
            "amount": line.amount_money,
        },
        {
            "icon": "request",
            "kind": "Request",
            "title": f"{asked.item_name}, {asked.price_in_words}",
            "url": url,
            "detail": f"{asked.proposed_by}, {asked.proposer}",
            "at": asked.proposed_at,
            "note": asked.note,
        },
        *([_reason(about)] if about else []),
        {
            "icon": "lock",
            "kind": "Sealed terms",
            "title": asked.seal,
            "url": f"{url}#seal",
            "detail": "The SHA-256 of what was promised",
        },
        {
            "icon": "check",
            "tone": "good",
            "kind": "Approval",
            "title": f"Approved by {asked.decided_by}, {asked.terms['customer']}",
            "at": asked.decided_at,
            "note": asked.decision_note,
        },
    ]


def _reason(about: About) -> dict[str, Any]:
    return {
        "icon": "ticket",
        "kind": about.reference,
        "title": about.title,
        "url": about.path,
        "detail": "What it was proposed for",
    }


def authority(line: InvoiceLine, connection: Connection) -> str:
    """Who approved it, on which day, in which request and under which seal."""
    asked = line.request
    # Decided it is: the database takes no line of another request.
    decided_at = asked.decided_at or asked.proposed_at
    day = date_format(connection.day_of(decided_at), "j M Y")
    return (
        f"Approved by {asked.decided_by}, {asked.terms['customer']}, on {day}. "
        f"Request {asked.reference}, seal {asked.seal[:SEAL_SHOWN]}"
    )
