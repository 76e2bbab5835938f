"""Cards, invoices and days: what the tests of payments do with Bluebird and the sandbox."""

from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import F, Sum

from billing.collecting import collect_due, reconcile
from billing.gateways.base import ClaimState, State
from billing.models import (
    Credit,
    Dispute,
    Invoice,
    Payment,
    PaymentMethod,
    Refund,
    SandboxCharge,
    SandboxDispute,
    SandboxRefund,
    Transfer,
)
from billing.models.ledger import Account
from billing.postman import deliver
from billing.refunding import settle_refunds
from billing.webhooks import work_off
from connections.models import Connection, Event, User
from tests import books
from tests.billing import cards
from tests.billing.acts import NOW, agree, issued
from tests.cast import Cast

PRICE = 149_00


def add_card(
    connection: Connection, by: User, name: str = "visa", at: datetime = NOW, year: int = 2029
) -> PaymentMethod:
    """A test card by its name, good until the end of `year`, as the one that is charged now."""
    return cards.add_card(connection, name, by=by, at=at, expires=date(year, 12, 31))


def grant(cast: Cast, minor: int, at: datetime = NOW) -> None:
    """A gift of Northwind in the wallet that Bluebird has there."""
    Credit.adjust(cast.northwind_bluebird, minor, reason="A goodwill gift", by=cast.maya, at=at)


def another(cast: Cast, at: datetime = NOW) -> Invoice:
    """A second invoice, of $400.00."""
    agree(cast, cast.setup, at=at)
    return issued(cast)[-1]


def fresh(row: Any) -> Any:
    return type(row).objects.get(pk=row.pk)


def day(number: int) -> datetime:
    """`number` days after the invoice was issued."""
    return NOW + timedelta(days=number)


def live(until: int, since: int = 0) -> None:
    """Let the workers do what is due, once a day."""
    for number in range(since, until + 1):
        collect_due(at=day(number))
        settle(day(number))


def settle(at: datetime) -> None:
    """Let everything that is under way come to its end, by webhooks and by asking."""
    for later in (timedelta(minutes=2), timedelta(hours=2)):
        deliver(at=at + later)
        work_off(at=at + later)
        settle_refunds(at=at + later)
        reconcile(at=at + later)


def causes(invoice: Invoice) -> list[tuple[str, str, int]]:
    """What was tried, what came of it, and how many days after the issue."""
    rows = invoice.payments.order_by("begun_at")
    return [(row.cause, row.state, (row.begun_at - NOW).days) for row in rows]


def dispute(payment: Payment, at: datetime, minor: int | None = None) -> SandboxDispute:
    """The customer's bank takes the payment back, or `minor` of it, and we hear of it."""
    charge = SandboxCharge.objects.get(key=payment.pk)
    begun = SandboxDispute.begin(charge, at=at, minor=minor)
    hear(at)
    return begun


def decide(begun: SandboxDispute, state: ClaimState, at: datetime) -> Dispute:
    """The bank decides, and we hear of it."""
    fresh(begun).decide(state, at=at)
    hear(at)
    return Dispute.objects.get(reference=begun.reference)


def hear(at: datetime) -> None:
    deliver(at=at)
    work_off(at=at)


def events_of(code: str) -> list[Event]:
    return list(Event.objects.filter(code=code).order_by("pk"))


def assert_books_agree() -> None:
    """What the gateway took and gave back is what we booked, payment by payment, and no more."""
    assert not Payment.objects.unsettled().exists()
    assert not Refund.objects.unsettled().exists()
    taken = SandboxCharge.objects.filter(state=State.SUCCEEDED).values_list("key", "amount")
    assert dict(taken) == dict(Payment.objects.succeeded().values_list("pk", "amount"))
    returned = SandboxRefund.objects.filter(state=State.SUCCEEDED).values_list("key", "amount")
    claimed = dict(SandboxDispute.objects.exclude(state="WON").values_list("reference", "amount"))
    refunds = Refund.objects.filter(state=Refund.State.SUCCEEDED)
    # What a bank took along with a dispute, the sandbox has not refunded.
    refunded = refunds.exclude(reference__in=claimed).values_list("pk", "amount")
    assert dict(returned) == dict(refunded)
    assert claimed == dict(Dispute.objects.exclude(state="WON").values_list("reference", "claimed"))
    cash = Transfer.objects.balance(Account.CASH, "USD").minor
    gone = sum(dict(returned).values()) + sum(claimed.values())
    assert cash == sum(dict(taken).values()) - gone
    owed = Invoice.objects.owed().aggregate(sum=Sum("outstanding", default=0))["sum"]
    assert Transfer.objects.balance(Account.RECEIVABLE, "USD").minor == owed
    assert not Invoice.objects.filter(held__gt=0).exists()
    for invoice in Invoice.objects.all():
        kept = F("amount") - F("disputed")
        once = invoice.payments.succeeded().aggregate(sum=Sum(kept, default=0))["sum"]
        assert once <= invoice.total
    books.assert_books_agree()
