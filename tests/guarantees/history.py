"""What the guarantees are tried on: something agreed, billed and told, and rows made of it."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from billing.gateways.base import Outcome, State
from billing.models import (
    BillingRequest,
    Credit,
    CreditApplication,
    CreditNote,
    CreditReturn,
    Deduction,
    Document,
    Invoice,
    InvoiceLine,
    Payment,
    PaymentMethod,
    Refund,
    SubscriptionItem,
    Transfer,
    UsageRecord,
)
from billing.models.proposals import Proposal
from billing.pricing import Timing
from connections.models import Connection, Event, User
from notifications.models import Notification
from tests.billing.payments.acts import add_card, fresh
from tests.cast import Cast
from tests.guarantees.statements import copy

NOW = datetime(2026, 11, 10, 9, 30, tzinfo=UTC)
LATER = date(2026, 11, 25)


@dataclass
class Books:
    """Bluebird runs Growth and five numbers, and paid for the setup; more waits or was refused."""

    connection: Connection
    invoice: Invoice  # of Growth
    line: InvoiceLine  # Growth, a month
    item: SubscriptionItem  # Growth
    growth: BillingRequest
    numbers: BillingRequest
    setup: BillingRequest  # billed
    later_charge: BillingRequest  # approved for LATER, not billed yet
    pending: BillingRequest
    rejected: BillingRequest
    foreign: BillingRequest  # approved, of Contoso and Fabrikam


def propose(cast: Cast, item, by: User, connection: Connection, **details) -> BillingRequest:
    proposal = Proposal(item, **details)
    return BillingRequest.propose(proposal, connection=connection, by=by, at=NOW)


def keep(cast: Cast) -> Books:
    connection = cast.northwind_bluebird

    def offered(item, **details) -> BillingRequest:
        return propose(cast, item, cast.noah, connection, **details)

    def approved(item, **details) -> BillingRequest:
        request = offered(item, **details)
        request.approve(by=cast.ben, seal=request.seal, at=NOW)
        return request

    growth = approved(cast.growth)
    invoice = connection.invoices.get()
    rejected = offered(cast.setup)
    rejected.reject(by=cast.ben, at=NOW)
    foreign = propose(cast, cast.contoso_basic, cast.oscar, cast.contoso_fabrikam)
    foreign.approve(by=cast.fay, seal=foreign.seal, at=NOW)
    line = invoice.lines.get()
    return Books(
        connection=connection,
        invoice=invoice,
        line=line,
        item=line.item,
        growth=growth,
        numbers=approved(cast.phone_numbers, quantity=5),
        setup=approved(cast.setup),
        later_charge=approved(cast.setup, timing=Timing.DATE, effective_date=LATER),
        pending=offered(cast.setup),
        rejected=rejected,
        foreign=foreign,
    )


def draft(books: Books, total: int = 400_00, number: int = 90_000) -> dict:
    """Another invoice of the same connection, and what a line of it for the later charge holds."""
    return draft_details(
        books,
        copy(books.invoice, number=number, total=total, state="OPEN" if total else "PAID"),
        total,
    )


def draft_details(books: Books, invoice: UUID, total: int = 0) -> dict:
    return {
        "invoice_id": invoice,
        "request_id": books.later_charge.pk,
        "item_id": None,
        "kind": "ONE_TIME",
        "amount": total,
        "period_start": None,
        "period_end": None,
    }


def next_month(line: InvoiceLine) -> dict:
    """The columns of a plan line for the period after `line`."""
    return {
        "kind": "PLAN",
        "item_id": line.item_id,
        "request_id": line.request_id,
        "period_start": line.period_end,
        "period_end": line.period_end + timedelta(31),
    }


def item_days(books: Books) -> dict:
    """The columns of a plan line for the days that were billed."""
    return {
        "kind": "PLAN",
        "item_id": books.item.pk,
        "request_id": books.growth.pk,
        "period_start": books.line.period_start,
        "period_end": books.line.period_end,
    }


def insert_lines(line: InvoiceLine, *lines: dict) -> None:
    """Several lines in one statement, through the ORM's plain INSERT."""
    fields = {field.column: field.attname for field in InvoiceLine._meta.concrete_fields}
    base = {name: getattr(line, name) for name in fields.values() if name != "id"}
    base.pop("request_state")
    with transaction.atomic():
        InvoiceLine.objects.bulk_create(
            InvoiceLine(**base | {fields[column]: value for column, value in changes.items()})
            for changes in lines
        )


def tell(books: Books, cast: Cast) -> None:
    Notification.objects.create(
        event=Event.objects.filter(connection=books.connection).first(),
        recipient=cast.ben,
        organization=cast.bluebird,
        connection=books.connection,
        side=Notification.Side.CUSTOMER,
        category="BILLING_MANAGEMENT",
        title="Northwind Agency proposes Growth",
    )


@dataclass
class Money:
    """What came of one connection, a row of each kind; all of it can be copied."""

    connection: Connection
    due: Invoice  # $400.00 of the setup; nothing is settled
    paid: Invoice  # $400.00 of another: $50.00 by credit, $350.00 by card; $40.00 corrected
    credit: Credit  # $100.00, of which $5.00 are used
    application: CreditApplication
    returned: CreditReturn
    deduction: Deduction  # $10.00: what the credit note gave back, and $5.00 of that credit
    card: PaymentMethod
    payment: Payment
    refund: Refund
    note: CreditNote
    transfer: Transfer
    document: Document
    usage: UsageRecord


def spend(connection: Connection, charge: Any, seller: User, buyer: User) -> Money:
    """A plan runs there already. A credit, two charges, a card, a payment, a credit note."""

    def charged() -> Invoice:
        proposal = Proposal(charge)
        request = BillingRequest.propose(proposal, connection=connection, by=seller, at=NOW)
        request.approve(by=buyer, seal=request.seal, at=NOW)
        return connection.invoices.latest("number")

    def adjust(minor: int, hours: int) -> Any:
        at = NOW + timedelta(hours=hours)
        return Credit.adjust(connection, minor, reason="Sorry", by=seller, at=at)

    adjust(50_00, 0)
    paid = charged()
    due = charged()
    card = add_card(connection, buyer)
    payment = Payment.begin(paid, card, cause=Payment.Cause.PERSON, by=buyer, at=NOW)
    payment.settle(Outcome(State.SUCCEEDED, f"charge of {paid.pk}"), at=NOW)
    note = CreditNote.issue(paid, {paid.lines.get().pk: 40_00}, reason="Late", by=seller, at=NOW)
    spare = adjust(100_00, 1)
    deduction = adjust(-10_00, 2)
    item = SubscriptionItem.objects.filter(connection=connection, kind="PLAN").earliest("id")
    usage = UsageRecord.objects.create(
        connection=connection,
        item=item,
        measure="BOOKING",
        used_on=NOW.date(),
        quantity=3,
        key="first",
        entered_by=seller,
        entered_at=NOW,
    )
    document = Document.objects.create(invoice=due, content=b"PDF", sha256="0", rendered_at=NOW)
    application = paid.applications.get()
    return Money(
        connection=connection,
        due=fresh(due),
        paid=fresh(paid),
        credit=fresh(spare),
        application=application,
        returned=application.returns.get(),
        deduction=deduction,
        card=card,
        payment=fresh(payment),
        refund=note.refunds.get(),
        note=note,
        transfer=Transfer.objects.filter(connection=connection).earliest("id"),
        document=document,
        usage=usage,
    )
