"""How an approved offer changes what runs."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

from revampd.kit.money import Money

from .items import Item, ItemKind
from .offers import Offer
from .periods import Interval
from .running import Running


@dataclass(frozen=True, slots=True)
class Change:
    """What an act does: items whose end moves, items that begin, and the next invoice day."""

    start: date
    altered: tuple[Item, ...]
    opened: tuple[Item, ...]
    next_invoice: date

    def applied(self, running: Running) -> Running:
        altered = {item.key: item for item in self.altered}
        kept = tuple(altered.get(item.key, item) for item in running.items)
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
    lasting = [item for item in running.items if item.lasts_after(start)]
    strays = [i for i in lasting if i.kind == ItemKind.ADD_ON and not i.in_step_with(plan)]
    plans = [item for item in lasting if item.kind == ItemKind.PLAN]
    ended = tuple(item.ended(start) for item in [*plans, *strays])
    opened = (plan, *(stray.moved(plan, max(start, stray.start)) for stray in strays))
    next_invoice = running.next_invoice or start
    return Change(start, ended, opened, next_invoice if same_cycle else min(start, next_invoice))


def _join(offer: Offer, running: Running, start: date) -> Change:
    ended = tuple(item.ended(start) for item in running.items if item.key in offer.ends)
    leader = running.lead_on(start)
    if leader is None and offer.alone:
        first = _opened(offer, offer.unit_price, Interval.MONTH, start, start)
        return Change(start, ended, (first,), running.next_invoice or start)
    if leader is None or running.next_invoice is None:
        raise NothingRuns

    def opened(leader: Item, first: date) -> Item:
        price = offer.unit_price * leader.interval.months
        return _opened(offer, price, leader.interval, leader.anchor, first)

    leaders = running.leaders_after(start)
    return Change(start, ended, in_cycles(leaders, start, opened), running.next_invoice)


def in_cycles(
    leaders: Iterable[Item], start: date, opened: Callable[[Item, date], Item]
) -> tuple[Item, ...]:
    """An add-on from `start` on: one item for each cycle in which its leaders are billed."""
    joined: list[Item] = []
    for leader in leaders:
        first = max(start, leader.start)
        if joined and joined[-1].in_step_with(leader):
            continue
        if joined:
            joined[-1] = joined[-1].ended(first)
        joined.append(opened(leader, first))
    return tuple(joined)


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
