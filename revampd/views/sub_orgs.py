"""The customers of a Partner (its Sub-Orgs) or of Revampd (its Partners)."""

from collections.abc import Iterator
from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.views.decorators.http import require_GET

from billing.census import Census
from billing.filters import CustomerFilter
from billing.portfolio import Customer, called, customer_of, customers, read
from connections.access import organization_view
from connections.models import Membership, Organization
from revampd.kit import clock
from revampd.kit.export import csv_response
from revampd.kit.htmx import page

PAGE_LENGTH = 25
CHUNK = 500
SELLERS = (Organization.Kind.PARTNER, Organization.Kind.PLATFORM)
NARROWING = ("state", "plan", "owner", "waiting", "overdue")
KEPT = ("state", "waiting", "overdue", "sort")  # what the form does not ask for itself
COLUMNS = (
    *("Name", "Status", "Plan", "Next plan", "Next plan from", "Waiting requests"),
    *("Currency", "Overdue", "A month", "Since"),
)


@organization_view(kinds=SELLERS)
@require_GET
def sub_orgs(request: HttpRequest, membership: Membership) -> HttpResponse:
    """All customers with plan, monthly amount, what waits and is overdue; filtered, sorted."""
    seller = membership.organization
    everybody = _customers(seller)
    shown = CustomerFilter(request.GET, queryset=_read(everybody))
    found, text = shown.qs, shown.form.cleaned_data.get("q") or ""
    chosen = {name: str(shown.form.cleaned_data.get(name) or "") for name in NARROWING}
    census = Census.of(called(everybody, text) if text else everybody, chosen)
    pages = Paginator(found, PAGE_LENGTH)
    pages.count = census.number()
    context = {
        "page": (rows := pages.get_page(request.GET.get("page"))),
        "rows": [(customer_of(row), _url(row)) for row in rows],
        "census": census,
        "owners": census.owners(seller),
        "chosen": chosen | {"q": text},
        "kept": [(name, request.GET.get(name)) for name in KEPT],
        "noun": _noun(membership),
    }
    return page(request, "connections/sub_orgs.html", context)


def _customers(seller: Organization) -> QuerySet[Any]:
    # Each connection adds how far it is ahead to real time, and the page is ahead already.
    return customers(seller, clock.now() - clock.ahead())


def _read(rows: QuerySet[Any]) -> QuerySet[Any]:
    return read(rows).order_by("-created_at", "pk")


def _url(row: Any) -> str:
    return reverse("overview", args=[row["pk"]])


def _noun(membership: Membership) -> str:
    return "Customers" if membership.organization.is_platform else "Sub-Orgs"


@organization_view(kinds=SELLERS)
@require_GET
def export_sub_orgs(request: HttpRequest, membership: Membership) -> StreamingHttpResponse:
    """The same list as CSV, whole."""
    seller = membership.organization
    found = CustomerFilter(request.GET, queryset=_read(_customers(seller))).qs
    rows: Iterator[Any] = found.iterator(chunk_size=CHUNK)
    return csv_response(f"{_noun(membership)} {seller}", COLUMNS, map(_exported, rows))


def _exported(row: Any) -> tuple[Any, ...]:
    one: Customer = customer_of(row)
    return (
        *(one.name, one.state.label, one.plan, one.next_plan, one.next_from, one.waiting),
        *(one.monthly.currency, one.overdue, one.monthly, one.since),
    )
