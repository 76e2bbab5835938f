"""The wallet of a connection: its credits and their uses on both sides, and the adjustments."""

import uuid
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from billing.models import Credit, CreditApplication, Deduction
from connections.models import Event
from tests.billing.cards import add_card
from tests.billing.deals import HTMX, MARKUP, queries, run
from tests.cast import Cast


def url(cast: Cast) -> str:
    return reverse("billing:wallet", args=[cast.northwind_bluebird.pk])


def adjust_url(cast: Cast) -> str:
    return reverse("billing:adjust-wallet", args=[cast.northwind_bluebird.pk])


def credit_url(credit: Credit) -> str:
    return reverse("billing:credit", args=[credit.connection_id, credit.pk])


def give(cast: Cast, minor: int, reason: str = "Goodwill", days: int = 0) -> Credit | Deduction:
    at = timezone.now() - timedelta(days=days)
    return Credit.adjust(cast.northwind_bluebird, minor, reason=reason, by=cast.noah, at=at)


def many_credits(cast: Cast, number: int) -> None:
    """`number` unspent credits of a dollar. The ledger is another test's."""
    now = timezone.now()
    Credit.objects.bulk_create(
        Credit(
            connection=cast.northwind_bluebird,
            origin="ADJUSTMENT",
            amount=1_00,
            reason=f"Lot {index}",
            issued_by=cast.noah,
            issued_at=now - timedelta(minutes=index),
        )
        for index in range(number)
    )


def filled(**changes: str) -> dict[str, str]:
    """A valid form that adds $20."""
    data = {"key": str(uuid.uuid4()), "direction": "ADD", "amount": "20", "reason": "Goodwill"}
    return data | changes


class TestWalletPage:
    @pytest.mark.parametrize("name", ["maya", "vera", "dana", "dora", "ben", "sam", "theo"])
    def test_is_read_by_all_members_of_both_sides(self, cast, as_, name):
        give(cast, 20_00)

        page = as_(getattr(cast, name)).get(url(cast)).text

        assert "$20.00" in page
        assert "Goodwill" in page
        assert "Noah Tester" in page

    @pytest.mark.parametrize("name", ["oscar", "fay", "zed"])
    def test_is_not_there_for_strangers(self, cast, as_, name):
        assert as_(getattr(cast, name)).get(url(cast)).status_code == 404

    def test_says_what_the_next_invoice_will_take(self, cast, as_):
        run(cast)
        cast.northwind_bluebird.invoices.get().void(
            reason="Free month", by=cast.noah, at=timezone.now()
        )
        first, second = give(cast, 100_00, days=2), give(cast, 80_00)

        page = as_(cast.ben).get(url(cast))

        use = page.context["wallet"].next_use
        assert (str(use.total), str(use.taken), str(use.left)) == ("$149.00", "$149.00", "$0.00")
        taken = {row.pk: str(takes) for row, takes in page.context["rows"]}
        assert taken == {first.pk: "$100.00", second.pk: "$49.00"}
        assert "over $149.00 will take <b>$149.00</b> of it." in page.text

    def test_says_what_is_left_to_charge(self, cast, as_):
        run(cast)
        cast.northwind_bluebird.invoices.get().void(
            reason="Free month", by=cast.noah, at=timezone.now()
        )
        give(cast, 20_00)

        page = as_(cast.maya).get(url(cast)).text

        assert "over $149.00 will take <b>$20.00</b> of it." in page
        assert "For the other $129.00, Bluebird Clinic has no payment method yet." in page
        add_card(cast.northwind_bluebird, by=cast.ben, at=timezone.now())
        page = as_(cast.ben).get(url(cast)).text
        assert "The other $129.00 is charged to Visa ending 4242." in page

    def test_filters_what_is_unspent_and_what_was_taken_out(self, cast, as_):
        give(cast, 20_00, "Spent", days=2)
        give(cast, 30_00, "Left", days=1)
        give(cast, -25_00, f"A mistake {MARKUP}")
        browser = as_(cast.ben)

        everything, unspent, out, unknown = (
            browser.get(url(cast), {"show": show}) for show in ("", "unspent", "deductions", "'")
        )

        assert [row.reason for row, _ in everything.context["rows"]] == ["Left", "Spent"]
        assert [row.reason for row, _ in unspent.context["rows"]] == ["Left"]
        assert [row.total.minor for row in out.context["page"]] == [25_00]
        assert MARKUP not in out.text
        assert len(unknown.context["rows"]) == 2
        assert str(everything.context["wallet"].balance) == "$25.00"

    def test_costs_the_same_with_ten_and_a_thousand_credits(self, cast, as_):
        many_credits(cast, 10)
        few = queries(as_(cast.ben), url(cast))
        many_credits(cast, 990)

        assert queries(as_(cast.ben), url(cast)) == few <= 10
        page = as_(cast.ben).get(url(cast), {"page": 40})
        assert len(page.context["rows"]) == 25

    @pytest.mark.parametrize(("name", "offers"), [("noah", True), ("vera", False), ("ben", False)])
    def test_offers_to_adjust_to_who_may(self, cast, as_, name, offers):
        page = as_(getattr(cast, name)).get(url(cast)).text

        assert (adjust_url(cast) in page) is offers

    def test_says_that_it_is_empty(self, cast, as_):
        assert "No credits yet" in as_(cast.ben).get(url(cast)).text


class TestCreditPage:
    def test_lists_invoice_total_used_and_when(self, cast, as_):
        credit = give(cast, 20_00)
        run(cast)
        invoice = cast.northwind_bluebird.invoices.get()

        page = as_(cast.ben).get(credit_url(credit))

        (move,) = page.context["moves"]
        assert (move.invoice, str(move.amount)) == (invoice, "$20.00")
        assert move.at == CreditApplication.objects.get().applied_at
        assert reverse("billing:invoice", args=[invoice.connection_id, invoice.number]) in page.text
        assert "$149.00" in page.text

    def test_shows_what_came_back_as_a_line_of_its_own(self, cast, as_):
        credit = give(cast, 20_00)
        run(cast)
        cast.northwind_bluebird.invoices.get().void(
            reason="Billed by mistake", by=cast.noah, at=timezone.now()
        )

        page = as_(cast.ben).get(credit_url(credit))

        used, back = page.context["moves"]
        assert (used.is_return, back.is_return) == (False, True)
        assert str(back.amount) == "$20.00"
        assert "Given back" in page.text
        assert "View applications" in as_(cast.ben).get(url(cast)).text

    def test_shows_what_was_taken_out(self, cast, as_):
        credit = give(cast, 20_00, days=1)
        give(cast, -5_00, "Too much")

        page = as_(cast.theo).get(credit_url(credit)).text

        assert "Taken out by Noah Tester: Too much" in page

    def test_gives_htmx_the_applications_alone(self, cast, as_):
        credit = give(cast, 20_00)

        page = as_(cast.ben).get(credit_url(credit), headers=HTMX).text

        assert "Nothing was taken from it yet." in page
        assert "<h1" not in page

    def test_is_not_there_on_another_connection(self, cast, as_):
        credit = give(cast, 20_00)
        path = reverse("billing:credit", args=[cast.contoso_fabrikam.pk, credit.pk])

        assert as_(cast.oscar).get(path).status_code == 404
        assert as_(cast.oscar).get(credit_url(credit)).status_code == 404


class TestAdjust:
    def test_adds_credit_with_its_reason(self, cast, as_):
        browser = as_(cast.noah)

        answer = browser.post(adjust_url(cast), filled())

        credit = cast.northwind_bluebird.credits.get()
        assert (answer.status_code, answer["Location"]) == (303, url(cast))
        assert (credit.amount, credit.reason, credit.issued_by) == (20_00, "Goodwill", cast.noah)
        assert Event.objects.filter(code="credit.granted").count() == 1
        told = browser.get(answer["Location"]).text
        assert "You added $20.00 to the wallet of Bluebird Clinic." in told

    def test_takes_credit_out_of_the_oldest_first(self, cast, as_):
        old, new = give(cast, 20_00, days=1), give(cast, 20_00)

        as_(cast.maya).post(adjust_url(cast), filled(direction="TAKE", amount="30.50"))

        old.refresh_from_db()
        new.refresh_from_db()
        assert (old.left, new.left) == (0, 9_50)
        assert cast.northwind_bluebird.deductions.get().made_by == cast.maya

    @pytest.mark.parametrize("direction", ["ADD", "TAKE"])
    def test_adjusts_once_when_the_button_is_pressed_twice(self, cast, as_, direction):
        give(cast, 50_00)
        data = filled(direction=direction)
        browser = as_(cast.noah)

        answers = [browser.post(adjust_url(cast), data).status_code for _ in range(2)]

        balance = cast.northwind_bluebird.credits.balance("USD").minor
        assert answers == [303, 303]
        assert balance == (70_00 if direction == "ADD" else 30_00)

    def test_refuses_the_key_of_another_connection(self, cast, as_):
        now = timezone.now()
        theirs = Credit.adjust(cast.contoso_fabrikam, 1_00, reason="x", by=cast.oscar, at=now)

        page = as_(cast.noah).post(adjust_url(cast), filled(key=str(theirs.pk)))

        assert page.status_code == 422
        assert not cast.northwind_bluebird.credits.exists()

    @pytest.mark.parametrize(
        ("field", "value", "sentence"),
        [
            ("amount", "0", "other than zero"),
            ("amount", "0.00", "other than zero"),
            ("amount", "", "Enter an amount."),
            ("amount", "-5", "without a sign"),
            ("amount", "1e3", "without a sign or letters"),
            ("amount", "１０", "without a sign or letters"),
            ("amount", "1.005", "at most 2 digits"),
            pytest.param("amount", "9" * 5000, "without a sign", id="amount-long"),
            ("amount", MARKUP, "without a sign or letters"),
            ("reason", "", "Say why"),
            ("reason", "   ", "Say why"),
            pytest.param("reason", "x" * 201, "under 200 characters", id="reason-long"),
            ("reason", "\x00", "Null characters"),
            ("direction", "", "Choose one of the two."),
            ("direction", "SIDEWAYS", "Choose one of the two."),
        ],
    )
    def test_says_beside_the_field_what_is_wrong(self, cast, as_, field, value, sentence):
        give(cast, 5_00)
        data = filled(**{field: value})

        page = as_(cast.noah).post(adjust_url(cast), data, headers=HTMX)

        form = page.context["form"]
        assert page.status_code == 422
        assert any(sentence in error for error in form.errors[field])
        assert {name: form[name].value() for name in data} == data
        assert MARKUP not in page.text
        assert cast.northwind_bluebird.credits.balance("USD").minor == 5_00

    def test_refuses_to_take_more_than_there_is(self, cast, as_):
        give(cast, 5_00)

        page = as_(cast.noah).post(adjust_url(cast), filled(direction="TAKE", amount="5.01"))

        assert page.status_code == 422
        assert "The wallet holds $5.00" in page.context["form"].errors["amount"][0]
        assert 'value="5.01"' in page.text

    @pytest.mark.parametrize("key", ["", "nonsense", "\x00"])
    def test_adjusts_nothing_without_its_key(self, cast, as_, key):
        page = as_(cast.noah).post(adjust_url(cast), filled(key=key))

        assert page.status_code == 422
        assert not cast.northwind_bluebird.credits.exists()

    @pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "htmx"])
    def test_shows_the_balance_afterwards_before_anything_happens(self, cast, as_, headers):
        give(cast, 5_00)
        data = filled(direction="TAKE", amount="2", preview="1", reason="")

        page = as_(cast.noah).post(adjust_url(cast), data, headers=headers)

        assert str(page.context["adjustment"].after) == "$3.00"
        assert cast.northwind_bluebird.credits.balance("USD").minor == 5_00
        assert ("<h1" in page.text) is (not headers)

    def test_says_that_what_is_owed_takes_from_it(self, cast, as_):
        run(cast)

        page = as_(cast.noah).post(adjust_url(cast), filled(amount="200", preview="1"))

        adjustment = page.context["adjustment"]
        assert (str(adjustment.at_once), str(adjustment.after)) == ("$149.00", "$51.00")

    @pytest.mark.parametrize(
        ("name", "status"),
        [("dana", 403), ("vera", 403), ("ben", 403), ("theo", 403), ("oscar", 404), ("zed", 404)],
    )
    def test_is_only_for_owners_and_billing_of_the_provider(self, cast, as_, name, status):
        browser = as_(getattr(cast, name))

        assert browser.get(adjust_url(cast)).status_code == status
        assert browser.post(adjust_url(cast), filled()).status_code == status
        assert not cast.northwind_bluebird.credits.exists()
