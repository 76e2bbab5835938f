"""The demo's own pages: sign in as anybody, read all mail."""

from pathlib import Path

import pytest
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from pytest_django.fixtures import Settings

from connections.models import User
from revampd.demo.companies import BRIAN, KELLY, MAYA, PEOPLE

pytestmark = [
    pytest.mark.usefixtures("demo_mode", "demo"),
    pytest.mark.xdist_group("demo"),
]


class TestSignIn:
    def test_lets_in_everybody_of_the_cast(self) -> None:
        for key, person in PEOPLE.items():
            browser = Client()
            answer = browser.post(f"/demo/sign-in/{key}/")
            assert answer.status_code == 302, key
            signed_in = User.objects.get(pk=browser.session["_auth_user_id"])
            assert signed_in.email == person.email

    def test_leads_staff_to_the_admin_and_others_home(self, client: Client) -> None:
        assert client.post("/demo/sign-in/avery/")["Location"] == "/admin/"
        assert Client().post("/demo/sign-in/maya/")["Location"] == "/"

    def test_begins_a_new_session(self, client: Client) -> None:
        client.post("/demo/sign-in/maya/")
        before = client.session.session_key
        client.post("/demo/sign-in/helen/")
        assert client.session.session_key != before
        assert User.objects.get(pk=client.session["_auth_user_id"]).name == "Helen Park"

    def test_happens_only_by_a_form_of_ours(self, client: Client) -> None:
        assert client.get("/demo/sign-in/maya/").status_code == 405
        strict = Client(enforce_csrf_checks=True)
        assert strict.post("/demo/sign-in/maya/").status_code == 403
        assert "_auth_user_id" not in strict.session

    @pytest.mark.parametrize("key", ["nobody", BRIAN.key, KELLY.key])
    def test_knows_nobody_else(self, client: Client, key: str) -> None:
        assert client.post(f"/demo/sign-in/{key}/").status_code == 404

    def test_works_with_the_password_too(self, client: Client) -> None:
        form = {"login": MAYA.email, "password": "demo"}
        assert client.post("/accounts/login/", form).status_code == 302
        assert "_auth_user_id" in client.session

    def test_is_offered_on_the_login_page(self, client: Client) -> None:
        page = client.get("/accounts/login/").content.decode()
        for key, person in PEOPLE.items():
            assert f'action="/demo/sign-in/{key}/"' in page
            assert person.name in page


class TestMailbox:
    def write(self, subject: str, text: str = "Hello", to: str = "kelly@summit.example") -> None:
        mail = EmailMultiAlternatives(subject, text, to=[to])
        mail.attach_alternative("<script>alert(1)</script>", "text/html")
        mail.send()

    def test_is_empty_before_the_first_mail(self, client: Client) -> None:
        assert "No mail yet" in client.get("/demo/mail/").content.decode()

    def test_lists_the_newest_first(self, client: Client) -> None:
        for subject in ("The first", "The second"):
            self.write(subject)
        page = client.get("/demo/mail/").context["page"]
        assert {mail.subject for mail in page} == {"The first", "The second"}

    def test_shows_the_text_with_real_links(self, client: Client) -> None:
        self.write("Grüße", "Follow http://127.0.0.1:8000/invitations/abc:1/ – soon.\n<b>bold</b>")
        (mail,) = client.get("/demo/mail/").context["page"]
        page = client.get(f"/demo/mail/{mail.key}/").content.decode()
        assert 'href="http://127.0.0.1:8000/invitations/abc:1/"' in page
        assert "Grüße" in page
        assert "&lt;b&gt;bold" in page
        assert "<script>alert" not in page

    def test_shows_pages_of_25(self, client: Client) -> None:
        for number in range(30):
            self.write(f"Mail {number}")
        assert len(client.get("/demo/mail/").context["page"]) == 25
        assert len(client.get("/demo/mail/?page=2").context["page"]) == 5

    @pytest.mark.parametrize("key", ["no-such-mail", "20260101-000000-1-0"])
    def test_knows_only_its_own_mails(self, client: Client, key: str) -> None:
        assert client.get(f"/demo/mail/{key}/").status_code == 404

    def test_stays_in_its_folder(self, client: Client, demo_mode: Settings) -> None:
        (Path(demo_mode.EMAIL_FILE_PATH).parent / "secret.log").write_text("key")
        assert client.get("/demo/mail/../secret-0/").status_code == 404
