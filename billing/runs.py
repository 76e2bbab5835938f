"""What runs on a connection on a day, what is approved for later, and what comes next."""

from collections import Counter
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from connections.models import Connection
from revampd.kit.money import Money, total

from .models import PaymentMethod, SubscriptionItem
from .models.drafts import Draft, DraftLine
from .models.due import Account, before_credits
from .models.items import coming
from .models.usage import Counted
from .pricing import Interval, ItemKind, Measure, Period, Running, period_on
from .standing import Standing
from .statement import Line


@dataclass(frozen=True)
class Runs:
    """The subscription of a connection as its Plan page shows it. It queries when it is asked."""

    connection: Connection
    day: date

    @cached_property
    def _coming(self) -> list[SubscriptionItem]:
        return coming(self.connection.pk)

    @cached_property
    def running(self) -> Running:
        """The same as pure values, from which a preview is computed."""
        day = self._coming[0].subscription.next_invoice_date if self._coming else None
        return Running(tuple(row.as_item() for row in self._coming), day)

    @cached_property
    def rows(self) -> list[SubscriptionItem]:
        """Every item that runs or will, plans first, each with the request that allows it."""
        return [row for row in self._coming if row.as_item().lasts_after(self.day)]

    @property
    def present(self) -> list[SubscriptionItem]:
        return [row for row in self.rows if row.start_date <= self.day]

    @property
    def later(self) -> list[SubscriptionItem]:
        """What is approved and begins later."""
        return [row for row in self.rows if row.start_date > self.day]

    @property
    def ending(self) -> list[SubscriptionItem]:
        """What runs today and ends on a known day."""
        return [row for row in self.present if row.end_date]

    @property
    def plan(self) -> SubscriptionItem | None:
        return next((row for row in self.present if row.kind == ItemKind.PLAN), None)

    @property
    def coming_plan(self) -> SubscriptionItem | None:
        """The plan that is approved for later."""
        return next((row for row in self.later if row.kind == ItemKind.PLAN), None)

    @property
    def ends_on(self) -> date | None:
        """The day on which everything ends, if no plan follows."""
        return self.plan.end_date if self.plan and not self.coming_plan else None

    @property
    def add_ons(self) -> list[SubscriptionItem]:
        return [row for row in self.present if row.kind == ItemKind.ADD_ON]

    @property
    def recurring(self) -> Money:
        """What one interval of everything that runs today costs, usage apart."""
        return total((row.price for row in self.present), self.connection.currency)

    @property
    def period(self) -> Period | None:
        """The billing period that today is in."""
        plan = self.plan
        if plan is None:
            return None
        return period_on(plan.anchor_date, Interval(plan.interval), self.day)

    # The next invoice, by the same code that issues it

    @cached_property
    def account(self) -> Account | None:
        return before_credits(self.connection, self.day, self._coming)

    @property
    def draft(self) -> Draft | None:
        """The invoice that the run will issue next, as it stands today."""
        return next(iter(self.account.drafts), None) if self.account else None

    @property
    def is_stopped(self) -> bool:
        """Whether nothing is billed before staff have explained a difference."""
        return bool(self.account and self.account.unexplained)

    @property
    def next_invoice(self) -> date | None:
        return self.draft.on if self.draft else None

    @property
    def planned(self) -> Money:
        """What the prices alone come to on the next invoice of all that runs."""
        day = self.running.next_invoice
        if self.draft and self.draft.on == day:
            return self._money(sum(line.amount for line in self.draft.lines if _is_price(line)))
        return total((line.amount for line in self.running.upcoming()), self.connection.currency)

    @property
    def upcoming(self) -> list[Line]:
        lines = self.draft.lines if self.draft else ()
        return [Line(line.description, self._money(line.amount)) for line in lines]

    @property
    def upcoming_total(self) -> Money:
        return self._money(self.draft.total if self.draft else 0)

    @property
    def from_wallet(self) -> Money:
        """What the credits that are there today will pay of it."""
        return min(self.upcoming_total, self.standing.balance)

    @property
    def charged(self) -> Money:
        """What is left for the payment method."""
        return self.upcoming_total - self.from_wallet

    @cached_property
    def standing(self) -> Standing:
        return Standing.of(self.connection)

    @property
    def method(self) -> PaymentMethod | None:
        """What will be charged."""
        return self.standing.method

    @property
    def usage(self) -> list[Counted]:
        """What was counted and is on no invoice yet, by measure."""
        counts: Counter[Measure] = Counter()
        costs: Counter[Measure] = Counter()
        items = {row.pk: row.as_item() for row in self._coming}
        for used in self.account.usage if self.account else []:
            counts[used.measure] += used.count
            costs[used.measure] += (items[used.item].fee(used.measure) * used.count).minor
        return [
            Counted(one, counts[one], self._money(costs[one])) for one in Measure if counts[one]
        ]

    def _money(self, minor: int) -> Money:
        return Money(minor, self.connection.currency)


def _is_price(line: DraftLine) -> bool:
    """Whether a line charges what runs, rather than a use of it or a service."""
    return line.kind != ItemKind.ONE_TIME and not line.measure
