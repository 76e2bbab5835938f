"""Several at once, on several database connections: one charge, whoever wins."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connections

from billing.collecting import collect_due, pay, reconcile
from billing.disputing import find_disputes, follow_disputes
from billing.gateways.base import ClaimState
from billing.models import (
    CreditNote,
    Invoice,
    Payment,
    SandboxCharge,
    SandboxDispute,
    SandboxRefund,
)
from billing.models.payments import NothingOwed, PaymentUnderWay
from billing.postman import deliver
from billing.refunding import settle_refunds
from billing.webhooks import work_off
from revampd.kit.errors import DomainError
from tests.billing.acts import NOW, agree, issued
from tests.cast import Cast

from .acts import (
    PRICE,
    add_card,
    assert_books_agree,
    decide,
    dispute,
    events_of,
    fresh,
    settle,
)

PERSON = Payment.Cause.PERSON


def at_once(*acts: Callable[[], object]) -> list[object]:
    """Do all acts at the same moment. Returns what each answered, or the refusal that it met."""
    start = Barrier(len(acts))

    def run(act: Callable[[], object]) -> object:
        try:
            start.wait()
            return act()
        except DomainError as refusal:
            return refusal
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


@pytest.fixture
def invoice(committed_cast: Cast) -> Invoice:
    agree(committed_cast)
    add_card(committed_cast.northwind_bluebird, committed_cast.ben)
    return issued(committed_cast)[0]


@pytest.fixture
def press(committed_cast, invoice) -> Callable[[], object]:
    method = invoice.connection.payment_methods.default()
    return lambda: pay(fresh(invoice), method, cause=PERSON, at=NOW, by=committed_cast.ben)


def assert_one_charge() -> None:
    assert SandboxCharge.objects.count() == 1
    assert_books_agree()


class TestPayNow:
    def test_of_eight_at_once_is_one_charge(self, invoice, press):
        answers = at_once(*[press] * 8)

        kinds = Counter(type(answer) for answer in answers)
        assert kinds[Payment] == 1
        assert set(kinds) <= {Payment, PaymentUnderWay, NothingOwed}
        assert_one_charge()

    def test_against_four_workers_is_one_charge(self, invoice, press):
        worker = lambda: collect_due(at=NOW)  # noqa: E731

        at_once(press, press, *[worker] * 4)

        assert_one_charge()

    @pytest.mark.parametrize("attempt", range(5))
    def test_against_making_it_void_ends_one_way(self, committed_cast, invoice, press, attempt):
        maya = committed_cast.maya

        at_once(press, lambda: fresh(invoice).void(reason="Mistake", by=maya, at=NOW))

        assert fresh(invoice).state in (Invoice.State.PAID, Invoice.State.VOID)
        taken = sum(SandboxCharge.objects.values_list("amount", flat=True))
        assert taken == (PRICE if fresh(invoice).state == Invoice.State.PAID else 0)
        assert_books_agree()

    @pytest.mark.parametrize("attempt", range(5))
    def test_against_a_credit_note_takes_no_more_than_is_owed(
        self, committed_cast, invoice, press, attempt
    ):
        lines = {invoice.lines.get().pk: 49_00}
        correct = lambda: CreditNote.issue(  # noqa: E731
            fresh(invoice), lines, reason="Mistake", by=committed_cast.maya, at=NOW
        )

        paid, noted = at_once(press, correct)

        if isinstance(noted, CreditNote):
            assert fresh(invoice).total - fresh(invoice).corrected == 100_00
        assert isinstance(paid, Payment)
        settle_refunds(at=NOW)
        assert fresh(invoice).state == Invoice.State.PAID
        assert_one_charge()


class TestWorkers:
    def test_share_the_invoices(self, committed_cast, invoice):
        for _ in range(6):
            agree(committed_cast, committed_cast.setup)
        worker = lambda: collect_due(at=NOW)  # noqa: E731

        done = at_once(*[worker] * 4)
        collect_due(at=NOW)

        assert sum(done) <= 7
        assert not Invoice.objects.owed().exists()
        assert SandboxCharge.objects.count() == 7
        assert_books_agree()

    def test_send_a_refund_once(self, committed_cast, invoice):
        collect_due(at=NOW)
        lines = {invoice.lines.get().pk: 49_00}
        CreditNote.issue(fresh(invoice), lines, reason="Mistake", by=committed_cast.maya, at=NOW)
        worker = lambda: settle_refunds(at=NOW)  # noqa: E731

        assert sum(at_once(*[worker] * 4)) == 1

        assert SandboxRefund.objects.count() == 1
        assert len(events_of("refund.succeeded")) == 1
        assert_books_agree()

    def test_that_reconcile_and_follow_webhooks_book_once(self, committed_cast, invoice):
        add_card(committed_cast.northwind_bluebird, committed_cast.ben, "answer_lost")
        collect_due(at=NOW)
        later = NOW + timedelta(minutes=2)
        ask, follow = lambda: reconcile(at=later), lambda: work_off(at=later)
        deliver(at=later)

        at_once(ask, follow, ask, follow)

        assert len(events_of("payment.succeeded")) == 1
        assert_one_charge()


class TestDispute:
    @pytest.fixture
    def paid(self, invoice) -> Payment:
        collect_due(at=NOW)
        payment: Payment = invoice.payments.get()
        return payment

    def test_told_and_found_at_once_is_booked_once(self, invoice, paid):
        SandboxDispute.begin(SandboxCharge.objects.get(), at=NOW)
        deliver(at=NOW)
        follow, find = lambda: work_off(at=NOW), lambda: find_disputes(at=NOW)

        at_once(follow, find, follow, find, follow, find)

        assert len(events_of("dispute.opened")) == 1
        assert_books_agree()

    def test_is_decided_once_by_whoever_hears_of_it(self, invoice, paid):
        begun = dispute(paid, NOW)
        begun.decide(ClaimState.LOST, at=NOW)
        later = NOW + timedelta(hours=2)
        deliver(at=later)
        follow, ask = lambda: work_off(at=later), lambda: follow_disputes(at=later)

        at_once(follow, ask, follow, ask)

        assert len(events_of("dispute.lost")) == 1
        assert fresh(invoice).state == Invoice.State.PAST_DUE
        assert_books_agree()

    @pytest.mark.parametrize("end", [ClaimState.WON, ClaimState.LOST])
    @pytest.mark.parametrize("attempt", range(3))
    def test_against_a_refund_leaves_no_cent_to_both(
        self, committed_cast, invoice, paid, attempt, end
    ):
        """The bank takes all of it while the Partner gives a part back, and a worker sends that."""
        lines = {invoice.lines.get().pk: 49_00}
        correct = lambda: CreditNote.issue(  # noqa: E731
            fresh(invoice), lines, reason="Mistake", by=committed_cast.maya, at=NOW
        )
        begin = lambda: dispute(paid, NOW)  # noqa: E731
        send = lambda: settle_refunds(at=NOW)  # noqa: E731

        begun, *_ = at_once(begin, correct, send)

        assert isinstance(begun, SandboxDispute)
        payment = fresh(paid)
        assert payment.refunded + payment.disputed <= payment.amount
        decide(begun, end, NOW + timedelta(minutes=5))
        settle(NOW + timedelta(minutes=10))
        assert_books_agree()
