"""Where a Partner has its payouts sent, and by which standing preference."""

from typing import Any

import pytest
from django.utils import timezone

from notifications.draining import drain_events
from notifications.models import Notification
from payouts.models import BankAccount, Preference
from tests.billing.deals import MARKUP
from tests.cast import PASSWORD, Cast
from tests.connections.codes import code, set_up

from .acts import link_bank
from .pages import text, url


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
