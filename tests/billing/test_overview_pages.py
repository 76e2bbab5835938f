"""The overview of a connection: the first steps, and what needs somebody's attention."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from billing.collecting import pay
from billing.models import Invoice, Payment
from tests.billing.cards import add_card
from tests.billing.deals import approve, propose, queries, run
from tests.cast import Cast


def url(cast: Cast) -> str:
    return reverse("overview", args=[cast.northwind_bluebird.pk])


def card(cast: Cast, name: str = "visa", **details):
    return add_card(cast.northwind_bluebird, name, by=cast.ben, at=timezone.now(), **details)


def overdue(cast: Cast) -> Invoice:
    """An invoice that nobody paid in time."""
    run(cast)
    invoice: Invoice = cast.northwind_bluebird.invoices.get()
    invoice.wait(at=timezone.now() + timedelta(days=60))
    return invoice


def suspended(cast: Cast) -> Invoice:
    invoice = overdue(cast)
    cast.northwind_bluebird.suspend(
        at=timezone.now(), code=invoice.code, payable=invoice.amount_due
    )
    return invoice


class TestFirstSteps:
    def test_begin_with_a_payment_method(self, cast, as_):
        page = as_(cast.ben).get(url(cast)).text

        assert "0 of 3 done" in page
        assert reverse("billing:add-payment-method", args=[cast.northwind_bluebird.pk]) in page
        assert "Northwind Agency has not sent one yet." in page

    def test_lead_to_the_first_request(self, cast, as_):
        card(cast)
        first = propose(cast)
        propose(cast, cast.setup)

        page = as_(cast.ben).get(url(cast)).text

        assert "1 of 3 done" in page
        assert "Start Growth, $149.00 a month" in page
        assert reverse("billing:request", args=[first.connection_id, first.pk]) in page
        assert "Review it" in page

    def test_are_not_over_with_a_rejection(self, cast, as_):
        card(cast)
        propose(cast).reject(by=cast.ben, at=timezone.now())

        page = as_(cast.ben).get(url(cast)).text

        assert "2 of 3 done" in page
        assert "As soon as you approve a request." in page

    def test_are_gone_when_all_are_done(self, cast, as_):
        card(cast)
        approve(cast, propose(cast))

        for user in (cast.ben, cast.noah):
            assert "irst steps" not in as_(user).get(url(cast)).text

    def test_do_not_come_back_when_the_card_is_removed(self, cast, as_):
        method = card(cast)
        approve(cast, propose(cast))
        method.remove(by=cast.ben, at=timezone.now())

        page = as_(cast.ben).get(url(cast)).text

        assert "irst steps" not in page
        assert "There is no payment method any more." in page

    @pytest.mark.parametrize("name", ["sam", "theo"])
    def test_offer_no_act_to_who_may_not(self, cast, as_, name):
        propose(cast)

        page = as_(getattr(cast, name)).get(url(cast)).text

        assert "An owner or billing member of Bluebird Clinic can add one." in page
        assert "Add a card" not in page

    @pytest.mark.parametrize("name", ["maya", "vera"])
    def test_tell_the_provider_what_they_wait_for(self, cast, as_, name):
        page = as_(getattr(cast, name)).get(url(cast)).text
        assert "It waits for: a payment method, your first request." in page

        request = propose(cast)
        page = as_(getattr(cast, name)).get(url(cast)).text
        assert "It waits for: a payment method, its decision on" in page
        assert reverse("billing:request", args=[request.connection_id, request.pk]) in page

        request.approve(by=cast.ben, seal=request.seal, at=timezone.now())
        page = as_(getattr(cast, name)).get(url(cast)).text
        assert "It waits for: a payment method." in page

    def test_are_none_where_a_partner_manages_the_access(self, cast, as_):
        page = as_(cast.ben).get(reverse("overview", args=[cast.revampd_bluebird.pk])).text

        assert "irst steps" not in page


class TestPaying:
    def test_shows_the_provider_brand_and_last_digits_and_no_more(self, cast, as_):
        card(cast)

        page = as_(cast.noah).get(url(cast)).text

        assert "Visa ending 4242" in page
        assert "12/49" not in page
        assert "payment-methods" not in page

    def test_shows_what_the_wallet_holds(self, cast, as_):
        assert "$0.00" in as_(cast.ben).get(url(cast)).text


class TestAttention:
    def test_says_what_is_past_due_and_until_when(self, cast, as_):
        invoice = overdue(cast)
        page = as_(cast.ben).get(url(cast))

        (banner,) = page.context["attention"]
        assert banner.title == "$149.00 is past due."
        assert banner.text.startswith(f"{invoice.code}. Unpaid on ")
        assert "Add a payment method, and it is paid at once." in banner.text
        assert banner.action == "Pay the invoice"
        assert banner.url.endswith(f"/invoices/{invoice.number}/")

    def test_says_that_the_connection_is_suspended(self, cast, as_):
        suspended(cast)

        (own,) = as_(cast.ben).get(url(cast)).context["attention"]
        (theirs,) = as_(cast.vera).get(url(cast)).context["attention"]

        assert own.title == "You are suspended with Northwind Agency."
        assert "$149.00 is past due." in own.text
        assert theirs.title == "Bluebird Clinic is suspended."
        assert (own.action, theirs.action) == ("Pay the invoice", "See the invoice")

    def test_leads_to_all_of_them_if_there_are_several(self, cast, as_):
        run(cast)
        run(cast, cast.setup)
        for invoice in cast.northwind_bluebird.invoices.all():
            invoice.wait(at=timezone.now() + timedelta(days=60))

        (banner,) = as_(cast.ben).get(url(cast)).context["attention"]

        assert banner.title == "$549.00 is past due."
        assert banner.text.startswith("INV-00001, INV-00002. ")
        assert banner.url.endswith("/invoices/?state=PAST_DUE")

    def test_asks_to_confirm_a_payment(self, cast, as_):
        run(cast)
        method = card(cast, "confirms_always")
        invoice = cast.northwind_bluebird.invoices.get()
        pay(invoice, method, cause=Payment.Cause.PERSON, by=cast.ben, at=timezone.now())

        (own,) = as_(cast.ben).get(url(cast)).context["attention"]
        (read,) = as_(cast.theo).get(url(cast)).context["attention"]
        (theirs,) = as_(cast.noah).get(url(cast)).context["attention"]

        assert own.title == "Confirm the payment of $149.00."
        assert (own.action, read.action) == ("Confirm the payment", "See the invoice")
        assert theirs.title == "Bluebird Clinic has to confirm a payment of $149.00."

    def test_tells_of_a_card_that_expires_before_the_next_invoice(self, cast, as_):
        run(cast)
        card(cast, expires=timezone.now().date())

        (own,) = as_(cast.ben).get(url(cast)).context["attention"]

        assert own.title.startswith("Visa ending 4242 expires (")
        assert as_(cast.noah).get(url(cast)).context["attention"] == []

    def test_is_quiet_when_all_is_well(self, cast, as_):
        run(cast)
        card(cast)

        assert as_(cast.ben).get(url(cast)).context["attention"] == []

    def test_costs_few_queries(self, cast, as_):
        card(cast)
        few = queries(as_(cast.ben), url(cast))
        suspended(cast)

        assert queries(as_(cast.ben), url(cast)) <= few + 1 <= 10
