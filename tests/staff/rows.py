"""A row of every model that the admin shows, beside those that the pages of members need."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.test import Client
from django.utils import timezone

from billing.models import (
    Adjustment,
    BillingRequest,
    BillingRun,
    BooksCheck,
    Credit,
    Discrepancy,
    Document,
    GatewayEvent,
    Plan,
    SandboxLostRequest,
    TierUse,
    UsageRecord,
)
from billing.models.proposals import Proposal
from billing.pricing import Measure
from connections.kinds import Category
from connections.models import Viewing
from notifications.digests import compose_digests
from notifications.draining import drain_events
from notifications.models import OrganizationDefault, Preference, Undeliverable
from payouts.affiliates.sharing import collect_shares
from payouts.models import Payout, Statement
from payouts.models import Preference as PayoutPreference
from payouts.sending import send_transfers
from revampd.models import ClockMove
from tests.billing.acts import NOW
from tests.cast import PASSWORD, Cast, plan
from tests.connections.codes import set_up
from tests.payouts.acts import charge, claim_back, link_bank, sell, take_back
from tests.payouts.affiliates.acts import bring_partner, give, pay_owed, subscribe, tier
from tests.staff.people import staff
from tests.tickets.acts import submit

MAIL = (Category.BILLING_MANAGEMENT, "MAIL")


def add_rows(cast: Cast) -> dict[str, Any]:
    """Returns what stands in the addresses of the admin's own pages."""
    helper, now = staff("Finance", name="Helper"), timezone.now()
    adjusted = cast.revampd_bluebird
    adjustment = Adjustment.adjust(adjusted, 900_00, reason="Sorry", by=helper, at=NOW)
    ticket = submit(cast, connection=cast.revampd_bluebird)
    _be_told(cast, now)
    _sell(cast, now)
    _pay_out(cast, now)
    _refer(cast, now)
    _sign_in(cast)
    _keep_house(cast, now)
    return {
        "connection_id": cast.revampd_northwind.pk,
        "invoice_id": cast.northwind_bluebird.invoices.first().pk,
        "plan_id": Plan.objects.filter(provider=cast.revampd).first().pk,
        "adjustment_id": adjustment.pk,
        "ticket_id": ticket.pk,
        "user_id": cast.ben.pk,
        "run_id": BillingRun.objects.create(started_at=NOW, connections=1).pk,
    }


def _be_told(cast: Cast, now: datetime) -> None:
    """Ben has his summary at seven, against what Bluebird suggests; an address does not exist."""
    OrganizationDefault.suggest(cast.bluebird, {MAIL: "OFF"}, by=cast.ben, at=now)
    Preference.choose(cast.ben, {MAIL: "DAILY"}, at=now, hour=7)
    offered = BillingRequest.propose(
        Proposal(cast.setup), connection=cast.northwind_bluebird, by=cast.noah, at=now
    )
    offered.withdraw(by=cast.noah, at=now)
    drain_events()
    compose_digests(at=now + timedelta(days=1))
    Undeliverable.mark("nobody@example.com", "No such box", at=now)


def _sell(cast: Cast, now: datetime) -> None:
    """Fabrikam pays Contoso, gets a part back and disputes another; an invoice is void."""
    own, seller = cast.contoso_fabrikam, cast.oscar
    payment = sell(cast, 50_00, at=now, connection=own)
    take_back(payment, 10_00, at=now)
    claim_back(payment, 5_00, at=now)
    Credit.adjust(own, 20_00, reason="Sorry", by=seller, at=now)
    void = charge(cast, 60_00, at=now, connection=own)
    Document.keep(b"%PDF-1.7", at=now, invoice=void)
    void.void(reason="A mistake", by=seller, at=now)
    Credit.adjust(own, -1, reason="Too much", by=seller, at=now)
    subscribe(own, plan(cast.contoso, seller, "Metered", 149_00, booking_fee=2_00), now)
    UsageRecord.enter(
        own,
        measure=Measure.BOOKING,
        used_on=own.day_of(now),
        quantity=3,
        key="B-1",
        by=seller,
        at=now,
    )


def _pay_out(cast: Cast, now: datetime) -> None:
    """Northwind's payout goes to the wallet and to the bank."""
    link_bank(cast, at=now)
    payout = Payout.objects.get(connection=cast.revampd_northwind)
    payout.settle(credit=10_00, transfer=payout.left - 10_00, by=cast.maya, at=now)
    send_transfers(at=now)
    Statement.keep(payout, b"%PDF-1.7", as_of=payout.changed_at, parts=1, at=now)
    by_hand = PayoutPreference.Kind.BY_HAND
    PayoutPreference.choose(cast.revampd_northwind, by_hand, by=cast.maya, at=now)
    TierUse.report(connection=cast.revampd_northwind, campaigns=1, workflows=1, at=now)


def _refer(cast: Cast, now: datetime) -> None:
    """Ada came by a link of Northwind's, and pays for a tier."""
    give(cast.revampd, 10_00, 6)
    ada = bring_partner(cast.northwind, at=now)
    subscribe(ada, tier(cast), at=now)
    pay_owed(ada, at=now)
    collect_shares()


def _sign_in(cast: Cast) -> None:
    """Ben does, by his password; Dora has an authenticator app."""
    set_up(cast.dora)
    Client().post("/accounts/login/", {"login": cast.ben.email, "password": PASSWORD})


def _keep_house(cast: Cast, now: datetime) -> None:
    """What staff, workers and a demo leave behind."""
    Discrepancy.open(cast.northwind_bluebird, "Growth is billed twice.", on=NOW.date(), at=NOW)
    BooksCheck.objects.create(checked_at=NOW)
    GatewayEvent.objects.create(
        gateway="sandbox", event_id="e", kind="k", body=b"{}", received_at=NOW, problem="Unknown."
    )
    SandboxLostRequest.lose(uuid4())
    looking = Viewing.begin(cast.ben, reason="One", by=staff("Support", name="Lou"), at=NOW)
    looking.end(at=NOW)
    ClockMove.begin(None, to=(now + timedelta(days=7)).date(), by=cast.maya, now=now)
