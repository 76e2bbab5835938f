"""What staff have to say when they change something of a customer's."""

from django import forms

from billing.models.ledger import REASON_LENGTH


class Confirmation(forms.Form):
    """Nothing to fill in: that it was sent is all."""

    sure = forms.BooleanField(initial=True, widget=forms.HiddenInput)


class ReasonForm(forms.Form):
    """Why; the customer reads it."""

    reason = forms.CharField(
        max_length=REASON_LENGTH,
        help_text="The customer reads it.",
        widget=forms.TextInput({"class": "vTextField"}),
    )
