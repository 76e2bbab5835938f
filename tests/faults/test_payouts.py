"""Killing what pays out, at every step: nothing arrives twice, and nothing sent stays unbooked."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connections, transaction
from django.utils import timezone

from billing.models import Credit, GatewayEvent, Transfer
from billing.models.ledger import Movement
from payouts.affiliates.closing import pay_affiliates
from payouts.events import SEND_TASK, WEBHOOK_TASK
from payouts.gateways.sandbox import webhook_of
from payouts.harvest import collect_earnings
from payouts.models import AffiliatePayout, BankTransfer, Payout, SandboxTransfer
from payouts.sending import send_transfers
from payouts.webhooks import INBOX
from revampd.kit.doorbell import ring_on_commit
from tests.books import assert_books_agree
from tests.cast import Cast
from tests.payouts.acts import link_bank, paid_out
from tests.payouts.affiliates.acts import bring_partner, give, pay_owed, subscribe, tier

from .servers import Worker, eventually

pytestmark = [pytest.mark.faults, pytest.mark.xdist_group("faults")]

SUCCEEDED = BankTransfer.State.SUCCEEDED
BANK, LEDGER = "payouts_sandboxtransfer", "billing_transfer"
# What each account comes to in the end, and the movement that books it.
ENDS = {
    "later": (Movement.PAYOUT_PAID, SUCCEEDED),
    "closed": (Movement.PAYOUT_FAILED, BankTransfer.State.FAILED),
    "returned": (Movement.PAYOUT_RETURNED, BankTransfer.State.FAILED),
}


@contextmanager
def held(table: str, *, against: str) -> Iterator[None]:
    """Keeps every worker waiting that wants to read or write the table."""
    mode = {"reading": "ACCESS EXCLUSIVE", "writing": "SHARE ROW EXCLUSIVE"}[against]
    owner = connections["owner"]
    with transaction.atomic(using="owner"), owner.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {table} IN {mode} MODE")
        yield
    owner.close()


def somebody_waits_for(table: str) -> bool:
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = %s::regclass", [table]
        )
        return cursor.fetchone() is not None


def kill_where_it_waits(worker: Worker, table: str, *, against: str, task: str = "") -> None:
    """The worker dies when it wants the table, and so does what it began there."""
    with held(table, against=against):
        worker.start()
        if task:
            ring_on_commit(task)
        eventually(lambda: somebody_waits_for(table), 60)
        worker.kill()
    eventually(lambda: not somebody_waits_for(table))


def sent_days_ago(cast: Cast, account: str) -> BankTransfer:
    """A transfer that has arrived or come back by now, which nobody here knows yet."""
    now = timezone.now()
    link_bank(cast, account, at=now - timedelta(days=9))
    payout = paid_out(cast, at=now - timedelta(days=20))
    sent_at = now - timedelta(days=6)
    payout.settle(credit=30_00, transfer=70_00, by=cast.noah, at=sent_at)
    send_transfers(at=sent_at)
    if account == "returned":
        send_transfers(at=sent_at + timedelta(days=3))
    transfer: BankTransfer = BankTransfer.objects.get()
    return transfer


def an_hour_passes() -> None:
    """What the dead worker had in hand is free for others again."""
    before = timezone.now() - timedelta(hours=2)
    BankTransfer.objects.unsettled().update(asked_at=before)
    GatewayEvent.objects.waiting().update(taken_at=before)


class TestKilledWorker:
    """Asking the bank whether it has heard of the transfer, sending it, and booking the answer."""

    @pytest.mark.timeout(400)
    @pytest.mark.parametrize(
        ("table", "against", "has_left"),
        [(BANK, "reading", 0), (BANK, "writing", 0), (LEDGER, "writing", 1)],
        ids=["asking", "sending", "booking"],
    )
    def test_sends_and_books_it_once(
        self, committed_cast, worker: Worker, table, against, has_left
    ):
        now = timezone.now()
        link_bank(committed_cast, "at_once", at=now)
        payout = paid_out(committed_cast, at=now - timedelta(days=9))
        payout.settle(credit=30_00, transfer=70_00, by=committed_cast.noah, at=now)

        kill_where_it_waits(worker, table, against=against)

        assert SandboxTransfer.objects.count() == has_left
        assert BankTransfer.objects.get().state == BankTransfer.State.INTENT
        worker.start()
        eventually(lambda: BankTransfer.objects.filter(state=SUCCEEDED).exists(), 200)
        assert SandboxTransfer.objects.count() == 1
        assert Payout.objects.get().state == Payout.State.SETTLED
        assert_books_agree()

    @pytest.mark.timeout(400)
    @pytest.mark.parametrize(
        ("account", "task", "table", "against"),
        [
            ("later", SEND_TASK, BANK, "reading"),
            ("later", SEND_TASK, BANK, "writing"),
            ("closed", SEND_TASK, LEDGER, "writing"),
            ("later", WEBHOOK_TASK, LEDGER, "writing"),
            ("returned", WEBHOOK_TASK, LEDGER, "writing"),
        ],
        ids=["asking", "ending", "booking-a-failure", "following", "following-a-return"],
    )
    def test_books_the_end_of_one_that_was_sent_days_ago_once(
        self, committed_cast, worker: Worker, account, task, table, against
    ):
        transfer = sent_days_ago(committed_cast, account)
        before = transfer.state
        if task == WEBHOOK_TASK:
            webhook = webhook_of(SandboxTransfer.objects.get(), timezone.now())
            INBOX.receive("sandbox", webhook.body, webhook.headers, at=timezone.now())

        kill_where_it_waits(worker, table, against=against, task=task)

        assert BankTransfer.objects.get().state == before
        an_hour_passes()
        worker.start()
        ring_on_commit(task)
        movement, end = ENDS[account]
        eventually(lambda: BankTransfer.objects.filter(state=end).exists(), 200)
        assert SandboxTransfer.objects.get().state == end
        assert Transfer.objects.filter(document=transfer.pk, kind=movement).count() == 1
        assert_books_agree()

    @pytest.mark.timeout(400)
    def test_credits_an_affiliate_payout_once(self, committed_cast, worker: Worker):
        now = timezone.now()
        long_ago = now - timedelta(days=40)
        give(committed_cast.revampd, 20_00, 12, at=long_ago - timedelta(days=1))
        connection = bring_partner(committed_cast.northwind, at=long_ago)
        subscribe(connection, tier(committed_cast), at=long_ago)
        pay_owed(connection, long_ago)
        collect_earnings()
        pay_affiliates(at=now - timedelta(days=5))
        pending = AffiliatePayout.objects.pending()
        assert pending.count() == 1

        kill_where_it_waits(worker, LEDGER, against="writing", task="payouts.pay_affiliates")

        assert pending.count() == 1
        assert not Credit.objects.filter(origin=Credit.Origin.AFFILIATE).exists()
        worker.start()
        for _ in range(2):
            ring_on_commit("payouts.pay_affiliates")
        eventually(lambda: not pending.exists(), 60)
        assert Credit.objects.filter(origin=Credit.Origin.AFFILIATE).count() == 1
        assert_books_agree()
