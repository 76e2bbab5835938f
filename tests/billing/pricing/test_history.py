"""Properties that hold for any sequence of approved offers and billing runs."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import count, pairwise
from typing import Any

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from billing.pricing import Charge, Item, ItemKind, Period, Timing, boundary, preview
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

    @given(history=histories)
    @settings(max_examples=200, deadline=None)
    def test_charges_days_without_a_gap_and_gives_back_the_last(self, history):
        books = played(history)

        for item in books.running.items:
            lines = books.charged()[item.key]
            charged, given_back = stretches(lines)
            if item.start == item.end and not charged:
                continue
            assert charged[0].start == item.start
            assert all(one.end == other.start for one, other in pairwise(charged))
            assert all(one.end == other.start for one, other in pairwise(given_back))
            if given_back:
                assert given_back[-1].end == charged[-1].end
                assert given_back[0].start >= item.end
            else:
                paid_to = min(item.end or date.max, books.running.next_invoice)
                assert charged[-1].end >= paid_to

    @given(history=histories)
    @settings(max_examples=200, deadline=None)
    def test_issues_no_invoice_below_what_the_preview_called_the_lowest(self, history):
        books = Books()
        for offered, day in approvals(books, history):
            said = preview(offered, books.running, day)
            after = Books(books.running, [], count(10**6))
            after.approve(offered, day)
            after.bill_until(day + timedelta(1200))
            totals = [sum(line.amount.minor for line in lines) for _, lines in after.invoices]
            assert said.lowest.minor in totals
            assert min(totals) >= min(said.lowest.minor, 0)

    @given(history=histories, missed=st.lists(st.booleans(), min_size=6, max_size=6))
    @settings(max_examples=300, deadline=None)
    def test_comes_to_the_same_when_the_billing_run_is_late(self, history, missed):
        in_time, late, last = Books(), Books(), history[0]
        for (offered, day), is_missed in zip(approvals(in_time, history), missed, strict=False):
            # The terms name the day of the next cycle, so that a late run does not move it.
            sealed = replace(offered, day=offered.start(in_time.running, day))
            late.agree(sealed, day)
            if not is_missed:
                late.bill_until(day)
            last = max(day, sealed.day)
        assume(in_time.running.items)
        for books in (in_time, late):
            books.bill_until(last + timedelta(800))

        assert late.running.next_invoice == in_time.running.next_invoice
        assert balances(late) == balances(in_time)
        for key, lines in late.charged().items():
            charged, _ = stretches(lines)
            assert all(one.end == other.start for one, other in pairwise(charged)), key

    @given(history=histories)
    @settings(max_examples=200, deadline=None)
    def test_bills_in_one_go_what_it_bills_in_two(self, history):
        books = Books()
        for _, _ in approvals(books, history):
            running = books.running
            for _ in range(4):
                if running.next_invoice is None:
                    break
                lines, after = running.bill()
                assert (lines, after) == (running.upcoming(), running.billed())
                assert all(item.start <= item.billed_to for item in after.items)
                running = after


def stretches(lines: list[Charge]) -> tuple[list[Period], list[Period]]:
    """The days that `lines` charge, and those that they give back, each from the first on."""
    ordered = sorted(lines, key=lambda line: line.period.start)
    return (
        [line.period for line in ordered if line.amount.minor >= 0],
        [line.period for line in ordered if line.amount.minor < 0],
    )


def balances(books: Books) -> dict[Any, int]:
    """What each item has cost so far, by its key; what cost nothing is left out."""
    costs = {
        key: sum(line.amount.minor for line in lines) for key, lines in books.charged().items()
    }
    return {key: cost for key, cost in costs.items() if cost}


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
