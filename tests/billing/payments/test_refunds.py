"""What a credit note takes back goes to where it came from, once."""

from functools import partial

import pytest

from billing import collecting
from billing.collecting import collect_due
from billing.gateways.sandbox import Sandbox
from billing.models import CreditNote, Invoice, Refund, SandboxRefund
from billing.refunding import settle_refunds
from tests.billing.acts import NOW

from .acts import assert_books_agree, day, events_of, fresh, settle

State = Invoice.State


class Death(BaseException):
    """The worker dies here."""


class Mortal(Sandbox):
    """A sandbox during whose refund the worker dies."""

    def __init__(self, moment: str, at) -> None:
        super().__init__(at)
        self.moment = moment

    def refund(self, order, /):
        if self.moment == "after":
            super().refund(order)
        raise Death


class Other(Sandbox):
    """Another gateway than the one that keeps the cards."""

    name = "other"


class TestRefunds:
    def correct(self, cast, invoice, at=NOW) -> Refund:
        CreditNote.issue(
            fresh(invoice),
            {invoice.lines.get().pk: 40_00},
            reason="A mistake",
            by=cast.maya,
            at=at,
        )
        return Refund.objects.get()

    def test_go_back_to_the_card(self, cast, invoice, card):
        card()
        collect_due(at=NOW)
        refund = self.correct(cast, invoice)

        settle(NOW)

        assert fresh(refund).state == "SUCCEEDED"
        assert fresh(invoice).state == State.PAID
        assert_books_agree()

    def test_come_later_by_webhook(self, cast, invoice, card):
        card("refunds_later")
        collect_due(at=NOW)
        refund = self.correct(cast, invoice)

        settle(NOW)

        assert fresh(refund).state == "SUCCEEDED"
        assert_books_agree()

    @pytest.mark.parametrize("moment", ["before", "after"])
    def test_are_sent_once_if_the_worker_dies(self, cast, invoice, card, monkeypatch, moment):
        card()
        collect_due(at=NOW)
        self.correct(cast, invoice)
        monkeypatch.setattr(collecting, "gateway", partial(Mortal, moment))
        with pytest.raises(Death):
            settle_refunds(at=NOW)

        monkeypatch.setattr(collecting, "gateway", Sandbox)
        settle(NOW)

        assert SandboxRefund.objects.count() == 1
        assert len(events_of("refund.succeeded")) == 1
        assert_books_agree()

    def test_of_a_gateway_that_was_switched_off_wait(self, cast, invoice, card, monkeypatch):
        card()
        collect_due(at=NOW)
        refund = self.correct(cast, invoice)
        with monkeypatch.context() as patched:
            patched.setattr(collecting, "gateway", Other)
            settle(NOW)

        assert fresh(refund).state == "INTENT"
        settle(day(1))
        assert fresh(refund).state == "SUCCEEDED"

    def test_that_are_refused_become_credit(self, cast, invoice, card):
        card("refuses_refunds")
        collect_due(at=NOW)
        refund = self.correct(cast, invoice)

        settle(NOW)

        assert fresh(refund).state == "FAILED"
        credit = cast.northwind_bluebird.credits.get()
        assert (credit.amount, credit.origin) == (40_00, "REFUND")
        assert credit.reason == "Refund of INV-00001 that Visa ending 5126 did not take"
        assert_books_agree()
