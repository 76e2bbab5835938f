"""How people come in: invited, signed up, signed in, and what keeps their account safe."""

import re

import pytest
from playwright.sync_api import Page, expect

from connections.models import Connection
from tests.billing.partners import take_tier
from tests.cast import PASSWORD
from tests.connections.codes import code

from .fitness import faults
from .house import path_in
from .steps import expect_told, go, path_of, propose

NEW_PASSWORD = "a sentence nobody guesses"


def sign_in(page: Page, email: str, password: str) -> None:
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def sign_up(page: Page, name: str) -> None:
    """Fill in the form that an invitation leads to: the address is the one that was invited."""
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password", exact=True).fill(NEW_PASSWORD)
    page.get_by_label("Password (again)").fill(NEW_PASSWORD)
    page.get_by_role("button", name="Sign up").click()


class TestInvitation:
    def test_brings_a_sub_org_from_the_mail_to_its_first_request(
        self, browse, committed_cast, house
    ):
        take_tier(committed_cast, 2)
        partner = browse(committed_cast.maya, "/organizations/northwind-agency/sub-orgs/")
        partner.get_by_role("link", name="Invite a Sub-Org").click()
        partner.get_by_label("Name of the Sub-Org").fill("Cedar Dental")
        partner.get_by_label("E-mail of its first owner").fill("cora@example.com")
        partner.get_by_role("button", name="Send invitation").click()
        expect_told(partner, "Cedar Dental is invited.")

        link = path_in(house.mail_to("cora@example.com", about="invited"), "invitations")
        owner = browse(None, link)
        expect(owner.get_by_role("heading", level=1)).to_have_text("Join Cedar Dental")
        owner.get_by_role("link", name="Create your account").click()
        expect(owner.get_by_label("E-mail")).to_have_value("cora@example.com")
        sign_up(owner, "Cora Cedar")
        owner.get_by_role("button", name="Join Cedar Dental").click()
        expect_told(owner, "Welcome to Cedar Dental.")

        connection = Connection.objects.get(
            customer__name="Cedar Dental", provider=committed_cast.northwind
        )
        assert connection.is_active
        partner.goto(path_of(connection))
        propose(partner, "Growth")
        owner.goto("/")
        owner.get_by_role("link", name="Review Growth").click()
        expect(owner.get_by_role("button", name="Approve Growth")).to_be_visible()

    def test_is_not_for_whoever_else_has_the_link(self, browse, committed_cast, house):
        partner = browse(committed_cast.maya, "/organizations/northwind-agency/members/")
        partner.get_by_label("E-mail", exact=True).fill("new@example.com")
        partner.get_by_role("radio", name="Viewer").check()
        partner.get_by_role("button", name="Send invitation").click()
        expect_told(partner, "An invitation goes to new@example.com.")

        link = path_in(house.mail_to("new@example.com"), "invitations")
        outsider = browse(committed_cast.zed, link)

        expect(outsider.get_by_role("heading", level=1)).to_have_text("This is for somebody else")
        expect(outsider.get_by_role("button", name="Join")).to_have_count(0)


class TestSignIn:
    def test_leads_to_where_one_wanted_to_go(self, browse, committed_cast):
        wanted = path_of(committed_cast.northwind_bluebird, "plan/")
        page = browse(None, wanted)
        sign_in(page, "ben@example.com", PASSWORD)

        expect(page.get_by_role("heading", level=1)).to_have_text("Plan")
        page.get_by_role("button", name="Sign out").click()
        page.goto(wanted)
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign in to Revampd")

    def test_says_that_the_password_is_wrong(self, browse, committed_cast):
        page = browse(None, "/accounts/login/")
        sign_in(page, "ben@example.com", "not the password")

        expect(page.get_by_role("alert")).to_contain_text("password you specified are not correct")
        expect(page.get_by_label("Email")).to_have_value("ben@example.com")

    def test_takes_a_new_password_once_the_mail_was_followed(self, browse, committed_cast, house):
        page = browse(None, "/accounts/login/")
        page.goto("/accounts/password/reset/")
        page.get_by_label("Email").fill("ben@example.com")
        page.get_by_role("button", name="Send the link").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Look into your mail")

        page.goto(path_in(house.mail_to("ben@example.com", about="assword"), "password/reset"))
        page.get_by_label("New Password", exact=True).fill(NEW_PASSWORD)
        page.get_by_label("New Password (again)").fill(NEW_PASSWORD)
        page.get_by_role("button", name="Change password").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Your password is changed")

        page.get_by_role("link", name="Sign in").click()
        sign_in(page, "ben@example.com", NEW_PASSWORD)
        expect(page.get_by_role("navigation", name="Main")).to_contain_text("Ben Tester")


class TestAccount:
    @pytest.fixture
    def account(self, browse, committed_cast) -> Page:
        page = browse(None, "/accounts/login/")
        sign_in(page, "ben@example.com", PASSWORD)
        page.get_by_role("link", name="Ben Tester").click()
        return page

    def test_offers_a_second_factor(self, account):
        account.get_by_role("link", name="Two-factor").click()
        account.get_by_role("link", name="Set up").first.click()
        account.get_by_label("Password").fill(PASSWORD)
        account.get_by_role("button", name="Confirm").click()

        expect(account.get_by_role("img", name="QR code")).to_be_visible()
        assert faults(account) == []

    def test_is_signed_into_with_the_second_factor_and_says_who_it_is_with_it(self, account, house):
        account.goto("/accounts/2fa/totp/activate/")
        account.get_by_label("Password").fill(PASSWORD)
        account.get_by_role("button", name="Confirm").click()
        [secret] = set(re.findall(r"\b[A-Z2-7]{32}\b", account.content()))
        account.get_by_label("Authenticator code").fill(code(secret))
        account.get_by_role("button", name="Turn on").click()
        expect(account.get_by_role("heading", name="Recovery codes")).to_be_visible()
        shown = account.locator(".codes li").all_text_contents()
        assert house.mail_to("ben@example.com", about="Two-factor sign-in is on")
        assert faults(account) == []

        account.goto("/accounts/logout/")
        account.get_by_role("main").get_by_role("button", name="Sign out").click()
        sign_in(account, "ben@example.com", PASSWORD)
        expect(account.get_by_role("heading", level=1)).to_have_text("One more step")
        assert faults(account) == []
        account.get_by_label("Code").fill("000")
        account.get_by_role("button", name="Sign in").click()
        expect(account.get_by_role("alert").first).to_contain_text("That is not the code")
        account.get_by_label("Code").fill(shown[0])
        account.get_by_role("button", name="Sign in").click()
        expect(account.get_by_role("heading", level=1)).to_have_text("Connections")

        account.goto("/accounts/2fa/")
        assert faults(account) == []
        account.get_by_role("link", name="Turn off").click()
        expect(account.get_by_role("heading", level=1)).to_have_text("Is it you?")
        assert faults(account) == []
        account.get_by_label("Password").fill(PASSWORD)
        account.get_by_label("Code").fill(shown[1])
        account.get_by_role("button", name="Confirm").click()
        expect(account.get_by_role("heading", name="Turn off the authenticator")).to_be_visible()
        assert faults(account) == []
        account.goto("/accounts/2fa/recovery-codes/generate/")
        expect(account.get_by_role("heading", name="Make new recovery codes?")).to_be_visible()
        assert faults(account) == []

    def test_lists_the_sessions(self, account):
        account.get_by_role("link", name="Sessions").click()

        expect(account.get_by_role("row").filter(has_text="127.0.0.1")).to_have_count(1)

    def test_keeps_the_name_and_the_time_zone(self, account):
        go(account, "Connections")
        account.get_by_role("link", name="Ben Tester").click()
        account.get_by_label("Name").fill("Ben Baker")
        account.get_by_label("Time zone").select_option("America/New_York")
        account.get_by_role("button", name="Save").click()

        expect_told(account, "Your profile is saved.")
        expect(account.get_by_role("navigation", name="Main")).to_contain_text("Ben Baker")
