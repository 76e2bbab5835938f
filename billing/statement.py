"""The money of a request as people read it: "today X, then Y each month, of which Z is new"."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.utils.formats import date_format

from revampd.kit.money import Money

from .models import BillingRequest
from .pricing import Interval, ItemKind
from .terms import Terms


@dataclass(frozen=True)
class Line:
    """One line of the first invoice."""

    text: str
    amount: Money


@dataclass(frozen=True)
class Statement:
    """What is charged today, what each interval after that, and the lines of the first invoice.

    `then` is None for what is charged once. `new` is what `then` grows by, None if it does not.
    `first_date` is None when the first invoice comes with the approval itself.
    """

    today: Money
    then: Money | None
    each: str
    new: Money | None
    note: str
    first: Money
    first_date: date | None
    lines: tuple[Line, ...]

    @classmethod
    def on(cls, request: BillingRequest, day: date) -> "Statement":
        """What approving `request` on `day` comes to, with what runs today."""
        preview = request.preview(day)
        first_day = preview.first_invoice_day
        return cls._of(
            request.terms,
            first=preview.first_invoice,
            first_date=first_day if first_day and first_day > day else None,
            then=preview.recurring,
            new=preview.new,
            each=preview.interval.label,
            lines=(Line(charge.text, charge.amount) for charge in preview.lines),
        )

    @classmethod
    def sealed(cls, terms: Terms) -> "Statement":
        """What the sealed terms promise, as it was on the day of the proposal."""
        first, after = terms["first_invoice"], terms["afterwards"]
        currency = terms["currency"]
        return cls._of(
            terms,
            first=Money(first["amount"], currency),
            first_date=date.fromisoformat(first["date"])
            if first["date"] and not first["on_approval"]
            else None,
            then=Money(after["amount"], currency),
            new=Money(after["new"], currency),
            each=Interval(after["interval"]).label,
            lines=(Line(text, Money(minor, currency)) for text, minor in first["lines"]),
        )

    @classmethod
    def _of(
        cls,
        terms: Terms,
        *,
        first: Money,
        first_date: date | None,
        then: Money,
        new: Money,
        each: str,
        lines: Iterable[Line],
    ) -> "Statement":
        is_once = terms["kind"] == ItemKind.ONE_TIME
        lines = tuple(lines) or ((Line(terms["name"], first),) if is_once else ())
        # An add-on without lines waits for the plan that it joins, and is billed with it.
        waits = terms["kind"] == ItemKind.ADD_ON and not lines
        words = _once(then, each) if is_once else _after(terms, then, new, first, first_date, waits)
        return cls(
            today=Money(0, first.currency) if first_date or waits else first,
            then=None if is_once else then,
            each=each,
            new=new if new.minor > 0 else None,
            note=words,
            first=first,
            first_date=first_date,
            lines=lines,
        )


def _once(then: Money, each: str) -> str:
    words = "This is charged once."
    return f"{words} What runs already stays at {then} each {each}." if then else words


def _after(
    terms: Terms, then: Money, new: Money, first: Money, first_date: date | None, waits: bool
) -> str:
    words = []
    if waits:
        words.append("It is billed with the plan that it joins.")
    if first_date and first != then:
        words.append(f"The first invoice, on {date_format(first_date, 'j M Y')}, is {first}.")
    if new.minor < 0:
        words.append(f"{-new} less than now.")
    if fees := usage_in_words(terms):
        words.append(f"Usage comes on top: {fees}.")
    return " ".join(words)


def usage_in_words(terms: Terms) -> str:
    """ "$2.00 each booking and $1.00 each transfer", "" without usage fees."""
    fees = [
        f"{Money(terms[name], terms['currency'])} each {what}"
        for name, what in (("booking_fee", "booking"), ("transfer_fee", "transfer"))
        if terms.get(name)
    ]
    return " and ".join(fees)
