"""From the first try to suspension and back: each step on its day."""

from datetime import timedelta
from functools import partial

import pytest

from billing import collecting
from billing.collecting import CONFIRM_WITHIN, collect_due, pay, reconcile
from billing.daily import work
from billing.gateways.sandbox import Sandbox
from billing.models import (
    Credit,
    CreditNote,
    Invoice,
    Payment,
    PaymentMethod,
    Refund,
    SandboxCharge,
    SandboxRefund,
)
from billing.models.payments import MethodRemoved, NothingOwed, PaymentUnderWay
from billing.refunding import settle_refunds
from connections.kinds import in_words, kind_of
from connections.models import Connection
from notifications.draining import drain_events
from notifications.models import Notification
from tests.billing.acts import NOW, agree, issued

from .acts import (
    PRICE,
    add_card,
    assert_books_agree,
    day,
    events_of,
    fresh,
    live,
    settle,
)

State = Invoice.State
PERSON = Payment.Cause.PERSON


def grant(cast, minor: int, at=NOW) -> None:
    Credit.adjust(cast.northwind_bluebird, minor, reason="A goodwill gift", by=cast.maya, at=at)


def another(cast, at=NOW) -> Invoice:
    """A second invoice, of $400.00."""
    agree(cast, cast.setup, at=at)
    return issued(cast)[-1]


def causes(invoice: Invoice) -> list[tuple[str, str, int]]:
    """What was tried, what came of it, and how many days after the issue."""
    rows = invoice.payments.order_by("begun_at")
    return [(row.cause, row.state, (row.begun_at - NOW).days) for row in rows]


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


class TestRetries:
    DAYS = [0, 1, 3, 5, 7]

    def test_come_1_3_5_and_7_days_after_the_first_failure(self, cast, invoice, card):
        card("insufficient_funds")

        live(13)

        assert causes(invoice) == [
            ("ISSUE" if not number else "RETRY", "FAILED", number) for number in self.DAYS
        ]
        late = fresh(invoice)
        assert (late.state, late.attempts, late.is_stuck) == (State.PAST_DUE, 5, True)
        assert late.next_attempt_on is None

    def test_are_each_told_with_the_day_of_the_next(self, cast, invoice, card):
        card("insufficient_funds")

        live(13)

        said = [
            in_words(kind_of(event).customer.body, event) for event in events_of("payment.failed")
        ]
        pay_now = "You can pay now, or add another payment method."
        assert said == [
            f"There is not enough money on the card. {plan} {pay_now}"
            for plan in (
                "We try again on 11 Nov 2026.",
                "We try again on 13 Nov 2026.",
                "We try again on 15 Nov 2026.",
                "We try again on 17 Nov 2026.",
                "It is not tried again by itself.",
            )
        ]

    def test_are_told_to_both_sides(self, cast, invoice, card):
        card("insufficient_funds")
        collect_due(at=NOW)

        drain_events()

        told = Notification.objects.filter(event__code="payment.failed")
        sides = set(told.values_list("side", "title"))
        assert sides == {
            ("PROVIDER", "A payment of Bluebird Clinic failed"),
            ("CUSTOMER", "$149.00 for INV-00001 could not be collected"),
        }

    def test_that_come_late_move_no_other(self, cast, invoice, card):
        card("insufficient_funds")
        collect_due(at=NOW)

        collect_due(at=day(2))

        assert fresh(invoice).next_attempt_on == day(3).date()

    def test_stop_when_one_succeeds(self, cast, invoice, card):
        card("insufficient_funds")
        live(1)
        card("visa", at=day(2))

        live(20, since=2)

        assert [state for _, state, _ in causes(invoice)] == ["FAILED", "FAILED", "SUCCEEDED"]
        assert fresh(invoice).state == State.PAID
        assert_books_agree()

    @pytest.mark.parametrize("name", ["lost_card", "stolen_card", "expired_card"])
    def test_wait_for_another_method_after_a_hard_decline(self, cast, invoice, card, name):
        card(name)

        live(13)

        assert [state for _, state, _ in causes(invoice)] == ["FAILED"]
        assert fresh(invoice).is_stuck

    def test_wait_if_the_card_expires_meanwhile(self, cast, invoice, card):
        card("visa", year=2026)
        later = another(cast, day(60))

        collect_due(at=day(60))

        assert later.payments.get().failure_code == "expired_card"
        assert fresh(later).is_stuck


class TestNewMethod:
    def test_is_tried_at_once_after_a_hard_decline(self, cast, invoice, card):
        card("lost_card")
        live(2)

        card("visa", at=day(3))
        collect_due(at=day(3))

        assert causes(invoice)[-1] == ("METHOD", "SUCCEEDED", 3)
        assert fresh(invoice).state == State.PAID

    def test_begins_a_schedule_of_its_own(self, cast, invoice, card):
        card("lost_card")
        live(2)

        card("insufficient_funds", at=day(3))
        live(12, since=3)

        assert [number for _, _, number in causes(invoice)] == [0, 3, 4, 6, 8, 10]

    def test_that_comes_while_the_old_one_is_tried_is_tried_next(self, cast, invoice, card):
        card("delayed_decline")
        collect_due(at=NOW)
        card("visa")

        settle(NOW)
        collect_due(at=NOW + timedelta(hours=3))

        assert causes(invoice) == [("ISSUE", "FAILED", 0), ("METHOD", "SUCCEEDED", 0)]
        [failed] = events_of("payment.failed")
        assert failed.facts["plan"] == "We try Visa ending 4242 next."

    def test_is_the_heir_of_a_removed_default(self, cast, invoice, card):
        heir, removed = card("visa"), card("lost_card")
        collect_due(at=NOW)

        removed.remove(by=cast.ben, at=day(1))
        collect_due(at=day(1))

        assert fresh(heir).is_default
        assert invoice.payments.succeeded().get().method == heir

    def test_leaves_everything_unpaid_if_there_is_none_left(self, cast, invoice, card):
        card("insufficient_funds").remove(by=cast.ben, at=NOW)

        live(14)
        assert (fresh(invoice).state, invoice.payments.count()) == (State.OPEN, 0)
        live(15, since=15)
        assert fresh(invoice).state == State.PAST_DUE

    def test_of_a_gateway_that_was_switched_off_is_not_charged(self, cast, invoice):
        old = PaymentMethod.objects.create(
            connection=cast.northwind_bluebird,
            gateway="stripe",
            reference="pm_1",
            brand="Visa",
            last4="4242",
            exp_month=1,
            exp_year=2030,
            is_default=True,
            added_by=cast.ben,
            added_at=NOW,
        )

        live(15)

        assert (fresh(invoice).state, invoice.payments.count()) == (State.PAST_DUE, 0)
        with pytest.raises(MethodRemoved, match="kept by another payment service"):
            pay(invoice, old, cause=PERSON, at=day(16), by=cast.ben)


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
