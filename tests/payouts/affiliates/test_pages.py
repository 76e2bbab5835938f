"""The pages of referrals: one's link and what it earned, a Partner's inquiries, and joining."""

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.utils import timezone

from connections.models import Connection, Organization, User
from payouts.affiliates.closing import pay_affiliates
from payouts.models import AffiliatePayout, Inquiry, Referral, ReferralLink, ReferralTerms
from tests.billing.deals import MARKUP, queries
from tests.cast import person
from tests.payouts.acts import put_on_tier

from .acts import bring_partner, give, link_of, pay_owed, subscribe, tier

PASSWORD = "a long enough passphrase"


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().replace("&#x27;", "'").split())


def page_of(connection: Connection, rest: str = "") -> str:
    return f"/connections/{connection.pk}/affiliate-payouts/{rest}"


class TestAffiliatePage:
    def test_makes_another_link_and_stops_it(self, cast, as_):
        browser, page = as_(cast.noah), page_of(cast.revampd_northwind)
        assert "Make the link" in text(browser.get(page))

        browser.post(page + "link/")
        first = ReferralLink.objects.get()
        assert f"/join/{first.code}/" in text(browser.get(page))
        browser.post(page + "link/")
        assert first.code not in text(browser.get(page))
        browser.post(page + "link/stop/")

        assert not ReferralLink.objects.current().exists()

    def test_shows_what_was_earned_and_by_whom(self, cast, as_):
        now = timezone.now()
        give(cast.revampd, 20_00, 12)
        ada = bring_partner(cast.northwind, at=now)
        subscribe(ada, tier(cast), at=now)
        pay_owed(ada, at=now)
        pay_affiliates(at=now)
        browser, page = as_(cast.vera), page_of(cast.revampd_northwind)

        shown = text(browser.get(page))
        assert "Earned so far</dt><dd>$19.40" in shown
        assert "20 %" in shown
        shown = text(browser.get(page + "?show=referrals"))
        assert "Ada &amp; Co" in shown
        assert "Earning" in shown
        assert queries(browser, page) <= 10

    def test_is_the_customers_alone(self, cast, as_):
        assert as_(cast.rhea).get(page_of(cast.revampd_northwind)).status_code == 403
        for connection, user in (
            (cast.northwind_bluebird, cast.theo),
            (cast.revampd_bluebird, cast.ben),
        ):
            assert "Affiliate Payouts" in text(as_(user).get(page_of(connection)))

    def test_of_a_payout_is_not_found_for_another(self, cast, as_):
        theirs = Connection.objects.get(provider=cast.revampd, customer=cast.contoso)
        payout = AffiliatePayout.objects.create(
            connection=theirs,
            period_start="2026-10-01",
            period_end="2026-11-01",
            closed_at=timezone.now(),
        )
        address = page_of(cast.revampd_northwind, f"{payout.pk}/")
        assert as_(cast.maya).get(address).status_code == 404
        assert as_(cast.oscar).get(page_of(theirs, f"{payout.pk}/")).status_code == 200


class TestReferralsPage:
    URL = "/organizations/northwind-agency/referrals/"

    @pytest.mark.parametrize(
        ("rate", "months", "sentence"),
        [
            ("101", "12", "Enter at most 100 percent."),
            ("-1", "12", "Enter a percentage like 2.5."),
            ("2.505", "12", "Enter a percentage like 2.5."),
            (MARKUP, "12", "Enter a percentage like 2.5."),
            ("10", "-3", "Enter a whole number, like 5."),
            ("10", "0", "Enter a number of months from 1 to 120."),
            ("10", "121", "Enter a number of months from 1 to 120."),
            ("10", "", "Enter a number of months from 1 to 120."),
        ],
    )
    def test_refuses_terms_that_cannot_be(self, cast, as_, rate, months, sentence):
        fields = {"rate": rate, "duration": "MONTHS", "months": months}
        answer = as_(cast.noah).post(self.URL + "terms/", fields)

        assert answer.status_code == 422
        assert sentence in text(answer)
        assert MARKUP not in text(answer)
        assert not ReferralTerms.objects.exists()

    def test_keeps_terms(self, cast, as_):
        fields = {"rate": "12.5", "duration": "LIFETIME", "months": ""}
        as_(cast.noah).post(self.URL + "terms/", fields)

        assert ReferralTerms.objects.get().in_words == "12.5 % for as long as it stays"

    def test_answers_who_asks(self, cast, as_):
        link, browser = link_of(cast.bluebird, cast.northwind), as_(cast.maya)
        asked = Inquiry.send(link, name="Ada & Co", by=person("Ada"), at=timezone.now())
        page = f"{self.URL}inquiries/{asked.pk}/"
        assert "Ada &amp; Co" in text(browser.get(self.URL))

        refused = browser.post(page + "acceptance/")
        assert refused.status_code == 409
        assert "Choose a tier first." in text(refused)
        put_on_tier(cast)
        assert browser.post(page + "acceptance/").status_code == 303
        assert "ada@example.com" in text(browser.get(page))
        assert browser.post(page + "refusal/").status_code == 409


class TestJoining:
    def sign_up(self, client: Any, link: ReferralLink, **fields: str) -> Any:
        back = f"/join/{link.code}/company/"
        data = {
            "name": "Ada Lovelace",
            "email": "ada@example.com",
            "password1": PASSWORD,
            "password2": PASSWORD,
            "next": back,
        }
        return client.post("/accounts/signup/", data | fields)

    def test_founds_nothing_before_the_address_is_proven(self, cast, client):
        link = link_of(cast.northwind, cast.revampd)
        assert "Northwind Agency recommends Revampd" in text(client.get(f"/join/{link.code}/"))
        self.sign_up(client, link)

        assert not EmailAddress.objects.get(email="ada@example.com").verified
        company = f"/join/{link.code}/company/"
        assert client.post(company, {"name": "Ada & Co"}).status_code == 302
        assert not Organization.objects.filter(name="Ada & Co").exists()

        [path] = re.findall(r"http://[^/]+(/accounts/confirm-email/\S+)", mail.outbox[-1].body)
        assert "next=" in path
        where, _, back = path.partition("?next=")
        assert client.post(where, {"next": company})["Location"] == company
        assert back
        sign_in = {"login": "ada@example.com", "password": PASSWORD, "next": company}
        assert client.post("/accounts/login/", sign_in)["Location"] == company
        answer = client.post(company, {"name": "Ada & Co"})

        connection = Connection.objects.get(customer__name="Ada & Co")
        assert answer["Location"] == f"/connections/{connection.pk}/"
        assert Referral.objects.get(connection=connection).referrer == cast.northwind

    def test_gives_a_machine_no_account(self, cast, client):
        answer = self.sign_up(
            client, link_of(cast.northwind, cast.revampd), website="https://spam.example"
        )

        assert answer.status_code == 302
        assert not User.objects.filter(email="ada@example.com").exists()

    def test_tells_who_has_an_account_by_mail_alone(self, cast, client):
        self.sign_up(client, link_of(cast.northwind, cast.revampd), email="zed@example.com")

        assert User.objects.filter(email="zed@example.com").count() == 1
        assert "zed@example.com" in mail.outbox[-1].to

    def test_is_closed_by_a_stopped_or_unknown_link(self, cast, client, as_):
        link = link_of(cast.northwind, cast.revampd)
        link.stop(by=cast.maya, at=timezone.now())

        gone = client.get(f"/join/{link.code}/")
        assert gone.status_code == 410
        assert "This link no longer works." in text(gone)
        assert as_(cast.zed).post(f"/join/{link.code}/company/", {"name": "X"}).status_code == 410
        assert client.get("/join/nobody/").status_code == 404
        self.sign_up(client, link)
        assert not User.objects.filter(email="ada@example.com").exists()

    def test_refuses_ones_own_link(self, cast, as_):
        link = link_of(cast.northwind, cast.revampd)

        answer = as_(cast.vera).post(f"/join/{link.code}/company/", {"name": "Mine"})

        assert answer.status_code == 403
        assert "nobody can bring themselves" in text(answer)

    def test_asks_a_partner(self, cast, as_):
        link = link_of(cast.bluebird, cast.northwind)

        answer = as_(cast.zed).post(
            f"/join/{link.code}/company/", {"name": "Zed Ltd", "note": "Hello"}
        )

        assert answer.status_code == 303
        assert Inquiry.objects.get().name == "Zed Ltd"
        assert not Organization.objects.filter(name="Zed Ltd").exists()
