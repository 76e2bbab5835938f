"""From what is past due to suspension and back: each step on its day."""

import pytest

from billing.collecting import collect_due, pay
from billing.models import CreditNote, Invoice, Payment
from tests.billing.acts import NOW

from .acts import (
    PRICE,
    add_card,
    another,
    assert_books_agree,
    causes,
    day,
    events_of,
    fresh,
    grant,
    live,
    settle,
)

State = Invoice.State
PERSON = Payment.Cause.PERSON


class TestWithoutMethod:
    def test_is_past_due_after_the_due_date(self, cast, invoice):
        live(14)
        assert (fresh(invoice).state, fresh(invoice).collect_on) == (State.OPEN, day(15).date())

        live(15, since=15)

        assert (fresh(invoice).state, fresh(invoice).past_due_on) == ("PAST_DUE", day(15).date())
        assert len(events_of("invoice.past_due")) == 1

    def test_is_suspended_after_the_grace(self, cast, invoice):
        live(28)
        assert fresh(cast.northwind_bluebird).is_active

        live(29, since=29)

        assert fresh(cast.northwind_bluebird).state == "SUSPENDED"


@pytest.fixture
def suspended(cast, invoice, card) -> Invoice:
    """An invoice whose connection was suspended on day 14."""
    card("insufficient_funds")
    live(14)
    assert fresh(cast.northwind_bluebird).state == "SUSPENDED"
    return fresh(invoice)


class TestSuspension:
    def test_comes_after_the_grace_for_that_connection_alone(self, cast, invoice, card):
        card("insufficient_funds")
        add_card(cast.revampd_bluebird, cast.ben)

        live(13)
        assert fresh(cast.northwind_bluebird).is_active
        live(14, since=14)

        assert fresh(cast.northwind_bluebird).state == "SUSPENDED"
        assert fresh(cast.revampd_bluebird).is_active
        [event] = events_of("connection.suspended")
        assert event.facts["code"] == "INV-00001"

    def test_is_not_repeated(self, cast, suspended):
        live(40, since=15)

        assert (len(events_of("connection.suspended")), suspended.payments.count()) == (1, 5)
        assert fresh(suspended).collect_on is None

    def test_ends_when_a_person_pays(self, cast, suspended, card):
        good = add_card(cast.northwind_bluebird, cast.ben, at=day(20))
        payment = pay(fresh(suspended), good, cause=PERSON, at=day(20), by=cast.ben)

        assert payment.state == "SUCCEEDED"
        assert fresh(cast.northwind_bluebird).is_active
        assert len(events_of("connection.resumed")) == 1
        assert_books_agree()

    def test_ends_when_a_new_method_pays_by_itself(self, cast, suspended, card):
        card("visa", at=day(20))

        collect_due(at=day(20))

        assert fresh(cast.northwind_bluebird).is_active

    def test_goes_on_with_a_new_method_that_fails(self, cast, suspended, card):
        card("insufficient_funds", at=day(20))

        live(40, since=20)

        tries = [number for _, _, number in causes(suspended)][5:]
        assert tries == [20, 21, 23, 25, 27]
        assert len(events_of("connection.suspended")) == 1

    def test_ends_when_the_last_past_due_invoice_is_paid(self, cast, invoice, card):
        card("insufficient_funds")
        second = another(cast)
        live(14)
        good = card("visa", at=day(14))

        pay(invoice, good, cause=PERSON, at=day(14), by=cast.ben)
        assert fresh(cast.northwind_bluebird).state == "SUSPENDED"
        pay(second, good, cause=PERSON, at=day(14), by=cast.ben)

        assert fresh(cast.northwind_bluebird).is_active

    def test_ends_when_the_invoice_is_made_void(self, cast, suspended):
        suspended.void(reason="A mistake", by=cast.maya, at=day(20))

        assert fresh(cast.northwind_bluebird).is_active

    def test_ends_when_a_credit_note_takes_everything_back(self, cast, suspended):
        amounts = {suspended.lines.get().pk: PRICE}
        CreditNote.issue(suspended, amounts, reason="A mistake", by=cast.maya, at=day(20))

        assert fresh(cast.northwind_bluebird).is_active

    def test_ends_when_the_rest_is_written_off(self, cast, suspended):
        suspended.write_off(reason="They closed", by=cast.maya, at=day(20))

        assert fresh(cast.northwind_bluebird).is_active

    def test_ends_when_a_credit_pays(self, cast, suspended):
        grant(cast, PRICE, day(20))

        collect_due(at=day(20))

        assert fresh(cast.northwind_bluebird).is_active

    def test_comes_only_after_the_last_try_of_that_day(self, cast, invoice, card, settings):
        settings.BILLING_GRACE_DAYS = 5
        card("insufficient_funds")

        live(5)
        assert fresh(cast.northwind_bluebird).state == "SUSPENDED"
        live(10, since=6)

        assert [number for _, _, number in causes(invoice)] == [0, 1, 3, 5, 7]

    def test_waits_for_a_payment_that_is_under_way(self, cast, invoice, card, settings):
        settings.BILLING_GRACE_DAYS = 1
        card("insufficient_funds")
        collect_due(at=NOW)
        card("delayed", at=day(1))

        collect_due(at=day(1))
        assert fresh(cast.northwind_bluebird).is_active
        settle(day(1))

        assert fresh(invoice).state == State.PAID
