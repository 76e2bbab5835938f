"""How and when what is owed of an invoice will be paid, in words for one of the two sides."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from django.utils.formats import date_format

from connections.access import Party

from .models import Invoice, PaymentMethod
from .models.invoices import grace
from .pricing import RETRY_DAYS, next_attempt


@dataclass(frozen=True)
class Outlook:
    """What happens by itself with an unpaid `invoice` from `today` on, as `party` reads it."""

    invoice: Invoice
    method: PaymentMethod | None
    today: date
    party: Party
    is_charged_back: bool = False

    @property
    def sentence(self) -> str:
        if self.is_suspended:
            return "Nothing is tried any more. This connection is suspended until it is paid."
        if self.is_charged_back:
            who = self._who("can pay it", "has to pay it")
            return f"A bank took the payment back, so no card is charged by itself: {who}."
        if self.invoice.is_stuck:
            return (
                f"Paused until {self._who('add', 'adds')} another card. It is then tried at once."
            )
        if self.method is None:
            return self._without_method
        if self.tries:
            days = [_spoken(day, self.today) for day in self.tries]
            return f"{self.method}: next try {_listed(days)}."
        return f"{self.method} is charged {self._due_words}."

    @property
    def consequence(self) -> str:
        """What happens if nobody does anything."""
        if not self.grace_ends or self.is_suspended:
            return ""
        day = _spoken(self.grace_ends, self.today)
        return f"If it is not paid by {day}, this connection is suspended, and no other one."

    @property
    def tries(self) -> list[date]:
        """The days on which a payment that failed is tried again, from the next one on."""
        return list(self._tries())

    def _tries(self) -> Iterator[date]:
        first, upcoming = self.invoice.first_failed_on, self.invoice.next_attempt_on
        if not first or not upcoming or not self.method:
            return
        yield upcoming
        for failed in range(self.invoice.attempts + 1, len(RETRY_DAYS) + 1):
            day = next_attempt(first, failed)
            if day and upcoming < day and (self.grace_ends is None or day < self.grace_ends):
                yield day

    @property
    def grace_ends(self) -> date | None:
        """The day on which the connection is suspended."""
        past_due_on = self.invoice.past_due_on
        return past_due_on + grace() if past_due_on else None

    @property
    def is_suspended(self) -> bool:
        return bool(self.invoice.past_due_on and not self.invoice.collect_on)

    @property
    def needs_method(self) -> bool:
        """Whether nothing happens before there is another payment method."""
        is_stuck = self.invoice.is_stuck and not self.is_charged_back
        return self.method is None or is_stuck

    @property
    def _without_method(self) -> str:
        nobody = f"{self._who('have', 'has')} no payment method."
        if self.party.is_customer:
            return f"{nobody[0].upper()}{nobody[1:]} Add one, and it is charged at once."
        return f"{nobody} It is charged as soon as they add one."

    @property
    def _due_words(self) -> str:
        day = self.invoice.collect_on or self.today
        return "now" if day <= self.today else f"on {_spoken(day, self.today)}"

    def _who(self, you: str, they: str) -> str:
        if self.party.is_customer:
            return f"you {you}"
        return f"{self.party.counterparty} {they}"


def _spoken(day: date, today: date) -> str:
    if day <= today:
        return "today"
    return date_format(day, "j M" if day.year == today.year else "j M Y")


def _listed(days: list[str]) -> str:
    return days[0] if len(days) == 1 else f"{days[0]}, then {', '.join(days[1:])}"
