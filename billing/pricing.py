"""What something costs: pure functions of values, without database or clock.

One computation, four uses: the preview on the request form, the sealed terms, the upcoming
invoice and the billing run. All amounts are integer minor units; periods are half-open.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from dateutil.relativedelta import relativedelta
from django.db.models import TextChoices

from revampd.kit.money import Money, total


class Interval(TextChoices):
    MONTH = "MONTH", "month"
    YEAR = "YEAR", "year"

    @property
    def months(self) -> int:
        return 12 if self is Interval.YEAR else 1

    @property
    def adverb(self) -> str:
        return "yearly" if self is Interval.YEAR else "monthly"


class ItemKind(TextChoices):
    PLAN = "PLAN", "Plan"
    ADD_ON = "ADD_ON", "Add-on"
    ONE_TIME = "ONE_TIME", "One-time charge"


class Timing(TextChoices):
    NOW = "NOW", "On approval"
    NEXT_CYCLE = "NEXT_CYCLE", "Next billing cycle"
    DATE = "DATE", "On a day"


# Periods


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `start`, up to but without `end`."""

    start: date
    end: date

    @property
    def days(self) -> int:
        return (self.end - self.start).days

    def __str__(self) -> str:
        return span(self.start, self.end)


def boundary(anchor: date, interval: Interval, number: int) -> date:
    """The start of period `number`, always counted from the origin: 31 Jan, 28 Feb, 31 Mar."""
    return anchor + relativedelta(months=number * interval.months)


def period_on(anchor: date, interval: Interval, day: date) -> Period:
    """The period that contains `day`. Raises ValueError for a day before `anchor`."""
    if day < anchor:
        raise ValueError(f"{day} is before the first period, which starts on {anchor}")
    elapsed = relativedelta(day, anchor)
    number = (elapsed.years * 12 + elapsed.months) // interval.months
    # A clamped month end may leave the estimate one short: 31 Jan to 28 Feb counts no month.
    if boundary(anchor, interval, number + 1) <= day:
        number += 1
    return Period(boundary(anchor, interval, number), boundary(anchor, interval, number + 1))


def span(start: date, end: date) -> str:
    """A half-open period as people read it, with its last day: "1 Dec – 31 Dec 2026"."""
    last = end - relativedelta(days=1)
    if last <= start:
        return _day(start)
    first = f"{start.day} {start:%b}" if start.year == last.year else _day(start)
    return f"{first} – {_day(last)}"


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"


# Items and what they cost


@dataclass(frozen=True, slots=True)
class Item:
    """A plan or add-on that runs on a connection, at the prices it was approved at.

    `unit_price` is for one whole interval. It runs on the days [start, end) and is billed in
    periods counted from `anchor`; every day before `billed_to` has been billed. `key` is the
    caller's own handle.
    """

    kind: ItemKind
    name: str
    unit_price: Money
    quantity: int
    interval: Interval
    anchor: date
    start: date
    end: date | None
    billed_to: date
    key: Any = None

    @property
    def price(self) -> Money:
        return self.unit_price * self.quantity

    def runs_on(self, day: date) -> bool:
        return self.start <= day and (self.end is None or day < self.end)


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


def _billed(item: Item, through: date) -> Item:
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


# What runs on a connection, and how an approved offer changes it


@dataclass(frozen=True, slots=True)
class Running:
    """The items of a subscription and the day of its next invoice; empty before the first plan."""

    items: tuple[Item, ...] = ()
    next_invoice: date | None = None

    def plan_on(self, day: date) -> Item | None:
        plans = (item for item in self.items if item.kind == ItemKind.PLAN)
        return next((plan for plan in plans if plan.runs_on(day)), None)

    @property
    def plan(self) -> Item | None:
        """The plan that the next invoice bills."""
        return self.plan_on(self.next_invoice) if self.next_invoice else None

    def upcoming(self) -> list[Charge]:
        """The lines of the next invoice. The billing run issues just these."""
        if self.next_invoice is None:
            return []
        through = self.billed_through
        return [charge for item in self.items for charge in charges(item, through)]

    @property
    def billed_through(self) -> date:
        """The day up to which the next invoice bills: one period, or the end of it all."""
        day, plan = self.next_invoice, self.plan
        if day is None:
            raise ValueError("nothing runs, so nothing is billed")
        if plan is None:
            return day
        own = period_on(plan.anchor, plan.interval, day).end
        # A plan with a cycle of its own cuts the period short on the day it begins.
        cuts = [i.start for i in self.items if i.anchor == i.start > day and i.end != i.start]
        return min([own, *cuts])

    def billed(self) -> "Running":
        """What runs once the next invoice has been issued."""
        through = self.billed_through
        items = tuple(_billed(item, through) for item in self.items)
        return Running(items, None if self.plan is None else through)

    def next_cycle(self, on: date) -> date | None:
        """The first day of a cycle from `on` onward, even if the billing run is late."""
        running = self
        while running.next_invoice and running.next_invoice < on:
            running = running.billed()
        return running.next_invoice

    def lowest(self, currency: str) -> Money:
        """The smallest of the coming invoices, until all that is scheduled has been billed.

        Below zero, more would be given back than is charged.
        """
        dates = [
            day for item in self.items for day in (item.start, item.end, item.billed_to) if day
        ]
        running, totals = self, [Money(0, currency)]
        while running.next_invoice and running.next_invoice <= max(dates):
            totals.append(total((charge.amount for charge in running.upcoming()), currency))
            running = running.billed()
        return min(totals[1:], default=totals[0], key=lambda money: money.minor)

    def recurring(self, day: date, currency: str) -> Money:
        """What one interval of everything that runs on `day` costs, usage apart."""
        return total((item.price for item in self.items if item.runs_on(day)), currency)


@dataclass(frozen=True, slots=True)
class Offer:
    """What a request proposes. A plan's price is for its interval, an add-on's for a month.

    `day` is the effective day, if it takes effect later and the day is fixed already: sealed terms
    name the day of the next cycle too, and keep it when they are approved after the billing run.
    """

    kind: ItemKind
    name: str
    unit_price: Money
    quantity: int = 1
    interval: Interval = Interval.MONTH
    timing: Timing = Timing.NOW
    day: date | None = None
    key: Any = None

    @property
    def price(self) -> Money:
        return self.unit_price * self.quantity

    def start(self, running: Running, on: date) -> date:
        """The day on which it begins if it is approved on `on`."""
        start = on
        if self.timing != Timing.NOW:
            start = max(self.day or running.next_cycle(on) or on, on)
        if self.kind == ItemKind.ADD_ON and running.items:
            return max(start, min(item.start for item in running.items))
        return start


@dataclass(frozen=True, slots=True)
class Change:
    """What an approval does: items that end, items that begin, and the next invoice day."""

    start: date
    closed: tuple[Item, ...]
    opened: tuple[Item, ...]
    next_invoice: date

    def applied(self, running: Running) -> Running:
        ended = {item.key: item for item in self.closed}
        kept = tuple(ended.get(item.key, item) for item in running.items)
        return Running(kept + self.opened, self.next_invoice)


class NothingRuns(ValueError):
    """An add-on needs a plan that it can join."""


def change(offer: Offer, running: Running, on: date) -> Change:
    """What approving `offer` on the day `on` does to what runs. Raises NothingRuns."""
    start = offer.start(running, on)
    if offer.kind == ItemKind.ADD_ON:
        return _join(offer, running, start)
    current = running.plan_on(start)
    same_cycle = current is not None and current.interval == offer.interval
    anchor = current.anchor if current and same_cycle else start
    plan = _opened(offer, offer.unit_price, offer.interval, anchor, start)
    # Add-ons are billed with the plan: those in another cycle move along to its own.
    lasting = [item for item in running.items if _lives_after(item, start)]
    strays = [i for i in lasting if i.kind == ItemKind.ADD_ON and not _in_step(i, plan)]
    plans = [item for item in lasting if item.kind == ItemKind.PLAN]
    closed = tuple(_ended(item, start) for item in [*plans, *strays])
    opened = (plan, *(_moved(item, plan) for item in strays))
    next_invoice = running.next_invoice or start
    return Change(start, closed, opened, next_invoice if same_cycle else min(start, next_invoice))


def _join(offer: Offer, running: Running, start: date) -> Change:
    if running.plan_on(start) is None or running.next_invoice is None:
        raise NothingRuns
    lasting = [item for item in running.items if _lives_after(item, start)]
    plans = [item for item in lasting if item.kind == ItemKind.PLAN]
    joined: list[Item] = []
    # One item for each cycle, where a plan with another interval is scheduled already.
    for plan in sorted(plans, key=lambda plan: plan.start):
        first = max(start, plan.start)
        if joined and _in_step(joined[-1], plan):
            continue
        if joined:
            joined[-1] = _ended(joined[-1], first)
        price = offer.unit_price * plan.interval.months
        joined.append(_opened(offer, price, plan.interval, plan.anchor, first))
    return Change(start, (), tuple(joined), running.next_invoice)


def _in_step(one: Item, other: Item) -> bool:
    """Whether both are billed in the same periods."""
    return (one.interval, one.anchor) == (other.interval, other.anchor)


def _opened(offer: Offer, unit_price: Money, interval: Interval, anchor: date, start: date) -> Item:
    return Item(
        kind=offer.kind,
        name=offer.name,
        unit_price=unit_price,
        quantity=offer.quantity,
        interval=interval,
        anchor=anchor,
        start=start,
        end=None,
        billed_to=start,
        key=offer.key,
    )


def _lives_after(item: Item, day: date) -> bool:
    return item.end is None or item.end > max(day, item.start)


def _ended(item: Item, day: date) -> Item:
    """What would only have begun later never begins: it ends on its own first day."""
    return replace(item, end=max(day, item.start))


def _moved(item: Item, plan: Item) -> Item:
    """The rest of an add-on in the cycle of `plan`, at the same price a month."""
    monthly = item.unit_price.minor // item.interval.months
    first = max(plan.start, item.start)
    return replace(
        item,
        unit_price=Money(monthly * plan.interval.months, item.unit_price.currency),
        interval=plan.interval,
        anchor=plan.anchor,
        start=first,
        billed_to=first,
    )


# The preview: the sentence "today X, then Y each month, of which Z is new"


@dataclass(frozen=True, slots=True)
class Preview:
    """What an approval on a given day comes to.

    `lowest` is the smallest of the invoices that follow from it.
    `first_invoice_day` is None for an add-on that waits for its plan: it is billed with that.
    """

    today: Money
    first_invoice: Money
    first_invoice_day: date | None
    recurring: Money
    new: Money
    interval: Interval
    start: date
    lowest: Money
    lines: tuple[Charge, ...] = ()


def preview(offer: Offer, running: Running, on: date) -> Preview:
    """What approving `offer` on the day `on` costs, at once and from then on."""
    if offer.kind == ItemKind.ONE_TIME:
        return _preview_once(offer, running, on)
    try:
        changed = change(offer, running, on)
    except NothingRuns:
        # The plan that it joins is still waiting for approval itself.
        start = offer.start(running, on)
        nothing = Money(0, offer.unit_price.currency)
        return Preview(
            today=nothing,
            first_invoice=offer.price,
            first_invoice_day=None,
            recurring=offer.price,
            new=offer.price,
            interval=Interval.MONTH,
            start=start,
            lowest=nothing,
        )
    return _preview_change(changed, running, on, offer.unit_price.currency)


def _preview_once(offer: Offer, running: Running, on: date) -> Preview:
    start, plan = offer.start(running, on), running.plan
    nothing = Money(0, offer.unit_price.currency)
    return Preview(
        today=offer.price if start == on else nothing,
        first_invoice=offer.price,
        first_invoice_day=start,
        recurring=running.recurring(max(start, running.next_invoice or start), nothing.currency),
        new=nothing,
        interval=plan.interval if plan else Interval.MONTH,
        start=start,
        lowest=nothing,
    )


def _preview_change(changed: Change, running: Running, on: date, currency: str) -> Preview:
    after = changed.applied(running)
    while after.billed_through <= changed.start:
        after = after.billed()
    day, lines = after.next_invoice or changed.start, tuple(after.upcoming())
    settled = max(day, changed.start)
    plan = after.plan_on(settled)
    invoice = total((line.amount for line in lines), currency)
    recurring = after.recurring(settled, currency)
    interval = plan.interval if plan else Interval.MONTH
    return Preview(
        today=invoice if day <= on else Money(0, currency),
        first_invoice=invoice,
        first_invoice_day=day,
        recurring=recurring,
        new=recurring - _before(running, settled, interval, currency),
        interval=interval,
        start=changed.start,
        lowest=changed.applied(running).lowest(currency),
        lines=lines,
    )


def _before(running: Running, day: date, interval: Interval, currency: str) -> Money:
    """What ran until now, for as long as one new interval, so that the two compare."""
    plan = running.plan_on(day)
    present = running.recurring(day, currency)
    if plan is None or plan.interval == interval:
        return present
    return Money(present.minor * interval.months // plan.interval.months, currency)
