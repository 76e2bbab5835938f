"""The preview: the sentence "today X, then Y each month, of which Z is new"."""

from dataclasses import dataclass
from datetime import date

from revampd.kit.money import Money, total

from .changes import Change, NothingRuns, change
from .items import ItemKind
from .lines import Charge
from .offers import Offer
from .periods import Interval
from .running import Running


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
    start = offer.start(running, on)
    leader = running.lead_on(running.next_invoice) if running.next_invoice else None
    nothing = Money(0, offer.unit_price.currency)
    return Preview(
        today=offer.price if start == on else nothing,
        first_invoice=offer.price,
        first_invoice_day=start,
        recurring=running.recurring(max(start, running.next_invoice or start), nothing.currency),
        new=nothing,
        interval=leader.interval if leader else Interval.MONTH,
        start=start,
        lowest=nothing,
    )


def _preview_change(changed: Change, running: Running, on: date, currency: str) -> Preview:
    after = changed.applied(running)
    while after.billed_through <= changed.start:
        after = after.billed()
    day, lines = after.next_invoice or changed.start, tuple(after.upcoming())
    settled = max(day, changed.start)
    leader = after.lead_on(settled)
    invoice = total((line.amount for line in lines), currency)
    recurring = after.recurring(settled, currency)
    interval = leader.interval if leader else Interval.MONTH
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
    leader = running.lead_on(day)
    present = running.recurring(day, currency)
    if leader is None or leader.interval == interval:
        return present
    return Money(present.minor * interval.months // leader.interval.months, currency)
