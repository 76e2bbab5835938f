"""The link of an invitation, and signing up through it."""

import re
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from connections.models import Invitation, Membership, User
from connections.models.invitations import OPEN_FOR
from connections.tokens import invitation_token
from tests.cast import PASSWORD

PASSWORDS = {"password1": "a quiet long sentence", "password2": "a quiet long sentence"}


def invite(cast, email="new@example.com", at=None) -> Invitation:
    return Invitation.send(
        organization=cast.northwind,
        email=email,
        role="SUPPORT",
        by=cast.maya,
        at=at or timezone.now(),
    )


def link(invitation: Invitation) -> str:
    return reverse("connections:invitation", args=[invitation_token(invitation.pk)])


def acceptance(invitation: Invitation) -> str:
    return reverse("connections:accept-invitation", args=[invitation_token(invitation.pk)])


def signup(back: str) -> str:
    return f"{reverse('account_signup')}?next={back}"


class TestInvitationPage:
    def test_shows_who_invites_to_what_as_what_until_when(self, cast, client):
        answer = client.get(link(invite(cast)))

        assert answer.status_code == 200
        for text in ("Maya Tester, Northwind Agency", "Support: Tickets", "new@example.com"):
            assert text in answer.text
        assert "Open until" in answer.text

    def test_acts_on_nothing_however_often_a_mail_scanner_opens_it(self, cast, as_):
        invitation = invite(cast, email="zed@example.com")
        for browser in (as_(cast.zed), as_(cast.oscar)):
            for ask in (browser.get, browser.head):
                ask(link(invitation))
            assert browser.post(link(invitation)).status_code == 405
            assert browser.get(acceptance(invitation)).status_code == 405

        invitation.refresh_from_db()
        assert invitation.state == Invitation.State.PENDING

    def test_leads_who_is_new_to_signing_up_and_others_to_signing_in(self, cast, client):
        new, known = invite(cast), invite(cast, email="zed@example.com")

        assert "Create your account" in client.get(link(new)).text
        page = client.get(link(known)).text
        assert "Create your account" not in page
        assert "Sign in to join" in page

    def test_offers_to_join_with_one_press(self, cast, as_):
        invitation = invite(cast, email="zed@example.com")
        browser = as_(cast.zed)
        assert "Join Northwind Agency" in browser.get(link(invitation)).text

        answer = browser.post(acceptance(invitation), follow=True)

        assert "Welcome to Northwind Agency. Your role: Support." in answer.text
        assert Membership.objects.filter(user=cast.zed, organization=cast.northwind).exists()

    def test_is_403_for_another_address_and_offers_to_sign_out(self, cast, as_):
        invitation = invite(cast)
        for name in ("zed", "maya", "rhea"):
            browser = as_(getattr(cast, name))

            answer = browser.get(link(invitation))

            assert answer.status_code == 403
            assert f"you are signed in as {name}@example.com" in answer.text
            assert "Sign out to use it" in answer.text
            assert browser.post(acceptance(invitation)).status_code == 403

    def test_comes_back_after_signing_out(self, cast, as_):
        invitation = invite(cast)

        back = link(invitation)
        answer = as_(cast.zed).post(reverse("account_logout"), {"next": back})

        assert answer["Location"] == back

    @pytest.mark.parametrize("how", ["expired", "withdrawn", "used"])
    def test_is_gone_when_closed_and_says_why(self, cast, as_, client, how):
        at = timezone.now() - OPEN_FOR if how == "expired" else timezone.now()
        invitation = invite(cast, email="zed@example.com", at=at)
        if how == "withdrawn":
            invitation.withdraw(by=cast.maya, at=at)
        if how == "used":
            invitation.accept(by=cast.zed, at=at)

        for browser in (client, as_(cast.oscar)):
            answer = browser.get(link(invitation))
            assert answer.status_code == 410
            assert f"{how}" in answer.text
        answer = as_(cast.zed).post(acceptance(invitation))
        assert answer.status_code == 409
        assert f"{how}" in answer.text

    @pytest.mark.parametrize("token", ["x", "forged:token:here", "%00", "../admin", "é"])
    def test_is_not_found_when_forged(self, cast, client, as_, token):
        assert client.get(f"/invitations/{token}/").status_code == 404
        assert as_(cast.zed).post(f"/invitations/{token}/acceptance/").status_code == 404

    def test_shows_markup_in_names_as_text(self, cast, client):
        User.objects.filter(pk=cast.maya.pk).update(name="<b>Maya</b>")

        assert "<b>Maya</b>" not in client.get(link(invite(cast))).text


class TestSignup:
    def data(self, invitation, **changes):
        back = {"name": "Ada Lovelace", "next": link(invitation)}
        return back | PASSWORDS | changes

    def test_is_closed_without_an_invitation(self, cast, client):
        for back in ("", "/", "/invitations/x/", "https://evil.example/", "%00", "//["):
            answer = client.get(signup(back))
            assert "Accounts come by invitation" in answer.text, back

            data = {"email": "eve@example.com", "name": "Eve", "next": back} | PASSWORDS
            client.post(reverse("account_signup"), data)
        assert not User.objects.filter(name="Eve").exists()

    def test_is_closed_with_an_invitation_that_is(self, cast, client):
        invitation = invite(cast)
        invitation.withdraw(by=cast.maya, at=timezone.now())

        answer = client.post(reverse("account_signup"), self.data(invitation))

        assert "Accounts come by invitation" in answer.text
        assert not User.objects.filter(email="new@example.com").exists()

    def test_fills_in_the_address_and_fixes_it(self, cast, client):
        page = client.get(signup(link(invite(cast)))).text

        field = re.search(r"<input[^>]*name=\"email\"[^>]*>", page)
        assert field is not None
        assert 'value="new@example.com"' in field[0]
        assert "disabled" in field[0]

    def test_signs_in_with_a_verified_address_and_returns_to_the_invitation(self, cast, client):
        invitation = invite(cast)

        answer = client.post(reverse("account_signup"), self.data(invitation))

        assert (answer.status_code, answer["Location"]) == (302, link(invitation))
        ada = User.objects.get(email="new@example.com")
        assert ada.name == "Ada Lovelace"
        address = EmailAddress.objects.get(user=ada)
        assert (address.email, address.verified, address.primary) == (ada.email, True, True)
        assert mail.outbox == []
        assert "Join Northwind Agency" in client.get(link(invitation)).text
        client.post(acceptance(invitation))
        assert Membership.objects.get(user=ada).role == "SUPPORT"

    def test_ignores_another_address_in_the_form(self, cast, client):
        invitation = invite(cast)

        client.post(reverse("account_signup"), self.data(invitation, email="victim@example.com"))

        assert not User.objects.filter(email="victim@example.com").exists()
        assert not EmailAddress.objects.filter(email="victim@example.com").exists()
        assert User.objects.filter(email="new@example.com").exists()

    def test_cannot_mix_two_invitations(self, cast, client):
        mine, other = invite(cast), invite(cast, email="victim@example.com")

        client.post(signup(link(other)), self.data(mine))

        made = EmailAddress.objects.latest("pk")
        assert made.user == User.objects.get(email__in=[mine.email, other.email])
        assert made.email == made.user.email

    def test_takes_over_no_account_that_exists(self, cast, client):
        invitation = invite(cast, email="zed@example.com")
        before = cast.zed.password

        client.post(reverse("account_signup"), self.data(invitation))

        cast.zed.refresh_from_db()
        assert cast.zed.password == before
        assert "_auth_user_id" not in client.session
        assert mail.outbox[0].subject == "You have an account already"

    @pytest.mark.parametrize(
        "bad",
        [
            {"name": ""},
            {"name": "A" * 121},
            {"name": "Ada\0"},
            {"password1": "short", "password2": "short"},
            {"password1": "12345678901", "password2": "12345678901"},
            {"password2": "another quiet sentence"},
        ],
    )
    def test_says_beside_the_field_what_is_wrong(self, cast, client, bad):
        answer = client.post(reverse("account_signup"), self.data(invite(cast), **bad))

        assert 'aria-invalid="true"' in answer.text
        assert 'value="new@example.com"' in answer.text
        assert not User.objects.filter(email="new@example.com").exists()

    def test_starts_in_the_time_zone_of_who_invites(self, cast, client):
        cast.northwind.change_details(by=cast.maya, time_zone="Europe/Lisbon")

        client.post(reverse("account_signup"), self.data(invite(cast)))

        assert User.objects.get(email="new@example.com").time_zone == "Europe/Lisbon"

    def test_is_offered_on_the_login_page_to_the_invited_alone(self, cast, client):
        login = reverse("account_login")

        assert reverse("account_signup") not in client.get(login).text
        assert reverse("account_signup") in client.get(f"{login}?next={link(invite(cast))}").text

    def test_gives_the_first_owner_of_a_sub_org_everything(self, cast, client):
        invitation = Invitation.send_to_customer(
            provider=cast.northwind,
            name="Acme",
            email="ada@example.com",
            by=cast.maya,
            at=timezone.now() - timedelta(days=1),
        )

        client.post(reverse("account_signup"), self.data(invitation))
        client.post(acceptance(invitation))

        acme = invitation.organization
        acme.refresh_from_db()
        assert acme.is_active
        assert acme.memberships.get().user.check_password(PASSWORDS["password1"])
        assert not acme.memberships.get().user.check_password(PASSWORD)
