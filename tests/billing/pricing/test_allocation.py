"""No cent is lost where an amount is divided."""

from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from billing.pricing import allocate

amounts = st.one_of(st.integers(0, 20), st.integers(0, 10**12))
weights = st.lists(st.one_of(st.integers(0, 3), st.integers(0, 10**9)), min_size=1, max_size=12)


class TestAllocate:
    @pytest.mark.parametrize(
        ("amount", "weights", "shares"),
        [
            (100, [1, 1, 1], [34, 33, 33]),  # a tie goes to the earlier
            (100, [50_00, 100_00], [33, 67]),  # 66.67 lost more than 33.33
            (1, [0, 1, 1], [0, 1, 0]),
            (7, [0, 0, 5], [0, 0, 7]),
            (0, [3, 4], [0, 0]),
            (0, [0, 0], [0, 0]),
            (0, [], []),
            (149_00, [30_00, 119_00], [30_00, 119_00]),  # all of it, as it was paid
        ],
    )
    def test_gives_what_is_left_to_the_largest_remainder(self, amount, weights, shares):
        assert allocate(amount, weights) == shares

    @given(amount=amounts, weights=weights)
    def test_adds_up_and_is_less_than_a_cent_off(self, amount, weights):
        assume(sum(weights))

        shares = allocate(amount, weights)

        assert sum(shares) == amount
        for share, weight in zip(shares, weights, strict=True):
            assert abs(share * sum(weights) - amount * weight) < sum(weights)
            assert weight or share == 0

    @given(amount=amounts, weights=weights)
    def test_gives_the_heavier_no_less_and_on_a_tie_the_earlier_no_less(self, amount, weights):
        assume(sum(weights))

        shares = allocate(amount, weights)

        order = sorted(range(len(weights)), key=lambda place: -weights[place])
        assert all(shares[one] >= shares[other] for one, other in pairwise(order))

    @given(paid=weights, shares=st.lists(st.integers(0, 100), max_size=8))
    def test_refunds_in_several_goes_exactly_what_was_paid(self, paid, shares):
        left = list(paid)

        for percent in [*shares, 100]:
            refunds = allocate(sum(left) * percent // 100, left)
            left = [had - given for had, given in zip(left, refunds, strict=True)]
            assert min(left) >= 0

        assert sum(left) == 0

    @pytest.mark.parametrize(
        ("amount", "weights", "reason"),
        [
            (-1, [1], "zero or more"),
            (1, [2, -1], "zero or more"),
            (1, [], "nobody"),
            (1, [0, 0], "nobody"),
        ],
    )
    def test_refuses_what_cannot_be_divided(self, amount, weights, reason):
        with pytest.raises(ValueError, match=reason):
            allocate(amount, weights)
