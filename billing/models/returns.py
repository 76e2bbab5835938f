"""Where money goes that is taken back of an invoice: the credit note and its preview ask here."""

from dataclasses import dataclass

from billing.pricing import give_back
from revampd.kit.money import Money

from .applications import CreditApplication
from .invoices import Invoice
from .payments import Payment


@dataclass(frozen=True)
class Return:
    """Where the money goes that a credit note takes back: owed less, and to those who paid."""

    currency: str
    less: int
    shares: tuple[tuple[CreditApplication | Payment, int], ...]

    @classmethod
    def of(cls, invoice: Invoice, amount: int) -> "Return":
        """What taking back `amount` minor units of `invoice` would come to as it stands."""
        applications = invoice.applications.standing().oldest_first().select_related("credit")
        payments = invoice.payments.succeeded().order_by("settled_at", "id")
        sources: list[CreditApplication | Payment] = [
            *applications,
            *payments.select_related("method"),
        ]
        paid = [s.kept if isinstance(s, Payment) else s.amount - s.returned for s in sources]
        less, shares = give_back(amount, invoice.outstanding, paid)
        given = zip(sources, shares, strict=True)
        return cls(invoice.currency, less, tuple((s, share) for s, share in given if share))

    @property
    def back(self) -> int:
        """What returns to those who paid."""
        return sum(share for _, share in self.shares)

    @property
    def total(self) -> Money:
        return Money(self.less + self.back, self.currency)

    @property
    def owed_less(self) -> Money:
        return Money(self.less, self.currency)

    @property
    def to_wallet(self) -> Money:
        return Money(
            sum(share for to, share in self.shares if isinstance(to, CreditApplication)),
            self.currency,
        )

    @property
    def to_methods(self) -> list[tuple[str, Money]]:
        """What goes back to each payment method."""
        sums: dict[str, int] = {}
        for to, share in self.shares:
            if isinstance(to, Payment):
                sums[to.method.label] = sums.get(to.method.label, 0) + share
        return [(label, Money(minor, self.currency)) for label, minor in sums.items()]
