"""The customers of a Partner (its Sub-Orgs) or of Revampd (its Partners)."""

from collections.abc import Iterator
from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.views.decorators.http import require_GET

from billing.census import Census
from billing.filters import NO_PLAN, CustomerFilter
from billing.models import Plan
from billing.portfolio import Customer, counted, customer_of, customers, read
from connections.access import organization_view
from connections.models import Connection, Membership, Organization
from connections.models.memberships import members_by_name
from revampd.kit import clock
from revampd.kit.export import csv_response
from revampd.kit.htmx import page
from revampd.kit.narrowing import Chosen
from revampd.kit.prepared import prepared

PAGE_LENGTH = 25
CHUNK = 500
SELLERS = (Organization.Kind.PARTNER, Organization.Kind.PLATFORM)
STANDING = ("state", "waiting", "overdue")  # what the census counts
NARROWING = (*STANDING, "plan", "owner", "q")
KEPT = (*STANDING, "sort")  # what the form does not ask for itself
COLUMNS = (
    *("Name", "Status", "Plan", "Next plan", "Next plan from", "Waiting requests"),
    *("Currency", "Overdue", "A month", "Since"),
)


@organization_view(kinds=SELLERS)
@require_GET
def sub_orgs(request: HttpRequest, membership: Membership) -> HttpResponse:
    """All customers with plan, monthly amount, what waits and is overdue; filtered, sorted."""
    seller, shape = membership.organization, CustomerFilter.chosen(request.GET, Connection)
    chosen = dict.fromkeys(NARROWING, "") | dict(shape)
    everybody = (seller.pk, seller.time_zone, _at())
    others = tuple(pair for pair in shape if pair[0] not in KEPT)
    standing = {name: chosen[name] for name in STANDING}
    there = _states(seller.pk) if others else ()
    census = Census.of(_counted(*everybody, chosen=others), standing, there)
    pages: Paginator[Any] = Paginator(_rows.part_of(*everybody, chosen=shape), PAGE_LENGTH)
    pages.count = census.number()
    rows = pages.get_page(request.GET.get("page"))
    context = {
        "page": rows,
        "rows": [customer_of(row) for row in rows],
        "census": census,
        "plans": [*((name, name) for name in _plans(seller.pk)), (NO_PLAN, "No plan")],
        "owners": [(str(one.pk), one.user.name) for one in members_by_name(seller.pk)],
        "chosen": chosen,
        "is_narrowed": any(chosen[name] for name in NARROWING),
        "kept": [(name, request.GET.get(name)) for name in KEPT],
        "noun": _noun(membership),
    }
    return page(request, "connections/sub_orgs.html", context)


@prepared
def _counted(provider: Any, zone: Any, at: Any, *, chosen: Chosen) -> QuerySet[Any]:
    return counted(CustomerFilter.narrow(customers(provider, zone, at), chosen))


@prepared
def _states(provider: Any) -> "QuerySet[Connection, str]":
    everybody: QuerySet[Connection, str] = Connection.objects.filter(provider=provider).values_list(
        "state", flat=True
    )
    return everybody.order_by().distinct()


@prepared
def _rows(
    provider: Any, zone: Any, at: Any, *, chosen: Chosen, part: tuple[int, int]
) -> QuerySet[Any]:
    return _found(customers(provider, zone, at), chosen)[slice(*part)]


def _found(everybody: QuerySet[Any], chosen: Chosen) -> QuerySet[Any]:
    """Partners come before Sub-Orgs, and within a kind those that came last."""
    in_order = read(everybody).order_by("customer_kind", "-created_at", "pk")
    return CustomerFilter.narrow(in_order, chosen)


@prepared
def _plans(provider: Any) -> "QuerySet[Plan, str]":
    names: QuerySet[Plan, str] = Plan.objects.filter(provider=provider).values_list(
        "name", flat=True
    )
    return names.order_by("name")


def _at() -> Any:
    # Each connection adds how far it is ahead to real time, and the page is ahead already.
    return clock.now() - clock.ahead()


def _noun(membership: Membership) -> str:
    return "Customers" if membership.organization.is_platform else "Sub-Orgs"


@organization_view(kinds=SELLERS)
@require_GET
def export_sub_orgs(request: HttpRequest, membership: Membership) -> StreamingHttpResponse:
    """The same list as CSV, whole."""
    seller, chosen = membership.organization, CustomerFilter.chosen(request.GET, Connection)
    found = _found(customers(seller.pk, seller.time_zone, _at()), chosen)
    rows: Iterator[Any] = found.iterator(chunk_size=CHUNK)
    return csv_response(f"{_noun(membership)} {seller}", COLUMNS, map(_exported, rows))


def _exported(row: Any) -> tuple[Any, ...]:
    one: Customer = customer_of(row)
    return (
        *(one.name, one.state.label, one.plan, one.next_plan, one.next_from, one.waiting),
        *(one.monthly.currency, one.overdue, one.monthly, one.since),
    )
