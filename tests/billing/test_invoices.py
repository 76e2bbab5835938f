"""Invoices: numbered, frozen with both parties' details, each line with its authority."""

from datetime import timedelta

import pytest

from billing.models import Invoice
from billing.models.drafts import Draft, DraftLine, Payer, issue
from billing.models.series import InvoiceSeries
from billing.pricing import ItemKind, Period, Timing
from connections.models import Event
from revampd.kit.money import Money
from tests.billing.acts import NOW, TODAY, agree, issued, noon
from tests.cast import Cast


def charge(cast: Cast, minor: int = 400_00) -> DraftLine:
    """The line of a one-time charge that is approved for later."""
    later = {"timing": Timing.DATE, "effective_date": TODAY + timedelta(30)}
    request = agree(cast, cast.setup, **later)
    return DraftLine(ItemKind.ONE_TIME, "Setup", 1, minor, minor, request.pk)


def draft(cast: Cast, *lines: DraftLine) -> Draft:
    return Draft(Payer.of(cast.northwind_bluebird), lines, on=TODAY, at=NOW)


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
        with pytest.raises(ValueError, match="no invoice can be made"):
            issue([draft(cast)])

        assert not InvoiceSeries.objects.exists()

    def test_is_never_below_zero(self, cast):
        with pytest.raises(ValueError, match="no invoice can be made"):
            issue([draft(cast, charge(cast, -1))])

    def test_adds_up(self, cast):
        issue([draft(cast, charge(cast, 1), charge(cast, 399_99))])

        invoice = Invoice.objects.get()
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
        lines = [DraftLine(ItemKind(k), "", 1, 1, 1, None) for k in kinds]  # type: ignore[arg-type]

        assert Draft(None, lines, on=TODAY, at=NOW).kind == kind  # type: ignore[arg-type]


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
    def test_is_what_is_outstanding_while_it_is_owed(self, cast):
        agree(cast)
        invoice = Invoice.objects.get()

        assert (invoice.outstanding, invoice.amount_due) == (149_00, Money(149_00))

    @pytest.mark.parametrize("end", ["void", "write_off"])
    def test_is_nothing_once_it_was_given_up(self, cast, end):
        agree(cast)
        invoice = Invoice.objects.get()

        getattr(invoice, end)(reason="A mistake.", by=cast.noah, at=NOW)

        assert Invoice.objects.get().amount_due == Money(0)


class TestLine:
    def test_says_what_it_costs(self, cast):
        agree(cast)

        line = Invoice.objects.get().lines.get()
        assert (line.amount_money, line.unit_money) == (Money(149_00), Money(149_00))
        assert str(line) == "Growth, 10 Nov – 9 Dec 2026"
