"""Payment methods: adding a card by way of the gateway's page, choosing one, removing one."""

from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from billing.gateways.base import Unanswered
from billing.gateways.cards import BY_NAME
from billing.gateways.sandbox import Sandbox
from billing.models import Payment, PaymentMethod, SandboxMethod, SandboxSetup
from connections.models import Event
from tests.billing.cards import add_card
from tests.billing.deals import queries, run
from tests.cast import Cast

CARD = {"exp_month": "12", "exp_year": "2049", "cvc": "123"}


def url(cast: Cast, name: str = "payment-methods", *args) -> str:
    return reverse(f"billing:{name}", args=[cast.northwind_bluebird.pk, *args])


def card(cast: Cast, name: str = "visa", **details) -> PaymentMethod:
    return add_card(cast.northwind_bluebird, name, by=cast.ben, at=timezone.now(), **details)


def add(browser, cast: Cast, name: str = "visa"):
    """From the button to the page that one comes back to."""
    hosted = browser.post(url(cast, "add-payment-method"))["Location"]
    back = browser.post(hosted, {"number": BY_NAME[name].number, **CARD})["Location"]
    return browser.get(back)


@pytest.fixture
def silent(monkeypatch):
    """`silent("begin_setup")`: the sandbox does not answer this question."""

    def silence(question: str) -> None:
        def no_answer(*_args):
            raise Unanswered

        monkeypatch.setattr(Sandbox, question, no_answer)

    return silence


class TestMethodList:
    @pytest.mark.parametrize("name", ["ben", "bella", "sam", "theo"])
    def test_is_read_by_all_members_of_the_customer(self, cast, as_, name):
        card(cast)

        page = as_(getattr(cast, name)).get(url(cast)).text

        assert "Visa ending 4242" in page
        assert "Expires 12/49" in page
        assert "Default" in page

    @pytest.mark.parametrize(
        ("name", "status"),
        [("maya", 403), ("noah", 403), ("vera", 403), ("dora", 403), ("oscar", 404), ("zed", 404)],
    )
    def test_is_nothing_for_the_provider_and_strangers(self, cast, as_, name, status):
        assert as_(getattr(cast, name)).get(url(cast)).status_code == status

    def test_marks_a_card_that_has_expired(self, cast, as_):
        card(cast, expires=timezone.now().date())
        cast.northwind_bluebird.advance(date(2049, 1, 1), now=timezone.now())

        page = as_(cast.ben).get(url(cast)).text

        assert "Expired" in page

    @pytest.mark.parametrize(("name", "offers"), [("bella", True), ("sam", False), ("theo", False)])
    def test_offers_acts_to_who_may(self, cast, as_, name, offers):
        first = card(cast)
        card(cast, "mastercard")

        page = as_(getattr(cast, name)).get(url(cast)).text

        acts = ["add-payment-method", "choose-payment-method", "remove-payment-method"]
        paths = [url(cast, acts[0]), *(url(cast, act, first.pk) for act in acts[1:])]
        assert [path in page for path in paths] == [offers] * 3

    def test_says_that_a_card_pays_what_is_past_due(self, cast, as_):
        run(cast)
        invoice = cast.northwind_bluebird.invoices.get()
        invoice.wait(at=timezone.now() + timedelta(days=60))

        page = as_(cast.ben).get(url(cast)).text

        assert f"{invoice.code} is past due." in page

    def test_costs_the_same_with_one_card_and_many(self, cast, as_):
        card(cast)
        few = queries(as_(cast.ben), url(cast))
        for _ in range(9):
            card(cast)

        assert queries(as_(cast.ben), url(cast)) == few <= 10


class TestAddMethod:
    def test_leads_to_the_gateway_and_back(self, cast, as_):
        browser = as_(cast.ben)

        answer = add(browser, cast)

        method = cast.northwind_bluebird.payment_methods.get()
        assert (answer.status_code, answer["Location"]) == (303, url(cast))
        assert (method.label, method.is_default, method.added_by) == (
            "Visa ending 4242",
            True,
            cast.ben,
        )
        assert "Visa ending 4242 was added." in browser.get(url(cast)).text
        assert Event.objects.filter(code="payment_method.added").count() == 1

    def test_is_the_same_customer_of_the_gateway_each_time(self, cast, as_):
        browser = as_(cast.ben)
        add(browser, cast)
        PaymentMethod.objects.get().remove(by=cast.ben, at=timezone.now())
        known = SandboxSetup.objects.get().customer
        SandboxSetup.objects.update(customer="renamed")

        browser.post(url(cast, "add-payment-method"))

        assert SandboxSetup.objects.get(method=None).customer == known

    def test_makes_the_newest_the_default(self, cast, as_):
        browser = as_(cast.ben)
        add(browser, cast)
        add(browser, cast, "mastercard")

        methods = cast.northwind_bluebird.payment_methods
        assert methods.default().label == "Mastercard ending 4444"
        assert methods.count() == 2

    def test_keeps_nothing_when_the_customer_gives_up(self, cast, as_):
        browser = as_(cast.ben)
        browser.post(url(cast, "add-payment-method"))

        answer = browser.get(url(cast, "payment-method-added"), follow=True)

        assert "No card was added." in answer.text
        assert not PaymentMethod.objects.exists()

    def test_adds_once_when_the_customer_comes_back_twice(self, cast, as_):
        browser = as_(cast.ben)
        add(browser, cast)

        answer = browser.get(url(cast, "payment-method-added"))

        assert (answer.status_code, answer["Location"]) == (302, url(cast))
        assert PaymentMethod.objects.count() == 1

    def test_finishes_nothing_that_another_person_began(self, cast, as_):
        hosted = as_(cast.bella).post(url(cast, "add-payment-method"))["Location"]
        back = as_(cast.ben).post(hosted, {"number": BY_NAME["visa"].number, **CARD})["Location"]

        as_(cast.ben).get(back)

        assert not PaymentMethod.objects.exists()

    def test_says_so_when_the_gateway_does_not_answer(self, cast, as_, silent):
        silent("begin_setup")

        answer = as_(cast.ben).post(url(cast, "add-payment-method"))

        assert answer.status_code == 503
        assert "The payment service does not answer right now." in answer.text
        assert not SandboxSetup.objects.exists()

    def test_is_finished_later_when_the_gateway_answers_again(self, cast, as_, monkeypatch):
        browser = as_(cast.ben)
        hosted = browser.post(url(cast, "add-payment-method"))["Location"]
        back = browser.post(hosted, {"number": BY_NAME["visa"].number, **CARD})["Location"]

        def no_answer(*_args):
            raise Unanswered

        with monkeypatch.context() as patch:
            patch.setattr(Sandbox, "finish_setup", no_answer)
            answer = browser.get(back)
        assert answer.status_code == 503
        assert not PaymentMethod.objects.exists()

        browser.get(back)
        assert PaymentMethod.objects.count() == 1

    @pytest.mark.parametrize("name", ["sam", "theo", "noah", "dora", "oscar"])
    def test_is_only_for_owners_and_billing_of_the_customer(self, cast, as_, name):
        answer = as_(getattr(cast, name)).post(url(cast, "add-payment-method"))

        assert answer.status_code == (404 if name == "oscar" else 403)
        assert not SandboxSetup.objects.exists()

    def test_changes_nothing_when_it_is_only_looked_at(self, cast, as_):
        assert as_(cast.ben).get(url(cast, "add-payment-method")).status_code == 405


class TestChooseMethod:
    def test_makes_it_the_default(self, cast, as_):
        first, second = card(cast), card(cast, "mastercard")

        answer = as_(cast.bella).post(url(cast, "choose-payment-method", first.pk))

        second.refresh_from_db()
        assert answer.status_code == 303
        assert cast.northwind_bluebird.payment_methods.default() == first
        assert not second.is_default

    def test_says_that_it_was_removed_meanwhile(self, cast, as_):
        first = card(cast)
        card(cast, "mastercard")
        first.remove(by=cast.ben, at=timezone.now())

        answer = as_(cast.ben).post(url(cast, "choose-payment-method", first.pk))

        assert answer.status_code == 409
        assert "Visa ending 4242 was removed already." in answer.text


class TestRemoveMethod:
    def test_asks_first_and_says_what_follows(self, cast, as_):
        first = card(cast)
        browser = as_(cast.ben)
        assert "It is your only one." in browser.get(removal(cast, first)).text

        second = card(cast, "mastercard")

        assert "is not the default" in browser.get(removal(cast, first)).text
        page = browser.get(removal(cast, second)).text
        assert "Visa ending 4242 becomes the default" in page
        assert cast.northwind_bluebird.payment_methods.usable().count() == 2

    def test_forgets_it_here_and_at_the_gateway(self, cast, as_):
        first, second = card(cast), card(cast, "mastercard")

        as_(cast.ben).post(removal(cast, second))

        assert list(cast.northwind_bluebird.payment_methods.usable()) == [first]
        assert cast.northwind_bluebird.payment_methods.default() == first
        assert SandboxMethod.objects.get(pk=second.reference).detached_at

    def test_is_done_here_even_if_the_gateway_does_not_answer(self, cast, as_, silent):
        method = card(cast)
        silent("detach")

        answer = as_(cast.ben).post(removal(cast, method))

        assert answer.status_code == 303
        assert not cast.northwind_bluebird.payment_methods.usable().exists()

    def test_waits_for_a_payment_that_is_under_way(self, cast, as_):
        run(cast)
        method, now = card(cast), timezone.now()
        invoice = cast.northwind_bluebird.invoices.get()
        Payment.begin(invoice, method, cause=Payment.Cause.PERSON, at=now)

        answer = as_(cast.ben).post(removal(cast, method))

        assert answer.status_code == 409
        assert "A payment by Visa ending 4242 is under way." in answer.text
        assert SandboxMethod.objects.get(pk=method.reference).detached_at is None

    def test_leads_back_if_it_was_removed_already(self, cast, as_):
        method = card(cast)
        method.remove(by=cast.ben, at=timezone.now())

        assert as_(cast.ben).get(removal(cast, method))["Location"] == url(cast)

    def test_is_not_there_on_another_connection(self, cast, as_):
        method = card(cast)
        path = reverse("billing:remove-payment-method", args=[cast.contoso_fabrikam.pk, method.pk])

        assert as_(cast.fay).get(path).status_code == 404
        assert as_(cast.fay).post(path).status_code == 404
        assert method in cast.northwind_bluebird.payment_methods.usable()


def removal(cast: Cast, method: PaymentMethod) -> str:
    return url(cast, "remove-payment-method", method.pk)
