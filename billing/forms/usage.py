"""Usage as people enter it by hand."""

import uuid
from datetime import date
from typing import Any

from django import forms
from django.core.validators import ProhibitNullCharactersValidator

from billing.models.entries import KEY_LENGTH, MAX_COUNT
from billing.pricing import Measure

from .fields import WholeNumberField
from .requests import day_field


class UsageForm(forms.Form):
    """What was counted on a day. Its `key` makes sending it twice harmless."""

    key = forms.CharField(
        max_length=KEY_LENGTH,
        widget=forms.HiddenInput,
        validators=[ProhibitNullCharactersValidator()],
    )
    measure = forms.ChoiceField(
        label="What was counted?",
        choices=[(measure.value, f"{measure.label}s".capitalize()) for measure in Measure],
        error_messages={"required": "Choose what was counted."},
        widget=forms.RadioSelect({"class": "across"}),
    )
    used_on = day_field(
        label="Day", help_text="The plan that ran on this day charges it, at its own fee."
    )
    quantity = WholeNumberField(
        label="How many?",
        min_value=1,
        max_value=MAX_COUNT,
        error_messages={
            "min_value": "Enter at least 1.",
            "max_value": f"Enter at most {MAX_COUNT:,}.",
        },
    )

    def __init__(self, data: Any = None, *, today: date) -> None:
        initial = {"key": f"by-hand-{uuid.uuid4().hex[:12]}", "used_on": today}
        super().__init__(data, initial=initial)
        self.fields["used_on"].widget.attrs["max"] = str(today)

    def clean_measure(self) -> Measure:
        return Measure(self.cleaned_data["measure"])
