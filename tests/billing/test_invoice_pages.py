"""The pages of invoices, seen from both sides."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from billing.collecting import collect_due
from billing.cycle import bill_due
from billing.gateways.base import ClaimState
from billing.models import Invoice, SandboxDispute
from tests.billing.deals import MARKUP, many_invoices, queries, run
from tests.billing.payments.acts import decide, dispute
from tests.billing.settling import add_card, grant, owed, pay_now, take_back
from tests.cast import Cast
from tests.pages import text


def list_url(cast: Cast) -> str:
    return reverse("billing:invoices", args=[cast.northwind_bluebird.pk])


def url(invoice: Invoice) -> str:
    return reverse("billing:invoice", args=[invoice.connection_id, invoice.number])


def payers(cast: Cast, as_) -> list[str]:
    rows = as_(cast.ben).get(list_url(cast)).context["rows"]
    return [row.payer or "–" for row in rows]


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
        pay_now(cast, Invoice.objects.get(kind="ONE_TIME"), add_card(cast))
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

    def test_names_what_paid_and_what_will_pay(self, cast, as_):
        run(cast)
        invoice = owed(cast.northwind_bluebird)
        assert payers(cast, as_) == ["–"]
        grant(cast, 9_00)
        pay_now(cast, invoice, add_card(cast, "mastercard"))
        add_card(cast, "visa")
        run(cast, cast.setup)

        assert payers(cast, as_) == ["Visa ending 4242", "Mastercard ending 4444 and wallet"]

    def test_counts_only_what_is_left_as_owed(self, cast, as_):
        run(cast)
        invoice = owed(cast.northwind_bluebird)
        take_back(cast, invoice, 49_00)

        page = as_(cast.ben).get(list_url(cast))

        assert str(page.context["sums"]["owed"]) == "$100.00"
        assert str(page.context["sums"]["billed"]) == "$149.00"

    def test_calls_an_invoice_credited_that_was_taken_back_whole(self, cast, as_):
        run(cast)
        take_back(cast, owed(cast.northwind_bluebird), 149_00)

        assert "Credited" in text(as_(cast.theo).get(list_url(cast)))
        assert "Credited" in text(as_(cast.theo).get(url(cast.northwind_bluebird.invoices.get())))

    def test_shows_yearly_and_monthly_side_by_side(self, cast, as_):
        run(cast, cast.growth_yearly)
        run(cast, cast.setup)

        rows = as_(cast.ben).get(list_url(cast)).context["rows"]

        assert sorted(str(row.total_money) for row in rows) == ["$400.00", "$990.00"]

    def test_leads_to_the_upcoming_one(self, cast, as_):
        run(cast)
        plan = reverse("billing:plan", args=[cast.northwind_bluebird.pk])

        assert f"{plan}#upcoming" in text(as_(cast.ben).get(list_url(cast)))

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

    def test_adds_up_from_the_total_to_what_is_owed(self, cast, as_):
        grant(cast, 25_00, "Sorry for the delay")
        run(cast)
        invoice = owed(cast.northwind_bluebird)
        take_back(cast, invoice, 4_00)
        pay_now(cast, invoice, add_card(cast))
        take_back(cast, invoice, 30_00)

        page = as_(cast.ben).get(url(invoice))

        postings = page.context["settlement"].postings
        assert invoice.total + sum(posting.amount.minor for posting in postings) == 0
        assert {str(posting.amount) for posting in postings} >= {"−$25.00", "−$120.00", "−$30.00"}
        for words in ("Sorry for the delay", "Paid by Visa ending 4242", "CN-00001", "CN-00002"):
            assert words in text(page)

    @pytest.mark.parametrize("act", [Invoice.void, Invoice.write_off])
    def test_adds_up_when_it_is_over(self, cast, as_, act):
        grant(cast, 25_00)
        run(cast)
        invoice = owed(cast.northwind_bluebird)
        act(invoice, reason="It is over", by=cast.noah, at=timezone.now())

        postings = as_(cast.ben).get(url(invoice)).context["settlement"].postings

        assert invoice.total + sum(posting.amount.minor for posting in postings) == 0

    def test_says_how_and_when_it_will_be_paid(self, cast, as_):
        run(cast)
        invoice = owed(cast.northwind_bluebird)
        assert "You have no payment method." in text(as_(cast.ben).get(url(invoice)))
        assert "Bluebird Clinic has no payment method." in text(as_(cast.noah).get(url(invoice)))

        add_card(cast)
        assert "Visa ending 4242 is charged now." in text(as_(cast.ben).get(url(invoice)))

    def test_shows_the_schedule_of_retries(self, cast, as_):
        run(cast)
        add_card(cast, "generic_decline")
        collect_due(at=timezone.now())
        invoice = owed(cast.northwind_bluebird)
        invoice.refresh_from_db()
        first = invoice.first_failed_on

        outlook = as_(cast.ben).get(url(invoice)).context["settlement"].outlook

        assert outlook.tries == [first + timedelta(days) for days in (1, 3, 5, 7)]
        assert outlook.sentence.startswith("Visa ending 0341: next try ")
        assert outlook.sentence.count(", ") == 3
        assert "this connection is suspended" in outlook.consequence

    def test_pauses_after_a_hard_decline(self, cast, as_):
        run(cast)
        add_card(cast, "lost_card")
        collect_due(at=timezone.now())

        page = text(as_(cast.bella).get(url(owed(cast.northwind_bluebird))))

        assert "Paused until you add another card." in page
        assert "The bank refuses this card for good." in page


class TestDispute:
    @pytest.fixture
    def begun(self, cast) -> SandboxDispute:
        """The setup is paid, and Bluebird's bank disputes it."""
        run(cast)
        run(cast, cast.setup)
        payment = pay_now(cast, Invoice.objects.get(kind="ONE_TIME"), add_card(cast))
        return dispute(payment, timezone.now())

    def test_is_shown_to_both_sides_while_it_is_open(self, cast, as_, begun):
        invoice = Invoice.objects.get(kind="ONE_TIME")

        bought, sold = (text(as_(user).get(url(invoice))) for user in (cast.ben, cast.noah))

        assert "Your bank disputes $400.00 by Visa ending 4242." in bought
        assert "The bank of Bluebird Clinic disputes $400.00 by Visa ending 4242." in sold
        for page in (bought, sold):
            assert "It says: Fraudulent." in page
            assert "nothing is owed" in page
            assert "$400.00 by Visa ending 4242 is disputed: Fraudulent" in page
        assert "Correct it" not in sold
        assert "Disputed" in text(as_(cast.ben).get(list_url(cast)))
        assert "Disputed" in text(as_(cast.noah).get(list_url(cast)))

    def test_leaves_its_events_when_it_is_won(self, cast, as_, begun):
        decide(begun, ClaimState.WON, timezone.now())

        page = text(as_(cast.ben).get(url(Invoice.objects.get(kind="ONE_TIME"))))

        assert "The dispute of $400.00 by Visa ending 4242 is won" in page
        assert "Your bank disputes" not in page
        assert "nothing is owed" in page

    def test_asks_a_person_to_pay_when_it_is_lost(self, cast, as_, begun):
        decide(begun, ClaimState.LOST, timezone.now())
        invoice = Invoice.objects.get(kind="ONE_TIME")

        page = text(as_(cast.ben).get(url(invoice)))

        assert "Past due" in page
        assert "Charged back" in page
        assert "no card is charged by itself: you can pay it" in page
        assert "Pay $400.00 now" in page
        postings = as_(cast.noah).get(url(invoice)).context["settlement"].postings
        assert [posting.text for posting in postings] == [
            "Paid by Visa ending 4242",
            "Taken back by the bank: Visa ending 4242",
        ]
        assert sum(posting.amount.minor for posting in postings) == 0

    def test_costs_one_query_more(self, cast, as_, begun):
        invoice = Invoice.objects.get(kind="ONE_TIME")
        queries(as_(cast.ben), url(invoice))
        open_one = queries(as_(cast.ben), url(invoice))
        decide(begun, ClaimState.WON, timezone.now())

        assert queries(as_(cast.ben), url(invoice)) == open_one - 1
