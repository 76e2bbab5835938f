"""What PostgreSQL refuses of earnings, payouts and settlements, whatever the application does."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from billing.models import Credit, Dispute, Payment, Refund
from connections.models import Connection
from payouts.models import BankAccount, BankTransfer, Earning, Payout, Settlement
from payouts.sending import send_transfers
from tests.billing.payments.acts import fresh
from tests.cast import Cast
from tests.guarantees.statements import (
    NOT_ALLOWED,
    accepted,
    assert_refused_by,
    copy,
    copy_refused,
    refused,
)
from tests.guarantees.test_money_races import at_once
from tests.payouts.acts import (
    NOW,
    WEEK,
    change_tier,
    claim_back,
    close,
    link_bank,
    put_on_tier,
    sell,
    take_back,
    week,
)

LATER = NOW + WEEK


@dataclass
class Paid:
    """Of Northwind: a sale, a refund of it, a payout that was split, and one that is available."""

    account: Connection
    theirs: Connection  # Contoso's with Revampd
    sale: Earning
    back: Earning
    waiting: Earning
    split: Payout
    available: Payout  # $100.00
    settlement: Settlement
    transfer: BankTransfer
    bank: BankAccount
    payment: Payment  # not collected yet
    refund: Refund  # of the sale, not collected yet

    def sold(self, **changes: Any) -> dict[str, Any]:
        """The columns of the earning that is still to be collected."""
        return {"payout_id": None, "payment_id": self.payment.pk, **changes}

    def returned(self, **changes: Any) -> dict[str, Any]:
        """The same of the refund."""
        return {"payout_id": None, "refund_id": self.refund.pk, **changes}


@pytest.fixture
def paid(cast: Cast) -> Iterator[Paid]:
    """What the test leaves half done is gone before the transaction is checked as a whole."""
    paid = pay_out(cast)
    savepoint = transaction.savepoint()
    yield paid
    transaction.savepoint_rollback(savepoint)


def pay_out(cast: Cast) -> Paid:
    put_on_tier(cast, 5_00)
    bank = link_bank(cast, "later")
    payment = sell(cast, 200_00)
    take_back(payment, 40_00)
    close(LATER)
    split = cast.revampd_northwind.payouts.get()
    settlement = split.settle(credit=52_00, transfer=100_00, by=cast.noah, at=LATER)
    send_transfers(at=LATER)
    change_tier(cast, 0)
    sell(cast, 100_00, at=LATER)
    close(week(2))
    sell(cast, 30_00, at=week(2))
    close(week(2))
    earnings = cast.revampd_northwind.earnings
    return Paid(
        account=cast.revampd_northwind,
        theirs=Connection.objects.get(provider=cast.revampd, customer=cast.contoso),
        sale=earnings.get(payment=payment, refund=None),
        back=earnings.get(payment=payment, refund__isnull=False),
        waiting=earnings.waiting().get(),
        split=fresh(split),
        available=cast.revampd_northwind.payouts.available().get(),
        settlement=settlement,
        transfer=settlement.bank_transfer,
        bank=bank,
        payment=sell(cast, 70_00, at=week(2)),
        refund=take_back(payment, 10_00, at=week(2)).refunds.get(),
    )


class TestEarning:
    def test_is_one_a_payment_and_one_a_refund(self, paid):
        copy_refused(paid.sale, payout_id=None, by="earning_once_a_payment")
        copy_refused(paid.back, payout_id=None, by="earning_once_a_refund")
        copy(paid.sale, **paid.sold())
        copy(paid.back, **paid.returned())

    def test_of_a_dispute_is_one_when_it_is_opened_and_one_when_it_is_won(self, paid):
        claim_back(fresh(paid.sale.payment), 20_00, at=week(3))
        disputed = {"refund_id": None, "dispute_id": Dispute.objects.get().pk}
        turned = {"gross": 40_00, "net": 38_00, "fee": 2_00}

        loose = paid.returned(dispute_id=disputed["dispute_id"])
        copy_refused(paid.back, **loose, by="earning_of_what_went_back")
        copy_refused(paid.back, **paid.returned(**disputed, **turned), by="earning_sign")
        won = paid.returned(**disputed, is_won=True)
        copy_refused(paid.back, **won, by="earning_sign")
        other = paid.returned(**disputed, payment_id=paid.payment.pk)
        copy_refused(paid.back, **other, by="earning_")
        copy_refused(paid.sale, **paid.sold(is_won=True), by="earning_of_what_went_back")
        copy(paid.back, **paid.returned(**disputed))
        copy_refused(paid.back, **paid.returned(**disputed), by="earning_once_a_dispute")
        copy(paid.back, **won, **turned)
        copy_refused(paid.back, **won, **turned, by="earning_once_a_dispute")

    def test_begins_without_a_payout(self, paid):
        joined = paid.sold(payout_id=paid.available.pk)
        copy_refused(paid.sale, **joined, by="begins without a payout")

    @pytest.mark.parametrize("column", ["net", "fee", "affiliate", "gross"])
    def test_adds_up(self, paid, column):
        changed = {column: getattr(paid.sale, column) + 1}
        copy_refused(paid.sale, **paid.sold(**changed), by="earning_adds_up")

    def test_has_the_sign_of_its_document(self, paid):
        turned = {"gross": -200_00, "net": -190_00, "fee": -10_00}
        copy_refused(paid.sale, **paid.sold(**turned), by="earning_sign")
        turned = {"gross": 40_00, "net": 38_00, "fee": 2_00}
        copy_refused(paid.back, **paid.returned(**turned), by="earning_sign")

    def test_goes_back_at_the_rates_of_its_payment(self, paid):
        dearer = paid.returned(fee_rate=6_00)
        copy_refused(paid.back, **dearer, by="earning_at_the_same_rates")

    def test_goes_back_of_its_own_payment(self, paid):
        other = paid.returned(payment_id=paid.payment.pk)
        copy_refused(paid.back, **other, by="earning_")

    def test_has_no_fee_that_nobody_approved(self, paid):
        copy_refused(paid.sale, **paid.sold(authority_id=None), by="earning_fee_approved")
        declined = paid.sold(authority_id=paid.payment.invoice.lines.get().request_id)
        copy_refused(paid.sale, **declined, by="earning_fee_authority")

    @pytest.mark.parametrize(
        ("rate", "rule"), [(101_00, "earning_percent"), (-1, "fee_rate_check")]
    )
    def test_is_of_a_percentage(self, paid, rate, rule):
        copy_refused(paid.sale, **paid.sold(fee_rate=rate), by=rule)

    def test_belongs_to_the_partner_of_both_connections(self, paid, cast):
        other_partner = paid.sold(partner_id=cast.contoso.pk)
        copy_refused(paid.sale, **other_partner, by="earning_of_account")
        other_account = paid.sold(account_id=paid.theirs.pk)
        copy_refused(paid.sale, **other_account, by="earning_of_account")
        other_sub_org = paid.sold(connection_id=cast.contoso_fabrikam.pk)
        copy_refused(paid.sale, **other_sub_org, by="earning_of_connection")

    def test_joins_a_payout_once(self, paid):
        statement = "UPDATE payouts_earning SET payout_id = %s WHERE id = %s"

        refused(statement, paid.available.pk, paid.sale.pk, by="only joins a payout, once")
        refused(statement, None, paid.sale.pk, by="only joins a payout, once")

    def test_joins_no_payout_that_is_closed(self, paid):
        statement = "UPDATE payouts_earning SET payout_id = %s WHERE id = %s"

        refused(statement, paid.available.pk, paid.waiting.pk, by="takes no more earnings")

    def test_never_changes(self, paid):
        refused("UPDATE payouts_earning SET net = net + 1", by=NOT_ALLOWED)
        refused("DELETE FROM payouts_earning", by=NOT_ALLOWED)


class TestPayout:
    def begun(self, paid: Paid, **changes: Any) -> dict[str, Any]:
        start = date(2027, 1, 4)
        end = start + timedelta(days=7)
        columns: dict[str, Any] = {"period_start": start, "period_end": end}
        columns |= {"state": "OPEN", "gross": 0, "fee": 0, "affiliate": 0}
        return columns | {"credited": 0, "banked": 0} | changes

    def test_begins_empty(self, paid):
        copy(paid.available, **self.begun(paid))
        copy_refused(paid.available, **self.begun(paid, gross=1), by="begins empty")
        copy_refused(paid.available, **self.begun(paid, state="AVAILABLE"), by="begins empty")

    def test_is_one_a_period(self, paid):
        same = self.begun(paid, period_start=paid.available.period_start)
        copy_refused(paid.available, **same, by="payout_")
        within = self.begun(paid, period_start=paid.available.period_start + timedelta(days=1))
        copy_refused(paid.available, **within, by="payout_periods_apart")

    def test_carries_only_what_was_left_below_zero(self, paid):
        invented = self.begun(paid, carries_id=paid.split.pk, carried=-1)
        copy_refused(paid.available, **invented, by="carries what was left below zero")
        copy_refused(paid.available, **self.begun(paid, carried=-1), by="payout_carried")

    @pytest.mark.parametrize(
        "change",
        [
            "state = 'SETTLED'",
            "state = 'IN_TRANSIT'",
            "state = 'OPEN'",
            "credited = 1",
            "banked = 1",
            "gross = gross + 1",
            "fee = fee - 1",
        ],
    )
    def test_is_changed_by_nothing_but_what_is_booked_on_it(self, paid, change):
        statement = f"UPDATE payouts_payout SET {change} WHERE id = %s"

        refused(statement, paid.available.pk, by="payout")

    def test_is_never_deleted(self, paid):
        refused("DELETE FROM payouts_payout", by=NOT_ALLOWED)


class TestSettlement:
    def lot(self, connection: Connection, minor: int, origin: str = "PAYOUT") -> Credit:
        return Credit.objects.create(
            connection=connection,
            origin=origin,
            amount=minor,
            reason="Partner payout",
            issued_at=timezone.now(),
        )

    def whole(self, paid: Paid, minor: int = 100_00, **changes: Any) -> dict[str, Any]:
        columns = {"payout_id": paid.available.pk, "credited": minor, "banked": 0}
        return columns | {"credit_id": self.lot(paid.account, minor).pk} | changes

    @pytest.mark.parametrize("minor", [99_99, 100_01, 1])
    def test_is_exactly_what_is_available(self, paid, minor):
        copy_refused(paid.settlement, **self.whole(paid, minor), by="all that is available")

    def test_happens_once(self, paid):
        copy(paid.settlement, **self.whole(paid))
        assert fresh(paid.available).state == Payout.State.SETTLED

        copy_refused(paid.settlement, **self.whole(paid), by="all that is available")

    def test_of_what_was_settled_before_is_refused(self, paid):
        again = self.whole(paid, 152_00, payout_id=paid.split.pk)
        copy_refused(paid.settlement, **again, by="all that is available")

    def test_goes_to_no_other_wallet(self, paid):
        foreign = self.lot(paid.theirs, 100_00)
        other = self.whole(paid, credit_id=foreign.pk)
        copy_refused(paid.settlement, **other, by="settlement_to_own_wallet")
        moved = self.whole(paid, credit_id=foreign.pk, connection_id=paid.theirs.pk)
        copy_refused(paid.settlement, **moved, by="settlement_of_payout")

    def test_puts_its_own_amount_into_the_wallet(self, paid):
        larger = self.lot(paid.account, 100_01)
        copy_refused(
            paid.settlement, **self.whole(paid, credit_id=larger.pk), by="puts its own amount"
        )
        gift = self.lot(paid.account, 100_00, "ADJUSTMENT")
        copy_refused(
            paid.settlement, **self.whole(paid, credit_id=gift.pk), by="puts its own amount"
        )

    def test_has_parts_of_zero_or_more(self, paid):
        below = self.whole(paid, 101_00, banked=-1_00)
        copy_refused(paid.settlement, **below, by="settlement_of_something")
        nothing = {"payout_id": paid.available.pk, "credited": 100_00, "banked": 0}
        copy_refused(paid.settlement, **nothing, credit_id=None, by="settlement_of_something")

    def test_never_changes(self, paid):
        refused("UPDATE payouts_settlement SET banked = 1", by=NOT_ALLOWED)
        refused("DELETE FROM payouts_settlement", by=NOT_ALLOWED)


class TestTransfer:
    def test_is_one_a_settlement_over_its_amount(self, paid):
        new = {"state": "INTENT", "settled_at": None, "reference": ""}
        copy_refused(paid.transfer, **new, by="settlement_id")
        bank_only = {"payout_id": paid.available.pk, "credited": 0, "credit_id": None}
        settlement = copy(paid.settlement, **bank_only, banked=100_00)
        other = new | {"settlement_id": settlement, "payout_id": paid.available.pk}
        copy_refused(paid.transfer, **other, amount=99_99, by="bank_transfer_of_settlement")
        wrong = other | {"payout_id": paid.split.pk}
        copy_refused(paid.transfer, **wrong, by="bank_transfer_of_settlement")
        copy(paid.transfer, **other)

    def test_goes_to_an_account_of_its_own_partner(self, paid):
        bank_only = {"payout_id": paid.available.pk, "credited": 0, "credit_id": None}
        settlement = copy(paid.settlement, **bank_only, banked=100_00)
        foreign = copy(paid.bank, connection_id=paid.theirs.pk, reference="theirs")
        new = {"state": "INTENT", "settled_at": None, "reference": "", "amount": 100_00}

        ours = new | {"settlement_id": settlement, "payout_id": paid.available.pk}
        theirs = ours | {"account_id": foreign}
        copy_refused(paid.transfer, **theirs, by="bank_transfer_to_own_account")

    def test_begins_as_an_intent(self, paid):
        copy_refused(paid.transfer, state="SUCCEEDED", by="begins as an intent")

    def change(self, to: str) -> str:
        return f"UPDATE payouts_banktransfer SET {to} WHERE id = %s"

    def test_that_arrived_can_only_come_back(self, paid):
        key, failed = paid.transfer.pk, "state = 'FAILED'"
        accepted(self.change("state = 'SUCCEEDED', settled_at = now()"), key)

        for change, rule in (
            (failed, "can only come back"),
            ("failure = 'None.'", "can only come back"),
            ("returned_at = now()", "can only come back"),
            (f"{failed}, returned_at = now(), settled_at = begun_at", "never changes"),
            (f"{failed}, returned_at = now(), reference = 'another'", "never changes"),
            ("state = 'INTENT', settled_at = NULL", "never changes"),
        ):
            refused(self.change(change), key, by=rule)
        refused("UPDATE payouts_banktransfer SET amount = 1", by=NOT_ALLOWED)

    def test_that_came_back_gives_back_what_it_took_and_never_changes(self, paid):
        key = paid.transfer.pk
        accepted(self.change("state = 'SUCCEEDED', settled_at = now()"), key)
        accepted(self.change("state = 'FAILED', returned_at = now()"), key)

        split = fresh(paid.split)
        assert (split.state, split.credited, split.banked) == ("AVAILABLE", 52_00, 0)
        for change in ("returned_at = NULL", "state = 'SUCCEEDED', returned_at = NULL"):
            refused(self.change(change), key, by="never changes")

    def test_comes_back_only_after_it_was_paid(self, paid):
        for change in (
            "state = 'FAILED', settled_at = now(), returned_at = now()",
            "returned_at = now()",
        ):
            refused(self.change(change), paid.transfer.pk, by="never changes")

    def test_that_fails_gives_back_what_it_took_and_no_more(self, paid):
        accepted(
            "UPDATE payouts_banktransfer SET state = 'FAILED', settled_at = now() WHERE id = %s",
            paid.transfer.pk,
        )

        split = fresh(paid.split)
        assert (split.state, split.credited, split.banked) == ("AVAILABLE", 52_00, 0)


class TestBankAccount:
    def test_is_one_at_a_time(self, paid):
        copy_refused(paid.bank, reference="another", by="bank_account_one_linked")

    def test_never_changes(self, paid):
        refused("UPDATE payouts_bankaccount SET last4 = '0000'", by=NOT_ALLOWED)


class TestAtOnce:
    def test_a_payout_is_settled_once(self, committed_cast):
        paid = pay_out(committed_cast)
        lots = [TestSettlement().whole(paid) for _ in range(5)]
        refusals = []

        def settle(columns: dict[str, Any]) -> None:
            try:
                copy(paid.settlement, **columns)
            except DatabaseError as refusal:
                assert_refused_by(refusal, "all that is available")
                refusals.append(refusal)

        at_once(*[lambda columns=columns: settle(columns) for columns in lots])

        assert len(refusals) == 4
        assert fresh(paid.available).credited == 100_00
