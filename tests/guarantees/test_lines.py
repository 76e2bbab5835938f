"""Lines of invoices: an approved request, of the same connection, and each day once."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import DatabaseError

from billing.models import SubscriptionItem
from tests.guarantees.history import draft, draft_details, insert_lines, item_days, next_month
from tests.guarantees.statements import assert_refused_by, copy, copy_refused, settle


class TestInvoiceLine:
    def test_takes_an_approved_request(self, books):
        copy(books.line, **draft(books))

        settle()

    @pytest.mark.parametrize("which", ["pending", "rejected", "foreign", "growth", "numbers"])
    def test_takes_no_other_request(self, books, which):
        details = draft(books)

        wrong = getattr(books, which).pk
        copy_refused(books.line, **details | {"request_id": wrong}, by="invoice_line_authority")
        copy(books.line, **details)

    def test_is_refused_without_a_request(self, books):
        details = draft(books)

        copy_refused(books.line, **details | {"request_id": None}, by="request_id")
        copy_refused(books.line, **details | {"request_id": uuid4()}, by="invoice_line_authority")
        copy(books.line, **details)

    def test_of_an_item_needs_the_authority_of_that_item(self, books):
        number = SubscriptionItem.objects.get(request=books.numbers)
        details = draft(books, total=149_00) | next_month(books.line)

        other = {"kind": "ADD_ON", "item_id": number.pk}
        copy_refused(books.line, **details | other, by="invoice_line_authority")
        stolen = {"item_id": number.pk}
        copy_refused(books.line, **details | stolen, by="invoice_line_of_item")
        copy(books.line, **details)

    def test_stays_with_the_connection_of_its_invoice(self, books):
        theirs = SubscriptionItem.objects.get(request=books.foreign)
        details = draft(books, total=149_00) | next_month(books.line)

        elsewhere = {
            "connection_id": theirs.connection_id,
            "request_id": books.foreign.pk,
            "item_id": theirs.pk,
        }
        copy_refused(books.line, **details | elsewhere, by="invoice_line_of_invoice")
        copy(books.line, **details)

    def test_bills_a_one_time_charge_once(self, books):
        details = draft(books)

        billed = {"request_id": books.setup.pk}
        copy_refused(books.line, **details | billed, by="one_time_billed_once")
        copy(books.line, **details)

    @pytest.mark.parametrize("shift", [0, 1, 15, 29])
    def test_charges_a_day_of_an_item_once(self, books, shift):
        details = draft(books, total=149_00) | next_month(books.line)

        start = books.line.period_start + timedelta(shift)
        again = {"period_start": start, "period_end": start + timedelta(1)}
        copy_refused(books.line, **details | again, by="item_charged_once")
        copy(books.line, **details)

    def test_gives_a_day_of_an_item_back_once(self, books):
        first = draft(books, total=0) | item_days(books)
        whole = {"amount": 149_00} | next_month(books.line)
        back = item_days(books) | {"amount": -149_00, "position": 2}
        insert_lines(books.line, first | whole, first | back)

        second = copy(books.invoice, number=90_001, total=0, state="PAID")
        shifted = first | back | {"invoice_id": second}
        shifted["period_start"] += timedelta(3)
        copy_refused(books.line, **shifted, by="item_credited_once")
        copy(books.line, **draft_details(books, second))

    def test_covers_at_least_a_day(self, books):
        details = draft(books, total=149_00) | next_month(books.line)

        empty = {"period_end": details["period_start"]}
        copy_refused(books.line, **details | empty, by="invoice_line_kind")
        copy(books.line, **details)

    def test_adds_up_to_the_total(self, books):
        details = draft(books)

        for amount in (399_99, 400_01, 0, -400_00):
            copy_refused(books.line, **details | {"amount": amount}, by="add up to its total")
        copy(books.line, **details)

    def test_is_not_added_to_an_issued_invoice(self, books):
        details = draft(books, total=0)
        copy(books.line, **details)

        second = details | next_month(books.line) | {"position": 2}
        copy_refused(books.line, **second, by="gets no more lines")
        issued = second | {"invoice_id": books.invoice.pk}
        copy_refused(books.line, **issued, by="add up to its total")

    def test_is_not_added_with_another_that_takes_it_back(self, books):
        details = draft(books, total=0)
        copy(books.line, **details)

        charge = details | next_month(books.line) | {"amount": 5, "position": 2}
        back = details | item_days(books) | {"amount": -5, "position": 3}
        with pytest.raises(DatabaseError) as refusal:
            insert_lines(books.line, charge, back)
        assert_refused_by(refusal.value, by="gets no more lines")

    def test_is_what_every_invoice_has(self, books):
        details = draft(books)

        with pytest.raises(DatabaseError) as refusal:
            settle()
        assert_refused_by(refusal.value, by="invoice_has_lines")
        copy(books.line, **details)
        settle()
