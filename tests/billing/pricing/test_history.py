"""Properties that hold for any sequence of approved offers and billing runs."""

from datetime import date, timedelta
from itertools import count, pairwise

from hypothesis import assume, example, given, settings

from billing.pricing import Item, ItemKind, Timing, boundary, preview
from tests.billing.pricing.books import MONTH, YEAR, Books, Step, approvals, histories, played


class TestHistory:
    """For any sequence of approved offers, whatever they start, replace or schedule."""

    @given(history=histories)
    @example(
        # A yearly plan scheduled inside the period, then replaced before it began.
        (
            date(2026, 11, 1),
            [
                Step(0, ItemKind.PLAN, 14_900, 1, MONTH, Timing.NOW, 0),
                Step(1, ItemKind.ADD_ON, 250, 5, MONTH, Timing.NOW, 0),
                Step(2, ItemKind.PLAN, 99_000, 1, YEAR, Timing.DATE, 46),
                Step(30, ItemKind.PLAN, 29_700, 1, MONTH, Timing.NOW, 0),
            ],
        )
    )
    @example(
        # An add-on that joins while another interval is scheduled.
        (
            date(2026, 11, 1),
            [
                Step(0, ItemKind.PLAN, 14_900, 1, MONTH, Timing.NOW, 0),
                Step(2, ItemKind.PLAN, 99_000, 1, YEAR, Timing.DATE, 46),
                Step(3, ItemKind.ADD_ON, 250, 5, MONTH, Timing.NOW, 0),
            ],
        )
    )
    @settings(max_examples=300, deadline=None)
    def test_charges_each_item_exactly_its_days(self, history):
        books = played(history)

        for item in books.running.items:
            lines = books.charged()[item.key]
            paid = sum(line.amount.minor for line in lines)
            assert paid == days_share(item, books.running.next_invoice)

    @given(history=histories)
    @settings(max_examples=200, deadline=None)
    def test_charges_no_day_twice_and_gives_none_back_twice(self, history):
        for lines in played(history).charged().values():
            for side in (
                [line.period for line in lines if line.amount.minor >= 0],
                [line.period for line in lines if line.amount.minor < 0],
            ):
                ordered = sorted(side, key=lambda period: period.start)
                assert all(one.end <= other.start for one, other in pairwise(ordered))
                assert all(period.days > 0 for period in ordered)

    @given(history=histories)
    @settings(max_examples=200, deadline=None)
    def test_runs_one_plan_every_day_and_everything_in_its_cycle(self, history):
        books = played(history)
        running = [item for item in books.running.items if item.start != item.end]
        first = min(item.start for item in running)

        for offset in range(900):
            day = first + timedelta(offset)
            today = [item for item in running if item.runs_on(day)]
            plans = [item for item in today if item.kind == ItemKind.PLAN]
            assert len(plans) == 1
            assert {(item.interval, item.anchor) for item in today} == {
                (plans[0].interval, plans[0].anchor)
            }

    @given(history=histories)
    @settings(max_examples=200, deadline=None)
    def test_keeps_every_add_on_running_at_its_monthly_price(self, history):
        books, bought = Books(), []
        for offered, day in approvals(books, history):
            if offered.kind == ItemKind.ADD_ON:
                bought.append((offered.start(books.running, day), offered.price.minor))
        assume(bought)

        add_ons = [i for i in books.running.items if i.kind == ItemKind.ADD_ON]
        for offset in range(0, 900, 7):
            day = history[0] + timedelta(offset)
            now = [item.price.minor / item.interval.months for item in add_ons if item.runs_on(day)]
            assert sorted(now) == sorted(price for start, price in bought if start <= day)

    @given(history=histories)
    @settings(max_examples=200, deadline=None)
    def test_issues_what_the_preview_said(self, history):
        books = Books()
        for offered, day in approvals(books, history):
            said = preview(offered, books.running, day)
            after = Books(books.running, [], count(10**6))
            after.approve(offered, day)
            issued_today = sum(line.amount.minor for _, lines in after.invoices for line in lines)
            assert said.today.minor == issued_today
            after.bill_until(said.first_invoice_day)
            issued = dict(after.invoices)[said.first_invoice_day]
            assert sum(line.amount.minor for line in issued) == said.first_invoice.minor
            assert [line.text for line in issued] == [line.text for line in said.lines]

    @given(history=histories)
    @settings(max_examples=200, deadline=None)
    def test_calls_new_what_comes_on_top_in_one_interval(self, history):
        books = Books()
        for offered, day in approvals(books, history):
            said = preview(offered, books.running, day)
            settled = max(said.first_invoice_day, said.start)
            if offered.kind == ItemKind.ADD_ON:
                assert said.new.minor == offered.price.minor * said.interval.months
            else:
                old = books.running.plan_on(settled)
                was = old.price.minor * said.interval.months // old.interval.months if old else 0
                assert said.interval == offered.interval
                assert said.new.minor == offered.price.minor - was


def days_share(item: Item, through: date | None) -> int:
    """What the days of `item` before `through` cost: whole periods, and shares at both ends."""
    end = min(item.end or date.max, through or date.max)
    cost, number = 0, 0
    while (first := boundary(item.anchor, item.interval, number)) < end:
        number += 1
        after = boundary(item.anchor, item.interval, number)
        length = (after - first).days
        marks = [(max(first, min(day, after)) - first).days for day in (item.start, end)]
        cost += item.price.minor * marks[1] // length - item.price.minor * marks[0] // length
    return cost
