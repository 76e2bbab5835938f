"""Northwind with Revampd: three tiers, an add-on and a service on sale, and what Maya chooses."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from billing.models import AddOn, BillingRequest, OneTimeCharge, Plan, PlanVersion, SelfService
from billing.models.proposals import Proposal
from connections.models import Connection, Organization
from tests.cast import LONG_AGO, Cast


@dataclass
class OnSale:
    """What Revampd sells."""

    starter: PlanVersion  # $97 a month, 5%, 10 Sub-Orgs
    pro: PlanVersion  # $297 a month, 3.5%, 50 Sub-Orgs
    scale: PlanVersion  # $497 a month, 2%, without limits
    numbers: AddOn  # $4 a month each
    training: OneTimeCharge  # $250


def put_on_sale(cast: Cast) -> OnSale:
    seller = {"provider": cast.revampd, "by": cast.rhea}
    return OnSale(
        tier(cast, "Starter", 97_00, 5_00, (10, 25, 50)),
        tier(cast, "Pro", 297_00, 3_50, (50, 150, 400)),
        tier(cast, "Scale", 497_00, 2_00, (None, None, None)),
        AddOn.offer(name="Phone number", unit_price=4_00, description="A local one.", **seller),
        OneTimeCharge.offer(name="Training", unit_price=250_00, **seller),
    )


def tier(
    cast: Cast, name: str, price: int, fee: int, limits: tuple[int | None, ...]
) -> PlanVersion:
    plan = Plan.offer(provider=cast.revampd, by=cast.rhea, name=name)
    names = ("max_sub_orgs", "max_campaigns", "max_workflows")
    terms: dict[str, Any] = {"base_price": price, "transaction_fee": fee, "interval": "MONTH"}
    return plan.publish(by=cast.rhea, at=LONG_AGO, **terms, **dict(zip(names, limits, strict=True)))


def own(cast: Cast) -> SelfService:
    """What Northwind can do by itself."""
    return SelfService(cast.revampd_northwind)


def choose(cast: Cast, version: PlanVersion, at: datetime | None = None) -> BillingRequest:
    return own(cast).choose_tier(version, by=cast.maya, at=at or timezone.now())


def add(cast: Cast, add_on: AddOn, quantity: int = 1, at: datetime | None = None) -> BillingRequest:
    return own(cast).add(add_on, quantity, by=cast.maya, at=at or timezone.now())


def serve(cast: Cast, charge: OneTimeCharge) -> BillingRequest:
    """Staff charges a service once; Maya has approved it."""
    at = timezone.now()
    request = BillingRequest.propose(
        Proposal(charge), connection=cast.revampd_northwind, by=cast.rhea, at=at
    )
    request.approve(by=cast.maya, seal=request.seal, at=at)
    return request


def sub_orgs(cast: Cast, number: int) -> None:
    """More Sub-Orgs, so that Northwind has `number` of them."""
    for index in range(Connection.objects.filter(provider=cast.northwind).count(), number):
        name = f"Branch {index}"
        customer = Organization.found(kind="SUB_ORG", name=name, by=cast.maya, at=LONG_AGO)
        opened = Connection.open(
            provider=cast.northwind, customer=customer, by=cast.maya, at=LONG_AGO
        )
        opened.activate(by=cast.maya, at=LONG_AGO)
