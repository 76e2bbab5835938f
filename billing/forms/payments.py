"""By what an invoice is paid."""

from typing import Any

from django import forms

from billing.models import PaymentMethod
from connections.models import Connection


class PaymentForm(forms.Form):
    """One of the methods of a connection, the default first."""

    method = forms.ModelChoiceField(
        queryset=PaymentMethod.objects.none(),
        label="Pay by",
        empty_label=None,
        error_messages={
            "required": "Choose a payment method.",
            "invalid_choice": "This payment method is not there any more. Choose another one.",
        },
    )

    def __init__(self, connection: Connection, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["method"].queryset = connection.payment_methods.usable()  # type: ignore[attr-defined]
