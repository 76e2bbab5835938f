"""The sandbox's hosted pages: the card form and its test cards, and the confirmation."""

import pytest
from django.urls import reverse
from django.utils import timezone

from billing.collecting import pay
from billing.gateways.cards import ALL, BY_NAME
from billing.models import Payment, SandboxCharge, SandboxSetup
from billing.setups import begin_setup
from tests.billing.cards import add_card
from tests.billing.deals import MARKUP, run
from tests.cast import Cast

BACK = "/connections/"
TYPED = {"number": "4242 4242 4242 4242", "exp_month": "12", "exp_year": "2049", "cvc": "123"}


@pytest.fixture
def setup_url(cast: Cast) -> str:
    setup = begin_setup(cast.northwind_bluebird, BACK, by=cast.ben, at=timezone.now())
    return setup.url


@pytest.fixture
def charge(cast: Cast) -> SandboxCharge:
    """A charge that the customer has to confirm, and a page that leads back."""
    run(cast)
    now, connection = timezone.now(), cast.northwind_bluebird
    method = add_card(connection, "confirms_always", by=cast.ben, at=now)
    pay(connection.invoices.get(), method, cause=Payment.Cause.PERSON, by=cast.ben, at=now)
    charge = SandboxCharge.objects.get()
    charge.send_to_page(BACK)
    return charge


def confirmation_url(charge: SandboxCharge) -> str:
    return reverse("sandbox:confirmation", args=[charge.pk])


class TestSetupPage:
    @pytest.mark.parametrize("name", ["ben", "bella"])
    def test_says_loudly_that_it_takes_no_real_card(self, cast, as_, setup_url, name):
        page = as_(getattr(cast, name)).get(setup_url).text

        assert "no real card, no real money" in page
        assert "Bluebird Clinic pays Northwind Agency with it." in page
        assert all(card.grouped in page for card in ALL)

    @pytest.mark.parametrize(
        "name", ["sam", "theo", "maya", "noah", "dora", "oscar", "fay", "zed", "rhea"]
    )
    def test_is_not_there_for_who_cannot_pay(self, cast, as_, setup_url, name):
        browser = as_(getattr(cast, name))

        assert browser.get(setup_url).status_code == 404
        assert browser.post(setup_url, TYPED).status_code == 404
        assert SandboxSetup.objects.get().method is None

    def test_is_not_there_without_a_setup(self, cast, as_):
        path = reverse("sandbox:setup", args=["setup_0"])

        assert as_(cast.ben).get(path).status_code == 404

    def test_stores_the_card_and_leads_back(self, cast, as_, setup_url):
        answer = as_(cast.ben).post(setup_url, TYPED)

        assert (answer.status_code, answer["Location"]) == (303, BACK)
        assert SandboxSetup.objects.get().method.card == "visa"

    def test_fills_in_a_card_that_is_pressed(self, cast, as_, setup_url):
        browser = as_(cast.ben)
        page = browser.get(setup_url, {"card": "lost_card"})
        filled = {name: page.context["form"][name].value() for name in TYPED}

        answer = browser.post(setup_url, filled)

        assert filled["number"] == BY_NAME["lost_card"].grouped
        assert answer.status_code == 303
        assert SandboxSetup.objects.get().method.card == "lost_card"

    def test_fills_in_nothing_for_a_card_that_does_not_exist(self, cast, as_, setup_url):
        page = as_(cast.ben).get(setup_url, {"card": MARKUP})

        assert page.context["form"]["number"].value() is None
        assert MARKUP not in page.text

    @pytest.mark.parametrize(
        ("field", "value", "sentence"),
        [
            ("number", "4111 1111 1111 1111", "no real card works here"),
            ("number", "", "This field is required."),
            ("number", MARKUP, "no real card works here"),
            ("number", "\x00", "Null characters"),
            pytest.param("number", "4" * 100_000, "no real card", id="number-long"),
            ("number", BY_NAME["refused"].number, "The bank declined this card."),
            ("exp_month", "13", "from 1 to 12"),
            ("exp_month", "１２", "from 1 to 12"),
            ("exp_year", "2001", "has expired"),
            ("exp_year", "soon", "Enter a year"),
            ("cvc", "12", "three digits"),
        ],
    )
    def test_says_beside_the_field_what_is_wrong(
        self, cast, as_, setup_url, field, value, sentence
    ):
        data = TYPED | {field: value}

        page = as_(cast.ben).post(setup_url, data)

        form = page.context["form"]
        assert page.status_code == 422
        assert any(sentence in error for error in form.errors[field])
        assert {name: form[name].value() for name in data} == data
        assert MARKUP not in page.text
        assert SandboxSetup.objects.get().method is None

    def test_has_nothing_left_to_do_afterwards(self, cast, as_, setup_url):
        browser = as_(cast.ben)
        browser.post(setup_url, TYPED)

        page = browser.get(setup_url).text
        again = browser.post(setup_url, TYPED | {"number": BY_NAME["lost_card"].number})

        assert "The card was added" in page
        assert again["Location"] == BACK
        assert SandboxSetup.objects.get().method.card == "visa"


class TestConfirmationPage:
    def test_shows_what_is_paid_and_to_whom(self, cast, as_, charge):
        page = as_(cast.ben).get(confirmation_url(charge)).text

        assert "Confirm $149.00" in page
        assert "INV-00001 of Northwind Agency" in page

    @pytest.mark.parametrize(("answer", "state"), [("confirm", "SUCCEEDED"), ("refuse", "FAILED")])
    def test_takes_the_answer_and_leads_back(self, cast, as_, charge, answer, state):
        browser = as_(cast.ben)

        back = browser.post(confirmation_url(charge), {"answer": answer})

        charge.refresh_from_db()
        assert (back.status_code, back["Location"]) == (303, BACK)
        assert charge.state == state
        assert "Nothing to confirm" in browser.get(confirmation_url(charge)).text

    def test_is_answered_once(self, cast, as_, charge):
        browser = as_(cast.ben)
        for answer in ("refuse", "confirm"):
            browser.post(confirmation_url(charge), {"answer": answer})

        charge.refresh_from_db()
        assert charge.state == "FAILED"

    @pytest.mark.parametrize("answer", ["", "yes", "\x00"])
    def test_does_nothing_without_an_answer(self, cast, as_, charge, answer):
        page = as_(cast.ben).post(confirmation_url(charge), {"answer": answer})

        charge.refresh_from_db()
        assert page.status_code == 200
        assert charge.state == "ACTION"

    @pytest.mark.parametrize("name", ["sam", "theo", "noah", "dora", "oscar", "zed"])
    def test_is_not_there_for_who_cannot_pay(self, cast, as_, charge, name):
        browser = as_(getattr(cast, name))

        assert browser.get(confirmation_url(charge)).status_code == 404
        assert browser.post(confirmation_url(charge), {"answer": "confirm"}).status_code == 404
        charge.refresh_from_db()
        assert charge.state == "ACTION"

    def test_is_not_there_without_a_charge(self, cast, as_):
        path = reverse("sandbox:confirmation", args=["charge_0"])

        assert as_(cast.ben).get(path).status_code == 404
