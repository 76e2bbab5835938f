"""What the tests of payouts do: a tier with its fee, Sub-Orgs that pay, weeks that pass."""

from datetime import UTC, datetime, timedelta
from typing import Any

from billing.collecting import pay
from billing.gateways.base import CustomerRef
from billing.models import (
    BillingRequest,
    CreditNote,
    Invoice,
    OneTimeCharge,
    Payment,
    Plan,
    SandboxDispute,
)
from billing.models.proposals import Proposal
from billing.pricing import Interval, Timing
from billing.refunding import settle_refunds
from connections.models import Connection, Organization, User
from payouts.closing import close_weeks
from payouts.gateways.sandbox import Sandbox
from payouts.harvest import collect_earnings
from payouts.models import BankAccount, Earning, Payout, SandboxLink
from tests.billing.payments.acts import add_card, dispute
from tests.cast import LONG_AGO, Cast

# A Tuesday; the week is that of Monday, 9 November.
NOW = datetime(2026, 11, 10, 9, 30, tzinfo=UTC)
WEEK = timedelta(days=7)
FEE = 3_50  # hundredths of a percent


def week(number: int) -> datetime:
    """The Tuesday that many weeks later."""
    return NOW + number * WEEK


def put_on_tier(cast: Cast, fee: int | None = FEE, at: datetime = LONG_AGO) -> BillingRequest:
    """Northwind chooses its first tier, with this transaction fee."""
    return _choose(cast, fee, Timing.NOW, at)


def change_tier(cast: Cast, fee: int, at: datetime = NOW) -> BillingRequest:
    """It changes to another one from the next cycle on: the 15th, if the first began LONG_AGO."""
    return _choose(cast, fee, Timing.NEXT_CYCLE, at)


def _choose(cast: Cast, fee: int | None, timing: Timing, at: datetime) -> BillingRequest:
    tier = Plan.offer(provider=cast.revampd, by=cast.rhea, name=f"Tier with {fee}")
    version = tier.publish(
        by=cast.rhea,
        at=LONG_AGO,
        interval=Interval.MONTH,
        base_price=97_00,
        transaction_fee=fee,
    )
    proposal, connection = Proposal(version, timing=timing), cast.revampd_northwind
    return BillingRequest.choose(proposal, connection=connection, by=cast.maya, at=at)


def charge(
    cast: Cast, minor: int, *, at: datetime = NOW, connection: Connection | None = None
) -> Invoice:
    """An invoice over `minor`, not paid yet."""
    connection = connection or cast.northwind_bluebird
    seller, buyer = owner(connection.provider), owner(connection.customer)
    item = OneTimeCharge.objects.filter(
        provider=connection.provider, unit_price=minor
    ).first() or OneTimeCharge.offer(
        provider=connection.provider, by=seller, name=f"Work for {minor}", unit_price=minor
    )
    request = BillingRequest.propose(Proposal(item), connection=connection, by=seller, at=at)
    request.approve(by=buyer, seal=request.seal, at=at)
    invoice: Invoice = connection.invoices.latest("number")
    return invoice


def sell(
    cast: Cast,
    minor: int,
    *,
    at: datetime = NOW,
    connection: Connection | None = None,
    card: str = "visa",
) -> Payment:
    """A charge that the Sub-Org pays at once, by card."""
    invoice = charge(cast, minor, at=at, connection=connection)
    buyer = owner(invoice.connection.customer)
    method = add_card(invoice.connection, buyer, card, at)
    payment = pay(invoice, method, cause=Payment.Cause.PERSON, by=buyer, at=at)
    assert payment is not None
    return payment


def take_back(payment: Payment, minor: int, *, at: datetime = NOW) -> CreditNote:
    """A credit note over `minor`, refunded to the card."""
    invoice = Invoice.objects.get(pk=payment.invoice_id)
    lines = {invoice.lines.get().pk: minor}
    seller = owner(payment.connection.provider)
    note = CreditNote.issue(invoice, lines, reason="A mistake", by=seller, at=at)
    settle_refunds(at=at)
    return note


def claim_back(payment: Payment, minor: int | None = None, *, at: datetime = NOW) -> SandboxDispute:
    """The bank takes the payment back, or `minor` of it."""
    return dispute(payment, at, minor)


def owner(organization: Organization) -> Any:
    return organization.memberships.owners().earliest("pk").user


def link_bank(cast: Cast, name: str = "later", at: datetime = NOW) -> BankAccount:
    """Northwind links the sandbox's account of this name."""
    return link_account(cast.revampd_northwind, name, by=cast.maya, at=at)


def link_account(connection: Connection, name: str, *, by: User, at: datetime) -> BankAccount:
    """The customer of `connection` links an account on the page of the sandbox."""
    sandbox = Sandbox(at)
    link = sandbox.begin_link(CustomerRef(connection.pk, connection.customer.name, by.email), "/")
    SandboxLink.objects.get(pk=link.reference).complete(name)
    details = sandbox.finish_link(link.reference)
    assert details is not None
    return BankAccount.link(connection, details, gateway=sandbox.name, by=by, at=at)


def close(at: datetime) -> list[Payout]:
    """Collect what was paid and close the weeks that are over."""
    collect_earnings()
    close_weeks(at=at)
    return list(Payout.objects.order_by("connection", "period_start"))


def paid_out(cast: Cast, minor: int = 100_00, at: datetime = NOW) -> Payout:
    """A week of one sale, closed and available."""
    sell(cast, minor, at=at)
    collect_earnings()
    close_weeks(at=at + WEEK)
    payout: Payout = cast.revampd_northwind.payouts.latest("period_start")
    return payout


def parts(earning: Earning) -> tuple[int, int, int, int]:
    return earning.gross, earning.fee, earning.affiliate, earning.net
