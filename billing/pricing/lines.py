"""What the days of an item cost, and what is given back of them, line by line."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal

from revampd.kit.money import Money

from .items import Item, Measure
from .periods import Period, period_on


@dataclass(frozen=True, slots=True)
class Charge:
    """One line to be: what a stretch of days of an item costs, negative if it is given back.

    For usage, `measure` says what was counted in these days, and `count` how often; for the price
    of the days themselves it is empty.
    """

    item: Item
    period: Period
    amount: Money
    text: str
    measure: Measure | Literal[""] = ""
    count: int = 0

    @property
    def quantity(self) -> int:
        return self.count if self.measure else self.item.quantity

    @property
    def unit_price(self) -> Money:
        return self.item.fee(self.measure) if self.measure else self.item.unit_price


def charges(item: Item, through: date) -> list[Charge]:
    """What is to bill of `item` up to `through`, and to give back if it ended while paid for."""
    end = item.end
    if end is not None and end < item.billed_to:
        unused = [
            _charge(item, stretch, whole, credit=True)
            for stretch, whole in _stretches(item, max(end, item.start), item.billed_to)
        ]
        # What cost nothing is not given back: a line of zero reads as charging the day again.
        return [credit for credit in unused if credit.amount]
    first, end = max(item.billed_to, item.start), through if end is None else min(end, through)
    return [_charge(item, stretch, whole) for stretch, whole in _stretches(item, first, end)]


def part(price: Money, whole: Period, stretch: Period) -> Money:
    """The share of `price` for a stretch of the whole period, by days.

    Cents fall by one fixed rule: each share is the difference of two running totals, rounded
    down, so that stretches which tile the period add up to exactly the price.
    """
    before = price.minor * (stretch.start - whole.start).days // whole.days
    until = price.minor * (stretch.end - whole.start).days // whole.days
    return Money(until - before, price.currency)


def _stretches(item: Item, start: date, end: date) -> Iterable[tuple[Period, Period]]:
    """The days from `start` to `end` by the periods of `item`, each with the whole period."""
    while start < end:
        whole = period_on(item.anchor, item.interval, start)
        is_whole = start == whole.start and whole.end <= end
        yield whole if is_whole else Period(start, min(whole.end, end)), whole
        start = whole.end


def _charge(item: Item, stretch: Period, whole: Period, *, credit: bool = False) -> Charge:
    amount = item.price
    words = item.name if item.quantity == 1 else f"{item.quantity} × {item.name}"
    text = f"{words}, {stretch}"
    if stretch is not whole:
        amount = part(amount, whole, stretch)
        text += f" ({stretch.days} of {whole.days} days)"
    if credit:
        text = f"Unused part of {text}"
    return Charge(item, stretch, -amount if credit else amount, text)
