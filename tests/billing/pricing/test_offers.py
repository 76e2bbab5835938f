"""The day on which an offer begins."""

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from billing.pricing import ItemKind, Timing
from tests.billing.pricing.books import NOV_10, offer, on_growth


class TestStart:
    def test_keeps_the_sealed_day_of_the_next_cycle(self):
        # Sealed for 1 December, approved on that day after the billing run has moved on.
        running = replace(on_growth(), next_invoice=date(2027, 1, 1))
        sealed = offer(ItemKind.PLAN, 297_00, timing=Timing.NEXT_CYCLE, day=date(2026, 12, 1))

        assert sealed.start(running, date(2026, 12, 1)) == date(2026, 12, 1)

    def test_is_never_in_the_past_when_the_billing_run_is_late(self):
        asked = offer(ItemKind.PLAN, 297_00, timing=Timing.NEXT_CYCLE)

        assert asked.start(on_growth(), date(2026, 12, 5)) == date(2027, 1, 1)

    def test_ignores_a_day_when_it_takes_effect_now(self):
        now = offer(ItemKind.PLAN, 297_00, timing=Timing.NOW, day=date(2027, 1, 1))

        assert now.start(on_growth(), NOV_10) == NOV_10

    @given(ahead=st.integers(-40, 400))
    def test_is_the_chosen_day_but_never_before_the_approval(self, ahead):
        chosen = NOV_10 + timedelta(ahead)
        dated = offer(ItemKind.PLAN, 297_00, timing=Timing.DATE, day=chosen)

        assert dated.start(on_growth(), NOV_10) == max(chosen, NOV_10)
