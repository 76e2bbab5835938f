"""How an approved offer changes what runs."""

from dataclasses import dataclass, replace
from datetime import date

from revampd.kit.money import Money

from .items import Item, ItemKind
from .offers import Offer
from .periods import Interval
from .running import Running


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
        booking_fee=offer.booking_fee,
        transfer_fee=offer.transfer_fee,
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
