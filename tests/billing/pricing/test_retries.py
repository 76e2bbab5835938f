"""When a failed payment is tried again."""

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.pricing import next_attempt


class TestNextAttempt:
    def test_is_one_three_five_and_seven_days_after_the_first_failure(self):
        failed = date(2026, 11, 28)

        found = [next_attempt(failed, attempts) for attempts in range(1, 6)]

        december = [date(2026, 12, day) for day in (1, 3, 5)]
        assert found == [date(2026, 11, 29), *december, None]

    @given(failed=st.dates(date(2023, 1, 1), date(2030, 1, 1)), attempts=st.integers(1, 40))
    def test_is_always_later_than_the_one_before_and_ends(self, failed, attempts):
        tries = [next_attempt(failed, number) for number in range(1, attempts + 1)]

        kept = [failed, *(day for day in tries if day)]
        assert all(day < later for day, later in pairwise(kept))
        assert len(kept) == min(attempts, 4) + 1

    def test_refuses_a_payment_that_has_not_failed(self):
        with pytest.raises(ValueError, match="nothing has failed"):
            next_attempt(date(2026, 11, 1), 0)
