"""Paying an invoice now, as the customer does it on its page."""

import pytest
from django.urls import reverse

from billing.gateways import gateway
from billing.models import Invoice, Payment
from tests.billing.deals import HTMX, run
from tests.billing.settling import add_card, grant, owed
from tests.cast import Cast
from tests.pages import text


@pytest.fixture
def invoice(cast: Cast) -> Invoice:
    """$149.00 that Bluebird owes Northwind."""
    run(cast)
    return owed(cast.northwind_bluebird)


def url(invoice: Invoice, name: str = "invoice", *args: object) -> str:
    return reverse(f"billing:{name}", args=[invoice.connection_id, invoice.number, *args])


def press(browser, invoice: Invoice, method: object, **headers: object):
    data = {"method": getattr(method, "pk", method)}
    return browser.post(url(invoice, "pay-invoice"), data, **headers)


class TestPayNow:
    @pytest.mark.parametrize("name", ["ben", "bella"])
    def test_takes_the_money_and_says_so(self, cast, as_, invoice, name):
        browser = as_(getattr(cast, name))
        answer = press(browser, invoice, add_card(cast))

        assert answer.status_code == 303
        page = text(browser.get(answer["Location"]))
        assert "$149.00 was paid by Visa ending 4242. Thank you." in page
        invoice.refresh_from_db()
        assert invoice.state == Invoice.State.PAID
        payment = invoice.payments.get()
        assert payment.cause == Payment.Cause.PERSON
        assert payment.begun_by == getattr(cast, name)

    def test_answers_htmx_with_the_panel_and_the_badge(self, cast, as_, invoice):
        answer = press(as_(cast.ben), invoice, add_card(cast), headers=HTMX)

        assert answer.status_code == 200
        assert 'id="invoice"' in text(answer)
        assert 'id="invoice-state" hx-swap-oob="true"' in text(answer)
        assert "<h1>" not in text(answer)

    def test_says_why_a_card_was_declined_and_what_comes_next(self, cast, as_, invoice):
        browser = as_(cast.ben)
        answer = press(browser, invoice, add_card(cast, "insufficient_funds"))

        page = text(browser.get(answer["Location"]))
        assert "There is not enough money on the card." in page
        assert "next try" in page
        assert "Past due" in page

    def test_pressed_twice_charges_once(self, cast, as_, invoice):
        card, browser = add_card(cast), as_(cast.ben)
        press(browser, invoice, card)
        again = press(browser, invoice, card)

        assert again.status_code == 409
        assert "Nothing of INV-00001 is owed any more." in text(again)
        assert invoice.payments.count() == 1

    def test_pressed_while_one_is_under_way_is_refused(self, cast, as_, invoice):
        card, browser = add_card(cast, "delayed"), as_(cast.ben)
        press(browser, invoice, card)
        again = press(browser, invoice, card)

        assert again.status_code == 409
        assert "A payment of INV-00001 is under way already." in text(again)
        assert invoice.payments.count() == 1

    def test_charges_what_the_wallet_does_not_pay(self, cast, as_, invoice):
        grant(cast, 49_00)
        press(as_(cast.ben), invoice, add_card(cast))

        assert invoice.payments.get().amount == 100_00

    def test_charges_no_card_if_the_wallet_pays_all(self, cast, as_, invoice):
        card = add_card(cast)
        grant(cast, 500_00)
        press(as_(cast.ben), invoice, card)

        invoice.refresh_from_db()
        assert invoice.state == Invoice.State.PAID
        assert not invoice.payments.exists()
        assert cast.northwind_bluebird.credits.balance("USD").minor == 351_00

    def test_lets_choose_among_several_methods(self, cast, as_, invoice):
        visa = add_card(cast)
        add_card(cast, "mastercard")
        browser = as_(cast.ben)
        page = text(browser.get(url(invoice)))
        assert "Mastercard ending 4444 (default)" in page

        press(browser, invoice, visa)

        assert invoice.payments.get().method == visa

    @pytest.mark.parametrize("method", ["", "x", "00000000-0000-4000-8000-000000000000"])
    def test_refuses_a_method_that_is_not_there(self, cast, as_, invoice, method):
        add_card(cast)
        add_card(cast, "mastercard")
        answer = press(as_(cast.ben), invoice, method)

        assert answer.status_code == 422
        assert 'aria-invalid="true"' in text(answer)
        assert not invoice.payments.exists()

    def test_refuses_a_method_of_another_connection(self, cast, as_, invoice):
        theirs = add_card(cast, connection=cast.revampd_bluebird)
        answer = press(as_(cast.ben), invoice, theirs)

        assert answer.status_code == 422
        assert not invoice.payments.exists()

    def test_refuses_a_method_that_was_removed(self, cast, as_, invoice):
        card = add_card(cast)
        card.remove(by=cast.ben, at=card.added_at)

        assert press(as_(cast.ben), invoice, card).status_code == 422

    @pytest.mark.parametrize(
        ("name", "status"),
        [("theo", 403), ("sam", 403), ("maya", 403), ("dora", 403), ("oscar", 404)],
    )
    def test_is_for_owners_and_billing_of_the_customer(self, cast, as_, invoice, name, status):
        browser, card = as_(getattr(cast, name)), add_card(cast)

        assert press(browser, invoice, card).status_code == status
        assert "/payment/" not in text(browser.get(url(invoice)))
        assert not invoice.payments.exists()

    def test_leads_to_adding_a_method_where_there_is_none(self, cast, as_, invoice):
        page = text(as_(cast.ben).get(url(invoice)))

        assert "Add a payment method" in page
        assert "now</button>" not in page


class TestUnderWay:
    @pytest.mark.parametrize(
        ("card", "words"),
        [
            ("delayed", "is being processed"),
            ("answer_lost", "The payment service has not answered yet"),
            ("confirms_always", "Your bank wants you to confirm $149.00"),
        ],
    )
    def test_is_said_in_words_and_not_offered_again(self, cast, as_, invoice, card, words):
        browser = as_(cast.ben)
        press(browser, invoice, add_card(cast, card))

        page = text(browser.get(url(invoice)))

        assert words in page
        assert "/payment/" not in page
        assert "/outcome/" in page

    def test_shows_the_provider_no_way_to_meddle(self, cast, as_, invoice):
        press(as_(cast.ben), invoice, add_card(cast, "confirms_always"))

        page = text(as_(cast.noah).get(url(invoice)))

        assert "Bluebird Clinic has to confirm" in page
        assert "/confirmation/" not in page
        assert "Correct it" not in page

    def test_is_settled_by_asking_again(self, cast, as_, invoice):
        browser = as_(cast.ben)
        press(browser, invoice, add_card(cast, "answer_lost"))
        payment = invoice.payments.get()

        answer = browser.post(url(invoice, "check-payment", payment.pk))

        assert answer.status_code == 303
        invoice.refresh_from_db()
        assert invoice.state == Invoice.State.PAID

    def test_of_another_invoice_is_not_there(self, cast, as_, invoice):
        browser = as_(cast.ben)
        press(browser, invoice, add_card(cast, "delayed"))
        payment = invoice.payments.get()
        run(cast, cast.setup)
        other = cast.northwind_bluebird.invoices.newest_first().first()

        for name in ("check-payment", "confirm-payment", "give-up-payment"):
            assert browser.post(url(other, name, payment.pk)).status_code == 404


class TestConfirmation:
    @pytest.fixture
    def payment(self, cast: Cast, as_, invoice) -> Payment:
        press(as_(cast.ben), invoice, add_card(cast, "confirms_always"))
        return invoice.payments.get()

    def test_leads_to_the_gateway_and_back(self, cast, as_, invoice, payment):
        browser = as_(cast.ben)
        answer = browser.post(url(invoice, "confirm-payment", payment.pk))
        assert answer.status_code == 303
        assert answer["Location"] == f"/sandbox/confirmations/{payment.reference}/"

        sandbox = gateway(payment.begun_at)
        back = sandbox.authorize(payment.reference, succeed=True)

        assert back.endswith(f"{url(invoice)}?confirmed={payment.pk}")
        assert 'hx-trigger="load, submit"' in text(browser.get(back))
        browser.post(url(invoice, "check-payment", payment.pk))
        invoice.refresh_from_db()
        assert invoice.state == Invoice.State.PAID

    def test_that_was_refused_is_a_failure_in_words(self, cast, as_, invoice, payment):
        browser = as_(cast.ben)
        gateway(payment.begun_at).authorize(payment.reference, succeed=False)
        browser.post(url(invoice, "check-payment", payment.pk))

        assert "The payment was not confirmed. Nothing was taken." in text(
            browser.get(url(invoice))
        )

    def test_can_be_given_up_for_another_card(self, cast, as_, invoice, payment):
        browser = as_(cast.ben)
        browser.post(url(invoice, "give-up-payment", payment.pk))

        press(browser, invoice, add_card(cast))

        invoice.refresh_from_db()
        assert invoice.state == Invoice.State.PAID
        assert invoice.payments.succeeded().get().method.last4 == "4242"

    def test_given_up_too_late_counts_as_paid(self, cast, as_, invoice, payment):
        gateway(payment.begun_at).authorize(payment.reference, succeed=True)
        as_(cast.ben).post(url(invoice, "give-up-payment", payment.pk))

        invoice.refresh_from_db()
        assert invoice.state == Invoice.State.PAID
