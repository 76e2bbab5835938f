"""What an approval does to what runs."""

from datetime import date

import pytest

from billing.pricing import ItemKind, NothingRuns, Running, Timing, change
from revampd.kit.money import Money
from tests.billing.pricing.books import NOV_10, YEAR, Books, offer, on_growth, plan


class TestChange:
    def test_starts_the_first_plan_with_its_own_cycle(self):
        done = change(offer(ItemKind.PLAN, 149_00), Running(), NOV_10)

        [opened] = done.opened
        assert (opened.anchor, opened.start, opened.billed_to) == (NOV_10, NOV_10, NOV_10)
        assert (done.altered, done.next_invoice) == ((), NOV_10)

    def test_keeps_the_cycle_within_the_same_interval(self):
        running = on_growth()

        done = change(offer(ItemKind.PLAN, 297_00), running, NOV_10)

        assert [item.end for item in done.altered] == [NOV_10]
        assert [item.anchor for item in done.opened] == [date(2026, 11, 1)]
        assert done.next_invoice == running.next_invoice

    def test_carries_add_ons_along_to_another_interval(self):
        books = Books()
        books.approve(offer(ItemKind.PLAN, 149_00, name="Growth"), date(2026, 11, 1))
        books.approve(offer(ItemKind.ADD_ON, 2_50, name="Number", quantity=5), NOV_10)

        books.approve(offer(ItemKind.PLAN, 990_00, interval=YEAR), date(2026, 11, 20))

        day, lines = books.invoices[-1]
        assert day == date(2026, 11, 20)
        assert [(line.text, line.amount.minor) for line in lines] == [
            ("Unused part of Growth, 20 Nov – 30 Nov 2026 (11 of 30 days)", -54_64),
            ("5 × Number, 10 Nov – 19 Nov 2026 (10 of 30 days)", 4_16),
            ("Scale, 20 Nov 2026 – 19 Nov 2027", 990_00),
            ("5 × Number, 20 Nov 2026 – 19 Nov 2027", 150_00),
        ]

    def test_brings_add_ons_back_when_the_scheduled_interval_is_replaced(self):
        books = Books()
        books.approve(offer(ItemKind.PLAN, 149_00, name="Growth"), date(2026, 11, 1))
        books.approve(offer(ItemKind.ADD_ON, 2_50, name="Number"), date(2026, 11, 1))
        december = Timing.NEXT_CYCLE
        books.approve(offer(ItemKind.PLAN, 990_00, interval=YEAR, timing=december), NOV_10)

        books.approve(offer(ItemKind.PLAN, 297_00, timing=december), NOV_10)

        books.bill_until(date(2026, 12, 1))
        texts = [line.text for line in books.invoices[-1][1]]
        assert sorted(texts) == [
            "Number, 1 Dec – 31 Dec 2026",
            "Number, 1 Nov – 30 Nov 2026",
            "Scale, 1 Dec – 31 Dec 2026",
        ]
        assert books.running.recurring(date(2026, 12, 1), "USD") == Money(299_50)

    def test_lets_an_add_on_follow_the_interval_that_is_scheduled(self):
        books = Books()
        books.approve(offer(ItemKind.PLAN, 149_00, name="Growth"), date(2026, 11, 1))
        scheduled = offer(ItemKind.PLAN, 990_00, interval=YEAR, timing=Timing.NEXT_CYCLE)
        books.approve(scheduled, NOV_10)

        books.approve(offer(ItemKind.ADD_ON, 2_50, name="Number"), NOV_10)

        books.bill_until(date(2026, 12, 1))
        assert [line.text for line in books.invoices[-1][1]] == [
            "Scale, 1 Dec 2026 – 30 Nov 2027",
            "Number, 10 Nov – 30 Nov 2026 (21 of 30 days)",
            "Number, 1 Dec 2026 – 30 Nov 2027",
        ]

    def test_replaces_what_was_scheduled_for_the_same_day(self):
        books = Books(on_growth())
        december = Timing.NEXT_CYCLE
        books.approve(offer(ItemKind.PLAN, 297_00, timing=december), NOV_10)

        books.approve(offer(ItemKind.PLAN, 199_00, name="Plus", timing=december), NOV_10)

        books.bill_until(date(2026, 12, 1))
        assert [line.text for line in books.invoices[-1][1]] == ["Plus, 1 Dec – 31 Dec 2026"]

    def test_refuses_an_add_on_without_a_plan(self):
        with pytest.raises(NothingRuns):
            change(offer(ItemKind.ADD_ON, 2_50), Running(), NOV_10)

    def test_lets_an_add_on_wait_for_a_plan_that_begins_later(self):
        first = date(2026, 12, 1)
        running = Running((plan(149_00, start=first),), first)

        done = change(offer(ItemKind.ADD_ON, 2_50), running, NOV_10)

        assert done.start == first
