"""Killing what sends payouts: nothing arrives twice, and nothing sent stays unbooked."""

from datetime import timedelta

import pytest
from django.utils import timezone

from payouts.models import BankTransfer, Payout, SandboxTransfer
from tests.books import assert_books_agree
from tests.payouts.acts import link_bank, paid_out

from .servers import Worker, eventually
from .test_payments import nothing_can_be_booked, somebody_waits_to_book

pytestmark = [pytest.mark.faults, pytest.mark.xdist_group("faults")]

SUCCEEDED = BankTransfer.State.SUCCEEDED


class TestKilledWorker:
    @pytest.mark.timeout(240)
    def test_between_the_transfer_and_its_booking_books_it_once(
        self, committed_cast, worker: Worker
    ):
        now = timezone.now()
        link_bank(committed_cast, "at_once", at=now)
        payout = paid_out(committed_cast, at=now - timedelta(days=9))
        payout.settle(credit=30_00, transfer=70_00, by=committed_cast.noah, at=now)

        with nothing_can_be_booked():
            worker.start()
            eventually(somebody_waits_to_book)
            worker.kill()
        eventually(lambda: not somebody_waits_to_book())

        assert SandboxTransfer.objects.count() == 1
        assert BankTransfer.objects.get().state == BankTransfer.State.INTENT
        worker.start()
        eventually(lambda: BankTransfer.objects.filter(state=SUCCEEDED).exists(), 150)
        assert SandboxTransfer.objects.count() == 1
        assert Payout.objects.get().state == Payout.State.SETTLED
        assert_books_agree()
