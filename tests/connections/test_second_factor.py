"""Second factors: set up, asked for, and not got around."""

import re
from datetime import timedelta

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from cryptography.fernet import InvalidToken
from django.urls import reverse
from django.utils import timezone

from tests.cast import PASSWORD

from .codes import code, recovery_codes, set_up, wrong

LOGIN = "/accounts/login/"
AGAIN = "/accounts/reauthenticate/"
Type = Authenticator.Type


def sign_in(client):
    return client.post(LOGIN, {"login": "maya@example.com", "password": PASSWORD})


def confirm(browser, **fields):
    return browser.post(AGAIN, {"password": PASSWORD} | fields)


def is_signed_in(client) -> bool:
    return "_auth_user_id" in client.session


class TestSettingUp:
    def activate(self, browser):
        page = browser.get(reverse("mfa_activate_totp"))
        [secret] = set(re.findall(r"\b[A-Z2-7]{32}\b", page.text))
        answer = browser.post(reverse("mfa_activate_totp"), {"code": code(secret)}, follow=True)
        return secret, answer

    def test_asks_for_the_password_first(self, cast, as_):
        answer = as_(cast.maya).get(reverse("mfa_activate_totp"))

        assert answer["Location"].startswith(AGAIN)

    def test_takes_a_code_of_the_app_and_shows_recovery_codes(self, cast, as_):
        browser = as_(cast.maya)
        confirm(browser)

        _secret, answer = self.activate(browser)

        assert all(code in answer.text for code in recovery_codes(cast.maya))
        assert Authenticator.objects.filter(user=cast.maya, type=Type.TOTP).exists()

    def test_keeps_no_secret_that_a_copy_of_the_database_would_tell(self, cast, as_):
        browser = as_(cast.maya)
        confirm(browser)
        secret, _ = self.activate(browser)

        kept = str([*Authenticator.objects.values_list("data", flat=True)])

        assert secret not in kept
        assert not any(code in kept for code in recovery_codes(cast.maya))

    def test_outlives_a_new_key_of_the_site(self, cast, settings):
        set_up(cast.maya)
        codes, before = recovery_codes(cast.maya), settings.SECRET_KEY

        settings.SECRET_KEY = "another one"
        with pytest.raises(InvalidToken):
            recovery_codes(cast.maya)
        settings.SECRET_KEY_FALLBACKS = [before]

        assert recovery_codes(cast.maya) == codes

    def test_reads_what_was_stored_before_secrets_were_locked(self, cast, client):
        secret = set_up(cast.maya)
        Authenticator.objects.filter(type=Type.TOTP).update(data={"secret": secret})
        sign_in(client)

        client.post(reverse("mfa_authenticate"), {"code": code(secret)})

        assert is_signed_in(client)


class TestSignIn:
    @pytest.fixture
    def secret(self, cast):
        return set_up(cast.maya)

    def test_asks_for_the_code_after_the_password(self, secret, client):
        answer = sign_in(client)

        assert answer["Location"] == reverse("mfa_authenticate")
        assert not is_signed_in(client)
        assert "One more step" in client.get(answer["Location"]).text
        client.post(answer["Location"], {"code": code(secret)})
        assert is_signed_in(client)

    def test_is_refused_with_a_wrong_code(self, secret, client):
        sign_in(client)

        answer = client.post(reverse("mfa_authenticate"), {"code": wrong(code(secret))})

        assert "That is not the code" in answer.text
        assert not is_signed_in(client)

    def test_takes_a_code_once(self, secret, client, cast):
        shown = code(secret)
        for number in range(2):
            client.logout()
            sign_in(client)
            client.post(reverse("mfa_authenticate"), {"code": shown})
            assert is_signed_in(client) is (number == 0)

    def test_takes_each_recovery_code_once(self, secret, client, cast):
        first, second, *_ = recovery_codes(cast.maya)
        for typed, enters in ((first, True), (first, False), (second, True)):
            client.logout()
            sign_in(client)
            client.post(reverse("mfa_authenticate"), {"code": typed})
            assert is_signed_in(client) is enters

    def test_stops_guessing(self, secret, client):
        sign_in(client)
        for _ in range(5):
            client.post(reverse("mfa_authenticate"), {"code": wrong(code(secret))})

        answer = client.post(reverse("mfa_authenticate"), {"code": code(secret)})

        assert "Too many failed login attempts" in answer.text
        assert not is_signed_in(client)

    def test_does_not_go_on_before_the_password(self, secret, client):
        answer = client.post(reverse("mfa_authenticate"), {"code": code(secret)})

        assert answer["Location"] == LOGIN


class TestSayingItIsYou:
    """`mfa_deactivate_totp` stands for all that asks for it."""

    ACT = "/accounts/2fa/totp/deactivate/"

    @pytest.fixture
    def browser(self, cast, as_):
        return as_(cast.maya)

    @pytest.fixture
    def secret(self, cast):
        return set_up(cast.maya)

    def may_go_on(self, browser) -> bool:
        return browser.get(self.ACT).status_code == 200

    def test_takes_the_password_alone_without_a_second_factor(self, cast, browser):
        assert 'name="code"' not in browser.get(AGAIN).text

        assert confirm(browser).status_code == 302

        assert browser.get(reverse("mfa_activate_totp")).status_code == 200

    def test_asks_for_password_and_code_together(self, secret, browser):
        assert 'name="code"' in browser.get(AGAIN).text

        answer = confirm(browser, code=code(secret))

        assert answer.status_code == 302
        assert self.may_go_on(browser)

    def test_takes_a_recovery_code(self, cast, secret, browser):
        confirm(browser, code=recovery_codes(cast.maya)[0])

        assert self.may_go_on(browser)

    @pytest.mark.parametrize("typed", ["", "   ", "1", "abcdef", "０００００１"])
    def test_is_refused_without_the_code(self, secret, browser, typed):
        answer = confirm(browser, code=typed)

        assert 'aria-invalid="true"' in answer.text
        assert not self.may_go_on(browser)

    def test_is_refused_with_the_code_alone(self, secret, browser):
        answer = browser.post(reverse("mfa_reauthenticate"), {"code": code(secret)})

        assert answer["Location"].startswith(AGAIN)
        assert not self.may_go_on(browser)

    def test_uses_no_code_up_with_a_wrong_password(self, secret, browser):
        shown = code(secret)
        confirm(browser, password="not this one", code=shown)
        assert not self.may_go_on(browser)

        confirm(browser, code=shown)

        assert self.may_go_on(browser)

    def test_does_not_take_the_code_of_signing_in_again(self, cast, client):
        secret = set_up(cast.maya)
        sign_in(client)
        shown = code(secret)
        client.post(reverse("mfa_authenticate"), {"code": shown})

        answer = confirm(client, code=shown)

        assert "it was used already" in answer.text
        assert not self.may_go_on(client)

    def test_cannot_turn_the_second_factor_off_by_password(self, cast, secret, browser):
        confirm(browser)

        browser.post(self.ACT)

        assert Authenticator.objects.filter(user=cast.maya, type=Type.TOTP).exists()

    def test_takes_a_passkey_from_who_has_no_codes_and_not_the_password(self, cast, browser):
        Authenticator.objects.create(user=cast.maya, type=Type.WEBAUTHN, data={"name": "Key"})

        answer = confirm(browser)

        assert answer["Location"].startswith("/accounts/2fa/webauthn/reauthenticate/")

    @pytest.mark.parametrize(("minutes", "lasts"), [(4, True), (6, False)])
    def test_lasts_for_five_minutes(self, secret, browser, minutes, lasts):
        confirm(browser, code=code(secret))

        with time_machine.travel(timezone.now() + timedelta(minutes=minutes)):
            assert self.may_go_on(browser) is lasts
