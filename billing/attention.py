"""What somebody has to do about the payments of a connection: the banners of its overview."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from django.urls import reverse
from django.utils.formats import date_format

from connections.access import Party
from connections.models import Connection
from revampd.kit.money import Money, total

from .models import Invoice, Payment, PaymentMethod
from .models.invoices import grace
from .standing import Standing

SHOWN = 3


@dataclass(frozen=True)
class Attention:
    """One banner: what is the matter, what to do, and where. `tone` is one of the alert's."""

    tone: str
    icon: str
    title: str
    text: str
    url: str = ""
    action: str = ""


@dataclass(frozen=True)
class Watch:
    """Looks at one connection as `party` sees it on `today`."""

    party: Party
    today: date
    next_invoice: date | None
    standing: Standing

    def found(self) -> list[Attention]:
        """What is overdue first, then what waits for the customer."""
        return [*self._overdue(), *self._to_confirm(), *self._card()]

    @property
    def connection(self) -> Connection:
        return self.party.connection

    @property
    def method(self) -> PaymentMethod | None:
        return self.standing.method

    @property
    def _may_pay(self) -> bool:
        return self.party.is_customer and self.party.may_bill

    def _overdue(self) -> Iterator[Attention]:
        if not self.standing.is_overdue:
            return
        invoices = self.connection.invoices.filter(state=Invoice.State.PAST_DUE)
        overdue = list(invoices.order_by("past_due_on", "number"))
        due = total((invoice.amount_due for invoice in overdue), self.connection.currency)
        is_suspended = self.connection.state == Connection.State.SUSPENDED
        title, text = self._suspended(due) if is_suspended else self._late(due, overdue[0])
        if self._may_pay and self.method is None:
            text += " Add a payment method, and it is paid at once."
        codes = ", ".join(invoice.code for invoice in overdue[:SHOWN])
        more = f" and {len(overdue) - SHOWN} more" if len(overdue) > SHOWN else ""
        url, action = self._overdue_place(overdue)
        yield Attention("bad", "warning", title, f"{codes}{more}. {text}", url, action)

    def _suspended(self, due: Money) -> tuple[str, str]:
        who = self.party.counterparty
        return (
            f"{who} is suspended." if self.party.is_provider else f"You are suspended with {who}.",
            f"{due} is past due. Nothing new is sold until it is paid; then all is back at once.",
        )

    def _late(self, due: Money, oldest: Invoice) -> tuple[str, str]:
        ends = oldest.past_due_on + grace() if oldest.past_due_on else None
        return f"{due} is past due.", f"Unpaid on {_day(ends)}, the connection is suspended."

    def _overdue_place(self, overdue: list[Invoice]) -> tuple[str, str]:
        if len(overdue) > 1:
            url = f"{self._url('billing:invoices')}?state={Invoice.State.PAST_DUE}"
            return url, "See what to pay" if self._may_pay else "See the invoices"
        url = self._url("billing:invoice", overdue[0].number)
        return url, "Pay the invoice" if self._may_pay else "See the invoice"

    def _to_confirm(self) -> Iterator[Attention]:
        """Payments that the customer's bank wants confirmed."""
        if not self.standing.has_to_confirm:
            return
        waiting = self.connection.payments.filter(state=Payment.State.ACTION)
        for payment in waiting.select_related("invoice", "method").order_by("begun_at"):
            url, code = self._url("billing:invoice", payment.invoice.number), payment.invoice.code
            action = "Confirm the payment" if self._may_pay else "See the invoice"
            if self.party.is_provider:
                title = f"{self.party.counterparty} has to confirm a payment of {payment.total}."
                yield Attention("info", "clock", title, f"Then {code} is paid.", url, action)
            else:
                title = f"Confirm the payment of {payment.total}."
                text = f"The bank of your {payment.method} wants to hear it from you, for {code}."
                yield Attention("warn", "lock", title, text, url, action)

    def _card(self) -> Iterator[Attention]:
        """A card that cannot pay the next invoice; its provider can do nothing about that."""
        if self.party.is_provider or self.next_invoice is None:
            return
        url, day = self._url("billing:payment-methods"), _day(self.next_invoice)
        if self.method is None:
            if self.standing.has_had_method:
                title = "There is no payment method any more."
                text = f"The invoice of {day} cannot be paid by itself."
                yield Attention("warn", "card", title, text, url, "Payment methods")
        elif self.method.has_expired(self.next_invoice):
            expires = "has expired" if self.method.has_expired(self.today) else "expires"
            title = f"{self.method} {expires} ({self.method.expiry})."
            text = f"The next invoice comes on {day}. Add another card in time."
            yield Attention("warn", "card", title, text, url, "Payment methods")

    def _url(self, name: str, *args: object) -> str:
        return reverse(name, args=[self.connection.pk, *args])


def _day(day: date | None) -> str:
    return date_format(day, "j M Y") if day else ""
