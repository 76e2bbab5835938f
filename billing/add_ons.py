"""Add-ons as their page shows them: what can be done about each, and what less of it would cost."""

from dataclasses import dataclass
from datetime import date

from revampd.kit.money import Money

from .models import SubscriptionItem
from .pricing import Ending, ItemKind
from .runs import Runs


@dataclass(frozen=True)
class Added:
    """An add-on as it runs on `day`, or will."""

    item: SubscriptionItem
    day: date

    @classmethod
    def all_of(cls, runs: Runs) -> list["Added"]:
        return [cls(row, runs.day) for row in runs.rows if row.kind == ItemKind.ADD_ON]

    @property
    def is_coming(self) -> bool:
        return self.item.start_date > self.day

    @property
    def may_be_removed(self) -> bool:
        return self.item.end_date is None

    @property
    def may_be_retained(self) -> bool:
        """Whether it ends, or leaves less than there was, by the customer's own will."""
        is_less = self.is_coming and bool(self.item.request.offer.ends)
        return is_less or self.item.ending == Ending.REMOVED


@dataclass(frozen=True)
class Less:
    """How many of an add-on would be left from `day` on, and what these cost each interval."""

    left: int
    day: date | None
    after: Money

    @classmethod
    def of(cls, item: SubscriptionItem, removed: int, runs: Runs) -> "Less":
        left = item.quantity - removed
        return cls(left, runs.running.next_cycle(runs.day), item.unit_money * left)


def counted(quantity: int, name: str) -> str:
    """ "Phone number", "3 × Phone number"."""
    return name if quantity == 1 else f"{quantity:,} × {name}"
