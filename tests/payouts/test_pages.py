"""The pages of payouts: what a Partner sees of them, settles, and where it has them sent."""

import csv
import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.formats import date_format

from billing.models import Credit
from connections.kinds import kind_of
from notifications.draining import drain_events
from notifications.models import Notification
from payouts.closing import close_weeks
from payouts.harvest import collect_earnings
from payouts.models import BankAccount, BankTransfer, Earning, Payout, Preference, Settlement
from payouts.sending import resolve_transfer, send_transfers
from payouts.summary import WEEKS
from payouts.weeks import weeks_until
from revampd.kit import live
from tests.billing.deals import HTMX, MARKUP, queries
from tests.billing.payments.acts import fresh
from tests.cast import PASSWORD, Cast, between, connect
from tests.connections.codes import code, set_up

from .acts import link_bank, paid_out, put_on_tier, sell, take_back

DAY = timedelta(days=1)


def ago(days: int) -> Any:
    return timezone.now() - days * DAY


def url(cast: Cast, page: str = "", payout: Payout | None = None) -> str:
    own = f"{payout.pk}/" if payout else ""
    return f"/connections/{cast.revampd_northwind.pk}/payouts/{own}{page}"


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().replace("&#x27;", "'").split())


def figures(page: str, title: str) -> dict[str, str]:
    """What a chart draws, by the table below it."""
    [_, table] = page.split(f'<caption class="vh">{title}</caption>')
    rows = r'<th scope="row">([^<]*)</th><td class="r">([^<]*)</td>'
    return dict(re.findall(rows, table.split("</table>")[0]))


@pytest.fixture
def payout(cast: Cast) -> Payout:
    """$96.50 of a sale of $100.00, available."""
    put_on_tier(cast)
    return paid_out(cast, at=ago(9))


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


class TestSettle:
    def send(self, as_, cast, payout, person=None, htmx=False, **fields):
        browser = as_(person or cast.noah)
        return browser.post(
            url(cast, "settlement/", payout), fields, headers=HTMX if htmx else None
        )

    def test_offers_the_wallet_alone_without_a_bank_account_and_why(self, cast, as_, payout):
        shown = text(as_(cast.noah).get(url(cast, "settlement/", payout)))

        assert "No bank account is linked, so all of it has to go to the wallet." in shown
        assert 'value="CREDIT"' in shown
        assert 'value="TRANSFER"' not in shown

        refused = self.send(as_, cast, payout, way="TRANSFER")

        assert refused.status_code == 422
        assert not Settlement.objects.exists()

    def test_to_the_wallet_says_what_happened(self, cast, as_, payout):
        answer = self.send(as_, cast, payout, way="CREDIT")

        assert (answer.status_code, answer["Location"]) == (303, url(cast, payout=payout))
        shown = text(as_(cast.noah).get(url(cast, payout=payout)))
        assert "Settled" in shown
        credit = Credit.objects.get(origin=Credit.Origin.PAYOUT)
        assert credit.amount == 96_50
        assert f"/wallet/credits/{credit.pk}/" in shown

    def test_splits_and_sends_at_once(self, cast, as_, payout):
        link_bank(cast, "at_once", at=ago(9))

        answer = self.send(as_, cast, payout, way="SPLIT", credit="6.50", transfer="90")

        assert answer.status_code == 303
        assert BankTransfer.objects.get().state == BankTransfer.State.SUCCEEDED
        shown = text(as_(cast.noah).get(url(cast, payout=payout)))
        assert "$90.00 to Harbor Savings ending 0042" in shown

    @pytest.mark.parametrize(
        ("credit", "transfer", "sentence"),
        [
            ("50", "46.49", "The two parts come to $96.49; together they have to be $96.50."),
            ("50", "46.51", "The two parts come to $96.51; together they have to be $96.50."),
            ("-1", "97.50", "Enter an amount like 49 or 49.99, without a sign or letters."),
            ("50.005", "46.495", "Enter at most 2 digits after the point."),
            ("", "96.50", "Enter an amount; 0 for nothing."),
            ("½", "96", "Enter an amount like 49 or 49.99"),
            (MARKUP, "96.50", "Enter an amount like 49 or 49.99"),
        ],
    )
    def test_refuses_a_bad_split_and_keeps_what_was_typed(
        self, cast, as_, payout, credit, transfer, sentence
    ):
        link_bank(cast, at=ago(9))

        answer = self.send(as_, cast, payout, way="SPLIT", credit=credit, transfer=transfer)

        assert answer.status_code == 422
        shown = text(answer)
        assert sentence in shown
        assert f'value="{transfer}"' in shown
        assert MARKUP not in shown
        assert fresh(payout).state == Payout.State.AVAILABLE

    def test_previews_without_settling(self, cast, as_, payout):
        link_bank(cast, at=ago(9))

        shown = text(
            self.send(
                as_,
                cast,
                payout,
                htmx=True,
                way="SPLIT",
                credit="50",
                transfer="46.50",
                preview="1",
            )
        )

        assert 'id="after"' in shown
        assert "<dd>$46.50</dd>" in shown
        assert "of the credit pays what is owed to Revampd already" in shown
        assert not Settlement.objects.exists()

    def test_previews_what_does_not_add_up(self, cast, as_, payout):
        link_bank(cast, at=ago(9))
        fields = {"way": "SPLIT", "credit": "50", "transfer": "40", "preview": "1"}

        shown = text(self.send(as_, cast, payout, htmx=True, **fields))

        assert "$6.50 of the payout is left over." in shown

    def test_again_is_a_conflict_that_says_who_was_faster(self, cast, as_, payout):
        self.send(as_, cast, payout, way="CREDIT")

        answer = self.send(as_, cast, payout, person=cast.maya, way="CREDIT")

        assert answer.status_code == 409
        assert "Noah Tester settled the" in text(answer)
        assert Settlement.objects.count() == 1

    def test_shows_the_payout_once_there_is_nothing_left(self, cast, as_, payout):
        self.send(as_, cast, payout, way="CREDIT")

        answer = as_(cast.maya).get(url(cast, "settlement/", payout))

        assert answer["Location"] == url(cast, payout=payout)


def freshly(browser: Any) -> Any:
    """The browser of somebody who has just given their password once more."""
    assert browser.post("/accounts/reauthenticate/", {"password": PASSWORD}).status_code == 302
    return browser


class TestSettings:
    def link(self, browser: Any, cast: Cast, name: str) -> Any:
        """As a person does it: to the gateway's page, choose an account there, and back."""
        freshly(browser)
        gateway = browser.post(url(cast, "settings/bank-account/new/"))["Location"]
        assert "First Prairie Bank" in text(browser.get(gateway))
        back = browser.post(gateway, {"account": name})["Location"]
        return browser.get(back, follow=True)

    def test_links_an_account_on_the_page_of_the_gateway(self, cast, as_):
        shown = text(self.link(as_(cast.maya), cast, "later"))

        account = BankAccount.objects.get()
        assert (account.bank, account.last4) == ("First Prairie Bank", "6789")
        assert "First Prairie Bank ending 6789" in shown

    @pytest.mark.parametrize("act", ["new", "removal"])
    def test_changes_no_account_before_a_fresh_sign_in(self, cast, as_, act):
        link_bank(cast)
        browser = as_(cast.maya)

        answer = browser.post(url(cast, f"settings/bank-account/{act}/"))

        assert answer["Location"].startswith("/accounts/reauthenticate/?next=")
        assert BankAccount.objects.linked().count() == 1
        asked = browser.post(answer["Location"], {"password": PASSWORD})
        assert asked["Location"] == url(cast, "settings/")
        again = browser.post(url(cast, f"settings/bank-account/{act}/"))
        assert not again["Location"].startswith("/accounts/")

    def test_holds_one_that_took_the_place_of_another(self, cast, as_):
        browser = as_(cast.maya)
        self.link(browser, cast, "later")

        shown = text(self.link(browser, cast, "at_once"))

        assert "On hold" in shown
        assert "nothing is sent to it before" in shown

    def test_holds_one_also_if_the_other_was_removed_before(self, cast, as_):
        browser = as_(cast.maya)
        self.link(browser, cast, "later")
        browser.post(url(cast, "settings/bank-account/removal/"))

        assert "On hold" in text(self.link(browser, cast, "at_once"))

    @pytest.mark.parametrize("act", ["new", "removal"])
    def test_asks_who_has_a_second_factor_for_a_code_as_well(self, cast, as_, act):
        secret = set_up(cast.maya)
        link_bank(cast)
        browser = as_(cast.maya)
        page = url(cast, f"settings/bank-account/{act}/")
        asked = browser.post(page)["Location"]

        browser.post(asked, {"password": PASSWORD})
        assert browser.post(page)["Location"] == asked

        browser.post(asked, {"password": PASSWORD, "code": code(secret)})
        assert not browser.post(page)["Location"].startswith("/accounts/")

    def test_goes_on_with_a_link_that_was_begun(self, cast, as_):
        browser, again = freshly(as_(cast.maya)), url(cast, "settings/bank-account/again/")
        assert browser.get(again)["Location"] == url(cast, "settings/")
        begun = browser.post(url(cast, "settings/bank-account/new/"))
        assert begun.status_code == 303

        assert again in text(browser.get(url(cast, "settings/")))
        assert browser.get(again)["Location"].startswith("/sandbox/links/")

    def test_goes_on_only_after_a_fresh_sign_in(self, cast, as_):
        answer = as_(cast.maya).get(url(cast, "settings/bank-account/again/"))

        assert answer["Location"].startswith("/accounts/reauthenticate/")

    def test_tells_all_owners_and_nobody_else(self, cast, as_):
        cast.northwind.admit(cast.zed, role="OWNER", by=cast.maya)
        self.link(as_(cast.noah), cast, "later")
        drain_events()

        told = Notification.objects.filter(event__code="bank_account.linked")
        assert {notification.recipient for notification in told} == {cast.maya, cast.zed}

    def test_keeps_no_account_of_a_link_that_this_session_did_not_begin(self, cast, as_):
        self.link(as_(cast.maya), cast, "later")
        BankAccount.objects.get().remove(by=cast.maya, at=timezone.now())

        answer = as_(cast.noah).get(url(cast, "settings/bank-account/linked/"))

        assert answer["Location"] == url(cast, "settings/")
        assert not BankAccount.objects.linked().exists()

    def test_lets_nobody_else_onto_the_page_of_the_gateway(self, cast, as_):
        maya = freshly(as_(cast.maya))
        gateway = maya.post(url(cast, "settings/bank-account/new/"))["Location"]

        for person in (cast.vera, cast.rhea, cast.ben, cast.oscar):
            assert as_(person).get(gateway).status_code == 404

    def test_removes_an_account(self, cast, as_):
        link_bank(cast)
        browser = freshly(as_(cast.maya))
        assert "Remove First Prairie Bank ending 6789?" in text(
            browser.get(url(cast, "settings/bank-account/removal/"))
        )

        browser.post(url(cast, "settings/bank-account/removal/"))

        assert not BankAccount.objects.linked().exists()

    def test_keeps_a_preference(self, cast, as_):
        answer = as_(cast.noah).post(
            url(cast, "settings/preference/"), {"kind": "SPLIT", "credit_percent": "40"}
        )

        assert answer.status_code == 303
        assert Preference.objects.get().in_words == "40 % to the wallet, the rest to the bank"
        assert 'value="40"' in text(as_(cast.maya).get(url(cast, "settings/")))

    @pytest.mark.parametrize("percent", ["", "0", "100", "101", "-5", "4.5", "1_0", MARKUP])
    def test_refuses_a_percentage_that_is_no_split(self, cast, as_, percent):
        answer = as_(cast.noah).post(
            url(cast, "settings/preference/"), {"kind": "SPLIT", "credit_percent": percent}
        )

        assert answer.status_code == 422
        assert MARKUP not in text(answer)
        assert not Preference.objects.exists()

    def test_is_readable_for_those_who_may_not_change_it(self, cast, as_):
        shown = text(as_(cast.vera).get(url(cast, "settings/")))

        assert "Ask every time" in shown
        assert "<form" not in shown.split("<main")[1].split("</main")[0]


class TestLive:
    """The page of a payout on its way follows it, and no other asks."""

    def sent(self, cast: Cast, payout: Payout, name: str = "later") -> str:
        link_bank(cast, name, at=ago(9))
        payout.settle(credit=30_00, transfer=66_50, by=cast.noah, at=timezone.now())
        return url(cast, payout=payout)

    def version(self, shown: str) -> str | None:
        """What the page asks with; None if it does not ask."""
        found = re.search(r'"Live-Version": "([^"]*)"', shown.replace("&quot;", '"'))
        return found[1] if found else None

    def ask(self, browser: Any, path: str, version: str | None) -> Any:
        assert version is not None
        return browser.get(path, headers=HTMX | {live.HEADER: version})

    def test_is_unchanged_while_nothing_happens_and_reads_one_row(self, cast, as_, payout):
        path, browser = self.sent(cast, payout), as_(cast.maya)
        version = self.version(text(browser.get(path)))
        self.ask(browser, path, version)

        with CaptureQueriesContext(database) as made:
            answer = self.ask(browser, path, version)

        assert (answer.status_code, answer.content) == (204, b"")
        # The session, the person, the connection, and how the payout stands.
        assert len(made) == 4

    @pytest.mark.parametrize(
        ("name", "state", "sentence"),
        [("at_once", "Settled", "Paid"), ("refused", "Available", "It is available again.")],
    )
    def test_tells_the_end_and_asks_no_more(self, cast, as_, payout, name, state, sentence):
        path, browser = self.sent(cast, payout, name), as_(cast.maya)
        version = self.version(text(browser.get(path)))

        send_transfers(at=timezone.now())
        told = text(self.ask(browser, path, version))

        assert state in told
        assert sentence in told
        assert ("Settle $66.50" in told) is (name == "refused")
        assert "<html" not in told
        assert self.version(told) is None
        assert self.version(text(browser.get(path))) is None

    def test_goes_on_while_it_is_on_its_way(self, cast, as_, payout):
        path, browser = self.sent(cast, payout), as_(cast.maya)
        version = self.version(text(browser.get(path)))
        send_transfers(at=timezone.now())

        told = text(self.ask(browser, path, version))

        assert "In transit" in told
        assert self.version(told) not in (None, version)
        assert self.ask(browser, path, self.version(told)).status_code == 204

    def test_is_there_for_nobody_else(self, cast, as_, payout):
        path = self.sent(cast, payout)

        for person in (cast.ben, cast.oscar, cast.zed):
            assert self.ask(as_(person), path, "x").status_code == 404
        nowhere = path.replace(str(payout.pk), str(uuid4()))
        assert self.ask(as_(cast.maya), nowhere, "x").status_code == 404


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
