"""The oldest credit pays first, and none pays more than it has."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.pricing import first_in_first_out

cents = st.one_of(st.integers(0, 3), st.integers(0, 100_000))
wallets = st.lists(cents, max_size=8).map(lambda remaining: list(enumerate(remaining)))


class TestFirstInFirstOut:
    @pytest.mark.parametrize(
        ("lots", "due", "takes"),
        [
            ([("old", 500), ("new", 500)], 600, [("old", 500), ("new", 100)]),
            ([("old", 500), ("new", 500)], 500, [("old", 500)]),
            ([("spent", 0), ("new", 500)], 1, [("new", 1)]),
            ([("old", 500)], 900, [("old", 500)]),
            ([("old", 500)], 0, []),
            ([("old", 500)], -100, []),
            ([], 900, []),
        ],
    )
    def test_takes_from_the_oldest(self, lots, due, takes):
        assert first_in_first_out(lots, due) == takes

    @given(lots=wallets, due=cents)
    def test_takes_all_that_is_due_or_all_there_is(self, lots, due):
        takes = first_in_first_out(lots, due)

        assert sum(taken for _, taken in takes) == min(due, sum(had for _, had in lots))
        assert all(0 < taken <= dict(lots)[key] for key, taken in takes)

    @given(lots=wallets, due=cents)
    def test_empties_each_lot_before_the_next(self, lots, due):
        takes = first_in_first_out(lots, due)

        untouched = [(key, had) for key, had in lots if had]
        assert [key for key, _ in takes] == [key for key, _ in untouched[: len(takes)]]
        assert takes[:-1] == untouched[: len(takes)][:-1]

    @given(lots=wallets, first=cents, second=cents)
    def test_pays_two_invoices_as_it_would_pay_their_sum(self, lots, first, second):
        left = dict(lots)
        for due in (first, second):
            for key, taken in first_in_first_out(list(left.items()), due):
                left[key] -= taken

        at_once = dict(first_in_first_out(lots, first + second))
        assert left == {key: had - at_once.get(key, 0) for key, had in lots}
