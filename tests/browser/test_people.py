"""Signing in, and what keeps an account safe."""

from playwright.sync_api import expect


class TestSignIn:
    def test_leads_to_the_connection(self, browse, committed_cast):
        page = browse()
        page.get_by_label("Email").fill("ben@example.com")
        page.get_by_label("Password").fill("correct horse battery")
        page.get_by_role("button", name="Sign in", exact=True).click()

        expect(page.get_by_role("heading", level=1)).to_contain_text("Connections")
