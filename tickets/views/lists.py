"""Lists of tickets: of a connection from both sides, and of all customers of a seller."""

from collections.abc import Iterator
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.views.decorators.http import require_GET

from connections.access import Party, organization_view, party_view
from connections.models import Membership, Organization
from revampd.kit.export import csv_response
from revampd.kit.htmx import page
from tickets.desk import Desk
from tickets.models.records import Priority, Status

PAGE_LENGTH = 25
CHUNK = 500
SELLERS = (Organization.Kind.PARTNER, Organization.Kind.PLATFORM)
COLUMNS = (
    *("Ticket", "Title", "Customer", "Status", "Priority", "Assigned to"),
    *("Opened by", "Opened at", "Last activity", "Messages"),
)


@party_view
@require_GET
def ticket_list(request: HttpRequest, party: Party) -> HttpResponse:
    """The tickets of a connection: "Tickets" for who asks, "Ticket Manager" for who answers."""
    return page(request, "tickets/list.html", _listed(Desk.of_party(party, request.GET), request))


@organization_view(kinds=SELLERS)
@require_GET
def organization_tickets(request: HttpRequest, membership: Membership) -> HttpResponse:
    """What all customers ask, in one list."""
    desk = Desk.of_organization(membership, request.GET)
    return page(request, "tickets/organization.html", _listed(desk, request))


def _listed(desk: Desk, request: HttpRequest) -> dict[str, Any]:
    pages = Paginator(desk.found(), PAGE_LENGTH)
    pages.count = desk.number
    shown = pages.get_page(request.GET.get("page"))
    return {
        "page": shown,
        "rows": list(desk.shown(shown)),
        "desk": desk,
        "chosen": desk.chosen,
        "escalated": bool(request.GET.get("escalated")),
        "priorities": Priority.choices,
        "kept": [(name, request.GET.get(name)) for name in ("status", "escalated", "sort")],
        "is_narrowed": any(desk.chosen.values()) or bool(request.GET.get("escalated")),
    }


# As CSV


@party_view
@require_GET
def export_tickets(request: HttpRequest, party: Party) -> StreamingHttpResponse:
    name = f"Tickets {party.connection.provider} {party.connection.customer}"
    return _exported(name, Desk.of_party(party, request.GET))


@organization_view(kinds=SELLERS)
@require_GET
def export_organization_tickets(
    request: HttpRequest, membership: Membership
) -> StreamingHttpResponse:
    desk = Desk.of_organization(membership, request.GET)
    return _exported(f"Tickets {membership.organization}", desk)


def _exported(name: str, desk: Desk) -> StreamingHttpResponse:
    rows: Iterator[dict[str, Any]] = desk.found().iterator(chunk_size=CHUNK)
    return csv_response(name, COLUMNS, (_line(desk, row) for row in rows))


def _line(desk: Desk, row: dict[str, Any]) -> tuple[Any, ...]:
    """A line of the file, with the numbers of the side that asks."""
    return (
        *(f"#{row['number']}", row["title"], row["connection__customer__name"]),
        *(Status(row["status"]).label, Priority(row["priority"]).label, desk.assignee_of(row)),
        *(row["opened_by__name"], row["opened_at"], row["activity"], row["said"]),
    )
