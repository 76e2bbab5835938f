"""Money under any history: whatever people, gateways and the calendar do, the books agree.

A state machine plays two customers of two Partners, and a Partner that serves itself at Revampd,
against PostgreSQL and the sandbox gateway.
HYPOTHESIS_PROFILE=explore plays longer, and something new each time.
"""

import os
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.db.models import F, Q, Sum
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from billing.collecting import collect_due, pay, resolve
from billing.cycle import bill_due
from billing.disputing import find_disputes, resolve_dispute
from billing.gateways.base import ClaimState
from billing.gateways.sandbox import Sandbox
from billing.models import (
    AddOn,
    BillingRequest,
    Credit,
    CreditNote,
    Discrepancy,
    Dispute,
    Invoice,
    OneTimeCharge,
    Payment,
    Plan,
    Refund,
    SandboxCharge,
    SandboxDispute,
    SandboxRefund,
    SelfService,
    Transfer,
    UsageRecord,
)
from billing.models.ledger import Account
from billing.models.proposals import Proposal
from billing.pricing import Interval, ItemKind, Measure, Timing
from billing.refunding import resolve_refund
from connections.models import Connection, Organization, User
from revampd.kit.errors import DomainError
from tests.billing.acts import NOW
from tests.billing.payments.acts import add_card
from tests.books import assert_books_agree
from tests.cast import LONG_AGO, Cast

IS_SHORT = os.environ.get("HYPOTHESIS_PROFILE", "repeat") == "repeat"
PLAY = settings(
    max_examples=16 if IS_SHORT else 300,
    stateful_step_count=25 if IS_SHORT else 60,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

CARDS = (
    *("visa", "visa", "insufficient_funds", "lost_card", "request_lost", "answer_lost"),
    *("delayed", "delayed_decline", "confirms_always", "refunds_later", "refuses_refunds"),
)
cards = st.sampled_from(CARDS)
ACTS = (
    *("approve", "approve", "add_card", "pay", "reconcile", "grant", "grant"),
    *("deduct", "correct", "correct", "void", "write_off", "use", "use"),
    *("choose_tier", "add", "remove", "end_or_keep"),
    *("claim", "claim", "decide", "decide"),
)
DEBITS = (Account.RECEIVABLE, Account.CASH, Account.DISPUTED, Account.BAD_DEBT)
CREDITS = (Account.WALLET, Account.REFUNDS_DUE, Account.REVENUE)


@dataclass(frozen=True)
class Side:
    """One connection, who acts on it, and what is on sale there."""

    key: Any
    seller: User
    buyer: User
    items: tuple[Any, ...]

    @property
    def connection(self) -> Connection:
        rows = Connection.objects.select_related("provider", "customer")
        return rows.get(pk=self.key)


def on_sale(provider: Organization, by: User) -> tuple[Any, ...]:
    """Plans of both cycles with prices that divide badly, an add-on and a charge."""
    plan = Plan.offer(provider=provider, by=by, name="Odd")
    version = {"by": by, "at": LONG_AGO, "booking_fee": 37, "transfer_fee": 1_01}
    return (
        plan.publish(interval=Interval.MONTH, base_price=149_00, **version),
        plan.publish(interval=Interval.MONTH, base_price=44_99, **version),
        plan.publish(interval=Interval.YEAR, base_price=990_01, **version),
        AddOn.offer(provider=provider, by=by, name="Extra", unit_price=2_53),
        AddOn.offer(provider=provider, by=by, name="More", unit_price=7),
        OneTimeCharge.offer(provider=provider, by=by, name="Once", unit_price=400_07),
    )


class Money(RuleBasedStateMachine):
    """What can happen to money, a rule each. Refusals are part of the game."""

    played: Counter[str] = Counter()

    def __init__(self, world: tuple[Side, ...]) -> None:
        super().__init__()
        self.world = world
        self.now = NOW
        self.savepoint = transaction.savepoint()

    def teardown(self) -> None:
        transaction.savepoint_rollback(self.savepoint)

    def attempt(self, name: str, act: Callable[[], Any]) -> bool:
        """Do it, and note whether it changed anything; only refusals are put up with."""
        self.now += timedelta(minutes=1)
        try:
            done = act() not in (0, False)
        except DomainError:
            done = False
        self.played[name if done else "nothing"] += 1
        return done

    @staticmethod
    def pick(side: Side, rule: Q, number: int) -> Invoice | None:
        """One of the newest that the rule is about."""
        alive = Invoice.objects.exclude(state__in=["VOID", "UNCOLLECTIBLE"])
        found = list(alive.filter(rule, connection=side.key).order_by("-number")[:6])
        return found[number % len(found)] if found else None

    @initialize(cards=st.tuples(cards, cards, cards))
    def begin(self, cards: tuple[str, str, str]) -> None:
        """All have a plan and a card from the first day."""
        for number, (side, card) in enumerate(zip(self.world, cards, strict=True)):
            self.agree(side, side.items[number], 1, Timing.NOW)
            add_card(side.connection, side.buyer, card, self.now)

    # One rule, so that each act is as likely in every play
    @rule(
        act=st.sampled_from(ACTS),
        side=st.integers(0, 2),
        number=st.integers(0, 11),
        minor=st.one_of(st.integers(1, 300), st.integers(1, 300_00)),
        days=st.sampled_from([0, 0, 1, 3, 31]),
    )
    def live(self, act: str, side: int, number: int, minor: int, days: int) -> None:
        """Days pass, and somebody does something."""
        self.sleep(days)
        getattr(self, act)(self.world[side], number, minor)

    # Time

    def sleep(self, days: int) -> None:
        """The work of the night is done once: billing, then collecting."""
        if days:
            self.now += timedelta(days=days)
            self.attempt("billed", lambda: bill_due(at=self.now))
            self.attempt("collected", lambda: collect_due(at=self.now))

    def reconcile(self, _side: Side, number: int, _minor: int) -> None:
        """Customers answer their bank, and what had no answer is asked about, or heard of late."""
        self.now += timedelta(minutes=10)
        for payment in Payment.objects.unsettled().order_by("begun_at", "id"):
            if payment.state == Payment.State.ACTION:
                Sandbox(self.now).authorize(payment.reference, succeed=number % 2 == 0)
            self.attempt("reconciled", lambda payment=payment: resolve(payment, at=self.now))
        for refund in Refund.objects.unsettled().order_by("begun_at", "id"):
            self.attempt("refunded", lambda refund=refund: resolve_refund(refund, at=self.now))
        # Most of the time nothing is new, which is no act that came to nothing.
        self.played["disputed"] += find_disputes(at=self.now)
        for row in Dispute.objects.open().order_by("opened_at", "id"):
            self.played["decided"] += resolve_dispute(row, at=self.now)

    # Banks

    def claim(self, side: Side, number: int, minor: int) -> None:
        """A bank takes something back, or all. Half of the time nobody tells us yet."""
        taken = SandboxCharge.objects.filter(state="SUCCEEDED", key__in=self.payments(side))
        found = list(taken.order_by("-begun_at", "-reference")[:6])
        if not found:
            return
        charge, part = found[number % len(found)], None if minor % 2 else minor
        self.attempt("claimed", lambda: SandboxDispute.begin(charge, at=self.now, minor=part))
        if number % 2:
            self.reconcile(side, number, minor)

    def decide(self, side: Side, number: int, minor: int) -> None:
        found = list(SandboxDispute.objects.filter(state="OPEN").order_by("begun_at")[:6])
        if not found:
            return
        claim, state = found[number % len(found)], (ClaimState.WON, ClaimState.LOST)[minor % 2]
        self.attempt("settled", lambda: claim.decide(state, at=self.now))
        if number % 2:
            self.reconcile(side, number, minor)

    @staticmethod
    def payments(side: Side) -> Any:
        return Payment.objects.filter(connection=side.key).values("pk")

    # Consent

    def approve(self, side: Side, number: int, minor: int) -> None:
        item, timing = side.items[number % 6], (Timing.NOW, Timing.NEXT_CYCLE)[number // 6]
        self.attempt("approved", lambda: self.agree(side, item, 1 + minor % 4, timing))

    # What a customer of Revampd does by itself, whoever's turn it is

    def choose_tier(self, _side: Side, number: int, _minor: int) -> None:
        side = self.world[-1]
        tier = side.items[number % 3]
        self.serve("chosen", lambda own: own.choose_tier(tier, by=side.buyer, at=self.now))

    def add(self, _side: Side, number: int, minor: int) -> None:
        side = self.world[-1]
        add_on, quantity = side.items[3 + number % 2], 1 + minor % 4
        self.serve("added", lambda own: own.add(add_on, quantity, by=side.buyer, at=self.now))

    def remove(self, _side: Side, number: int, minor: int) -> None:
        """All of an add-on or one of it ends, or that is taken back."""
        side = self.world[-1]
        added = BillingRequest.objects.filter(
            connection=side.key, kind=ItemKind.ADD_ON, state=BillingRequest.State.APPROVED
        )
        found = list(added.order_by("-decided_at", "-id")[:6])
        if not found:
            return
        request, by = found[number % len(found)], {"by": side.buyer, "at": self.now}
        quantity = 1 if minor % 2 else None
        if number < 8:
            self.serve("removed", lambda own: own.remove(request, quantity=quantity, **by))
        else:
            self.serve("retained", lambda own: own.retain(request, **by))

    def end_or_keep(self, _side: Side, number: int, _minor: int) -> None:
        by = {"by": self.world[-1].buyer, "at": self.now}
        if number % 3:
            self.serve("kept", lambda own: own.keep(**by))
        else:
            self.serve("canceled", lambda own: own.cancel(**by))

    def serve(self, name: str, act: Callable[[SelfService], Any]) -> None:
        self.attempt(name, lambda: act(SelfService(self.world[-1].connection)))

    def agree(self, side: Side, item: Any, quantity: int, timing: Timing) -> None:
        proposal = self.proposal(item, quantity, timing)
        details = {"connection": side.connection, "by": side.seller}
        request = BillingRequest.propose(proposal, at=self.now, **details)
        request.approve(by=side.buyer, seal=request.seal, at=self.now)

    @staticmethod
    def proposal(item: Any, quantity: int, timing: Timing) -> Proposal:
        is_add_on = isinstance(item, AddOn)
        return Proposal(item, quantity=quantity if is_add_on else 1, timing=timing)

    def use(self, side: Side, number: int, minor: int) -> None:
        """Bookings or transfers of the last days are entered."""
        details = {
            "measure": list(Measure)[number % 2],
            "quantity": minor,
            "key": f"used {self.now}",
        }
        used_on = self.now.date() - timedelta(days=number // 2)
        self.attempt(
            "used",
            lambda: UsageRecord.enter(
                side.connection, used_on=used_on, by=side.seller, at=self.now, **details
            ),
        )

    # Paying

    def add_card(self, side: Side, number: int, _minor: int) -> None:
        name = CARDS[number % len(CARDS)]
        self.attempt("card", lambda: add_card(side.connection, side.buyer, name, self.now))

    def pay(self, side: Side, number: int, _minor: int) -> None:
        invoice = self.pick(side, Q(state__in=Invoice.UNSETTLED), number)
        method = side.connection.payment_methods.default()
        if invoice and method:
            how = {"cause": Payment.Cause.PERSON, "by": side.buyer}
            self.attempt("paid", lambda: pay(invoice, method, at=self.now, **how))

    # What the provider corrects

    def grant(self, side: Side, _number: int, minor: int) -> None:
        self.attempt("granted", lambda: self.adjust(side, minor))

    def deduct(self, side: Side, _number: int, minor: int) -> None:
        self.attempt("deducted", lambda: self.adjust(side, -minor))

    def adjust(self, side: Side, minor: int) -> None:
        Credit.adjust(side.connection, minor, reason="Because", by=side.seller, at=self.now)

    def correct(self, side: Side, number: int, minor: int) -> None:
        given = Q(corrected__lt=F("total")) & (Q(paid__gt=0) | Q(credited__gt=0))
        if invoice := self.pick(side, given, number):
            amounts = part(invoice, 1 + minor % 100)
            details = {"reason": "Wrong", "by": side.seller}
            self.attempt(
                "corrected", lambda: CreditNote.issue(invoice, amounts, at=self.now, **details)
            )

    def void(self, side: Side, number: int, _minor: int) -> None:
        if invoice := self.pick(side, Q(paid=0, corrected=0), number):
            details = {"reason": "Wrong", "by": side.seller}
            self.attempt("voided", lambda: invoice.void(at=self.now, **details))

    def write_off(self, side: Side, number: int, _minor: int) -> None:
        if invoice := self.pick(side, Q(state__in=Invoice.UNSETTLED), number):
            details = {"reason": "Gone", "by": side.seller}
            self.attempt("written off", lambda: invoice.write_off(at=self.now, **details))

    # What holds after every step

    @invariant()
    def books_agree(self) -> None:
        assert_books_agree()

    @invariant()
    def nothing_is_made_or_lost(self) -> None:
        """By connection: what was asked for and granted is somewhere, and nothing is below zero."""
        held: defaultdict[Any, Counter[str]] = defaultdict(Counter)
        moved = Transfer.objects.values_list("connection", "debit", "credit")
        for key, debit, credit, minor in moved.annotate(minor=Sum("amount")):
            held[key][debit] += minor
            held[key][credit] -= minor
        for accounts in held.values():
            assert sum(accounts.values()) == 0
            # More may have been taken out of a wallet than was put in: a refund is no grant.
            assert min(accounts[account] for account in DEBITS) >= 0
            assert max(accounts[account] for account in CREDITS) <= 0

    @invariant()
    def the_gateway_says_the_same(self) -> None:
        """What it took is booked, or still to be asked about; what is booked it took."""
        took = dict(SandboxCharge.objects.filter(state="SUCCEEDED").values_list("key", "amount"))
        booked = dict(Payment.objects.succeeded().values_list("pk", "amount"))
        unknown = set(Payment.objects.unsettled().values_list("pk", flat=True))
        assert booked.items() <= took.items()
        assert set(took) - set(booked) <= unknown
        gave = dict(SandboxRefund.objects.filter(state="SUCCEEDED").values_list("key", "amount"))
        claimed = dict(SandboxDispute.objects.values_list("reference", "amount"))
        assert dict(Dispute.objects.values_list("reference", "claimed")).items() <= claimed.items()
        decided = dict(SandboxDispute.objects.values_list("reference", "state"))
        ours = Dispute.objects.exclude(state=Dispute.State.OPEN).values_list("reference", "state")
        assert dict(ours).items() <= decided.items()
        # What a bank kept beyond the rest is a refund under the name of the dispute.
        returned = Refund.objects.filter(state=Refund.State.SUCCEEDED).exclude(
            reference__in=claimed
        )
        assert dict(returned.values_list("pk", "amount")).items() <= gave.items()

    @invariant()
    def no_invoice_is_stopped(self) -> None:
        assert not Discrepancy.objects.exists()


def part(invoice: Invoice, percent: int) -> dict[int, int]:
    """`percent` of what is left of each of its lines."""
    taken = Sum("corrections__amount", default=0)
    lines: Any = invoice.lines.filter(amount__gt=0).annotate(taken=taken)
    return {line.pk: (line.amount - line.taken) * percent // 100 for line in lines}


@pytest.mark.timeout(300 if IS_SHORT else 3600)
class TestMoney:
    def test_is_kept_under_any_history(self, cast: Cast) -> None:
        world = (
            Side(
                cast.northwind_bluebird.pk, cast.noah, cast.ben, on_sale(cast.northwind, cast.noah)
            ),
            Side(cast.contoso_fabrikam.pk, cast.oscar, cast.fay, on_sale(cast.contoso, cast.oscar)),
            Side(cast.revampd_northwind.pk, cast.rhea, cast.maya, on_sale(cast.revampd, cast.rhea)),
        )
        Money.played.clear()

        run_state_machine_as_test(lambda: Money(world), settings=PLAY)

        effective = Money.played.total() - Money.played["nothing"]
        assert effective >= Money.played.total() / 2
        assert len(Money.played) >= 20, Money.played
        for act in ("claimed", "disputed", "settled"):
            assert Money.played[act], Money.played
