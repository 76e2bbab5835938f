"""The journey of a credit: a week is paid out to the wallet, and pays what Revampd bills next."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from billing.cycle import bill_due
from billing.models import Credit, Invoice
from payouts.models import Settlement
from tests.books import assert_books_agree
from tests.cast import Cast

from .acts import paid_out, put_on_tier
from .affiliates.acts import pay_owed

DAY = timedelta(days=1)


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


class TestCredit:
    def test_of_a_payout_pays_the_next_invoice_of_revampd(self, cast: Cast, as_: Any) -> None:
        now, account = timezone.now(), cast.revampd_northwind
        home = f"/connections/{account.pk}"
        put_on_tier(cast, at=now - 20 * DAY)
        pay_owed(account, now - 20 * DAY)
        payout = paid_out(cast, 60_00, at=now - 9 * DAY)
        browser = as_(cast.noah)

        settled = browser.post(f"{home}/payouts/{payout.pk}/settlement/", {"way": "CREDIT"})

        assert settled.status_code == 303
        lot = Credit.objects.get(origin=Credit.Origin.PAYOUT)
        assert (lot.amount, lot.applied) == (57_90, 0)  # $60.00 less 3.5 %; nothing is owed yet

        bill_due(at=now + 12 * DAY)

        first, following = account.invoices.order_by("number")
        assert first.state == Invoice.State.PAID
        [used] = following.applications.select_related("credit__settlement")
        assert used.credit == lot
        assert used.credit.settlement == Settlement.objects.get(payout=payout)
        assert (following.total, used.amount, following.outstanding) == (97_00, 57_90, 39_10)

        invoice = text(browser.get(f"{home}/invoices/{following.number}/"))
        assert f"Credit: Partner payout, {payout.week}" in invoice
        assert f'href="{home}/wallet/credits/{lot.pk}/"' in invoice
        for amount in ("−$57.90", "$39.10"):
            assert amount in invoice
        credit = text(browser.get(f"{home}/wallet/credits/{lot.pk}/"))
        assert f'href="{home}/payouts/{payout.pk}/"' in credit
        assert f'href="{home}/invoices/{following.number}/">{following.code}</a>' in credit
        assert "Used</dt><dd>$57.90" in credit
        assert_books_agree()
