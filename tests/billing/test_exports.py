"""The lists of a connection as CSV: the same rows as on the page, whole."""

import csv
import io

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing.models import Credit
from billing.models.requests import BillingRequest
from connections.models import User
from revampd.kit.export import MARK
from tests.billing.deals import many_invoices, many_requests, propose, run
from tests.cast import Cast


def rows(browser, name: str, cast: Cast, **query: str) -> list[dict[str, str]]:
    address = reverse(f"billing:export-{name}", args=[cast.northwind_bluebird.pk])
    response = browser.get(address, query)
    assert response.status_code == 200
    text = response.getvalue().decode()
    assert text.startswith(MARK)
    return list(csv.DictReader(io.StringIO(text[1:])))


class TestInvoices:
    def test_stand_as_on_the_page(self, cast, as_):
        run(cast)

        [row] = rows(as_(cast.ben), "invoices", cast)

        assert (row["Invoice"], row["Status"], row["Type"]) == (
            "INV-00001",
            "Open",
            "Subscription",
        )
        assert (row["Currency"], row["Total"], row["Amount due"]) == ("USD", "149.00", "149.00")

    def test_keep_the_filter(self, cast, as_):
        run(cast)
        run(cast, cast.setup)

        [row] = rows(as_(cast.maya), "invoices", cast, type="ONE_TIME")

        assert (row["Invoice"], row["Total"]) == ("INV-00002", "400.00")

    def test_cost_the_same_queries_however_many_they_are(self, cast, as_):
        request = run(cast)
        browser = as_(cast.ben)
        rows(browser, "invoices", cast)

        def cost() -> int:
            with CaptureQueriesContext(database) as captured:
                rows(browser, "invoices", cast)
            return len(captured)

        few = cost()
        many_invoices(request, 1_000)
        assert len(rows(browser, "invoices", cast)) == 1_001
        assert cost() == few


class TestRequests:
    def test_say_who_asked_and_who_decided(self, cast, as_):
        run(cast)
        propose(cast, cast.phone_numbers, quantity=3, note="=HYPERLINK(1)")

        newest, oldest = rows(as_(cast.ben), "requests", cast)

        assert (newest["Kind"], newest["Quantity"], newest["Price"]) == ("Add-on", "3", "7.50")
        assert (newest["Status"], newest["Note"]) == ("Waiting for approval", "'=HYPERLINK(1)")
        assert (oldest["Decided by"], oldest["Each"]) == ("Ben Tester", "month")
        assert oldest["Seal"] == BillingRequest.objects.earliest("proposed_at").seal

    def test_run_no_formula_that_a_person_has_for_a_name(self, cast, as_):
        User.objects.filter(pk__in=[cast.noah.pk, cast.ben.pk]).update(name="=HYPERLINK(1)")
        run(cast)

        [row] = rows(as_(cast.ben), "requests", cast)

        assert (row["Proposed by"], row["Decided by"]) == ("'=HYPERLINK(1)", "'=HYPERLINK(1)")

    def test_keep_the_filter(self, cast, as_):
        many_requests(propose(cast), 20)
        run(cast, cast.setup)

        assert len(rows(as_(cast.noah), "requests", cast, kind="ONE_TIME")) == 1
        assert len(rows(as_(cast.noah), "requests", cast)) == 22


class TestWallet:
    def test_lists_what_each_credit_holds(self, cast, as_):
        run(cast)
        connection = cast.northwind_bluebird
        at = connection.invoices.get().issued_at
        for minor in (20_00, -5_00):
            Credit.adjust(connection, minor, reason="Goodwill", by=cast.noah, at=at)

        [row] = rows(as_(cast.ben), "wallet", cast)

        assert (row["Reason"], row["Issued by"]) == ("Goodwill", "Noah Tester")
        assert (row["Total"], row["Used"], row["Remaining"]) == ("20.00", "5.00", "15.00")


@pytest.mark.parametrize("name", ["invoices", "requests", "wallet"])
def test_a_stranger_finds_nothing(cast, as_, name):
    address = reverse(f"billing:export-{name}", args=[cast.northwind_bluebird.pk])

    assert as_(cast.fay).get(address).status_code == 404
