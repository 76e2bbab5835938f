"""What is tried again, on which day and with which method."""

from datetime import timedelta

import pytest

from billing.collecting import collect_due, pay
from billing.models import Invoice, Payment, PaymentMethod
from billing.models.payments import MethodRemoved
from connections.kinds import in_words, kind_of
from notifications.draining import drain_events
from notifications.models import Notification
from tests.billing.acts import NOW

from .acts import another, assert_books_agree, causes, day, events_of, fresh, live, settle

State = Invoice.State
PERSON = Payment.Cause.PERSON


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
