"""The customers of a Partner (its Sub-Orgs) or of Revampd (its Partners)."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count, QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from connections.access import organization_view
from connections.models import Connection, Membership, Organization
from revampd.kit.export import csv_response

from .home import rows

PAGE = 25
ORDERS: dict[str, list[Any]] = {
    "name": [Lower("customer__name"), "id"],
    "-name": [Lower("customer__name").desc(), "id"],
    "since": ["created_at", "id"],
    "-since": ["-created_at", "id"],
}
SELLERS = (Organization.Kind.PARTNER, Organization.Kind.PLATFORM)


COLUMNS = ("Name", "Status", "Since", "Plan", "Each", "Currency", "Price", "Waiting requests")
CHUNK = 500


@organization_view(kinds=SELLERS)
@require_GET
def sub_orgs(request: HttpRequest, membership: Membership) -> HttpResponse:
    """All customers with status, plan, monthly amount and what is pending; filtered, sorted."""
    customers = Connection.objects.filter(provider=membership.organization)
    page = Paginator(_found(request, customers), PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": rows(list(page.object_list), selling=True),
        "states": _states(customers),
        "state": request.GET.get("state", ""),
        "q": _text(request),
        "noun": _noun(membership),
    }
    return render(request, "connections/sub_orgs.html", context)


@organization_view(kinds=SELLERS)
@require_GET
def export_sub_orgs(request: HttpRequest, membership: Membership) -> StreamingHttpResponse:
    """The same list as CSV, whole."""
    customers = Connection.objects.filter(provider=membership.organization)
    name = f"{_noun(membership)} {membership.organization}"
    return csv_response(name, COLUMNS, _exported(_found(request, customers)))


def _exported(found: QuerySet[Connection]) -> Iterator[tuple[Any, ...]]:
    connections = found.iterator(chunk_size=CHUNK)
    while chunk := list(islice(connections, CHUNK)):
        for row in rows(chunk, selling=True):
            connection = row.connection
            yield (
                connection.customer.name,
                connection.get_state_display(),
                connection.created_at,
                row.plan,
                row.interval,
                connection.currency,
                row.recurring,
                row.waiting,
            )


def _found(request: HttpRequest, customers: QuerySet[Connection]) -> QuerySet[Connection]:
    """Those that the address asks for (?q=, ?state=), in its order (?sort=)."""
    text, state = _text(request), request.GET.get("state", "")
    found = customers.filter(customer__name__icontains=text) if text else customers
    if state in Connection.State.values:
        found = found.filter(state=state)
    order = ORDERS.get(request.GET.get("sort", ""), ORDERS["-since"])
    return found.select_related("customer", "provider", "support_owner__user").order_by(*order)


def _text(request: HttpRequest) -> str:
    # PostgreSQL takes no NUL, and nobody's name has one.
    return request.GET.get("q", "").replace("\0", "").strip()[:80]


def _noun(membership: Membership) -> str:
    return "Customers" if membership.organization.is_platform else "Sub-Orgs"


def _states(customers: QuerySet[Connection]) -> list[dict[str, Any]]:
    """The filter links with their counts, states without a customer left out."""
    counts = dict(customers.values_list("state").annotate(number=Count("id")))
    every = {"value": "", "label": "All", "count": sum(counts.values())}
    known = [state for state in Connection.State if state in counts]
    return [every] + [{"value": s, "label": s.label, "count": counts[s]} for s in known]
