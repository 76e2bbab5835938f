"""Bank transfers: one a settlement, whatever the network and our own crashes do to it."""

from contextlib import suppress
from datetime import timedelta
from uuid import uuid4

import pytest

from billing import inquiries
from billing.gateways.base import KeyReused, Outcome, State, Unanswered
from billing.models import Transfer
from billing.models.ledger import Account
from billing.models.oversight import report_contradiction
from billing.models.payments import Contradiction
from connections.models import Connection, Event
from payouts.gateways import bank
from payouts.gateways.accounts import ARRIVES_AFTER, BY_NAME, RETURNS_AFTER
from payouts.gateways.base import TransferOrder
from payouts.gateways.sandbox import Sandbox
from payouts.models import BankAccount, BankTransfer, Payout, SandboxLink, SandboxTransfer
from payouts.sending import resolve_transfer, send_transfers
from revampd.kit.errors import Invalid
from revampd.kit.money import Money
from tests.billing.payments.acts import fresh
from tests.billing.payments.test_races import at_once
from tests.books import assert_books_agree

from .acts import NOW, WEEK, link_bank, paid_out

LATER = NOW + WEEK
ARRIVED = LATER + ARRIVES_AFTER
RETURNED = ARRIVED + RETURNS_AFTER
MINUTES = timedelta(minutes=5)


def send(cast, name: str) -> Payout:
    """A payout that Northwind has sent to the test account of this name; nobody is asked yet."""
    link_bank(cast, name)
    payout = paid_out(cast)
    payout.settle(credit=30_00, transfer=70_00, by=cast.noah, at=LATER)
    return payout


def live(*moments) -> None:
    for at in moments:
        send_transfers(at=at)


def assert_as_the_bank_says() -> None:
    """What the gateway has sent is what is booked, transfer by transfer."""
    sent = SandboxTransfer.objects.exclude(state=State.FAILED).values_list("key", "amount")
    ours = BankTransfer.objects.exclude(state=BankTransfer.State.FAILED)
    assert dict(sent) == dict(ours.values_list("pk", "amount"))
    assert_books_agree()


class TestTransfer:
    def test_is_in_transit_until_it_arrives(self, cast):
        payout = send(cast, "later")
        live(LATER)
        assert BankTransfer.objects.get().state == BankTransfer.State.PROCESSING
        assert fresh(payout).state == Payout.State.IN_TRANSIT

        live(LATER + MINUTES, ARRIVED + MINUTES)

        assert BankTransfer.objects.get().state == BankTransfer.State.SUCCEEDED
        assert fresh(payout).state == Payout.State.SETTLED
        assert Event.objects.filter(code="bank_transfer.paid").count() == 1
        assert_as_the_bank_says()

    @pytest.mark.parametrize(
        ("name", "reason"),
        [("closed", "The bank account is closed."), ("refused", "The bank knows no such account.")],
    )
    def test_that_fails_is_available_again_with_the_reason(self, cast, name, reason):
        payout = send(cast, name)

        live(LATER, ARRIVED + MINUTES)

        payout = fresh(payout)
        assert (payout.state, payout.left, payout.credited) == (
            Payout.State.AVAILABLE,
            70_00,
            30_00,
        )
        assert BankTransfer.objects.get().failure == reason
        [told] = Event.objects.filter(code="bank_transfer.failed")
        assert told.facts["failure"] == reason
        assert_books_agree()

    def test_that_comes_back_after_it_was_paid_is_available_again(self, cast):
        payout = send(cast, "returned")
        live(LATER, ARRIVED + MINUTES)
        [transfer], paid_at = BankTransfer.objects.all(), fresh(payout).changed_at
        assert fresh(payout).state == Payout.State.SETTLED

        for later in (RETURNED, RETURNED + MINUTES):
            assert resolve_transfer(fresh(transfer), at=later)

        transfer, payout = fresh(transfer), fresh(payout)
        assert (transfer.state, transfer.returned_at) == (BankTransfer.State.FAILED, RETURNED)
        assert transfer.failure == "The bank account is frozen."
        assert (payout.state, payout.left, payout.credited) == ("AVAILABLE", 70_00, 30_00)
        assert payout.changed_at == RETURNED > paid_at  # so its statement is made anew
        [told] = Event.objects.filter(code="bank_transfer.returned")
        assert told.facts["failure"] == "The bank account is frozen."
        assert_as_the_bank_says()

        payout.settle(credit=70_00, transfer=0, by=cast.noah, at=RETURNED)
        assert fresh(payout).state == Payout.State.SETTLED
        assert_as_the_bank_says()

    def test_that_failed_is_sent_again_to_another_account(self, cast):
        payout = send(cast, "refused")
        live(LATER)
        link_bank(cast, "at_once", at=LATER)
        free = LATER + timedelta(days=4)

        fresh(payout).settle(credit=20_00, transfer=50_00, by=cast.maya, at=free)
        live(free)

        payout = fresh(payout)
        assert (payout.state, payout.credited, payout.banked) == (
            Payout.State.SETTLED,
            50_00,
            50_00,
        )
        assert_books_agree()

    @pytest.mark.parametrize("name", ["request_lost", "answer_lost", "at_once", "later"])
    @pytest.mark.parametrize("rounds", [2, 3])
    def test_is_one_however_often_it_is_asked_about(self, cast, name, rounds):
        send(cast, name)

        for number in range(rounds):
            live(LATER + number * MINUTES)
        live(ARRIVED + timedelta(hours=2))

        assert SandboxTransfer.objects.count() == 1
        assert BankTransfer.objects.get().state == BankTransfer.State.SUCCEEDED
        assert_as_the_bank_says()

    def test_moves_what_is_owed_to_the_bank(self, cast):
        send(cast, "at_once")
        live(LATER)

        ledger = Transfer.objects.filter(connection=cast.revampd_northwind)
        for account, minor in (
            (Account.PAYABLE, 0),
            (Account.TRANSIT, 0),
            (Account.WALLET, -30_00),
            (Account.HELD, 30_00),
        ):
            assert ledger.balance(account, "USD").minor == minor


class Crash(Exception):
    """The worker dies here."""


class TestCrash:
    """A worker that dies between the gateway and its answer, at every step, leaves one transfer."""

    @pytest.mark.parametrize("name", BY_NAME)
    @pytest.mark.parametrize("step", ["look_up", "send", "settle"])
    @pytest.mark.parametrize("moment", ["before", "after"])
    def test_leaves_one_transfer(self, cast, monkeypatch, name, step, moment):
        payout = send(cast, name)
        place = BankTransfer if step == "settle" else Sandbox
        with monkeypatch.context() as patch:
            patch.setattr(place, step, dying(getattr(place, step), moment))
            patch.setattr(inquiries.log, "exception", _raise)
            with pytest.raises(Crash):
                live(LATER, LATER + MINUTES)

        live(*(LATER + number * MINUTES for number in range(1, 5)))
        live(ARRIVED + timedelta(hours=2), ARRIVED + timedelta(hours=4))

        assert SandboxTransfer.objects.count() == 1
        assert BankTransfer.objects.get().is_settled
        assert fresh(payout).state in (Payout.State.SETTLED, Payout.State.AVAILABLE)
        assert_as_the_bank_says()


def dying(step, moment):
    """`step`, which the worker does not survive."""

    def die(*args, **kwargs):
        with suppress(Unanswered):
            if moment == "after":
                step(*args, **kwargs)
        raise Crash

    return die


def _raise(*_: object) -> None:
    raise Crash


class TestWorkers:
    def test_send_once_between_them(self, committed_cast):
        send(committed_cast, "at_once")
        worker = lambda: send_transfers(at=LATER)  # noqa: E731

        assert sum(at_once(*[worker] * 6)) == 1

        assert SandboxTransfer.objects.count() == 1
        assert Event.objects.filter(code="bank_transfer.paid").count() == 1
        assert_as_the_bank_says()


class TestOutcome:
    def test_is_booked_once(self, cast):
        send(cast, "at_once")
        live(LATER)
        transfer = BankTransfer.objects.get()

        transfer.settle(Outcome(State.SUCCEEDED, transfer.reference), at=LATER)

        assert Event.objects.filter(code="bank_transfer.paid").count() == 1

    def test_that_contradicts_the_books_changes_nothing(self, cast):
        send(cast, "refused")
        live(LATER)
        transfer = BankTransfer.objects.get()

        with pytest.raises(Contradiction, match="is failed here"):
            transfer.settle(Outcome(State.SUCCEEDED, transfer.reference), at=LATER)
        for _ in range(2):
            report_contradiction(transfer, "It is failed here.", at=LATER)

        assert Event.objects.filter(code="gateway.contradicted").count() == 1
        assert_as_the_bank_says()


class TestSandbox:
    def order(self, to: BankAccount, minor: int = 10_00, **details) -> TransferOrder:
        given = {"key": uuid4(), "account": to.reference, "description": "Payout"}
        return TransferOrder(amount=Money(minor), **{**given, **details})

    def test_takes_a_key_for_one_order(self, cast):
        account, sandbox = link_bank(cast, "at_once"), bank(NOW)
        order = self.order(account)
        first = sandbox.send(order)

        assert sandbox.send(order) == first
        with pytest.raises(KeyReused):
            sandbox.send(self.order(account, 20_00, key=order.key))

    def test_sends_nothing_to_an_account_that_it_does_not_know(self, cast):
        outcome = bank(NOW).send(self.order(link_bank(cast), account="bank_gone"))

        assert outcome.state == State.FAILED
        assert SandboxTransfer.objects.count() == 0

    def test_knows_nothing_of_an_order_that_was_never_sent(self, cast):
        assert bank(NOW).look_up(self.order(link_bank(cast))) is None


class TestLink:
    def test_keeps_one_account_and_tells_all_owners(self, cast):
        first = link_bank(cast, "later")
        second = link_bank(cast, "at_once", at=LATER)

        assert list(BankAccount.objects.linked()) == [second]
        assert fresh(first).removed_at == LATER
        assert Event.objects.filter(code="bank_account.linked").count() == 2

    def test_takes_no_account_of_another_organization(self, cast):
        link_bank(cast)
        theirs = Connection.objects.get(provider=cast.revampd, customer=cast.contoso)
        details = Sandbox(NOW).finish_link(SandboxLink.objects.get().reference)

        with pytest.raises(Invalid, match="somebody else"):
            BankAccount.link(theirs, details, gateway="sandbox", by=cast.oscar, at=NOW)

        assert BankAccount.objects.get().connection == cast.revampd_northwind

    def test_ends_with_its_removal(self, cast):
        account = link_bank(cast)

        account.remove(by=cast.maya, at=LATER)
        account.remove(by=cast.maya, at=LATER)

        assert not BankAccount.objects.linked().exists()
        assert Event.objects.filter(code="bank_account.removed").count() == 1
