"""Histories without a database: offers to approve, and what they come to.

The strategies draw small integers on purpose: most mistakes of a cent show at $0.01 and one day.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import count
from typing import Any

from hypothesis import assume, event
from hypothesis import strategies as st

from billing.pricing import (
    Change,
    Charge,
    Interval,
    Item,
    ItemKind,
    Offer,
    Running,
    Timing,
    boundary,
    change,
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
        **details,
    )


def offer(kind: ItemKind, price: int, *, name: str = "Scale", **details: Any) -> Offer:
    return Offer(kind, name, Money(price), **details)


def on_growth() -> Running:
    """Growth since 1 November, billed to 1 December."""
    item = plan(149_00, start=date(2026, 11, 1), billed_to=date(2026, 12, 1))
    return Running((item,), date(2026, 12, 1))


# A history: approved offers and billing runs, one after the other


@dataclass
class Books:
    """A connection without a database: what runs on it and the invoices issued so far."""

    running: Running = field(default_factory=Running)
    invoices: list[tuple[date, list[Charge]]] = field(default_factory=list)
    keys: Iterator[int] = field(default_factory=count)
    requests: Iterator[int] = field(default_factory=count)

    def bill_until(self, day: date) -> None:
        while self.running.next_invoice and self.running.next_invoice <= day:
            self.invoices.append((self.running.next_invoice, self.running.upcoming()))
            self.running = self.running.billed()

    def approve(self, offered: Offer, on: date) -> Change:
        done = self.agree(offered, on)
        self.bill_until(on)
        return done

    def agree(self, offered: Offer, on: date) -> Change:
        """Approve, while the billing run is late."""
        done = change(offered, self.running, on)
        authority = f"request {next(self.requests)}"
        return self.carry_out(
            replace(
                done,
                opened=tuple(replace(i, authority=i.authority or authority) for i in done.opened),
            )
        )

    def carry_out(self, done: Change) -> Change:
        """What opens gets a key, as a row does."""
        done = replace(
            done, opened=tuple(replace(item, key=next(self.keys)) for item in done.opened)
        )
        self.running = done.applied(self.running)
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
# Days that not every month or year has.
rare_days = st.sampled_from(
    [*(date(2026, 1, day) for day in (28, 29, 30, 31)), date(2024, 2, 29), date(2028, 2, 29)]
)
days = st.one_of(rare_days, month_ends, st.dates(date(2023, 1, 1), date(2028, 12, 31)))
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
