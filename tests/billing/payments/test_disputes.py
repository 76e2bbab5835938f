"""Disputes: what banks claim back, hold, and give back or keep."""

from datetime import datetime, timedelta

import pytest

from billing.collecting import collect_due, pay
from billing.disputing import find_disputes, follow_disputes
from billing.gateways.base import Claim, ClaimState
from billing.models import (
    Credit,
    CreditNote,
    Dispute,
    GatewayEvent,
    Invoice,
    Payment,
    Refund,
    SandboxCharge,
    SandboxDispute,
    SandboxWebhook,
    Transfer,
)
from billing.models.invoices import NotVoidable, grace
from billing.models.ledger import Account
from billing.models.payments import Contradiction
from billing.models.sandbox import DISPUTED_AFTER
from billing.refunding import settle_refunds
from notifications.draining import drain_events
from notifications.models import Notification
from tests.billing.acts import NOW

from .acts import (
    PRICE,
    assert_books_agree,
    day,
    decide,
    dispute,
    events_of,
    fresh,
    hear,
    live,
    settle,
)

WON, LOST = ClaimState.WON, ClaimState.LOST
MINUTE = timedelta(minutes=1)


@pytest.fixture
def paid(invoice, card) -> Payment:
    card()
    collect_due(at=NOW)
    payment: Payment = invoice.payments.get()
    assert payment.state == Payment.State.SUCCEEDED
    return payment


def stands(invoice: Invoice) -> tuple[str, int, int, int]:
    row = fresh(invoice)
    return row.state, row.paid, row.disputed, row.outstanding


def account(name: Account) -> int:
    return Transfer.objects.balance(name, "USD").minor


def take_back(invoice: Invoice, by, minor: int, at=NOW) -> CreditNote:
    return CreditNote.issue(
        fresh(invoice), {invoice.lines.get().pk: minor}, reason="Wrong", by=by, at=at
    )


class TestOpened:
    def test_leaves_the_invoice_paid_and_shows_it_as_disputed(self, invoice, paid):
        dispute(paid, day(1))

        assert stands(invoice) == ("PAID", PRICE, PRICE, 0)
        row = Dispute.objects.get()
        assert (row.state, row.amount, row.claimed) == ("OPEN", PRICE, PRICE)
        assert (row.opened_at, row.respond_by) == (day(1), day(8))
        assert fresh(paid).disputed == PRICE
        assert (account(Account.CASH), account(Account.DISPUTED)) == (0, PRICE)
        assert_books_agree()

    def test_is_booked_once_however_often_it_is_told(self, invoice, paid):
        dispute(paid, day(1))
        GatewayEvent.objects.update(processed_at=None, taken_at=None)

        hear(day(2))
        find_disputes(at=day(2))

        assert Dispute.objects.count() == 1
        assert len(events_of("dispute.opened")) == 1
        assert_books_agree()

    def test_is_found_without_a_webhook(self, invoice, paid):
        SandboxDispute.begin(SandboxCharge.objects.get(), at=day(1))
        SandboxWebhook.objects.all().update(delivered_at=day(1))

        assert find_disputes(at=day(2)) == 1
        assert find_disputes(at=day(2)) == 0

        assert stands(invoice) == ("PAID", PRICE, PRICE, 0)
        assert_books_agree()

    def test_comes_by_itself_with_the_card_for_it(self, invoice, card):
        card("disputes")
        collect_due(at=NOW)
        hear(NOW + DISPUTED_AFTER - MINUTE)
        assert stands(invoice) == ("PAID", PRICE, 0, 0)

        hear(NOW + DISPUTED_AFTER)

        assert stands(invoice) == ("PAID", PRICE, PRICE, 0)
        assert_books_agree()

    def test_waits_until_the_payment_itself_is_known(self, invoice, card):
        """The answer to the charge was lost, and the bank was faster than we asked."""
        card("answer_lost")
        collect_due(at=NOW)
        payment = invoice.payments.get()
        assert payment.state == Payment.State.INTENT

        dispute(payment, NOW + MINUTE)

        assert stands(invoice) == ("PAID", PRICE, PRICE, 0)
        assert [event.code for event in events_of("payment.succeeded")] == ["payment.succeeded"]
        assert_books_agree()

    def test_of_what_never_arrived_is_a_contradiction(self, invoice, card):
        card("insufficient_funds")
        collect_due(at=NOW)
        charge = SandboxCharge.objects.get()
        claim = claim_of(charge, PRICE, day(1))

        with pytest.raises(Contradiction, match="is failed here"):
            Dispute.learn(invoice.payments.get(), claim, gateway="sandbox", at=day(1))

    def test_is_told_to_both_sides_and_to_staff(self, cast, invoice, paid):
        dispute(paid, day(1))
        drain_events()

        told = Notification.objects.filter(event__code__startswith="dispute.")
        titles = set(told.values_list("title", flat=True))
        assert titles == {
            "Bluebird Clinic’s bank disputes $149.00 of INV-00001",
            "Your bank disputes $149.00 for INV-00001",
            "Answer a dispute: $149.00 of Bluebird Clinic",
        }

    def test_of_less_leaves_the_rest(self, invoice, paid):
        dispute(paid, day(1), minor=49_00)

        assert stands(invoice) == ("PAID", PRICE, 49_00, 0)
        assert fresh(paid).kept == 100_00
        assert_books_agree()

    def test_lets_nobody_correct_or_void_meanwhile(self, cast, invoice, paid):
        dispute(paid, day(1), minor=49_00)

        for act in (
            lambda: take_back(invoice, cast.maya, 1_00),
            lambda: fresh(invoice).void(reason="Wrong", by=cast.maya, at=day(1)),
            lambda: fresh(invoice).write_off(reason="Wrong", by=cast.maya, at=day(1)),
        ):
            with pytest.raises(NotVoidable, match="disputed"):
                act()


def claim_of(charge: SandboxCharge, minor: int, at: datetime) -> Claim:
    """What a bank could claim that does not look at what is left."""
    details = {"charge": charge, "currency": "USD", "amount": minor, "begun_at": at}
    return SandboxDispute(reference="dispute_1", **details).claim


class TestWon:
    def test_gives_everything_back(self, invoice, paid):
        begun = dispute(paid, day(1))

        row = decide(begun, WON, day(20))

        assert (row.state, row.closed_at) == ("WON", day(20))
        assert stands(invoice) == ("PAID", PRICE, 0, 0)
        assert (account(Account.CASH), account(Account.DISPUTED)) == (PRICE, 0)
        assert fresh(paid).disputed == 0
        assert_books_agree()

    def test_is_heard_once_and_in_any_order(self, invoice, paid):
        """The webhook of the end comes first, and those of the beginning twice after it."""
        charge = SandboxCharge.objects.get()
        begun = SandboxDispute.begin(charge, at=day(1))
        SandboxWebhook.objects.filter(delivered_at=None).update(due_at=day(9))
        begun.decide(WON, at=day(2))
        hear(day(2))
        hear(day(9))
        GatewayEvent.objects.update(processed_at=None, taken_at=None)
        hear(day(10))

        codes = ("dispute.opened", "dispute.won", "dispute.lost")
        assert [len(events_of(code)) for code in codes] == [1, 1, 0]
        assert stands(invoice) == ("PAID", PRICE, 0, 0)
        assert_books_agree()

    def test_is_learned_by_asking(self, invoice, paid):
        begun = dispute(paid, day(1))
        fresh(begun).decide(WON, at=day(20))
        SandboxWebhook.objects.all().update(delivered_at=day(20))

        assert follow_disputes(at=day(20)) == 1

        assert stands(invoice) == ("PAID", PRICE, 0, 0)
        assert_books_agree()


class TestLost:
    def test_is_owed_again_and_past_due(self, invoice, paid):
        begun = dispute(paid, day(1))

        row = decide(begun, LOST, day(30))

        assert row.state == "LOST"
        assert stands(invoice) == ("PAST_DUE", 0, 0, PRICE)
        assert fresh(invoice).past_due_on == day(30).date()
        assert (account(Account.CASH), account(Account.RECEIVABLE)) == (0, PRICE)
        assert_books_agree()

    def test_is_never_charged_by_itself(self, cast, invoice, paid, card):
        decide(dispute(paid, day(1)), LOST, day(2))

        live(12, since=3)
        card("mastercard", at=day(12))
        live(14, since=12)

        assert invoice.payments.count() == 1
        assert stands(invoice)[0] == "PAST_DUE"

    def test_suspends_the_connection_after_the_grace(self, cast, invoice, paid):
        decide(dispute(paid, day(1)), LOST, day(2))
        last = 2 + grace().days

        live(last - 1, since=3)
        assert fresh(cast.northwind_bluebird).state == "ACTIVE"
        live(last, since=last)

        assert fresh(cast.northwind_bluebird).state == "SUSPENDED"

    def test_can_be_paid_by_a_person(self, cast, invoice, paid, card):
        decide(dispute(paid, day(1)), LOST, day(2))
        method = card("mastercard", at=day(3))

        pay(fresh(invoice), method, cause=Payment.Cause.PERSON, by=cast.ben, at=day(3))

        assert stands(invoice) == ("PAID", PRICE, 0, 0)
        assert fresh(paid).disputed == PRICE
        assert_books_agree()

    def test_counts_its_grace_anew(self, cast, invoice, card):
        """It had been past due once, long before it was paid."""
        card("insufficient_funds")
        live(1)
        method = card("visa", at=day(2))
        pay(fresh(invoice), method, cause=Payment.Cause.PERSON, by=cast.ben, at=day(2))
        payment = invoice.payments.succeeded().get()

        decide(dispute(payment, day(60)), LOST, day(90))

        assert fresh(invoice).past_due_on == day(90).date()
        assert fresh(cast.northwind_bluebird).state == "ACTIVE"

    def test_is_written_off_with_what_was_given_up(self, cast, invoice, paid):
        first = dispute(paid, day(1), minor=49_00)
        decide(first, LOST, day(2))
        fresh(invoice).write_off(reason="Gone", by=cast.maya, at=day(3))

        row = decide(dispute(paid, day(4)), LOST, day(5))

        assert row.is_written_off
        assert stands(invoice) == ("UNCOLLECTIBLE", 0, 0, PRICE)
        assert account(Account.BAD_DEBT) == PRICE
        assert_books_agree()

    def test_and_won_afterwards_is_a_contradiction_for_staff(self, invoice, paid):
        begun = dispute(paid, day(1))
        decide(begun, LOST, day(2))
        SandboxDispute.objects.update(state=WON)
        GatewayEvent.objects.update(processed_at=None, taken_at=None)

        hear(day(3))

        assert len(events_of("gateway.contradicted")) == 1
        assert stands(invoice) == ("PAST_DUE", 0, 0, PRICE)
        assert GatewayEvent.objects.exclude(problem="").exists()


class TestRefunds:
    def owe(self, cast, invoice, minor: int) -> Refund:
        refund: Refund = take_back(invoice, cast.maya, minor).refunds.get()
        return refund

    def test_wait_while_a_bank_disputes(self, cast, invoice, paid):
        refund = self.owe(cast, invoice, 30_00)
        begun = dispute(paid, day(1))

        assert settle_refunds(at=day(2)) == 0
        assert fresh(refund).state == "INTENT"
        assert Dispute.objects.get().amount == PRICE - 30_00

        decide(begun, WON, day(3))
        assert settle_refunds(at=day(3)) == 1

        assert fresh(refund).state == "SUCCEEDED"
        assert_books_agree()

    def test_are_what_the_bank_kept_beyond_the_rest(self, cast, invoice, paid):
        """The bank took all: what was owed back besides has gone back that way."""
        refund = self.owe(cast, invoice, 30_00)

        decide(dispute(paid, day(1)), LOST, day(3))
        settle_refunds(at=day(3))

        row = fresh(refund)
        assert (row.state, row.reference) == ("SUCCEEDED", Dispute.objects.get().reference)
        assert stands(invoice) == ("PAST_DUE", 0, 0, PRICE - 30_00)
        assert account(Account.CASH) == 0
        assert_books_agree()

    def test_go_into_the_wallet_if_the_bank_took_the_rest_alone(self, cast, invoice, paid):
        refund = self.owe(cast, invoice, 30_00)

        decide(dispute(paid, day(1), minor=PRICE - 30_00), LOST, day(3))
        settle_refunds(at=day(3))

        assert fresh(refund).state == "FAILED"
        assert Credit.objects.get().amount == 30_00

    def test_that_were_refused_for_a_dispute_nobody_told_of_wait(self, cast, invoice, paid):
        refund = self.owe(cast, invoice, 30_00)
        SandboxDispute.begin(SandboxCharge.objects.get(), at=day(1), minor=100_00)

        assert settle_refunds(at=day(1)) == 0

        assert fresh(refund).state == "INTENT"
        hear(day(1))
        assert settle_refunds(at=day(2)) == 0
        assert fresh(refund).asked_at is None or fresh(refund).asked_at == day(2)

    def test_leave_nothing_to_dispute_once_all_went_back(self, cast, invoice, paid):
        self.owe(cast, invoice, PRICE)
        settle(NOW)
        assert SandboxCharge.objects.get().left == 0
        claim = claim_of(SandboxCharge.objects.get(), PRICE, day(1))

        row = Dispute.learn(fresh(paid), claim, gateway="sandbox", at=day(1))

        assert (row.amount, row.claimed) == (0, PRICE)
        assert not Transfer.objects.filter(document=row.pk).exists()
