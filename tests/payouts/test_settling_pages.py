"""Settling a payout on its page, and following it from there."""

import re
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from billing.models import Credit
from payouts.models import BankTransfer, Payout, Settlement
from payouts.sending import send_transfers
from revampd.kit import live
from tests.billing.deals import HTMX, MARKUP
from tests.billing.payments.acts import fresh
from tests.cast import Cast

from .acts import link_bank
from .pages import ago, text, url


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
