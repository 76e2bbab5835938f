"""What is said before an approval."""

from datetime import date

from billing.pricing import ItemKind, Preview, Running, Timing, preview
from tests.billing.pricing.books import NOV_10, YEAR, offer, on_growth


class TestPreview:
    def test_says_today_and_then(self):
        said = preview(offer(ItemKind.PLAN, 149_00), Running(), NOV_10)

        assert figures(said) == (149_00, 149_00, 149_00, 149_00)

    def test_charges_the_difference_on_the_next_invoice(self):
        said = preview(offer(ItemKind.PLAN, 297_00), on_growth(), NOV_10)

        both = -104_30 + 207_90 + 297_00
        assert figures(said) == (0, both, 297_00, 148_00)
        assert said.first_invoice_day == date(2026, 12, 1)

    def test_compares_a_year_with_twelve_months(self):
        said = preview(offer(ItemKind.PLAN, 990_00, interval=YEAR), on_growth(), NOV_10)

        assert figures(said) == (885_70, 885_70, 990_00, 990_00 - 12 * 149_00)

    def test_of_an_add_on_names_its_price_as_new(self):
        said = preview(offer(ItemKind.ADD_ON, 2_50, quantity=5), on_growth(), NOV_10)

        assert figures(said) == (0, 149_00 + 8_75 + 12_50, 161_50, 12_50)

    def test_of_a_one_time_charge_adds_nothing_later(self):
        said = preview(offer(ItemKind.ONE_TIME, 400_00), on_growth(), NOV_10)

        assert figures(said) == (400_00, 400_00, 149_00, 0)

    def test_of_a_later_one_time_charge_costs_nothing_today(self):
        later = offer(ItemKind.ONE_TIME, 400_00, timing=Timing.NEXT_CYCLE)

        said = preview(later, on_growth(), NOV_10)

        assert figures(said) == (0, 400_00, 149_00, 0)
        assert said.first_invoice_day == date(2026, 12, 1)

    def test_of_an_add_on_that_waits_for_its_plan_names_the_month(self):
        said = preview(offer(ItemKind.ADD_ON, 2_50, quantity=5), Running(), NOV_10)

        assert figures(said) == (0, 12_50, 12_50, 12_50)


def figures(said: Preview) -> tuple[int, int, int, int]:
    return said.today.minor, said.first_invoice.minor, said.recurring.minor, said.new.minor
