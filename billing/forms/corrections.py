"""Correcting an issued invoice: a reason, and for a credit note what is taken back of each line."""

from typing import Any

from django import forms

from billing.models import CreditNote, Invoice, InvoiceLine
from billing.models.ledger import REASON_LENGTH
from revampd.kit.money import Money, MoneyFormField


class ReasonForm(forms.Form):
    """Why it is done; the customer reads it."""

    reason = forms.CharField(
        max_length=REASON_LENGTH,
        widget=forms.Textarea({"rows": 2}),
        help_text="The customer reads it on the invoice.",
        error_messages={"required": "Say why: the customer reads it on the invoice."},
    )


class CreditNoteForm(ReasonForm):
    """An amount for each line of `invoice` of which something is left."""

    def __init__(self, invoice: Invoice, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.invoice = invoice
        lines = InvoiceLine.objects.with_left(invoice)
        self.lines = {f"line-{line.pk}": line for line in lines if line.left}
        self.fields = {name: self._amount(line) for name, line in self.lines.items()} | self.fields

    def _amount(self, line: Any) -> MoneyFormField:
        left = Money(line.left, self.invoice.currency)
        return MoneyFormField(
            label=line.description,
            currency=self.invoice.currency,
            max_minor=line.left,
            required=False,
            help_text=f"{left} is left of it.",
        )

    @classmethod
    def of_everything(cls, invoice: Invoice, reason: str) -> "CreditNoteForm":
        """The form, filled in with all that is left."""
        amounts = {f"line-{key}": minor for key, minor in CreditNote.everything(invoice).items()}
        return cls(invoice, initial=amounts | {"reason": reason})

    @property
    def left(self) -> Money:
        """What can still be taken back of the whole invoice."""
        return Money(self.invoice.total - self.invoice.corrected, self.invoice.currency)

    @property
    def amounts(self) -> dict[int, int]:
        """Minor units by the id of the line, of what was typed or filled in and can be read."""
        values = getattr(self, "cleaned_data", self.initial)
        typed = {line.pk: values.get(name) or 0 for name, line in self.lines.items()}
        return {key: minor for key, minor in typed.items() if minor}

    @property
    def amount(self) -> int:
        """What it comes to in minor units, zero if that is more than is left."""
        whole = sum(self.amounts.values())
        return whole if whole <= self.left.minor else 0
