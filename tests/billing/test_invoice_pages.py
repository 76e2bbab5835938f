"""The pages of invoices, seen from both sides."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from billing.cycle import bill_due
from billing.models import Invoice
from tests.billing.deals import MARKUP, many_invoices, queries, run
from tests.cast import Cast


def list_url(cast: Cast) -> str:
    return reverse("billing:invoices", args=[cast.northwind_bluebird.pk])


def url(invoice: Invoice) -> str:
    return reverse("billing:invoice", args=[invoice.connection_id, invoice.number])


def text(response) -> str:
    return response.content.decode()


class TestInvoiceList:
    @pytest.mark.parametrize("name", ["maya", "vera", "dana", "dora", "ben", "sam", "theo"])
    def test_is_read_by_all_members_of_both_sides(self, cast, as_, name):
        run(cast)

        page = text(as_(getattr(cast, name)).get(list_url(cast)))

        assert "INV-00001" in page
        assert "$149.00" in page
        assert "Open" in page

    @pytest.mark.parametrize("name", ["oscar", "fay", "zed"])
    def test_is_not_there_for_strangers(self, cast, as_, name):
        assert as_(getattr(cast, name)).get(list_url(cast)).status_code == 404

    def test_filters_by_state_type_and_year_and_adds_up(self, cast, as_):
        run(cast)
        run(cast, cast.setup)
        Invoice.objects.filter(kind="ONE_TIME").update(state="PAID")
        year = timezone.now().year
        browser = as_(cast.ben)

        everything = browser.get(list_url(cast), {"year": year})
        paid = browser.get(list_url(cast), {"state": "PAID"})
        plans = browser.get(list_url(cast), {"type": "SUBSCRIPTION"})
        another_year = browser.get(list_url(cast), {"year": 2001})

        assert {k: str(v) for k, v in everything.context["sums"].items()} == {
            "billed": "$549.00",
            "owed": "$149.00",
        }
        assert str(paid.context["sums"]["owed"]) == "$0.00"
        assert [row.kind for row in plans.context["rows"]] == ["SUBSCRIPTION"]
        assert "No such invoices" in text(another_year)

    @pytest.mark.parametrize("order", ["total", "-total", "due", "-due", "number", "-number"])
    def test_sorts(self, cast, as_, order):
        run(cast, cast.growth)
        run(cast, cast.setup)

        rows = list(as_(cast.ben).get(list_url(cast), {"sort": order}).context["rows"])

        assert len(rows) == 2

    @pytest.mark.parametrize(
        "query",
        [
            {"state": "X"},
            {"type": "'"},
            {"year": "1e9"},
            {"year": "99999999999"},
            {"sort": "-seal"},
        ],
    )
    def test_leaves_out_filters_that_do_not_exist(self, cast, as_, query):
        run(cast)

        assert len(as_(cast.ben).get(list_url(cast), query).context["rows"]) == 1

    def test_costs_the_same_with_ten_and_a_thousand_rows(self, cast, as_):
        request = run(cast)
        many_invoices(request, 9)
        few = queries(as_(cast.ben), list_url(cast))

        many_invoices(request, 990)

        assert queries(as_(cast.ben), list_url(cast)) == few <= 10
        assert len(as_(cast.ben).get(list_url(cast)).context["rows"]) == 25

    def test_says_when_the_first_one_comes(self, cast, as_):
        assert "No invoices yet" in text(as_(cast.ben).get(list_url(cast)))


class TestInvoiceDetail:
    def test_leads_from_each_line_to_who_said_yes(self, cast, as_):
        request = run(cast, note="The yes is below")

        page = text(as_(cast.ben).get(url(cast.northwind_bluebird.invoices.get())))

        assert "Why this charge?" in page
        assert reverse("billing:request", args=[request.connection_id, request.pk]) in page
        assert request.seal in page
        assert "Approved by Ben Tester, Bluebird Clinic" in page

    def test_shows_names_as_they_were_on_the_day_of_issue(self, cast, as_):
        cast.northwind.change_details(by=cast.maya, address=f"1 Old Road {MARKUP}")
        run(cast)
        cast.northwind.change_details(by=cast.maya, name="New Name", address="2 New Road")

        page = text(as_(cast.ben).get(url(cast.northwind_bluebird.invoices.get())))

        assert "1 Old Road" in page
        assert "2 New Road" not in page
        assert MARKUP not in page

    def test_shows_the_lines_of_a_later_period(self, cast, as_):
        run(cast)
        run(cast, cast.phone_numbers, quantity=5)
        later = timezone.now() + timedelta(days=32)
        bill_due(at=later)

        invoice = cast.northwind_bluebird.invoices.newest_first().first()
        page = as_(cast.maya).get(url(invoice))

        assert len(page.context["lines"]) == invoice.lines.count() > 1
        assert "5 × Phone number" in text(page)

    @pytest.mark.parametrize("number", [0, 2, 10**30])
    def test_is_not_there_for_an_unknown_number(self, cast, as_, number):
        run(cast)
        path = reverse("billing:invoice", args=[cast.northwind_bluebird.pk, number])

        assert as_(cast.ben).get(path).status_code == 404

    def test_is_not_there_on_another_connection(self, cast, as_):
        run(cast)
        path = reverse("billing:invoice", args=[cast.contoso_fabrikam.pk, 1])

        assert as_(cast.oscar).get(path).status_code == 404

    def test_costs_few_queries(self, cast, as_):
        run(cast)
        run(cast, cast.phone_numbers, quantity=5)

        assert queries(as_(cast.ben), url(cast.northwind_bluebird.invoices.first())) <= 10
