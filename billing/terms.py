"""Sealed terms: everything that a request promises, as canonical JSON, and its SHA-256."""

import hashlib
import json
from dataclasses import dataclass
from datetime import date
from typing import Any

from connections.kinds import readable
from revampd.kit.money import Money

from .pricing import Interval, Item, ItemKind, Offer, Preview, Timing

PRORATION = (
    "A price runs to the day: what starts or ends inside a billing period costs the days it runs, "
    "as a share of the days of that period, at the price written here."
)

Terms = dict[str, Any]


def compose(
    offer: Offer, preview: Preview, replaces: Item | None, *, day: date, **particulars: Any
) -> Terms:
    """The terms of `offer` as sealed on `day`. Amounts are in minor units of `currency`.

    `particulars` are the facts around the offer: provider, customer, item id and version, usage
    fees, note, and the instant until which it can be approved.
    """
    start = None if offer.timing == Timing.NOW else preview.start
    first_day = preview.first_invoice_day
    return {
        "format": 1,
        "kind": offer.kind.value,
        "name": offer.name,
        "currency": offer.unit_price.currency,
        "unit_price": offer.unit_price.minor,
        "quantity": offer.quantity,
        "interval": None if offer.kind == ItemKind.ONE_TIME else offer.interval.value,
        "timing": offer.timing.value,
        "effective_date": start.isoformat() if start else None,
        "replaces": replaced(replaces),
        "proration": PRORATION,
        "first_invoice": {
            "on_approval": first_day is not None and first_day <= day,
            "date": first_day.isoformat() if first_day else None,
            "amount": preview.first_invoice.minor,
            "lines": [[line.text, line.amount.minor] for line in preview.lines],
        },
        "afterwards": {
            "interval": preview.interval.value,
            "amount": preview.recurring.minor,
            "new": preview.new.minor,
        },
        "as_of": day.isoformat(),
        # Only where an add-on takes the place of running items.
        **({"ends": [str(key) for key in offer.ends]} if offer.ends else {}),
        **particulars,
    }


def replaced(item: Item | None) -> Terms | None:
    """What runs and an approval ends, as the terms name it."""
    if item is None:
        return None
    return {"name": item.name, "price": item.price.minor, "interval": item.interval.value}


def canonical(terms: Terms) -> str:
    """One spelling for the same terms, whatever order they were put together in."""
    return json.dumps(terms, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def seal(terms: Terms) -> str:
    """The SHA-256 of the canonical terms, in hexadecimal."""
    return hashlib.sha256(canonical(terms).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Difference:
    """One promise that reads differently in two sets of terms."""

    label: str
    before: str
    after: str


def differences(before: Terms, after: Terms) -> list[Difference]:
    """What changed between two sets of terms, in the words of the request page."""
    old, new = dict(in_words(before)), dict(in_words(after))
    return [
        Difference(label, old.get(label, "–"), new.get(label, "–"))
        for label in {**old, **new}
        if old.get(label) != new.get(label)
    ]


def in_words(terms: Terms) -> list[tuple[str, str]]:
    """The terms as (label, value) pairs that a person reads, in the order of the page."""
    kind, currency = ItemKind(terms["kind"]), terms["currency"]
    rows = [(kind.label, terms["name"])]
    if terms.get("version"):
        rows.append(("Version", str(terms["version"])))
    rows.append(("Price", price_in_words(terms)))
    rows += [
        (label, f"{Money(terms[fee], currency)} each")
        for fee, label in (("booking_fee", "Booking fee"), ("transfer_fee", "Transfer fee"))
        if terms.get(fee)
    ]
    if terms["quantity"] != 1:
        rows.append(("Quantity", str(terms["quantity"])))
    rows.append(("Effective", effective_in_words(terms)))
    if terms["replaces"]:
        rows.append(("Replaces", replaced_in_words(terms)))
    if about := terms.get("about"):
        rows.append(("For", f"{about['reference']}: {about['title']}"))
    if terms.get("note"):
        rows.append(("Note", terms["note"]))
    return rows


def headline(terms: Terms) -> str:
    """What a request is about, in a few words: "Change from Starter to Growth"."""
    name: str = terms["name"]
    if terms["kind"] == ItemKind.ONE_TIME:
        return f"Charge once: {name}"
    if terms["kind"] == ItemKind.ADD_ON:
        if terms["replaces"]:
            return f"Keep {terms['quantity']} × {name}"
        return f"Add {name}" if terms["quantity"] == 1 else f"Add {terms['quantity']} × {name}"
    old = terms["replaces"]
    if old is None:
        return f"Start {name}"
    if old["name"] != name:
        return f"Change from {old['name']} to {name}"
    if old["interval"] != terms["interval"]:
        return f"Change {name} to {Interval(terms['interval']).adverb} billing"
    return f"Change {name} to the new price"


def price_in_words(terms: Terms) -> str:
    """ "$149.00 a month", "5 × $2.50 a month", "$400.00 once"."""
    price = str(Money(terms["unit_price"], terms["currency"]))
    if terms["quantity"] != 1:
        price = f"{terms['quantity']} × {price}"
    return f"{price} {_rhythm(terms['interval'])}"


def replaced_in_words(terms: Terms) -> str:
    """What ends: "Starter, $49.00 a month"."""
    old = terms["replaces"]
    price = Money(old["price"], terms["currency"])
    return f"{old['name']}, {price} {_rhythm(old['interval'])}"


def _rhythm(interval: str | None) -> str:
    return f"a {Interval(interval).label}" if interval else "once"


def effective_in_words(terms: Terms) -> str:
    """ "On approval", "1 Dec 2026, the next billing cycle", "15 Jan 2027"."""
    if terms["timing"] == Timing.NOW:
        return "On approval"
    day = readable({"date": terms["effective_date"]})
    return f"{day}, the next billing cycle" if terms["timing"] == Timing.NEXT_CYCLE else day
