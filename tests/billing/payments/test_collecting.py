"""What workers do by themselves: collect, ask again, and day after day."""

from datetime import timedelta

from billing import collecting
from billing.collecting import collect_due, reconcile
from billing.daily import work
from billing.gateways.sandbox import Sandbox
from billing.models import Invoice, SandboxCharge
from connections.models import Connection
from tests.billing.acts import NOW, agree, issued

from .acts import (
    PRICE,
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


class TestCollectDue:
    def test_charges_the_default_method_at_once(self, cast, invoice, card):
        card()

        assert [collect_due(at=NOW), collect_due(at=NOW)] == [1, 0]

        paid = fresh(invoice)
        assert (paid.state, paid.paid, paid.held, paid.collect_on) == (State.PAID, PRICE, 0, None)
        assert causes(invoice) == [("ISSUE", "SUCCEEDED", 0)]
        assert [len(events_of(code)) for code in ("payment.succeeded", "invoice.paid")] == [1, 1]
        assert_books_agree()

    def test_lets_the_wallet_pay_first_and_the_method_the_rest(self, cast, invoice, card):
        card()
        grant(cast, 100_00)

        collect_due(at=NOW)

        paid = fresh(invoice)
        assert (paid.state, paid.credited, paid.paid) == (State.PAID, 100_00, 49_00)
        assert_books_agree()

    def test_asks_no_gateway_if_the_wallet_pays_everything(self, cast, invoice, card):
        card()
        grant(cast, 200_00)

        collect_due(at=NOW)

        assert (fresh(invoice).state, invoice.payments.count()) == (State.PAID, 0)
        assert cast.northwind_bluebird.credits.balance("USD").minor == 51_00
        assert_books_agree()

    def test_uses_a_credit_that_comes_later(self, cast, invoice):
        live(20)
        assert fresh(invoice).state == State.PAST_DUE

        grant(cast, PRICE, day(21))
        collect_due(at=day(21))

        assert fresh(invoice).state == State.PAID

    def test_leaves_what_is_not_due_yet(self, cast, invoice, card):
        card()

        assert collect_due(at=NOW - timedelta(days=1)) == 0

    def test_goes_by_the_clock_of_each_connection(self, cast, invoice):
        Connection.objects.filter(pk=invoice.connection_id).update(ahead=timedelta(days=15))

        collect_due(at=NOW)

        assert fresh(invoice).state == State.PAST_DUE

    def test_goes_on_after_an_invoice_that_fails(self, cast, invoice, card, monkeypatch, caplog):
        card()
        second = another(cast)
        monkeypatch.setattr(collecting, "gateway", Broken)

        assert collect_due(at=NOW) == 2
        assert fresh(invoice).held == PRICE
        assert "could not be collected" in caplog.text
        caplog.clear()
        settle(NOW)

        assert (fresh(invoice).state, fresh(second).state) == (State.PAID, State.PAID)
        assert_books_agree()


class Broken(Sandbox):
    """A gateway whose first answer makes no sense."""

    def charge(self, order, /):
        first = order.description.startswith("INV-00001")
        if first and not SandboxCharge.objects.filter(key=order.key).exists():
            super().charge(order)
            raise ValueError("no answer of the port")
        return super().charge(order)


class TestReconcile:
    def test_leaves_a_fresh_attempt_alone(self, cast, invoice, card):
        card("answer_lost")
        collect_due(at=NOW)

        assert reconcile(at=NOW + timedelta(seconds=30)) == 0
        assert reconcile(at=NOW + timedelta(minutes=2)) == 1
        assert_books_agree()

    def test_sends_what_the_gateway_never_heard_of(self, cast, invoice, card):
        card("request_lost")
        collect_due(at=NOW)
        assert invoice.payments.get().state == "INTENT"

        assert reconcile(at=NOW + timedelta(minutes=2)) == 1
        assert_books_agree()

    def test_asks_less_often_what_the_gateway_has_in_hand(self, cast, invoice, card):
        card("delayed")
        collect_due(at=NOW)

        assert reconcile(at=NOW + timedelta(minutes=50)) == 0
        assert reconcile(at=NOW + timedelta(minutes=70)) == 1

    def test_sends_the_same_order_after_the_provider_was_renamed(self, cast, invoice, card):
        card("answer_lost")
        collect_due(at=NOW)
        payment = invoice.payments.get()
        before = payment.order

        type(cast.northwind).objects.filter(pk=cast.northwind.pk).update(name="Southwind")

        assert fresh(payment).order == before


class TestWork:
    """What the demo's clock calls for each day."""

    def test_brings_every_month_and_its_payment(self, cast, card):
        card("delayed")
        agree(cast)

        for number in range(64):
            work(day(number))

        rows = [(row.issue_date, row.state) for row in issued(cast)]
        assert rows == [
            (day(0).date(), State.PAID),
            (day(30).date(), State.PAID),
            (day(61).date(), State.PAID),
        ]
        assert_books_agree()

    def test_takes_the_dunning_to_its_end(self, cast, card):
        card("insufficient_funds")
        agree(cast)

        for number in range(16):
            work(day(number))

        assert fresh(cast.northwind_bluebird).state == "SUSPENDED"
        assert issued(cast)[0].payments.count() == 5
