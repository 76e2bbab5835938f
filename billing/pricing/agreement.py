"""What is billed beside what was approved, so that staff see a line that nobody agreed to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from revampd.kit.money import Money

from .items import Item, ItemKind, Measure
from .lines import Charge, part
from .periods import Interval, period_on


@dataclass(frozen=True, slots=True)
class Agreed:
    """The prices that a customer approved, in minor units of `currency`.

    `unit_price` is for one `interval`, of an add-on for a month; `interval` is None for what is
    charged once.
    """

    unit_price: int
    quantity: int
    currency: str
    kind: ItemKind
    interval: Interval | None
    booking_fee: int = 0
    transfer_fee: int = 0

    # What `sealed` reads of the terms
    SEALED: ClassVar = (
        *("unit_price", "quantity", "currency", "kind", "interval"),
        *("booking_fee", "transfer_fee"),
    )

    @classmethod
    def sealed(cls, terms: Mapping[str, Any]) -> "Agreed":
        """The prices in sealed terms, as `billing.terms` writes them."""
        return cls(
            unit_price=terms["unit_price"],
            quantity=terms["quantity"],
            currency=terms["currency"],
            kind=ItemKind(terms["kind"]),
            interval=Interval(terms["interval"]) if terms["interval"] else None,
            booking_fee=terms.get("booking_fee") or 0,
            transfer_fee=terms.get("transfer_fee") or 0,
        )

    def rate(self, interval: Interval) -> tuple[Money, Interval | None]:
        """The unit price, and what it is for, of an item that is billed each `interval`.

        An add-on is approved at a monthly price and runs in the cycle of its plan.
        """
        if self.kind == ItemKind.ADD_ON and self.interval == Interval.MONTH:
            return Money(self.unit_price * interval.months, self.currency), interval
        return Money(self.unit_price, self.currency), self.interval

    def fee(self, measure: Measure) -> Money:
        fee = self.booking_fee if measure == Measure.BOOKING else self.transfer_fee
        return Money(fee, self.currency)


def unexplained(charge: Charge, agreed: Agreed) -> str:
    """One sentence for staff on what `charge` bills other than `agreed`, "" if nothing.

    It looks at the prices of the item, and works out the amount once more from what was agreed.
    """
    item = charge.item
    if item.kind != agreed.kind:
        return f"{item.name} is billed as {item.kind.label}, approved as {agreed.kind.label}."
    if charge.measure:
        return _unexplained_usage(charge, agreed, charge.measure)
    price, interval = agreed.rate(item.interval)
    billed = (item.quantity, item.unit_price, item.interval)
    if billed != (agreed.quantity, price, interval):
        approved = _rate(agreed.quantity, price, interval)
        return f"{item.name} is billed at {_rate(*billed)}, approved at {approved}."
    return _unexplained_amount(charge, _due(item, charge, price * agreed.quantity))


def _unexplained_usage(charge: Charge, agreed: Agreed, measure: Measure) -> str:
    billed, approved = charge.unit_price, agreed.fee(measure)
    if billed != approved:
        name = charge.item.name
        return f"{name} is billed at {billed} each {measure.label}, approved at {approved}."
    return _unexplained_amount(charge, approved * charge.count)


def _unexplained_amount(charge: Charge, due: Money) -> str:
    if charge.amount == due:
        return ""
    return f"“{charge.text}” is billed at {charge.amount}, but comes to {due} as approved."


def _due(item: Item, charge: Charge, price: Money) -> Money:
    """What the days of `charge` cost at `price`: below zero, given back, if `item` had ended."""
    whole = period_on(item.anchor, item.interval, charge.period.start)
    due = part(price, whole, charge.period)
    return due if item.runs_on(charge.period.start) else -due


def _rate(quantity: int, price: Money, interval: Interval | None) -> str:
    """ "$149.00 a month", "5 × $30.00 a year"."""
    words = f"{price} a {interval.label}" if interval else f"{price} once"
    return words if quantity == 1 else f"{quantity} × {words}"
