"""How many of an add-on a customer takes or gives back."""

from typing import Any

from django import forms

from billing.models.proposals import MAX_QUANTITY

from .fields import WholeNumberField


class QuantityForm(forms.Form):
    """So many, at most `most`. `seal` stands for the price that the person saw of it."""

    quantity = WholeNumberField(min_value=1)
    seal = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def __init__(self, *args: Any, most: int = MAX_QUANTITY, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        errors = {"min_value": "Enter at least 1.", "max_value": f"Enter at most {most:,}."}
        self.fields["quantity"] = WholeNumberField(
            label="How many?", min_value=1, max_value=most, error_messages=errors
        )
