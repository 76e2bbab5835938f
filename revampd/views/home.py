"""Where a person lands: their only connection, or the list of what they buy and sell."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Func, OuterRef, QuerySet, UUIDField
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from billing.decisions import waiting_for, waiting_on_each
from billing.models import Subscription
from billing.pricing import Running
from connections.access import MemberRequest, personal_view
from connections.models import Connection, Membership, Organization
from revampd.kit.keys import among, array_of
from revampd.kit.money import Money
from revampd.kit.prepared import prepared

SHOWN = 25


@dataclass(frozen=True)
class Row:
    """One connection in a list: whom with, what runs, what waits."""

    connection: Connection
    own: Organization
    counterparty: Organization
    url: str
    plan: str
    interval: str
    recurring: Money | None
    waiting: int


def rows(bought: list[Connection], sold: list[Connection]) -> tuple[list[Row], list[Row]]:
    """Rows of both in two queries, whatever their number, and in none without any."""
    connections = [*bought, *sold]
    if not connections:
        return [], []
    running = Subscription.running_on_each(connections)
    waiting = waiting_on_each(connections)
    made = [
        _row(one, running.get(one.pk, Running()), waiting, selling=place >= len(bought))
        for place, one in enumerate(connections)
    ]
    return made[: len(bought)], made[len(bought) :]


def _row(
    connection: Connection, running: Running, waiting: dict[UUID, int], *, selling: bool
) -> Row:
    today = connection.today
    plan = running.plan_on(today) or running.plan
    return Row(
        connection=connection,
        own=connection.provider if selling else connection.customer,
        counterparty=connection.customer if selling else connection.provider,
        url=reverse("overview", args=[connection.pk]),
        plan=plan.name if plan else "",
        interval=plan.interval.label if plan else "",
        recurring=running.recurring(max(today, plan.start), connection.currency) if plan else None,
        waiting=waiting.get(connection.pk, 0),
    )


@personal_view
def home(request: MemberRequest) -> HttpResponse:
    """Straight to the only connection, else the list."""
    connections = Connection.objects.of(request.user)[:2]
    if len(connections) == 1:
        return redirect("overview", connections[0].pk)
    return redirect("connection-list")


@personal_view
def connection_list(request: MemberRequest) -> HttpResponse:
    """What waits for the person, whom they buy from and whom they sell to."""
    memberships = _chosen(request)
    mine = [membership.organization_id for membership in memberships]
    own = array_of(mine)
    buying, selling = rows(_buying(own), _selling(own))
    context = {
        "decisions": waiting_for(memberships),
        "buying": buying,
        "selling": selling,
        "sellers": [m.organization for m in memberships if m.organization.is_seller],
        "memberships": memberships,
        "shown": SHOWN,
    }
    return render(request, "connections/list.html", context)


@prepared
def _buying(organizations: Any) -> QuerySet[Connection]:
    own = Connection.objects.filter(among("customer", organizations))
    with_parties: QuerySet[Connection] = own.select_related("provider", "customer")
    return with_parties.order_by("provider__name", "id")[:SHOWN]


@prepared
def _selling(organizations: Any) -> QuerySet[Connection]:
    """The first of each seller are found in an index, however many customers it has."""
    order = ("customer_kind", "-created_at", "id")
    own = Connection.objects.filter(provider=OuterRef("pk")).order_by(*order).values("pk")
    sellers = Organization.objects.filter(among("pk", organizations))
    first = Func(ArraySubquery(own[:SHOWN]), function="unnest", output_field=UUIDField())
    rows = Connection.objects.filter(pk__in=sellers.order_by().values(first=first))
    with_parties: QuerySet[Connection] = rows.select_related("provider", "customer")
    return with_parties.order_by(*order)[:SHOWN]


def _chosen(request: MemberRequest) -> list[Membership]:
    """All memberships of the person, or the one that the address names (?as=slug)."""
    slug = request.GET.get("as")
    chosen = [m for m in request.user.belongs_to if m.organization.slug == slug]
    if chosen:
        request.membership = chosen[0]  # type: ignore[attr-defined]
    return chosen or request.user.belongs_to
