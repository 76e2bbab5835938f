"""A person pays, and confirms it where the bank asks."""

from datetime import timedelta

import pytest

from billing.collecting import CONFIRM_WITHIN, collect_due, pay, reconcile
from billing.gateways.sandbox import Sandbox
from billing.models import Invoice, Payment
from billing.models.payments import MethodRemoved, NothingOwed, PaymentUnderWay
from tests.billing.acts import NOW

from .acts import PRICE, assert_books_agree, day, events_of, fresh, grant, live, settle

State = Invoice.State
PERSON = Payment.Cause.PERSON


class TestPay:
    def test_pays_by_the_method_that_was_chosen(self, cast, invoice, card):
        other, _default = card("mastercard"), card("visa")

        payment = pay(invoice, other, cause=PERSON, at=NOW, by=cast.ben)

        assert (payment.state, payment.method, payment.begun_by) == ("SUCCEEDED", other, cast.ben)

    def test_tells_if_the_wallet_paid_everything(self, cast, invoice, card):
        method = card()
        grant(cast, PRICE)

        assert pay(invoice, method, cause=PERSON, at=NOW, by=cast.ben) is None
        assert fresh(invoice).state == State.PAID

    def test_is_refused_for_what_is_paid(self, cast, invoice, card):
        method = card()
        collect_due(at=NOW)

        with pytest.raises(NothingOwed):
            pay(invoice, method, cause=PERSON, at=NOW, by=cast.ben)

    def test_is_refused_while_another_is_under_way(self, cast, invoice, card):
        method = card("delayed")
        pay(invoice, method, cause=PERSON, at=NOW, by=cast.ben)

        with pytest.raises(PaymentUnderWay):
            pay(invoice, method, cause=PERSON, at=NOW, by=cast.ben)

    def test_is_refused_by_a_method_that_was_removed(self, cast, invoice, card):
        method = card()
        fresh(method).remove(by=cast.ben, at=NOW)

        with pytest.raises(MethodRemoved):
            pay(invoice, method, cause=PERSON, at=NOW, by=cast.ben)

    def test_that_fails_first_begins_the_schedule(self, cast, invoice, card):
        pay(invoice, card("insufficient_funds"), cause=PERSON, at=NOW, by=cast.ben)

        assert fresh(invoice).state == State.PAST_DUE
        assert fresh(invoice).next_attempt_on == day(1).date()

    def test_that_fails_later_moves_no_retry(self, cast, invoice, card):
        method = card("insufficient_funds")
        collect_due(at=NOW)

        for _ in range(3):
            pay(invoice, method, cause=PERSON, at=NOW, by=cast.ben)

        assert (fresh(invoice).attempts, invoice.payments.count()) == (1, 4)

    def test_by_a_lost_card_does_not_stop_the_default(self, cast, invoice, card):
        lost, _default = card("lost_card"), card("visa")

        pay(invoice, lost, cause=PERSON, at=NOW, by=cast.ben)
        assert not fresh(invoice).is_stuck
        collect_due(at=day(1))

        assert fresh(invoice).state == State.PAID


class TestConfirmation:
    def test_is_asked_of_the_customer_once(self, cast, invoice, card):
        card("confirms_always")

        live(1)

        assert invoice.payments.get().state == "ACTION"
        assert len(events_of("payment.action_needed")) == 1

    def test_pays(self, cast, invoice, card):
        card("confirms_once")
        collect_due(at=NOW)

        Sandbox(NOW).authorize(invoice.payments.get().reference, succeed=True)
        settle(NOW)

        assert fresh(invoice).state == State.PAID
        assert_books_agree()

    def test_that_is_refused_is_a_failure(self, cast, invoice, card):
        card("confirms_once")
        collect_due(at=NOW)

        Sandbox(NOW).authorize(invoice.payments.get().reference, succeed=False)
        settle(NOW)

        assert (fresh(invoice).state, fresh(invoice).attempts) == (State.PAST_DUE, 1)

    def test_is_given_up_after_three_days(self, cast, invoice, card):
        card("confirms_always")
        collect_due(at=NOW)
        payment = invoice.payments.get()

        reconcile(at=NOW + CONFIRM_WITHIN - timedelta(hours=2))
        assert fresh(payment).state == "ACTION"
        reconcile(at=NOW + CONFIRM_WITHIN)

        assert (fresh(payment).state, fresh(payment).failure_code) == ("FAILED", "canceled")
        assert fresh(invoice).held == 0
        assert_books_agree()

    def test_that_comes_just_before_it_is_given_up_pays(self, cast, invoice, card):
        card("confirms_always")
        collect_due(at=NOW)
        Sandbox(day(3)).authorize(invoice.payments.get().reference, succeed=True)

        reconcile(at=day(3))

        assert fresh(invoice).state == State.PAID
        assert_books_agree()
