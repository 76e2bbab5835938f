"""The sandbox's cards: Stripe's well-known test numbers, and ours for a network that misbehaves.

No other number is taken, so that nobody's real card ever gets here.
"""

import re
from dataclasses import dataclass
from datetime import date
from enum import Enum, auto

from django.core.exceptions import ValidationError


class Behaviour(Enum):
    """What happens when a card is added (the first) or charged."""

    REFUSED_WHEN_ADDED = auto()
    PAYS = auto()
    DECLINES = auto()
    CONFIRMS_ONCE = auto()  # the first charge needs the customer, later ones do not
    CONFIRMS_ALWAYS = auto()
    LOSES_REQUEST = auto()  # no answer, nothing happened; the same key again goes through
    LOSES_ANSWER = auto()  # no answer, but it went through
    DELAYED = auto()  # processing, pays a little later
    DELAYED_DECLINE = auto()  # processing, declines a little later
    TELLS_TWICE = auto()  # every webhook comes twice
    TELLS_IN_DISORDER = auto()  # delayed; the webhook of the beginning comes after that of the end
    REFUNDS_LATER = auto()
    REFUSES_REFUNDS = auto()  # a refund is processing, then fails
    DISPUTES = auto()  # pays; a little later the bank takes it back, until staff decide for it


@dataclass(frozen=True, slots=True)
class Card:
    """A test card. `code` is why it declines; `story` says on the page what it is good for."""

    name: str
    number: str
    behaviour: Behaviour
    story: str
    code: str = ""
    brand: str = "Visa"

    @property
    def last4(self) -> str:
        return self.number[-4:]

    @property
    def grouped(self) -> str:
        """As it is printed: "4242 4242 4242 4242"."""
        return " ".join(self.number[start : start + 4] for start in range(0, 16, 4))


def _declining(number: str, code: str, story: str) -> Card:
    return Card(code, number, Behaviour.DECLINES, story, code)


ALL = (
    Card("visa", "4242424242424242", Behaviour.PAYS, "Pays"),
    Card("mastercard", "5555555555554444", Behaviour.PAYS, "Pays", brand="Mastercard"),
    Card(
        *("refused", "4000000000000002", Behaviour.REFUSED_WHEN_ADDED),
        *("Cannot even be added", "generic_decline"),
    ),
    _declining("4000000000000341", "generic_decline", "Can be added, every charge is declined"),
    _declining("4000000000009995", "insufficient_funds", "Not enough money"),
    _declining("4000000000000119", "processing_error", "The bank has trouble"),
    _declining("4000000000009987", "lost_card", "Reported lost: not tried again"),
    _declining("4000000000009979", "stolen_card", "Reported stolen: not tried again"),
    _declining("4000000000000069", "expired_card", "Expired: not tried again"),
    Card(
        *("confirms_once", "4000002500003155", Behaviour.CONFIRMS_ONCE),
        "The first payment has to be confirmed",
    ),
    Card(
        *("confirms_always", "4000002760003184", Behaviour.CONFIRMS_ALWAYS),
        "Every payment has to be confirmed",
    ),
    Card(
        *("refunds_later", "4000000000007726", Behaviour.REFUNDS_LATER),
        "Pays; a refund takes a few minutes",
    ),
    Card(
        *("refuses_refunds", "4000000000005126", Behaviour.REFUSES_REFUNDS),
        *("Pays; a refund fails after a few minutes", "refund_failed"),
    ),
    Card(
        *("disputes", "4000000000000259", Behaviour.DISPUTES),
        "Pays; the bank disputes it after ten minutes",
    ),
    Card(
        *("request_lost", "4000009000000102", Behaviour.LOSES_REQUEST),
        "Time-out before the charge; the next try pays",
    ),
    Card(
        *("answer_lost", "4000009000000201", Behaviour.LOSES_ANSWER),
        "Pays, but the answer is lost",
    ),
    Card(*("delayed", "4000009000000300", Behaviour.DELAYED), "Pays after a few minutes"),
    Card(
        *("delayed_decline", "4000009000000409", Behaviour.DELAYED_DECLINE),
        *("Declined after a few minutes", "insufficient_funds"),
    ),
    Card(
        *("tells_twice", "4000009000000508", Behaviour.TELLS_TWICE),
        "Pays; every webhook comes twice",
    ),
    Card(
        *("tells_in_disorder", "4000009000000607", Behaviour.TELLS_IN_DISORDER),
        "Pays after a few minutes; webhooks come in the wrong order",
    ),
)
BY_NAME = {card.name: card for card in ALL}
BY_NUMBER = {card.number: card for card in ALL}


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed on the page and can be read."""

    card: Card
    exp_month: int
    exp_year: int


def read(number: str, exp_month: str, exp_year: str, cvc: str, *, today: date) -> Typed:
    """What a person typed, or ValidationError with a sentence for each field that is wrong."""
    errors: dict[str, str] = {}
    card = BY_NUMBER.get(re.sub(r"[ -]", "", number))
    if card is None:
        errors["number"] = "Use one of the test cards: no real card works here."
    elif card.behaviour is Behaviour.REFUSED_WHEN_ADDED:
        errors["number"] = "The bank declined this card."
    month, year = _number(exp_month, {1, 2}), _number(exp_year, {2, 4})
    if len(exp_year.strip()) == 2:
        year += 2000
    if not 1 <= month <= 12:
        errors["exp_month"] = "Enter a month from 1 to 12."
    if not 2000 <= year <= 2099:
        errors["exp_year"] = "Enter a year like 2029 or 29."
    elif "exp_month" not in errors and (year, month) < (today.year, today.month):
        errors["exp_year"] = "This card has expired."
    if _number(cvc, {3}) < 0:
        errors["cvc"] = "Enter the three digits on the back."
    if errors or card is None:
        raise ValidationError({field: [sentence] for field, sentence in errors.items()})
    return Typed(card, month, year)


def _number(text: str, lengths: set[int]) -> int:
    """ASCII digits, as many as `lengths` allows; -1 for anything else, which is in no range."""
    text = text.strip()
    is_number = len(text) in lengths and text.isascii() and text.isdecimal()
    return int(text) if is_number else -1
