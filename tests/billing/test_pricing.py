"""What something costs: the anchors of the calendar, and properties that hold for any history.

The properties draw small integers on purpose: most mistakes of a cent show at $0.01 and one day.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import count, pairwise
from typing import Any

import pytest
from hypothesis import assume, event, example, given, settings
from hypothesis import strategies as st

from billing.pricing import (
    Change,
    Charge,
    Interval,
    Item,
    ItemKind,
    NothingRuns,
    Offer,
    Period,
    Preview,
    Running,
    Timing,
    boundary,
    change,
    charges,
    part,
    period_on,
    preview,
    span,
)
from revampd.kit.money import Money

MONTH, YEAR = Interval.MONTH, Interval.YEAR
NOV_10 = date(2026, 11, 10)


def plan(
    price: int, *, start: date, name: str = "Growth", interval: Interval = MONTH, **details: Any
) -> Item:
    """A plan that runs from `start` with its own cycle, of which nothing is billed yet."""
    return Item(
        kind=ItemKind.PLAN,
        name=name,
        unit_price=Money(price),
        quantity=details.pop("quantity", 1),
        interval=interval,
        anchor=details.pop("anchor", start),
        start=start,
        end=details.pop("end", None),
        billed_to=details.pop("billed_to", start),
        key=details.pop("key", name),
    )


def offer(kind: ItemKind, price: int, *, name: str = "Scale", **details: Any) -> Offer:
    return Offer(kind, name, Money(price), **details)


# A history: approved offers and billing runs, one after the other


@dataclass
class Books:
    """A connection without a database: what runs on it and the invoices issued so far."""

    running: Running = field(default_factory=Running)
    invoices: list[tuple[date, list[Charge]]] = field(default_factory=list)
    keys: Iterator[int] = field(default_factory=count)

    def bill_until(self, day: date) -> None:
        while self.running.next_invoice and self.running.next_invoice <= day:
            self.invoices.append((self.running.next_invoice, self.running.upcoming()))
            self.running = self.running.billed()

    def approve(self, offered: Offer, on: date) -> Change:
        done = change(offered, self.running, on)
        opened = tuple(replace(item, key=next(self.keys)) for item in done.opened)
        done = replace(done, opened=opened)
        self.running = done.applied(self.running)
        self.bill_until(on)
        return done

    def charged(self) -> dict[Any, list[Charge]]:
        """Every line so far, by the item that it is for."""
        lines: dict[Any, list[Charge]] = defaultdict(list)
        for _, invoice in self.invoices:
            for line in invoice:
                lines[line.item.key].append(line)
        return lines


@dataclass(frozen=True)
class Step:
    """Some days pass, then an offer is approved."""

    wait: int
    kind: ItemKind
    price: int
    quantity: int
    interval: Interval
    timing: Timing
    ahead: int

    def offer(self, on: date) -> Offer:
        is_add_on = self.kind == ItemKind.ADD_ON
        return Offer(
            kind=self.kind,
            name=self.kind.label,
            unit_price=Money(self.price),
            quantity=self.quantity if is_add_on else 1,
            interval=MONTH if is_add_on else self.interval,
            timing=self.timing,
            day=on + timedelta(self.ahead) if self.timing == Timing.DATE else None,
        )


month_ends = st.builds(
    lambda year, month, back: boundary(date(year, 1, 31), MONTH, month) - timedelta(back),
    st.integers(2023, 2028),
    st.integers(0, 11),
    st.integers(0, 3),
)
days = st.one_of(month_ends, st.dates(date(2023, 1, 1), date(2028, 12, 31)))
prices = st.one_of(st.integers(0, 4), st.integers(0, 100_000))
intervals = st.sampled_from(Interval)
steps = st.builds(
    Step,
    wait=st.one_of(st.integers(0, 3), st.integers(0, 45), st.integers(0, 400)),
    kind=st.sampled_from([ItemKind.PLAN, ItemKind.PLAN, ItemKind.ADD_ON]),
    price=prices,
    quantity=st.one_of(st.integers(1, 3), st.integers(1, 10_000)),
    interval=intervals,
    timing=st.sampled_from(Timing),
    ahead=st.one_of(st.integers(0, 3), st.integers(0, 70)),
)
histories = st.tuples(days, st.lists(steps, min_size=1, max_size=6))


def approvals(books: Books, history: tuple[date, list[Step]]) -> Iterator[tuple[Offer, date]]:
    """Play a history day by day; each approvable offer is handed out before it is approved."""
    day, played = history
    for step in played:
        day += timedelta(step.wait)
        books.bill_until(day)
        offered = step.offer(day)
        if offered.kind == ItemKind.ADD_ON and books.running.next_invoice is None:
            continue
        if offered.timing == Timing.NEXT_CYCLE and books.running.next_invoice is None:
            continue
        yield offered, day
        books.approve(offered, day)


def played(history: tuple[date, list[Step]]) -> Books:
    """The books after a history, billed for two more years."""
    books, last = Books(), history[0]
    for offered, day in approvals(books, history):
        event(f"{offered.kind} {offered.timing}")
        last = max(day, offered.day or day)
    assume(books.running.items)
    books.bill_until(last + timedelta(800))
    return books


class TestBoundary:
    @pytest.mark.parametrize(
        ("anchor", "interval", "expected"),
        [
            (
                date(2026, 1, 31),
                MONTH,
                [date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 30), date(2026, 5, 31)],
            ),
            (date(2027, 12, 31), MONTH, [date(2028, 1, 31), date(2028, 2, 29)]),
            (date(2026, 1, 30), MONTH, [date(2026, 2, 28), date(2026, 3, 30)]),
            (date(2026, 1, 29), MONTH, [date(2026, 2, 28), date(2026, 3, 29)]),
            (date(2026, 1, 28), MONTH, [date(2026, 2, 28), date(2026, 3, 28)]),
            (
                date(2024, 2, 29),
                YEAR,
                [date(2025, 2, 28), date(2026, 2, 28), date(2027, 2, 28), date(2028, 2, 29)],
            ),
            (date(2026, 6, 1), YEAR, [date(2027, 6, 1)]),
        ],
    )
    def test_counts_from_the_origin(self, anchor, interval, expected):
        found = [boundary(anchor, interval, number) for number in range(1, len(expected) + 1)]

        assert found == expected

    @given(anchor=days, interval=intervals)
    def test_never_drifts_from_the_anchor_day(self, anchor, interval):
        starts = [boundary(anchor, interval, number) for number in range(50)]

        assert all(start.day == anchor.day or month_ends_on(start) for start in starts)


def month_ends_on(day: date) -> bool:
    return (day + timedelta(1)).day == 1


class TestPeriodOn:
    @given(anchor=days, interval=intervals, after=st.integers(0, 2000))
    def test_contains_the_day(self, anchor, interval, after):
        day = anchor + timedelta(after)

        period = period_on(anchor, interval, day)

        assert period.start <= day < period.end

    @given(anchor=days, interval=intervals)
    def test_tiles_the_calendar(self, anchor, interval):
        periods = [period_on(anchor, interval, anchor)]
        while len(periods) < 40:
            periods.append(period_on(anchor, interval, periods[-1].end))

        assert periods[0].start == anchor
        assert all(one.end == next_one.start for one, next_one in pairwise(periods))
        assert [p.start for p in periods] == [boundary(anchor, interval, n) for n in range(40)]

    @given(anchor=days, interval=intervals, after=st.integers(0, 800))
    def test_is_the_same_for_all_its_days(self, anchor, interval, after):
        period = period_on(anchor, interval, anchor + timedelta(after))

        last = period.end - timedelta(1)
        assert period_on(anchor, interval, period.start) == period
        assert period_on(anchor, interval, last) == period

    def test_refuses_a_day_before_the_anchor(self):
        with pytest.raises(ValueError, match="before the first period"):
            period_on(date(2026, 2, 1), MONTH, date(2026, 1, 31))


class TestSpan:
    @pytest.mark.parametrize(
        ("start", "end", "words"),
        [
            (date(2026, 12, 1), date(2027, 1, 1), "1 Dec – 31 Dec 2026"),
            (date(2026, 12, 15), date(2027, 1, 15), "15 Dec 2026 – 14 Jan 2027"),
            (date(2026, 12, 31), date(2027, 1, 1), "31 Dec 2026"),
        ],
    )
    def test_names_the_last_day(self, start, end, words):
        assert span(start, end) == words == str(Period(start, end))


class TestPart:
    @given(price=prices, anchor=days, interval=intervals, cuts=st.lists(st.integers(0, 366)))
    def test_adds_up_to_the_price_when_stretches_tile_the_period(
        self, price, anchor, interval, cuts
    ):
        whole = period_on(anchor, interval, anchor)
        marks = sorted({0, whole.days, *(cut % whole.days for cut in cuts)})
        stretches = [
            Period(whole.start + timedelta(a), whole.start + timedelta(b))
            for a, b in pairwise(marks)
        ]

        shares = [part(Money(price), whole, stretch).minor for stretch in stretches]

        assert sum(shares) == price
        assert min(shares) >= 0

    @given(price=prices, anchor=days, interval=intervals, first=st.integers(0, 364))
    def test_is_less_than_a_cent_off_the_exact_share(self, price, anchor, interval, first):
        whole = period_on(anchor, interval, anchor)
        start = whole.start + timedelta(first % whole.days)
        stretch = Period(start, whole.end)

        share = part(Money(price), whole, stretch).minor

        assert abs(share * whole.days - price * stretch.days) < whole.days

    def test_keeps_the_currency(self):
        whole = Period(date(2026, 11, 1), date(2026, 12, 1))

        assert part(Money(3000, "EUR"), whole, whole) == Money(3000, "EUR")


class TestCharges:
    def test_says_the_days_of_a_part_in_words(self):
        item = plan(149_00, start=date(2026, 11, 10), anchor=date(2026, 11, 1))

        [line] = charges(item, date(2026, 12, 1))

        assert line.text == "Growth, 10 Nov – 30 Nov 2026 (21 of 30 days)"
        assert line.amount == Money(104_30)

    def test_says_how_many(self):
        item = plan(2_50, start=date(2026, 11, 1), quantity=5)

        [line] = charges(item, date(2026, 12, 1))

        assert (line.text, line.amount) == ("5 × Growth, 1 Nov – 30 Nov 2026", Money(12_50))

    def test_catches_up_period_by_period(self):
        item = plan(149_00, start=date(2026, 1, 31))

        lines = charges(item, date(2026, 4, 30))

        ends = [date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 30)]
        assert [line.period.end for line in lines] == ends
        assert {line.amount for line in lines} == {Money(149_00)}

    def test_gives_back_what_was_paid_beyond_the_end(self):
        november = date(2026, 11, 1)
        item = plan(149_00, start=november, end=NOV_10, billed_to=date(2026, 12, 1))

        [line] = charges(item, date(2027, 1, 1))

        assert line.text == "Unused part of Growth, 10 Nov – 30 Nov 2026 (21 of 30 days)"
        assert line.amount == Money(-104_30)

    def test_gives_back_no_more_days_than_were_paid(self):
        # A scheduled yearly plan had cut the period short at 20 November.
        november = date(2026, 11, 1)
        item = plan(149_00, start=november, end=NOV_10, billed_to=date(2026, 11, 20))

        [line] = charges(item, date(2026, 12, 1))

        assert line.period == Period(NOV_10, date(2026, 11, 20))

    def test_gives_back_nothing_of_what_cost_nothing(self):
        november = date(2026, 11, 1)
        free = plan(0, start=november, end=november, billed_to=date(2026, 12, 1))

        assert charges(free, date(2027, 1, 1)) == []

    def test_is_empty_for_what_is_billed(self):
        item = plan(149_00, start=date(2026, 11, 1), billed_to=date(2026, 12, 1))

        assert charges(item, date(2026, 12, 1)) == []


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


class TestChange:
    def test_starts_the_first_plan_with_its_own_cycle(self):
        done = change(offer(ItemKind.PLAN, 149_00), Running(), NOV_10)

        [opened] = done.opened
        assert (opened.anchor, opened.start, opened.billed_to) == (NOV_10, NOV_10, NOV_10)
        assert (done.closed, done.next_invoice) == ((), NOV_10)

    def test_keeps_the_cycle_within_the_same_interval(self):
        running = on_growth()

        done = change(offer(ItemKind.PLAN, 297_00), running, NOV_10)

        assert [item.end for item in done.closed] == [NOV_10]
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


def on_growth() -> Running:
    """Growth since 1 November, billed to 1 December."""
    item = plan(149_00, start=date(2026, 11, 1), billed_to=date(2026, 12, 1))
    return Running((item,), date(2026, 12, 1))


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
