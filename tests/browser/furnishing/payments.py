"""What Bluebird pays with, and invoices that came to every end."""

from datetime import datetime, timedelta

from django.utils import timezone

from billing.collecting import pay
from billing.disputing import find_disputes
from billing.models import (
    Credit,
    CreditNote,
    Payment,
    SandboxCharge,
    SandboxDispute,
    SandboxSetup,
)
from billing.setups import begin_setup
from tests.billing.cards import add_card

from .furnished import LONG_NOTE, Furnished


def give_credit(house: Furnished, days: int, minor: int, reason: str) -> None:
    cast, at = house.cast, timezone.now() - timedelta(days=days)
    Credit.adjust(cast.northwind_bluebird, minor, reason=reason, by=cast.noah, at=at)


def begin_payments(house: Furnished, now: datetime) -> None:
    """Two cards, a visit to the gateway that is not over, and a payment to confirm."""
    cast, connection = house.cast, house.cast.northwind_bluebird
    spare = add_card(connection, "confirms_always", by=cast.ben, at=now)
    add_card(connection, by=cast.bella, at=now, expires=now.date())
    owed = connection.invoices.owed().latest("number")
    asked = pay(owed, spare, cause=Payment.Cause.PERSON, by=cast.ben, at=now)
    assert asked is not None
    house.values |= {
        "credit_id": connection.credits.earliest("issued_at").pk,
        "method_id": spare.pk,
        "charge_reference": asked.reference,
        "setup_reference": begin_setup(connection, "/", by=cast.ben, at=now).reference,
        "setup over": SandboxSetup.objects.exclude(method=None).first().pk,
    }


def settle_invoices(house: Furnished, now: datetime) -> None:
    """Invoices that came to every end: corrected and disputed, declined, void, written off."""
    cast, connection = house.cast, house.cast.northwind_bluebird
    poor = add_card(connection, "insufficient_funds", by=cast.ben, at=now)
    visa = add_card(connection, by=cast.ben, at=now)
    free = connection.invoices.owed().filter(held=0).order_by("number")
    # The wallet pays what it can before any card does.
    tries = (pay(one, visa, cause=Payment.Cause.PERSON, by=cast.ben, at=now) for one in free)
    payment = next(filter(None, tries))
    paid = connection.invoices.get(pk=payment.invoice_id)
    declined, void, written_off = free.all()[:3]
    pay(declined, poor, cause=Payment.Cause.ISSUE, at=now)
    void.void(reason=LONG_NOTE[:190], by=cast.noah, at=now)
    written_off.write_off(reason="They closed.", by=cast.maya, at=now)
    amounts = {paid.lines.earliest("position").pk: 60_00}
    note = CreditNote.issue(paid, amounts, reason=LONG_NOTE[:190], by=cast.noah, at=now)
    SandboxDispute.begin(SandboxCharge.objects.get(key=payment.pk), at=now, minor=5_00)
    find_disputes(at=now)
    ends = {"paid": paid, "declined": declined, "void": void, "written off": written_off}
    house.values |= {name: invoice.number for name, invoice in ends.items()}
    house.values |= {"note_number": note.number, "payment_id": payment.pk}
