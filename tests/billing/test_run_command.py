"""`manage.py bill_due`: says how far it is, what it did, and in words what it could not do."""

from datetime import date
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command

from billing.models import BillingRun, Invoice
from billing.models.due import Account
from tests.billing.acts import agree, noon


def bill_due(*arguments: str) -> tuple[str, str]:
    """What it prints, and what its progress bar said."""
    said, shown = StringIO(), StringIO()
    call_command("bill_due", *arguments, stdout=said, stderr=shown)
    return said.getvalue(), shown.getvalue()


class TestBillDueCommand:
    def test_shows_progress_and_says_what_it_issued(self, cast):
        agree(cast)

        with time_machine.travel(noon(2027, 1, 10)):
            said, shown = bill_due("--on", "2027-01-10")

        assert said == "2 invoices issued for 1 connection.\n"
        assert "1/1" in shown
        run = BillingRun.objects.get()
        assert (run.on, run.connections, run.done, run.issued) == (date(2027, 1, 10), 1, 1, 2)
        assert run.finished_at
        assert run.problem == ""

    def test_says_that_nothing_is_due(self, cast):
        agree(cast)

        with time_machine.travel(noon(2026, 12, 10)):
            assert bill_due("--on", "2026-12-09") == ("Nothing is due.\n", "")
        assert not BillingRun.objects.exists()

    def test_without_a_day_takes_today(self, cast):
        assert bill_due() == ("Nothing is due.\n", "")

    def test_bills_nobody_early(self, cast):
        agree(cast)

        early = pytest.raises(CommandError, match="A day to come takes the dry run of the admin")
        with time_machine.travel(noon(2026, 12, 9)), early:
            bill_due("--on", "2026-12-10")
        assert Invoice.objects.count() == 1  # of the approval

    def test_of_a_demo_may_be_ahead(self, cast, settings):
        settings.IS_DEMO = True
        agree(cast)

        with time_machine.travel(noon(2026, 12, 9)):
            said, _ = bill_due("--on", "2026-12-10")

        assert said == "1 invoice issued for 1 connection.\n"

    @pytest.mark.parametrize("typed", ["soon", "2026-02-30", "10.12.2026", ""])
    def test_refuses_what_is_no_date(self, db, typed):
        with pytest.raises(CommandError, match=f"“{typed}” is no date. Write it as 2026-12-31"):
            bill_due("--on", typed)

    def test_names_whom_it_could_not_bill(self, cast, monkeypatch):
        def broken(self):
            raise ValueError("the books are broken")

        agree(cast)
        monkeypatch.setattr(Account, "bill", broken)

        said = StringIO()
        with time_machine.travel(noon(2026, 12, 10)), pytest.raises(CommandError) as failure:
            call_command("bill_due", "--on", "2026-12-10", stdout=said, stderr=StringIO())

        assert said.getvalue() == "0 invoices issued for 0 connections.\n"
        assert failure.value.returncode == 1
        assert str(failure.value).splitlines() == [
            "1 of 1 connections not billed:",
            "  ValueError('the books are broken') while billing Northwind Agency → Bluebird Clinic",
        ]
        assert "Bluebird Clinic" in BillingRun.objects.get().problem
