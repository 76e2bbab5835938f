"""Signing in and out, forgotten passwords, and what protects them."""

import re
import smtplib
import socket

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from tests.cast import PASSWORD

LOGIN = "/accounts/login/"


def sign_in(client, email="maya@example.com", password=PASSWORD, **extra):
    return client.post(LOGIN, {"login": email, "password": password}, **extra)


class TestSignIn:
    def test_leads_home(self, cast, client):
        answer = sign_in(client)

        assert (answer.status_code, answer["Location"]) == (302, reverse("home"))

    def test_takes_the_address_in_capitals(self, cast, client):
        assert sign_in(client, "MAYA@Example.com").status_code == 302

    def test_changes_the_session_id(self, cast, client):
        client.get(LOGIN)
        session = client.session
        session["visited"] = True
        session.save()
        before = session.session_key
        client.cookies["sessionid"] = before

        sign_in(client)

        assert client.cookies["sessionid"].value != before
        assert not type(session)().exists(before)

    def test_says_the_same_for_a_wrong_password_and_an_unknown_address(self, cast, client):
        wrong, unknown = (
            sign_in(client, email, "not this one").text
            for email in ("maya@example.com", "nobody@example.com")
        )

        assert "The email address and/or password you specified are not correct." in wrong
        assert re.sub(r'value="[^"]*"', "", wrong) == re.sub(r'value="[^"]*"', "", unknown)

    def test_is_refused_to_who_was_deactivated_also_within_a_session(self, cast, as_, client):
        browser = as_(cast.maya)
        cast.maya.is_active = False
        cast.maya.save()

        assert browser.get(reverse("connections:profile")).status_code == 302
        sign_in(client)
        assert "_auth_user_id" not in client.session

    @pytest.mark.parametrize(
        "target",
        [
            "https://evil.example/",
            "//evil.example/",
            "/\\evil.example",
            "https:evil.example",
            "javascript:alert(1)",
            "http://127.0.0.1.evil.example/",
        ],
    )
    def test_goes_on_to_no_other_site(self, cast, client, target):
        data = {"login": "maya@example.com", "password": PASSWORD, "next": target}

        answer = client.post(LOGIN, data)

        assert (answer.status_code, answer["Location"]) == (302, reverse("home"))

    def test_goes_on_to_the_page_that_was_asked_for(self, cast, client):
        asked = client.get("/organizations/northwind-agency/members/")
        assert asked["Location"] == f"{LOGIN}?next=/organizations/northwind-agency/members/"

        data = {"login": "maya@example.com", "password": PASSWORD, "next": "/account/"}
        assert client.post(LOGIN, data)["Location"] == "/account/"

    def test_stops_guessing_although_the_forwarded_address_changes(self, cast, client):
        for number in range(5):
            sign_in(client, password="wrong", headers={"X-Forwarded-For": f"198.51.100.{number}"})

        answer = sign_in(client, headers={"X-Forwarded-For": "203.0.113.9"})

        assert "Too many failed login attempts" in answer.text
        assert "_auth_user_id" not in client.session

    def test_stops_trying_one_password_on_many_accounts(self, cast, client):
        for number in range(10):
            forwarded = {"X-Forwarded-For": f"198.51.100.{number}"}
            sign_in(client, f"person{number}@example.com", "wrong", headers=forwarded)

        assert "Too many failed login attempts" in sign_in(client).text

    def test_works_while_redis_is_unreachable(self, cast, client, redis_gone):
        assert sign_in(client).status_code == 302
        assert client.get(reverse("connections:profile")).status_code == 200


@pytest.fixture
def redis_gone(settings):
    nowhere = settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"}
    settings.CACHES = {"default": nowhere}
    assert cache.get("anything") is None


class TestSignOut:
    def test_ends_the_session(self, cast, client):
        sign_in(client)
        old = Client()
        old.cookies["sessionid"] = client.cookies["sessionid"].value

        client.post(reverse("account_logout"))

        assert old.get(reverse("connections:profile")).status_code == 302

    def test_needs_a_press(self, cast, client):
        sign_in(client)

        client.get(reverse("account_logout"))

        assert "_auth_user_id" in client.session


class TestPassword:
    def reset(self, client, email):
        return client.post(reverse("account_reset_password"), {"email": email}, follow=True)

    def test_is_reset_through_the_link_in_the_mail_once(self, cast, client):
        self.reset(client, "maya@example.com")
        letter = mail.outbox[0]
        link = re.search(r"https?://[^/]+(/\S+)", str(letter.body))
        assert letter.subject == "Choose a new password"
        assert link is not None

        form = client.get(link[1], follow=True)
        new = {"password1": "a quiet long sentence", "password2": "a quiet long sentence"}
        client.post(form.request["PATH_INFO"], new)

        cast.maya.refresh_from_db()
        assert cast.maya.check_password("a quiet long sentence")
        assert "no longer works" in Client().get(link[1], follow=True).text
        assert mail.outbox[1].subject == "Your password was changed"

    def test_answers_alike_for_known_and_unknown_addresses(self, cast, client):
        known = self.reset(client, "maya@example.com")
        unknown = self.reset(client, "nobody@example.com")

        assert known.redirect_chain == unknown.redirect_chain
        assert mail.outbox[1].subject == "No account with this address"
        assert "signup" not in mail.outbox[1].body

    def test_ends_all_sessions_when_it_changes(self, cast, client):
        other = Client()
        sign_in(other)
        sign_in(client)

        client.post(
            reverse("account_change_password"),
            {
                "oldpassword": PASSWORD,
                "password1": "a quiet long sentence",
                "password2": "a quiet long sentence",
            },
        )

        for browser in (client, other):
            assert browser.get(reverse("connections:profile")).status_code == 302


@pytest.fixture
def no_mail_server(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    with socket.create_server(("127.0.0.1", 0)) as closed:
        settings.EMAIL_HOST, settings.EMAIL_PORT = closed.getsockname()


@pytest.mark.usefixtures("no_mail_server")
class TestNoMailServer:
    SENTENCE = "We cannot send you the mail that this needs."

    def test_is_said_to_who_forgot_the_password(self, cast, client):
        answer = client.post(reverse("account_reset_password"), {"email": "maya@example.com"})

        assert answer.status_code == 503
        assert self.SENTENCE in answer.text
        assert "Try again in a few minutes." in answer.text

    def test_is_said_to_who_has_to_confirm_the_address(self, cast, client):
        cast.maya.emailaddress_set.update(verified=False)

        answer = sign_in(client)

        assert (answer.status_code, self.SENTENCE in answer.text) == (503, True)
        assert "_auth_user_id" not in client.session

    def test_is_not_taken_for_a_mail_that_was_sent_at_the_next_attempt(
        self, cast, client, settings
    ):
        cast.maya.emailaddress_set.update(verified=False)
        sign_in(client)

        assert sign_in(client).status_code == 503

        settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
        assert sign_in(client).status_code == 302
        assert len(mail.outbox) == 1

    def test_is_told_to_operators_without_the_address(self, cast, client, monkeypatch, caplog):
        def refuse(*_: object) -> None:
            raise smtplib.SMTPRecipientsRefused({"maya@example.com": (550, b"no")})

        monkeypatch.setattr("django.core.mail.backends.smtp.EmailBackend.send_messages", refuse)

        client.post(reverse("account_reset_password"), {"email": "maya@example.com"})

        assert "The mail server does not take mail: SMTPRecipientsRefused" in caplog.text
        assert "maya@example.com" not in caplog.text

    def test_keeps_nobody_from_what_needs_no_mail(self, cast, client, caplog):
        sign_in(client)
        new = {"password1": "a quiet long sentence", "password2": "a quiet long sentence"}

        answer = client.post(reverse("account_change_password"), {"oldpassword": PASSWORD} | new)

        cast.maya.refresh_from_db()
        assert (answer.status_code, cast.maya.check_password(new["password1"])) == (302, True)
        assert "A notice of an account was not sent" in caplog.text


class TestMail:
    def test_has_the_same_words_as_text_and_html_with_names_as_text(self, cast, client):
        cast.maya.name = "O'Brien <b>&</b>"
        cast.maya.save()

        client.post(reverse("account_reset_password"), {"email": "maya@example.com"})

        letter = mail.outbox[0]
        html = str(letter.alternatives[0][0])
        assert "Hello O'Brien <b>&</b>," in letter.body
        assert "<b>&amp;</b>" not in html
        assert "&lt;b&gt;" in html
        assert 'href="http' in html
        assert "<style" not in html
