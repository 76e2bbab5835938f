"""What the days of an item cost, and what is given back of them, line by line."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from revampd.kit.money import Money

from .items import Item
from .periods import Period, period_on


@dataclass(frozen=True, slots=True)
class Charge:
    """One line to be: what a stretch of days of an item costs, negative if it is given back."""

    item: Item
    period: Period
    amount: Money
    text: str


def charges(item: Item, through: date) -> list[Charge]:
    """What is to bill of `item` up to `through`, and to give back if it ended while paid for."""
    end = through if item.end is None else min(item.end, through)
    if item.end is not None and item.end < item.billed_to:
        return _credits(item, max(item.end, item.start))
    return [
        _charge(item, Period(max(whole.start, first), min(whole.end, end)), whole)
        for first in [max(item.billed_to, item.start)]
        for whole in _periods(item, first, end)
    ]


def _credits(item: Item, first: date) -> list[Charge]:
    stretches = (
        (Period(max(whole.start, first), min(whole.end, item.billed_to)), whole)
        for whole in _periods(item, first, item.billed_to)
    )
    unused = [_charge(item, stretch, whole, credit=True) for stretch, whole in stretches]
    # What cost nothing is not given back: a line of zero reads as charging the day again.
    return [credit for credit in unused if credit.amount]


def part(price: Money, whole: Period, stretch: Period) -> Money:
    """The share of `price` for a stretch of the whole period, by days.

    Cents fall by one fixed rule: each share is the difference of two running totals, rounded
    down, so that stretches which tile the period add up to exactly the price.
    """
    before = price.minor * (stretch.start - whole.start).days // whole.days
    until = price.minor * (stretch.end - whole.start).days // whole.days
    return Money(until - before, price.currency)


def billed(item: Item, through: date) -> Item:
    """`item` once all its days before `through` have been billed."""
    end = through if item.end is None else min(item.end, through)
    return replace(item, billed_to=max(item.start, end))


def _periods(item: Item, start: date, end: date) -> Iterable[Period]:
    day = start
    while day < end:
        whole = period_on(item.anchor, item.interval, day)
        yield whole
        day = whole.end


def _charge(item: Item, stretch: Period, whole: Period, *, credit: bool = False) -> Charge:
    amount = part(item.price, whole, stretch)
    words = item.name if item.quantity == 1 else f"{item.quantity} × {item.name}"
    text = f"{words}, {stretch}"
    if stretch != whole:
        text += f" ({stretch.days} of {whole.days} days)"
    if credit:
        text = f"Unused part of {text}"
    return Charge(item, stretch, -amount if credit else amount, text)
