"""What is given for referrals, and who comes by them. Forms validate; verbs act."""

from typing import Any

from django import forms

from billing.forms.fields import Choice, PercentField, WholeNumberField
from payouts.models import ReferralLink, ReferralTerms
from payouts.models.inquiries import NOTE_LENGTH
from payouts.models.referral_terms import MAX_MONTHS

MONTHS, LIFETIME = "MONTHS", "LIFETIME"


class TermsForm(forms.Form):
    """So much of the base subscription, for so long."""

    rate = PercentField(
        label="Share of the base subscription",
        help_text="In percent, after Revampd's fee. 0 if nothing is given any more",
        error_messages={"required": "Enter a percentage; 0 for nothing."},
        widget=forms.TextInput({"inputmode": "decimal", "autocomplete": "off"}),
    )
    duration = forms.ChoiceField(
        label="For how long",
        choices=[
            (MONTHS, Choice("A number of months", "Counted from the first approved plan")),
            (LIFETIME, Choice("A lifetime", "For as long as the organization stays")),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose one.", "invalid_choice": "Choose one that is offered."},
    )
    months = WholeNumberField(
        label="Months",
        help_text=f"From 1 to {MAX_MONTHS}; not for a lifetime",
        required=False,
        min_value=1,
        max_value=MAX_MONTHS,
        error_messages={
            "min_value": f"Enter a number of months from 1 to {MAX_MONTHS}.",
            "max_value": f"Enter a number of months from 1 to {MAX_MONTHS}.",
        },
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off"}),
    )

    def __init__(self, terms: ReferralTerms | None, data: Any = None) -> None:
        is_lifetime = terms is not None and terms.months is None
        super().__init__(
            data,
            initial={
                "rate": terms.rate if terms else None,
                "duration": LIFETIME if is_lifetime else MONTHS,
                "months": terms.months if terms else 12,
            },
        )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("duration") == LIFETIME:
            self.errors.pop("months", None)
            given["months"] = None
        elif given.get("months") is None and "months" not in self.errors:
            self.add_error("months", f"Enter a number of months from 1 to {MAX_MONTHS}.")
        return given

    @property
    def terms(self) -> dict[str, int | None]:
        """What the verb takes."""
        return {name: self.cleaned_data[name] for name in ("rate", "months")}


class CompanyForm(forms.Form):
    """Who comes by a link: the name of the company, and a note where somebody answers."""

    name = forms.CharField(
        label="Name of your company",
        max_length=120,
        help_text="What everybody sees in Revampd. You can change it later.",
        error_messages={"required": "Say what your company is called."},
        widget=forms.TextInput({"autocomplete": "organization"}),
    )
    note = forms.CharField(
        max_length=NOTE_LENGTH, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, link: ReferralLink, data: Any = None) -> None:
        super().__init__(data)
        if link.leads_to_revampd:
            del self.fields["note"]
        else:
            self.fields["note"].help_text = f"{link.provider} reads it before it answers."


class AnswerForm(forms.Form):
    """Why an inquiry is declined; who asked reads it."""

    answer = forms.CharField(
        label="Your answer",
        max_length=NOTE_LENGTH,
        required=False,
        help_text="They read it in the mail that tells them.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )
