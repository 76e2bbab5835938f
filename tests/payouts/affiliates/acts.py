"""What the tests of referrals do: people come by links, choose plans and pay, periods pass."""

from datetime import UTC, datetime
from typing import Any

from django.db import transaction

from billing.collecting import pay
from billing.cycle import bill_due
from billing.gateways.base import in_one_transaction
from billing.models import AddOn, BillingRequest, Payment, Plan, PlanVersion
from billing.models.proposals import Proposal
from billing.pricing import Interval
from connections.models import Connection, Organization, User
from payouts.affiliates.closing import pay_affiliates
from payouts.harvest import collect_earnings
from payouts.models import AffiliatePayout, Inquiry, Referral, ReferralLink, ReferralTerms
from payouts.referring import sign_up
from tests.billing.payments.acts import add_card
from tests.cast import LONG_AGO, Cast, person
from tests.payouts.acts import NOW, owner

TIER = 97_00
BASIC = 149_00


def month(number: int, day: int = 10) -> datetime:
    """A day of the month that many after NOW's, which is November 2026."""
    year, index = divmod(2026 * 12 + 10 + number, 12)
    return datetime(year, index + 1, day, 9, 30, tzinfo=UTC)


def give(
    provider: Organization, rate: int, months: int | None, *, at: datetime = LONG_AGO
) -> ReferralTerms:
    """From `at` on, so much for referrals to `provider`."""
    return ReferralTerms.offer(provider, rate=rate, months=months, by=owner(provider), at=at)


def link_of(referrer: Organization, provider: Organization, at: datetime = NOW) -> ReferralLink:
    return ReferralLink.make(referrer, provider, by=owner(referrer), at=at)


def bring_partner(
    referrer: Organization, name: str = "Ada", *, at: datetime = NOW, by: User | None = None
) -> Connection:
    """Somebody new signs up through a link of `referrer`; returns their connection with Revampd."""
    revampd = Organization.objects.platform()
    link = ReferralLink.objects.between(referrer, revampd) or link_of(referrer, revampd, at)
    return sign_up(link, name=f"{name} & Co", by=by or person(name), at=at)


def bring_sub_org(
    referrer: Organization, partner: Organization, name: str = "Ada", *, at: datetime = NOW
) -> Connection:
    """Somebody new asks through a link of `referrer`, is taken on, and accepts."""
    link = ReferralLink.objects.between(referrer, partner) or link_of(referrer, partner, at)
    inquiry = Inquiry.send(link, name=f"{name} & Co", by=person(name), at=at)
    invitation = inquiry.accept(by=owner(partner), at=at)
    invitation.accept(by=inquiry.asked_by, at=at)
    connection: Connection = invitation.connection  # type: ignore[assignment]
    return Connection.objects.select_related("provider", "customer").get(pk=connection.pk)


def tier(cast: Cast, price: int = TIER, **terms: Any) -> PlanVersion:
    """A tier of Revampd."""
    plan = Plan.offer(provider=cast.revampd, by=cast.rhea, name=f"Tier for {price}")
    terms = {"interval": Interval.MONTH, "base_price": price, "transaction_fee": 0} | terms
    return plan.publish(by=cast.rhea, at=LONG_AGO, **terms)


def subscribe(connection: Connection, item: PlanVersion | AddOn, at: datetime = NOW) -> None:
    """The customer of `connection` gets `item`, billed at once."""
    seller, buyer = owner(connection.provider), owner(connection.customer)
    if connection.is_self_service:
        BillingRequest.choose(Proposal(item), connection=connection, by=buyer, at=at)
    else:
        request = BillingRequest.propose(Proposal(item), connection=connection, by=seller, at=at)
        request.approve(by=buyer, seal=request.seal, at=at)


@in_one_transaction()
@transaction.atomic
def pay_owed(connection: Connection, at: datetime = NOW, card: str = "visa") -> list[Payment]:
    """Everything that is owed on a connection is paid by card; the newest payment last.

    Nobody hears of the card before that is done, so a worker never collects in between, at its own
    time.
    """
    buyer = owner(connection.customer)
    method = add_card(connection, buyer, card, at)
    owed = list(connection.invoices.owed().filter(held=0).order_by("number"))
    paid = [pay(one, method, cause=Payment.Cause.PERSON, by=buyer, at=at) for one in owed]
    return [payment for payment in paid if payment]


@in_one_transaction()
@transaction.atomic
def bill(connection: Connection, at: datetime) -> list[Payment]:
    """The next invoices are issued, and paid before anybody else knows of them."""
    bill_due(at=at)
    return pay_owed(connection, at)


def brought(connection: Connection) -> Referral:
    return Referral.objects.get(connection=connection)


def close(at: datetime) -> list[AffiliatePayout]:
    """Collect what was paid, close the periods that are over, credit what has waited."""
    collect_earnings()
    pay_affiliates(at=at)
    return list(AffiliatePayout.objects.order_by("connection", "period_start"))
