"""What the sandbox's page asks for; the gateway itself judges it."""

from datetime import date
from typing import Any

from django import forms

from billing.gateways.cards import BY_NAME


def digits(**attrs: Any) -> forms.TextInput:
    return forms.TextInput({"inputmode": "numeric", "autocomplete": "off", **attrs})


class CardForm(forms.Form):
    """A test card. What is missing or wrong, the gateway says."""

    number = forms.CharField(label="Card number", widget=digits(maxlength=23))
    exp_month = forms.CharField(label="Month", widget=digits(maxlength=2))
    exp_year = forms.CharField(label="Year", widget=digits(maxlength=4))
    cvc = forms.CharField(label="CVC", widget=digits(maxlength=3))


def filled_in(card: str, today: date) -> dict[str, str]:
    """The form with the test card of that name, good for three more years."""
    chosen = BY_NAME.get(card)
    if chosen is None:
        return {}
    year = str(today.year + 3)
    return {"number": chosen.grouped, "exp_month": "12", "exp_year": year, "cvc": "123"}
