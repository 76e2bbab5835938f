"""Money: what people type, what they read, and that currencies never meet."""

import pytest
from django import forms
from hypothesis import given
from hypothesis import strategies as st

from billing.models import AddOn
from revampd.kit.money import (
    CurrencyMismatch,
    MinorUnitsField,
    Money,
    MoneyFormField,
    MoneyInput,
    decimal_text,
    parse_minor,
    precision,
    total,
)

amounts = st.integers(0, 10**11 - 1)


class TestParse:
    @pytest.mark.parametrize(
        ("typed", "minor"),
        [
            ("49", 49_00),
            ("49.9", 49_90),
            ("49.99", 49_99),
            ("0", 0),
            ("0.01", 1),
            ("007", 7_00),
            (" 49.99 ", 49_99),
            ("$49.99", 49_99),
            ("$ 49.99", 49_99),
            ("1,250", 1_250_00),
            ("1,234,567.89", 1_234_567_89),
            ("999999999.99", 99_999_999_999),
            ("\u00a049\u00a0", 49_00),
        ],
    )
    def test_reads_what_people_type(self, typed, minor):
        assert parse_minor(typed) == minor

    @pytest.mark.parametrize(
        "typed",
        [
            "",
            " ",
            "-1",
            "−1",
            "+1",
            "(1)",
            "1.",
            ".5",
            "1.234",
            "0.001",
            "1e3",
            "1E3",
            "1_000",
            "0x10",
            "nan",
            "NaN",
            "inf",
            "Infinity",
            "９９",
            "١٢٣",
            "१२",
            "1٫5",
            "1,5",
            "1,00",
            "12,34.00",
            "1,2345",
            ",100",
            "1.000,00",
            "1 000",
            "1000000000",
            "9" * 100,
            "1" + ",000" * 100,
            "49.99.99",
            "$",
            "$$1",
            "€49",
            "49$",
            "49 USD",
            "4\n9",
            "4\x009",
            "<script>",
            "'; DROP TABLE",
            "1/2",
            "½",
            "²",
        ],
    )
    def test_refuses_everything_else(self, typed):
        with pytest.raises(ValueError, match=r"^Enter "):
            parse_minor(typed)

    @pytest.mark.parametrize(
        ("currency", "typed", "minor"),
        [("JPY", "1250", 1250), ("JPY", "¥1,250", 1250), ("EUR", "€9.50", 950)],
    )
    def test_knows_the_currency(self, currency, typed, minor):
        assert parse_minor(typed, currency) == minor

    def test_takes_no_point_where_there_are_no_cents(self):
        with pytest.raises(ValueError, match="whole amount"):
            parse_minor("100.5", "JPY")

    @given(minor=amounts, currency=st.sampled_from(["USD", "EUR", "GBP"]))
    def test_reads_back_what_it_writes(self, minor, currency):
        assert parse_minor(decimal_text(minor, currency), currency) == minor
        assert parse_minor(str(Money(minor, currency)), currency) == minor

    @given(typed=st.text(max_size=30))
    def test_of_any_text_is_an_amount_or_a_sentence(self, typed):
        try:
            answer = parse_minor(typed) >= 0
        except ValueError as refusal:
            answer = str(refusal).startswith("Enter ")
        assert answer


class TestMoney:
    @pytest.mark.parametrize(
        ("money", "words"),
        [
            (Money(149_00), "$149.00"),
            (Money(1_234_567_89), "$1,234,567.89"),
            (Money(-5), "−$0.05"),
            (Money(0), "$0.00"),
            (Money(1250, "JPY"), "¥1,250"),
            (Money(9_50, "EUR"), "€9.50"),
        ],
    )
    def test_is_written_as_people_read_it(self, money, words):
        assert str(money) == words

    @pytest.mark.parametrize(
        "meet",
        [
            lambda a, b: a + b,
            lambda a, b: a - b,
            lambda a, b: a < b,
            lambda a, b: a > b,
            lambda a, b: max(a, b),
            lambda a, b: total([a, b]),
        ],
    )
    def test_never_meets_another_currency(self, meet):
        with pytest.raises(CurrencyMismatch):
            meet(Money(1, "USD"), Money(1, "EUR"))

    def test_of_another_currency_is_not_equal(self):
        assert Money(1, "USD") != Money(1, "EUR")
        assert Money(0, "USD") != Money(0, "EUR")

    @given(a=st.integers(), b=st.integers(), times=st.integers(0, 10_000))
    def test_counts_in_whole_units(self, a, b, times):
        assert Money(a) + Money(b) - Money(b) == Money(a)
        assert Money(a) * times == total([Money(a * times)])
        assert -Money(a) + Money(a) == Money(0)
        assert (Money(a) < Money(b)) == (a < b)
        assert bool(Money(a)) == (a != 0)

    def test_of_nothing_is_zero_of_the_currency(self):
        assert total([], "EUR") == Money(0, "EUR")

    def test_cannot_be_changed(self):
        with pytest.raises(AttributeError):
            Money(1).minor = 2  # type: ignore[misc]

    def test_knows_how_many_digits(self):
        assert (precision("USD"), precision("JPY")) == (2, 0)


class PriceForm(forms.Form):
    price = MoneyFormField(min_minor=1_00, max_minor=1_000_00)


class TestMoneyFormField:
    @pytest.mark.parametrize(("typed", "minor"), [("1", 1_00), ("1,000.00", 1_000_00)])
    def test_cleans_to_minor_units(self, typed, minor):
        form = PriceForm({"price": typed})

        assert form.is_valid()
        assert form.cleaned_data["price"] == minor

    @pytest.mark.parametrize(
        ("typed", "sentence"),
        [
            ("", "This field is required."),
            ("0.99", "Enter at least $1.00."),
            ("1000.01", "Enter at most $1,000.00."),
            ("-5", "Enter an amount like 49 or 49.99, without a sign or letters."),
            ("1.999", "Enter at most 2 digits after the point."),
            ("９９", "Enter an amount like 49 or 49.99, without a sign or letters."),
        ],
    )
    def test_says_what_is_wrong_and_keeps_what_was_typed(self, typed, sentence):
        form = PriceForm({"price": typed})

        assert form.errors["price"] == [sentence]
        assert f'value="{typed}"' in str(form["price"]) or not typed

    def test_shows_minor_units_as_a_decimal(self):
        assert 'value="49.99"' in str(PriceForm(initial={"price": 49_99})["price"])

    def test_shows_the_symbol_of_its_currency(self):
        assert "€" in MoneyInput("EUR").render("price", 100)

    def test_may_be_empty_if_it_is_not_required(self):
        assert MoneyFormField(required=False).clean("") is None

    @pytest.mark.parametrize(
        ("initial", "data", "changed"),
        [
            (49_99, "49.99", False),
            (49_00, "49", False),
            (49_99, "50", True),
            (49_99, "nonsense", True),
            (None, "", False),
        ],
    )
    def test_knows_whether_it_changed(self, initial, data, changed):
        assert MoneyFormField(required=False).has_changed(initial, data) == changed


class TestMinorUnitsField:
    def test_gives_people_decimals_in_the_admin_too(self):
        field = AddOn._meta.get_field("unit_price")

        assert isinstance(field, MinorUnitsField)
        assert isinstance(field.formfield(), MoneyFormField)
        assert field.formfield().clean("2.50") == 2_50
