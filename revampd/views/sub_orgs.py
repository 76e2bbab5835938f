"""The customers of a Partner (its Sub-Orgs) or of Revampd (its Partners)."""

from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count, QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from connections.access import organization_view
from connections.models import Connection, Membership, Organization

from .home import rows

PAGE = 25
ORDERS: dict[str, list[Any]] = {
    "name": [Lower("customer__name"), "id"],
    "-name": [Lower("customer__name").desc(), "id"],
    "since": ["created_at", "id"],
    "-since": ["-created_at", "id"],
}
SELLERS = (Organization.Kind.PARTNER, Organization.Kind.PLATFORM)


@organization_view(kinds=SELLERS)
def sub_orgs(request: HttpRequest, membership: Membership) -> HttpResponse:
    """All customers with status, plan, monthly amount and what is pending; filtered, sorted."""
    customers = Connection.objects.filter(provider=membership.organization)
    # PostgreSQL takes no NUL, and nobody's name has one.
    text = request.GET.get("q", "").replace("\0", "").strip()[:80]
    found = customers.filter(customer__name__icontains=text) if text else customers
    state = request.GET.get("state", "")
    if state in Connection.State.values:
        found = found.filter(state=state)
    order = ORDERS.get(request.GET.get("sort", ""), ORDERS["-since"])
    listed = found.select_related("customer", "provider", "support_owner__user").order_by(*order)
    page = Paginator(listed, PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": rows(list(page.object_list), selling=True),
        "states": _states(customers),
        "state": state,
        "q": text,
        "noun": "Customers" if membership.organization.is_platform else "Sub-Orgs",
    }
    return render(request, "connections/sub_orgs.html", context)


def _states(customers: QuerySet[Connection]) -> list[dict[str, Any]]:
    """The filter links with their counts, states without a customer left out."""
    counts = dict(customers.values_list("state").annotate(number=Count("id")))
    every = {"value": "", "label": "All", "count": sum(counts.values())}
    known = [state for state in Connection.State if state in counts]
    return [every] + [{"value": s, "label": s.label, "count": counts[s]} for s in known]
