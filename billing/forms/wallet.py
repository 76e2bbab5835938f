"""What a provider puts into the wallet of a customer, or takes out of it."""

from typing import Any

from django import forms

from billing.models.ledger import REASON_LENGTH
from connections.models import Connection
from revampd.kit.ids import growing_id
from revampd.kit.money import Money, MoneyFormField

from .fields import Choice

ADD, TAKE = "ADD", "TAKE"
DIRECTIONS = [
    (ADD, Choice("Add credit", "It pays what is owed and the next invoices")),
    (TAKE, Choice("Take credit out", "From the oldest credit first")),
]


class AdjustmentForm(forms.Form):
    """Which way, how much, and why.

    `key` is the id of the adjustment to be, so that sending the form twice adjusts once.
    """

    key = forms.UUIDField(widget=forms.HiddenInput)
    direction = forms.ChoiceField(
        label="What do you want to do?",
        choices=DIRECTIONS,
        initial=ADD,
        widget=forms.RadioSelect({"class": "across"}),
        error_messages={
            "required": "Choose one of the two.",
            "invalid_choice": "Choose one of the two.",
        },
    )
    reason = forms.CharField(
        max_length=REASON_LENGTH,
        help_text="The customer reads it in the wallet.",
        error_messages={
            "required": "Say why: the customer reads it in the wallet.",
            "max_length": f"Keep the reason under {REASON_LENGTH} characters.",
        },
        widget=forms.TextInput({"placeholder": "Goodwill for the outage in October"}),
    )

    def __init__(self, connection: Connection, data: Any = None) -> None:
        super().__init__(data, initial={"key": growing_id()})
        self.currency = connection.currency
        self.fields["amount"] = MoneyFormField(
            currency=self.currency, error_messages={"required": "Enter an amount."}
        )
        self.order_fields(["key", "direction", "amount", "reason"])

    @property
    def change(self) -> Money | None:
        """By how much it changes the balance, below zero to take out; None if it cannot be read."""
        given = getattr(self, "cleaned_data", {})
        amount, direction = given.get("amount"), given.get("direction")
        if amount is None or not direction:
            return None
        money = Money(amount, self.currency)
        return money if direction == ADD else -money
