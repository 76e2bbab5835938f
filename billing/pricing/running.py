"""Everything that runs on a connection, and the invoices that follow from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from revampd.kit.money import Money, total

from .items import Item, ItemKind
from .lines import Charge, charges
from .periods import period_on
from .usage import Usage, usage_charges


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

    def lead_on(self, day: date) -> Item | None:
        """The item in whose periods all others are billed: the plan, else the oldest add-on."""
        return self.plan_on(day) or min(
            (item for item in self.items if item.runs_on(day)),
            key=lambda item: item.start,
            default=None,
        )

    def leaders_after(self, day: date) -> list[Item]:
        """The items that set the cycle after `day`, in their order: scheduled plans as well."""
        plans = [i for i in self.items if i.kind == ItemKind.PLAN and i.lasts_after(day)]
        if plans:
            return sorted(plans, key=lambda plan: plan.start)
        leader = self.lead_on(day)
        return [leader] if leader else []

    def upcoming(self, usage: Sequence[Usage] = ()) -> list[Charge]:
        """The lines of the next invoice. The billing run issues just these.

        `usage` is what was counted and is not billed yet; that of days before the invoice's own
        follows the line of the plan that ran.
        """
        return [] if self.next_invoice is None else self._lines(self.billed_through, usage)

    @property
    def billed_through(self) -> date:
        """The day up to which the next invoice bills: one period, or the end of it all."""
        day = self.next_invoice
        if day is None:
            raise ValueError("nothing runs, so nothing is billed")
        leader = self.lead_on(day)
        if leader is None:
            return day
        own = period_on(leader.anchor, leader.interval, day).end
        # A plan with a cycle of its own cuts the period short on the day it begins.
        cuts = [i.start for i in self.items if i.anchor == i.start > day and i.end != i.start]
        return min([own, *cuts])

    def billed(self) -> "Running":
        """What runs once the next invoice has been issued."""
        return self._after(self.billed_through)

    def bill(self, usage: Sequence[Usage] = ()) -> tuple[list[Charge], "Running"]:
        """The lines of the next invoice and what runs afterwards, at the price of one."""
        through = self.billed_through
        return self._lines(through, usage), self._after(through)

    def _lines(self, through: date, usage: Sequence[Usage]) -> list[Charge]:
        used = [one for one in usage if self.next_invoice and one.day < self.next_invoice]
        lines = []
        for item in self.items:
            lines += charges(item, through)
            if used:
                lines += usage_charges(item, used)
        return lines

    def _after(self, through: date) -> "Running":
        items = tuple([item.billed(through) for item in self.items])
        # When nothing runs any more, this was the last invoice.
        return Running(items, None if through == self.next_invoice else through)

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
