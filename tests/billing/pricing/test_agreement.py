"""What is billed beside what was approved: staff are told of every cent that was not."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing import terms
from billing.pricing import (
    Agreed,
    Charge,
    ItemKind,
    Measure,
    Offer,
    Usage,
    change,
    charges,
    preview,
    unexplained,
    usage_charges,
)
from revampd.kit.money import Money
from tests.billing.pricing.books import (
    MONTH,
    NOV_10,
    YEAR,
    Books,
    approvals,
    histories,
    intervals,
    offer,
    on_growth,
    plan,
    prices,
)

NOV_1, DEC_1 = date(2026, 11, 1), date(2026, 12, 1)
GROWTH = plan(149_00, start=NOV_1, booking_fee=2_00)
AGREED = Agreed(149_00, 1, "USD", ItemKind.PLAN, MONTH, booking_fee=2_00)
NUMBER = replace(
    GROWTH, kind=ItemKind.ADD_ON, name="Number", unit_price=Money(2_50), quantity=5, booking_fee=0
)
FIVE_NUMBERS = Agreed(2_50, 5, "USD", ItemKind.ADD_ON, MONTH)


def billed(item=GROWTH, through: date = DEC_1, **details) -> Charge:
    [charge] = charges(replace(item, **details), through)
    return charge


def approved(offered: Offer) -> Agreed:
    """What the customer agrees to by approving `offered`."""
    interval = None if offered.kind == ItemKind.ONE_TIME else offered.interval
    price = offered.unit_price
    return Agreed(price.minor, offered.quantity, price.currency, offered.kind, interval)


class TestSealed:
    @pytest.mark.parametrize(
        ("offered", "agreed"),
        [
            (
                offer(ItemKind.PLAN, 990_00, interval=YEAR),
                Agreed(990_00, 1, "USD", ItemKind.PLAN, YEAR, 2_00, 75),
            ),
            (
                offer(ItemKind.ADD_ON, 2_50, quantity=5),
                Agreed(2_50, 5, "USD", ItemKind.ADD_ON, MONTH, 2_00, 75),
            ),
            (
                offer(ItemKind.ONE_TIME, 400_00),
                Agreed(400_00, 1, "USD", ItemKind.ONE_TIME, None, 2_00, 75),
            ),
        ],
    )
    def test_reads_what_was_sealed(self, offered, agreed):
        said = preview(offered, on_growth(), NOV_10)
        sealed = terms.compose(offered, said, None, day=NOV_10, booking_fee=2_00, transfer_fee=75)

        assert Agreed.sealed(sealed) == agreed

    def test_takes_terms_without_fees_for_free_of_them(self):
        offered = offer(ItemKind.ADD_ON, 2_50)
        sealed = terms.compose(offered, preview(offered, on_growth(), NOV_10), None, day=NOV_10)

        agreed = Agreed.sealed(sealed)

        assert (agreed.booking_fee, agreed.transfer_fee) == (0, 0)


class TestUnexplained:
    @given(history=histories)
    def test_is_nothing_for_whatever_follows_from_approvals(self, history):
        books, agreed = Books(), {}
        for offered, day in approvals(books, history):
            before = {item.key for item in books.running.items}
            done = change(offered, books.running, day)
            moved = {item.key: agreed[item.key] for item in done.altered}
            first = max(before, default=-1) + 1
            for number, item in enumerate(done.opened, start=first):
                agreed[number] = moved.get(item.key, approved(offered))
        books.bill_until(history[0] + timedelta(3000))

        for key, lines in books.charged().items():
            assert [unexplained(line, agreed[key]) for line in lines] == [""] * len(lines)

    @pytest.mark.parametrize(
        ("item", "details", "agreed", "sentence"),
        [
            (
                GROWTH,
                {"unit_price": Money(199_00)},
                AGREED,
                "Growth is billed at $199.00 a month, approved at $149.00 a month.",
            ),
            (
                GROWTH,
                {"unit_price": Money(149_00, "EUR")},
                AGREED,
                "Growth is billed at €149.00 a month, approved at $149.00 a month.",
            ),
            (
                GROWTH,
                {"quantity": 2},
                AGREED,
                "Growth is billed at 2 × $149.00 a month, approved at $149.00 a month.",
            ),
            (
                GROWTH,
                {},
                replace(AGREED, interval=YEAR),
                "Growth is billed at $149.00 a month, approved at $149.00 a year.",
            ),
            (
                GROWTH,
                {},
                replace(AGREED, kind=ItemKind.ADD_ON),
                "Growth is billed as Plan, approved as Add-on.",
            ),
            (
                NUMBER,
                {"quantity": 6},
                FIVE_NUMBERS,
                "Number is billed at 6 × $2.50 a month, approved at 5 × $2.50 a month.",
            ),
        ],
    )
    def test_names_what_differs(self, item, details, agreed, sentence):
        assert unexplained(billed(item, **details), agreed) == sentence

    @pytest.mark.parametrize(
        ("price", "sentence"),
        [
            (30_00, ""),
            (2_50, "Number is billed at 5 × $2.50 a year, approved at 5 × $30.00 a year."),
        ],
    )
    def test_takes_twelve_months_of_an_add_on_for_its_year(self, price, sentence):
        yearly = billed(NUMBER, date(2027, 11, 1), interval=YEAR, unit_price=Money(price))

        assert unexplained(yearly, FIVE_NUMBERS) == sentence

    def test_takes_no_twelve_months_of_a_plan_for_its_year(self):
        yearly = billed(through=date(2027, 11, 1), interval=YEAR, unit_price=Money(12 * 149_00))

        assert unexplained(yearly, AGREED) == (
            "Growth is billed at $1,788.00 a year, approved at $149.00 a month."
        )

    @pytest.mark.parametrize(
        ("measure", "fee", "sentence"),
        [
            (Measure.BOOKING, 2_00, ""),
            (
                Measure.BOOKING,
                2_01,
                "Growth is billed at $2.01 each booking, approved at $2.00.",
            ),
            (
                Measure.TRANSFER,
                75,
                "Growth is billed at $0.75 each transfer, approved at $0.00.",
            ),
        ],
    )
    def test_looks_at_the_fee_of_usage(self, measure, fee, sentence):
        item = replace(GROWTH, **{f"{measure.lower()}_fee": fee})

        [line] = usage_charges(item, [Usage(measure, NOV_10, 3)])

        assert unexplained(line, AGREED) == sentence

    def test_looks_at_the_amount_of_usage(self):
        [line] = usage_charges(GROWTH, [Usage(Measure.BOOKING, NOV_10, 3)])

        assert unexplained(replace(line, amount=Money(6_01)), AGREED) == (
            "“3 bookings, 10 Nov 2026” is billed at $6.01, but comes to $6.00 as approved."
        )

    @given(
        price=prices,
        interval=intervals,
        start=st.integers(0, 364),
        length=st.integers(1, 400),
        off=st.integers(-3, 3).filter(bool),
    )
    def test_notices_every_cent(self, price, interval, start, length, off):
        first = NOV_1 + timedelta(start)
        item = replace(
            GROWTH, unit_price=Money(price), interval=interval, start=first, billed_to=first
        )
        agreed = replace(AGREED, unit_price=price, interval=interval)

        for line in charges(item, first + timedelta(length)):
            assert unexplained(line, agreed) == ""
            assert unexplained(replace(line, amount=line.amount + Money(off)), agreed)
        over = replace(item, end=first, billed_to=first + timedelta(length))
        for credit in charges(over, first):
            assert unexplained(credit, agreed) == ""
            assert unexplained(replace(credit, amount=credit.amount + Money(off)), agreed)
