"""The home of an organization: what it sells, what it buys, and what waits."""

from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from billing.decisions import waiting_for
from billing.obstacles import Obstacles
from billing.revenue import Revenue
from billing.spending import Spending, paid_by_month
from connections.access import organization_view
from connections.models import Membership, Organization
from notifications.undelivered import number_undelivered
from payouts.summary import AVAILABLE, EARNED
from revampd.kit import clock
from revampd.kit.htmx import page


@organization_view
@require_GET
def organization_home(request: HttpRequest, membership: Membership) -> HttpResponse:
    """A seller sees what it earns and what stands in its way, a buyer what it pays for what."""
    organization = membership.organization
    context = _sold(organization) if organization.is_seller else _bought(membership)
    if not organization.is_platform:
        context["spending"] = _spending(organization)
    return page(request, "connections/home.html", context)


def _sold(seller: Organization) -> dict[str, Any]:
    today = _today(seller)
    obstacles = Obstacles.of(seller, today)
    return {
        "revenues": Revenue.of_each_currency(seller, today),
        "obstacles": obstacles,
        "undelivered": obstacles.undelivered,
    }


def _bought(membership: Membership) -> dict[str, Any]:
    buyer = membership.organization
    return {
        "decisions": waiting_for([membership]),
        "paid": paid_by_month(buyer, _today(buyer)),
        "undelivered": number_undelivered(buyer.pk),
    }


def _spending(buyer: Organization) -> Spending:
    """A Partner's comes with what it will be paid."""
    paid_out = {"available": AVAILABLE, "coming": EARNED} if buyer.is_partner else {}
    return Spending.of(buyer, _today(buyer), **paid_out)


def _today(organization: Organization) -> date:
    return clock.now().astimezone(organization.zone).date()
