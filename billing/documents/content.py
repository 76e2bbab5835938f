"""What stands on a document, in the words that people read: rendering knows no models."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Organization:
    """One of the two parties, as the document froze it. `legal_name` is "" if `name` is that."""

    name: str
    legal_name: str = ""
    address: str = ""
    tax_number: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One charge and its authority: who approved it, when, in which request, under which seal."""

    description: str
    quantity: str
    unit_price: str
    amount: str
    authority: str


@dataclass(frozen=True, slots=True)
class Credit:
    """What a credit takes off; `amount` carries its minus."""

    reason: str
    amount: str


@dataclass(frozen=True, slots=True)
class Payment:
    """What was paid on which day and with what; `amount` carries its minus."""

    date: str
    method: str
    amount: str


@dataclass(frozen=True, slots=True)
class InvoiceContent:
    """An invoice or a credit note. Money and days are formatted; "" or () where there is none.

    The same content renders to the same bytes; `issued_at` is the instant that the file claims.
    """

    title: str
    code: str
    status: str
    issued_at: datetime
    issued: str
    provider: Organization
    customer: Organization
    lines: tuple[Line, ...]
    amount_due: str
    # The words before the amount that counts: "Amount due", on a credit note "Credited".
    amount_label: str = "Amount due"
    # How the state is coloured: good, warn, bad or plain, as on the pages.
    tone: str = "plain"
    corrects: str = ""
    due: str = ""
    period: str = ""
    subtotal: str = ""
    total: str = ""
    credits: tuple[Credit, ...] = ()
    payments: tuple[Payment, ...] = ()
    settlement: str = ""
    notes: str = ""
