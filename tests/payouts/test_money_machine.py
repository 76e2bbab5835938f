"""Payouts under any history: the machine of billing, in which Partners also draw their earnings.

Earnings of odd amounts at odd fees, shares of whoever brought them, refunds before and after their
payout, splits, transfers that get lost, fail, or come back after they were paid: after every step
the books agree, and the bank has sent what is booked.
"""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule, run_state_machine_as_test

from billing.gateways.base import State
from billing.models import Plan, PlanVersion
from billing.pricing import Interval
from connections.models import Connection
from payouts.affiliates.closing import pay_affiliates
from payouts.closing import close_weeks
from payouts.gateways.accounts import BY_NAME, RETURNS_AFTER
from payouts.harvest import collect_earnings
from payouts.models import (
    AffiliateShare,
    BankTransfer,
    Earning,
    Payout,
    Preference,
    Referral,
    SandboxTransfer,
)
from payouts.postman import deliver
from payouts.sending import send_transfers
from payouts.webhooks import INBOX
from tests.billing.test_money_machine import IS_SHORT, PLAY, Money, Side, on_sale
from tests.cast import LONG_AGO, Cast, connect, person

from .acts import link_account, owner
from .affiliates.acts import give, link_of

ACTS = (
    *("earn", "close", "close", "close", "settle", "settle", "settle"),
    *("link", "link", "arrive", "arrive", "come_back", "come_back", "prefer"),
    *("claim_back", "claim_back", "bank_decides"),
)


class PaidOut(Money):
    """What can happen to payouts, an act each, between everything else that happens to money."""

    played: Counter[str] = Counter()

    @initialize(names=st.tuples(*[st.sampled_from([*BY_NAME, *["returned"] * 4])] * 2))
    def link_first(self, names: tuple[str, str]) -> None:
        """Both Partners have a bank account from the first day, often one that sends money back."""
        for number, name in enumerate(names):
            self.link(list(BY_NAME).index(name), number)

    @rule(
        act=st.sampled_from(ACTS),
        number=st.integers(0, len(BY_NAME) - 1),
        percent=st.integers(0, 100),
        days=st.sampled_from([0, 0, 3, 7]),
    )
    def draw(self, act: str, number: int, percent: int, days: int) -> None:
        self.sleep(days)
        getattr(self, act)(number, percent)

    def earn(self, _number: int, _percent: int) -> None:
        self.attempt("earned", collect_earnings)

    def close(self, number: int, percent: int) -> None:
        self.earn(number, percent)
        self.attempt("closed", lambda: close_weeks(at=self.now))
        self.attempt("shared", lambda: pay_affiliates(at=self.now))

    def claim_back(self, number: int, percent: int) -> None:
        """A bank takes a payment of a Sub-Org back, and we hear of it at once."""
        self.claim(self.world[number % 2], 1 + 2 * (number // 2), percent)
        self.earn(number, percent)

    def bank_decides(self, number: int, percent: int) -> None:
        self.decide(self.world[0], 1 + 2 * (number // 2), percent)
        self.earn(number, percent)

    def settle(self, number: int, percent: int) -> None:
        found = list(Payout.objects.available().order_by("period_start", "connection")[:6])
        if not found:
            return
        payout = found[number % len(found)]
        credit, by = payout.left * percent // 100, owner(payout.connection.customer)
        parts = {"credit": credit, "transfer": payout.left - credit}
        self.attempt("settled", lambda: payout.settle(**parts, by=by, at=self.now))
        if number % 2:
            self.attempt("sent", lambda: send_transfers(at=self.now))

    def arrive(self, _number: int, _percent: int) -> None:
        """What had no answer is asked about, and two days later what arrived or came back."""
        for later in (timedelta(minutes=5), timedelta(days=2, hours=2)):
            self.now += later
            self.attempt("sent", lambda: send_transfers(at=self.now))

    def come_back(self, number: int, percent: int) -> None:
        """A payout is sent, arrives, and its bank may send it back and tell."""
        self.settle(number, percent)
        self.arrive(number, percent)
        self.now += RETURNS_AFTER
        self.attempt("told", lambda: deliver(at=self.now) and INBOX.work_off(at=self.now))

    def link(self, number: int, percent: int) -> None:
        connection, name = self.account(percent), list(BY_NAME)[number]
        by = owner(connection.customer)
        self.attempt("linked", lambda: link_account(connection, name, by=by, at=self.now))

    def prefer(self, number: int, percent: int) -> None:
        connection, kind = self.account(number), list(Preference.Kind)[number % 4]
        by = {"by": owner(connection.customer), "at": self.now}
        self.attempt(
            "preferred",
            lambda: Preference.choose(connection, kind, credit_percent=percent, **by),
        )

    def account(self, number: int) -> Connection:
        """Northwind's or Contoso's connection with Revampd."""
        rows = Connection.objects.filter(provider_kind="PLATFORM", customer_kind="PARTNER")
        return rows.select_related("provider", "customer").order_by("pk")[number % 2]

    # What holds after every step

    @invariant()
    def play_counts(self) -> None:
        """So that it is known which of the rarer things the play has come to."""
        for share in AffiliateShare.objects.values_list("refund", "earning"):
            who = "Partner's" if share[1] else "Revampd's"
            self.played[f"{who} share {'back' if share[0] else 'earned'}"] += 1
        for is_won in Earning.objects.exclude(dispute=None).values_list("is_won", flat=True):
            self.played["earned again" if is_won else "disputed away"] += 1
        self.played["came back"] += BankTransfer.objects.exclude(returned_at=None).count()

    @invariant()
    def the_bank_says_the_same(self) -> None:
        """What it sent is booked so, or still to be asked about; what is booked as paid it sent."""
        sent = SandboxTransfer.objects.exclude(state=State.FAILED).values_list("key", "amount")
        rows = BankTransfer.objects.exclude(state=BankTransfer.State.FAILED)
        paid = rows.filter(state=BankTransfer.State.SUCCEEDED).values_list("pk", "amount")
        assert dict(paid).items() <= dict(sent).items()
        assert dict(sent).items() <= dict(rows.values_list("pk", "amount")).items()


def tiers(cast: Cast) -> list[PlanVersion]:
    """Tiers whose fees divide badly."""
    tier = Plan.offer(provider=cast.revampd, by=cast.rhea, name="Tier")
    terms: dict[str, Any] = {"interval": Interval.MONTH, "base_price": 97_00}
    return [
        tier.publish(by=cast.rhea, at=LONG_AGO, transaction_fee=fee, **terms)
        for fee in (3_33, 2_90, 17_77)
    ]


def refer(cast: Cast) -> None:
    """Contoso brought Northwind, and a Sub-Org of Northwind brought Bluebird, at odd rates."""
    harbor = connect(cast.northwind, "Harbor Kids", person("Hal"), by=cast.maya)
    for provider, referrer, connection, rate, months in (
        (cast.revampd, cast.contoso, cast.revampd_northwind, 33_33, None),
        (cast.northwind, harbor, cast.northwind_bluebird, 12_34, 5),
    ):
        give(provider, rate, months)
        link = link_of(referrer, provider, LONG_AGO)
        Referral.begin(link, connection, by=cast.zed, at=LONG_AGO)


@pytest.mark.timeout(300 if IS_SHORT else 3600)
class TestPayouts:
    def test_are_kept_under_any_history(self, cast: Cast) -> None:
        sides = (
            (cast.northwind_bluebird, cast.noah, cast.ben, on_sale(cast.northwind, cast.noah)),
            (cast.contoso_fabrikam, cast.oscar, cast.fay, on_sale(cast.contoso, cast.oscar)),
            (
                *(cast.revampd_northwind, cast.rhea, cast.maya),
                (*tiers(cast), *on_sale(cast.revampd, cast.rhea)[3:]),
            ),
        )
        world = tuple(Side(one.pk, seller, buyer, items) for one, seller, buyer, items in sides)
        PaidOut.played.clear()
        refer(cast)

        play = PLAY if not IS_SHORT else settings(PLAY, max_examples=14)
        run_state_machine_as_test(lambda: PaidOut(world), settings=play)

        acts = ("earned", "closed", "shared", "settled", "sent", "linked", "preferred")
        shares = ("Partner's share earned", "Revampd's share earned")
        for act in (*acts, *shares, "disputed away", "came back"):
            assert PaidOut.played[act], dict(PaidOut.played)
