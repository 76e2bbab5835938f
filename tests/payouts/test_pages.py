"""The pages of payouts: what a Partner sees of them, and where they can be seen besides."""

import csv
import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from django.utils.formats import date_format

from billing.models import Credit
from connections.kinds import kind_of
from notifications.draining import drain_events
from notifications.models import Notification
from payouts.closing import close_weeks
from payouts.harvest import collect_earnings
from payouts.models import BankTransfer, Earning
from payouts.sending import resolve_transfer, send_transfers
from payouts.summary import WEEKS
from payouts.weeks import weeks_until
from tests.billing.deals import queries
from tests.cast import between, connect

from .acts import link_bank, sell, take_back
from .pages import DAY, ago, figures, text, url


class TestList:
    def test_shows_what_is_available_and_what_comes_next(self, cast, as_, payout):
        sell(cast, 200_00, at=timezone.now())
        collect_earnings()

        shown = text(as_(cast.vera).get(url(cast)))

        assert "Available</dt><dd>$96.50" in shown
        assert '<p class="big">$193.00</p>' in shown
        assert payout.week.removeprefix("week of ") in shown
        assert cast.bluebird.name in shown
        assert "$289.50" in shown  # of Bluebird in all

    def test_says_what_is_in_transit_paid_and_failed(self, cast, as_, payout):
        link_bank(cast, "refused", at=ago(9))
        payout.settle(credit=50_00, transfer=46_50, by=cast.noah, at=ago(1))
        shown = text(as_(cast.maya).get(url(cast)))
        assert "In transit</dt><dd>$46.50" in shown
        assert "Failed</dt><dd>$0.00<small>nothing came back" in shown

        send_transfers(at=timezone.now())

        shown = text(as_(cast.maya).get(url(cast)))
        assert "Available</dt><dd>$46.50<small>to be settled" in shown
        assert "In transit</dt><dd>$0.00" in shown
        assert "Failed</dt><dd>$46.50<small>came back from the bank, available again" in shown
        assert "Paid</dt><dd>$50.00<small>$50.00 to the wallet, $0.00 to the bank" in shown

    def test_shows_what_came_back_after_it_was_paid(self, cast, as_, payout):
        link_bank(cast, "returned", at=ago(9))
        payout.settle(credit=30_00, transfer=66_50, by=cast.noah, at=ago(8))
        [transfer] = BankTransfer.objects.all()
        for days in (8, 6):
            resolve_transfer(transfer, at=ago(days))
        assert "Paid</dt><dd>$96.50" in text(as_(cast.maya).get(url(cast)))

        resolve_transfer(transfer, at=ago(3))

        browser = as_(cast.maya)
        shown = text(browser.get(url(cast)))
        assert "Available</dt><dd>$66.50" in shown
        assert "Failed</dt><dd>$66.50" in shown
        assert "Paid</dt><dd>$30.00<small>$30.00 to the wallet, $0.00 to the bank" in shown
        shown = text(browser.get(url(cast, payout=payout)))
        assert "It was paid, and came back on" in shown
        assert "The bank account is frozen. It is available again." in shown
        assert "Settle $66.50" in shown

    def test_draws_what_each_week_and_each_sub_org_earned(self, cast, as_, payout):
        other = connect(cast.northwind, "Harbor Kids", cast.zed, by=cast.maya)
        theirs = between(cast.northwind, other)
        sell(cast, 40_00, at=timezone.now(), connection=theirs)
        collect_earnings()

        page = as_(cast.vera).get(url(cast)).content.decode()

        weeks = figures(page, "Earnings by week")
        today = cast.revampd_northwind.day_of(timezone.now())
        assert list(weeks) == [date_format(one, "j M") for one in weeks_until(today, WEEKS)]
        earned = {date_format(payout.period_start, "j M"): "$96.50", list(weeks)[-1]: "$38.60"}
        assert weeks == dict.fromkeys(weeks, "$0.00") | earned
        shares = re.findall(r'<progress max="100" value="(\d+)" aria-label="([^"]*) beside', page)
        assert shares == [("100", cast.bluebird.name), ("40", "Harbor Kids")]

    def test_shows_what_is_carried_over(self, cast, as_, payout):
        take_back(Earning.objects.get().payment, 100_00, at=timezone.now())
        collect_earnings()

        shown = text(as_(cast.maya).get(url(cast)))

        assert "−$96.50" in shown
        assert "comes to less than zero, which is carried into the one after it" in shown

    def test_of_nothing_says_so(self, cast, as_):
        shown = text(as_(cast.maya).get(url(cast)))

        assert "No payouts yet" in shown
        assert "Nothing was earned yet" in shown

    def test_costs_few_queries_however_many_there_are(self, cast, as_, payout):
        few = queries(as_(cast.maya), url(cast))
        for number in range(8):
            sell(cast, 10_00 + number, at=ago(70 - 7 * number))
        collect_earnings()
        close_weeks(at=timezone.now())

        assert queries(as_(cast.maya), url(cast)) == few
        assert few <= 10

    def test_is_in_the_menu_of_both_sides(self, cast, as_):
        for person in (cast.maya, cast.rhea):
            page = text(as_(person).get(f"/connections/{cast.revampd_northwind.pk}/"))
            assert url(cast) in page
        assert "/payouts/" not in text(
            as_(cast.ben).get(f"/connections/{cast.northwind_bluebird.pk}/")
        )


class TestDetail:
    def test_lists_every_earning_with_its_invoice_and_approvals(self, cast, as_, payout):
        earning = payout.earnings.get()
        invoice, line = earning.payment.invoice, earning.payment.invoice.lines.get()

        shown = text(as_(cast.maya).get(url(cast, payout=payout)))

        theirs = f"/connections/{cast.northwind_bluebird.pk}"
        assert f"{theirs}/invoices/{invoice.number}/" in shown
        assert f"{theirs}/requests/{line.request_id}/" in shown
        account = f"/connections/{cast.revampd_northwind.pk}"
        assert f"{account}/requests/{earning.authority_id}/" in shown
        for words in ("$100.00", "3.5 %", "−$3.50", "$96.50", cast.bluebird.name):
            assert words in shown

    def test_leads_revampd_to_no_page_that_is_not_its_own(self, cast, as_, payout):
        shown = text(as_(cast.rhea).get(url(cast, payout=payout)))

        assert f"/connections/{cast.northwind_bluebird.pk}" not in shown
        assert "Settle $96.50" not in shown

    def test_offers_to_settle_only_to_those_who_may(self, cast, as_, payout):
        for person, may in ((cast.maya, True), (cast.noah, True), (cast.vera, False)):
            shown = text(as_(person).get(url(cast, payout=payout)))
            assert ("Settle $96.50" in shown) is may

    def test_costs_few_queries_however_long_it_is(self, cast, as_, payout):
        few = queries(as_(cast.maya), url(cast, payout=payout))
        for number in range(6):
            sell(cast, 20_00 + number, at=ago(9) + timedelta(minutes=number))
        collect_earnings()
        close_weeks(at=ago(0) + 7 * DAY)
        long = cast.revampd_northwind.payouts.latest("period_start")
        assert long.earnings.count() == 6

        assert queries(as_(cast.maya), url(cast, payout=long)) <= max(few, 10)
        assert few <= 10


class TestExport:
    def rows(self, answer: Any) -> list[dict[str, str]]:
        content = b"".join(answer.streaming_content).decode("utf-8-sig")
        return list(csv.DictReader(content.splitlines()))

    def test_lists_payouts(self, cast, as_, payout):
        [row] = self.rows(as_(cast.vera).get(url(cast, "export/")))

        assert (row["Gross"], row["Transaction fee"], row["Payout"]) == ("100.00", "3.50", "96.50")
        assert row["Status"] == "Available"

    def test_lists_the_earnings_of_one(self, cast, as_, payout):
        cast.bluebird.name = "=1+1"
        cast.bluebird.save()

        [row] = self.rows(as_(cast.vera).get(url(cast, "export/", payout)))

        assert (row["Sub-Org"], row["Net"], row["Fee rate"]) == ("'=1+1", "96.50", "3.5 %")


class TestWallet:
    def test_names_the_payout_that_a_credit_came_from(self, cast, as_, payout):
        payout.settle(credit=96_50, transfer=0, by=cast.noah, at=timezone.now())
        credit = Credit.objects.get()
        page = f"/connections/{cast.revampd_northwind.pk}/wallet/credits/{credit.pk}/"

        shown = text(as_(cast.maya).get(page))

        assert "Partner payout, week of" in shown
        assert url(cast, payout=payout) in shown


class TestNotifications:
    def test_are_in_the_category_of_payouts_and_lead_to_the_payout(self, cast, payout):
        drain_events()

        told = Notification.objects.filter(event__code="payout.available")
        assert set(told.values_list("category", flat=True)) == {"PAYOUTS"}
        assert set(told.values_list("recipient__name", flat=True)) == {
            "Maya Tester",
            "Noah Tester",
            "Dora Tester",
        }
        assert told.first().title == "$96.50 to pay out"

    @pytest.mark.parametrize(
        ("account", "code", "title", "staff_title"),
        [
            ("at_once", "paid", "$66.50 paid to your bank", None),
            (
                *("refused", "failed", "$66.50 could not be sent to your bank"),
                "A payout of Northwind Agency came back",
            ),
            (
                *("returned", "returned", "$66.50 came back from your bank"),
                "A payout of Northwind Agency came back after it was paid",
            ),
        ],
    )
    def test_tell_what_became_of_a_transfer(self, cast, payout, account, code, title, staff_title):
        link_bank(cast, account, at=ago(9))
        payout.settle(credit=30_00, transfer=66_50, by=cast.noah, at=ago(8))
        [transfer] = BankTransfer.objects.all()
        for days in (8, 6, 3):
            resolve_transfer(transfer, at=ago(days))
        drain_events()

        told = Notification.objects.filter(event__code=f"bank_transfer.{code}")
        titles = {notification.recipient: notification.title for notification in told}
        staff = {cast.rhea: staff_title} if staff_title else {}
        assert titles == dict.fromkeys((cast.maya, cast.noah, cast.dora), title) | staff
        assert set(told.values_list("category", flat=True)) == {"PAYOUTS"}
        assert {kind_of(one.event).path(one.event) for one in told} == {url(cast, payout=payout)}
        in_transit = Notification.objects.filter(event__code="bank_transfer.sent")
        assert not in_transit.exists()  # a line of the timeline; who settled it knows
