"""No page of a connection with Revampd, and no home, asks more queries as its data grows."""

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from billing.cycle import bill_due
from billing.models import AddOn, BillingRequest, Credit, SelfService
from connections.models import Connection, User
from tests.billing.cards import add_card
from tests.billing.deals import many_requests, propose, queries, run
from tests.billing.tiering import OnSale, choose, put_on_sale, sub_orgs
from tests.cast import Cast

MOST = 10
BEFORE = timedelta(days=100)
OF_ALL = ("overview", "plan", "add-ons", "requests", "invoices", "wallet", "payment-methods")


@pytest.fixture
def sale(cast: Cast) -> OnSale:
    """Of everything there is one: a tier, Northwind's plan, add-ons, cards and credits."""
    sale, then = put_on_sale(cast), timezone.now() - BEFORE
    choose(cast, sale.pro, at=then)
    run(cast)
    for own, by in owns(cast):
        SelfService(own).add(sale.numbers, 1, by=by, at=then)
        add_card(own, by=by, at=then)
        Credit.adjust(own, 1_00, reason="Sorry", by=cast.rhea, at=then)
    return sale


def owns(cast: Cast) -> list[tuple[Connection, User]]:
    """What customers have with Revampd, and who decides there."""
    return [(cast.revampd_northwind, cast.maya), (cast.revampd_bluebird, cast.ben)]


def pages(cast: Cast, sale: OnSale) -> list[tuple[User, str]]:
    """Who looks, and where."""
    found: list[tuple[User, str]] = []
    for own, by in owns(cast):
        added = BillingRequest.objects.filter(connection=own, add_on=sale.numbers).earliest("id")
        named: list[tuple[str, list[Any]]] = [
            *((name, []) for name in OF_ALL),
            ("choose-add-on", [sale.numbers.pk]),
            ("remove-add-on", [added.pk]),
        ]
        if own.customer == cast.northwind:
            named += [("choose-tier", [sale.scale.pk]), ("cancel-plan", [])]
        found += [(by, _address(own, name, rest)) for name, rest in named]
        found += [(by, f"/organizations/{own.customer.slug}/"), (by, "/connections/")]
        found += [(by, f"/search/?q={word}") for word in ("customer", "phone", "2")]
    sub_orgs_of = f"/organizations/{cast.northwind.slug}/sub-orgs/"
    return [*found, (cast.maya, sub_orgs_of), (cast.maya, f"{sub_orgs_of}import/")]


def _address(own: Connection, name: str, rest: list[Any]) -> str:
    named = name if name == "overview" else f"billing:{name}"
    return reverse(named, args=[own.pk, *rest])


def grow(cast: Cast, sale: OnSale) -> None:
    """Months of invoices, credits, add-ons and requests, and many Sub-Orgs."""
    now = timezone.now()
    seller = {"provider": cast.revampd, "by": cast.rhea}
    offered = [AddOn.offer(name=f"More {number}", unit_price=1_00, **seller) for number in range(6)]
    for own, by in owns(cast):
        for add_on in offered:
            SelfService(own).add(add_on, 2, by=by, at=now - BEFORE)
        for _ in range(8):
            Credit.adjust(own, 1_00, reason="Sorry", by=cast.rhea, at=now)
    for days in range(95, 0, -5):
        bill_due(now.date() - timedelta(days=days), at=now - timedelta(days=days))
    sub_orgs(cast, 12)
    many_requests(propose(cast, cast.setup), 40)


def test_no_page_asks_more_as_there_is_more(cast: Cast, sale: OnSale, as_: Any) -> None:
    looks = pages(cast, sale)
    few = {path: queries(as_(by), path) for by, path in looks}
    grow(cast, sale)
    many = {path: queries(as_(by), path) for by, path in looks}

    assert {path: number for path, number in many.items() if number > MOST} == {}
    assert {path: (few[path], number) for path, number in many.items() if number > few[path]} == {}
