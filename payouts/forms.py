"""How a payout is settled, and how the next ones are by themselves."""

from typing import Any

from django import forms

from billing.forms.fields import Choice, WholeNumberField
from revampd.kit.money import MoneyFormField

from .models import BankAccount, Payout, Preference

CREDIT, TRANSFER, SPLIT = "CREDIT", "TRANSFER", "SPLIT"


class SettlementForm(forms.Form):
    """To the wallet, to the bank, or so much to each. Without a bank account, to the wallet."""

    way = forms.ChoiceField(
        label="Where should it go?",
        widget=forms.RadioSelect,
        error_messages={"required": "Choose one.", "invalid_choice": "Choose one that is offered."},
    )

    def __init__(self, payout: Payout, bank: BankAccount | None, data: Any = None) -> None:
        super().__init__(data, initial={"way": CREDIT})
        self.payout = payout
        choices = [(CREDIT, Choice("To the wallet", "At once; it pays what Revampd bills you"))]
        if bank:
            choices += [
                (TRANSFER, Choice("To the bank", f"To {bank}, in a few days")),
                (SPLIT, Choice("Split", "So much to each; together the whole payout")),
            ]
            for name, label in (("credit", "To the wallet"), ("transfer", "To the bank")):
                self.fields[name] = MoneyFormField(
                    label=label,
                    currency=payout.currency,
                    required=False,
                    help_text="Only for a split",
                )
        self.fields["way"].choices = choices  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("way") == SPLIT:
            for name in ("credit", "transfer"):
                if name not in self.errors and given.get(name) is None:
                    self.add_error(name, "Enter an amount; 0 for nothing.")
        return given

    @property
    def parts(self) -> tuple[int, int] | None:
        """What goes to the wallet and to the bank, minor units; None if it cannot be read."""
        given, whole = getattr(self, "cleaned_data", {}), self.payout.left
        way = given.get("way")
        if way == CREDIT:
            return whole, 0
        if way == TRANSFER:
            return 0, whole
        credit, transfer = given.get("credit"), given.get("transfer")
        return None if credit is None or transfer is None else (credit, transfer)


class PreferenceForm(forms.Form):
    """What is done with a payout as soon as it is available."""

    kind = forms.ChoiceField(
        label="When a payout is available",
        choices=[
            (Preference.Kind.BY_HAND, Choice("Ask me every time", "Nothing happens by itself")),
            (Preference.Kind.CREDIT, Choice("All to the wallet", "It pays what Revampd bills you")),
            (Preference.Kind.TRANSFER, Choice("All to the bank", "It needs a linked account")),
            (Preference.Kind.SPLIT, Choice("Split", "A part to the wallet, the rest to the bank")),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose one.", "invalid_choice": "Choose one that is offered."},
    )
    credit_percent = WholeNumberField(
        label="Part of a split that goes to the wallet",
        help_text="In percent, from 1 to 99",
        required=False,
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off"}),
    )

    def __init__(self, preference: Preference | None, data: Any = None) -> None:
        kind = preference.kind if preference else Preference.Kind.BY_HAND
        percent = preference.credit_percent if preference else None
        super().__init__(data, initial={"kind": kind, "credit_percent": percent})
