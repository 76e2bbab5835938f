"""What Northwind buys of Revampd, and what it sells Bluebird for half a year."""

from datetime import datetime, timedelta
from typing import Any

from billing.cycle import bill_due
from billing.models import BillingRequest, TierUse
from billing.models.proposals import CatalogEntry, Proposal
from billing.pricing import Timing
from connections.models import Connection, User
from tests.billing.tiering import add, choose, own, put_on_sale, serve, sub_orgs
from tests.billing.usage.counting import TRANSFER, enter, metered

from .furnished import LONG_NOTE, Furnished


def choose_tier(house: Furnished, now: datetime) -> None:
    """Northwind with Revampd: a tier with one to come, add-ons that stay, end and shrink."""
    cast, begun = house.cast, now - timedelta(days=75)
    on_sale = put_on_sale(cast)
    choose(cast, on_sale.pro, at=begun)
    kept, ended, less = (add(cast, on_sale.numbers, n, at=begun) for n in (2, 1, 40))
    serve(cast, on_sale.training)
    bill_due(at=now)
    own(cast).remove(ended, by=cast.maya, at=now)
    own(cast).remove(less, quantity=15, by=cast.maya, at=now)
    sub_orgs(cast, 12)
    choose(cast, on_sale.scale, at=now)
    TierUse.report(connection=cast.revampd_northwind, campaigns=131, workflows=9, at=now)
    house.values |= {
        "tier connection_id": cast.revampd_northwind.pk,
        "tier version_id": on_sale.scale.pk,
        "tier add_on_id": on_sale.numbers.pk,
        "tier request_id": kept.pk,
        "tier own": on_sale.pro.pk,
        "too small": on_sale.starter.pk,
        "tier new": Connection.objects.get(provider=cast.revampd, customer=cast.contoso).pk,
    }


def sell_and_approve(house: Furnished, now: datetime) -> None:
    """Half a year between Northwind and Bluebird."""
    cast = house.cast

    def ask(item: CatalogEntry, days: int, **details: Any) -> BillingRequest:
        return BillingRequest.propose(
            Proposal(item, **details),
            connection=cast.northwind_bluebird,
            by=cast.noah,
            at=now - timedelta(days=days),
        )

    def approve(request: BillingRequest, days: int, by: User, note: str = "") -> None:
        at = now - timedelta(days=days)
        request.approve(by=by, seal=request.seal, at=at, note=note)

    house.requests = made = {
        "approved": ask(metered(cast), 190, note="As agreed in our call."),
    }
    approve(made["approved"], 185, cast.ben, "Glad to start.")
    bill_due(at=now - timedelta(days=60))
    _count(house, now - timedelta(days=55))
    made["add-on"] = ask(cast.phone_numbers, 50, quantity=12, note=LONG_NOTE)
    approve(made["add-on"], 49, cast.bella)
    made["charge"] = ask(cast.setup, 45)
    approve(made["charge"], 44, cast.ben, LONG_NOTE)
    bill_due(at=now)
    _count(house, now)
    made["rejected"] = ask(cast.growth_yearly, 40)
    made["rejected"].reject(by=cast.bella, at=now - timedelta(days=39), note="Not before spring.")
    made["withdrawn"] = ask(cast.setup, 35)
    made["withdrawn"].withdraw(by=cast.noah, at=now - timedelta(days=34))
    made["expired"] = ask(cast.phone_numbers, 33, quantity=2)
    made["expired"].expire(at=now)
    made["scheduled"] = ask(cast.phone_numbers, 20, quantity=3, timing=Timing.NEXT_CYCLE)
    approve(made["scheduled"], 19, cast.ben)
    made["revised"] = ask(cast.scale, 10)
    made["pending"] = made["revised"].revise(
        Proposal(cast.scale, timing=Timing.NEXT_CYCLE, note=LONG_NOTE),
        by=cast.maya,
        at=now - timedelta(days=2),
    )
    made["pending charge"] = ask(cast.setup, 1)
    house.values["request_id"] = made["pending"].pk


def _count(house: Furnished, at: datetime) -> None:
    """More bookings than one page holds, and a transfer with a key that is hard to set."""
    cast, on = house.cast, house.cast.northwind_bluebird.day_of(at)
    for number in range(18):
        enter(cast, 1 + number * 7, on=on, at=at, key=f"B-{on}-{number}")
    enter(cast, 4, on=on, at=at, key=f"{on}-" + "A-very-long-key" * 5, measure=TRANSFER)
