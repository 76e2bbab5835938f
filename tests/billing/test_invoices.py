"""Invoices: numbered, frozen with both parties' details, each line with its authority."""

from datetime import timedelta

import pytest

from billing.models import Invoice
from billing.models.invoices import InvoiceSeries
from billing.models.lines import DraftLine
from billing.pricing import ItemKind, Period, Timing
from connections.models import Event
from revampd.kit.money import CurrencyMismatch, Money
from tests.billing.acts import NOW, TODAY, agree, issued, noon
from tests.cast import Cast


def charge(cast: Cast, amount: Money | None = None) -> DraftLine:
    """The line of a one-time charge that is approved for later."""
    later = {"timing": Timing.DATE, "effective_date": TODAY + timedelta(30)}
    request = agree(cast, cast.setup, **later)
    price = amount or request.price
    return DraftLine(ItemKind.ONE_TIME, "Setup", 1, price, price, request)


class TestIssue:
    def test_freezes_names_and_addresses(self, cast):
        cast.northwind.change_details(
            by=cast.maya, address="1 Pier Road", legal_name="Northwind LLC"
        )
        agree(cast)
        cast.northwind.change_details(by=cast.maya, address="2 Pier Road", legal_name="North Inc")
        cast.bluebird.change_details(by=cast.ben, name="Bluebird Hospital")

        invoice = Invoice.objects.get()
        assert invoice.provider_details["name"] == "Northwind LLC"
        assert invoice.provider_details["address"] == "1 Pier Road"
        assert invoice.customer_details["name"] == "Bluebird Clinic"

    def test_is_dated_and_due_two_weeks_later(self, cast):
        agree(cast)

        invoice = Invoice.objects.get()
        assert (invoice.issue_date, invoice.issued_at) == (TODAY, NOW)
        assert invoice.due_date == TODAY + timedelta(14)
        assert invoice.period == Period(TODAY, TODAY.replace(month=12))

    def test_tells_the_customer(self, cast):
        agree(cast)

        event = Event.objects.get(code="invoice.issued")
        assert (event.organization, event.connection) == (cast.northwind, cast.northwind_bluebird)
        assert (event.facts["code"], event.facts["number"]) == ("INV-00001", 1)
        assert event.facts["amount"] == {"minor": 149_00, "currency": "USD"}
        assert event.outbox

    def test_needs_a_line(self, cast):
        with pytest.raises(ValueError, match="needs a line"):
            Invoice.issue(cast.northwind_bluebird, [], on=TODAY, at=NOW)

        assert not InvoiceSeries.objects.exists()

    def test_never_adds_currencies(self, cast):
        with pytest.raises(CurrencyMismatch):
            Invoice.issue(
                cast.northwind_bluebird, [charge(cast, Money(100, "EUR"))], on=TODAY, at=NOW
            )

    def test_adds_up(self, cast):
        drafts = [charge(cast, Money(1)), charge(cast, Money(399_99))]

        invoice = Invoice.issue(cast.northwind_bluebird, drafts, on=TODAY, at=NOW)

        assert invoice.total_money == Money(400_00)
        assert list(invoice.lines.values_list("position", "amount")) == [(1, 1), (2, 399_99)]


class TestKind:
    def test_follows_from_the_lines(self, cast):
        agree(cast)
        agree(cast, cast.setup)
        agree(cast, cast.phone_numbers, at=noon(2026, 11, 20))

        assert [invoice.kind for invoice in issued(cast)] == ["SUBSCRIPTION", "ONE_TIME"]

    @pytest.mark.parametrize(
        ("kinds", "kind"),
        [
            (["PLAN"], "SUBSCRIPTION"),
            (["PLAN", "ADD_ON"], "SUBSCRIPTION"),
            (["ADD_ON"], "ADD_ON"),
            (["ONE_TIME"], "ONE_TIME"),
            (["ONE_TIME", "PLAN"], "MIXED"),
            (["ADD_ON", "ONE_TIME"], "MIXED"),
        ],
    )
    def test_of_any_mixture_has_a_name(self, kinds, kind):
        price = Money(1)
        drafts = [DraftLine(ItemKind(k), "", 1, price, price, None) for k in kinds]  # type: ignore[arg-type]

        assert Invoice._kind_of(drafts) == kind


class TestNumber:
    def test_counts_each_provider_from_one(self, cast):
        for _ in range(3):
            agree(cast, cast.setup)

        assert [invoice.number for invoice in issued(cast)] == [1, 2, 3]
        assert InvoiceSeries.objects.get(provider=cast.northwind).last_number == 3

    @pytest.mark.parametrize(
        ("number", "code"), [(1, "INV-00001"), (99_999, "INV-99999"), (123_456, "INV-123456")]
    )
    def test_is_written_with_five_digits_or_more(self, number, code):
        assert Invoice(number=number).code == str(Invoice(number=number)) == code


class TestAmountDue:
    @pytest.mark.parametrize(
        ("state", "owed"),
        [("OPEN", 149_00), ("PAST_DUE", 149_00), ("PAID", 0), ("VOID", 0), ("UNCOLLECTIBLE", 0)],
    )
    def test_is_owed_while_it_is_open(self, cast, state, owed):
        agree(cast)
        Invoice.objects.update(state=state)

        assert Invoice.objects.get().amount_due == Money(owed)


class TestLine:
    def test_says_what_it_costs(self, cast):
        agree(cast)

        line = Invoice.objects.get().lines.get()
        assert (line.amount_money, line.unit_money) == (Money(149_00), Money(149_00))
        assert str(line) == "Growth, 10 Nov – 9 Dec 2026"
