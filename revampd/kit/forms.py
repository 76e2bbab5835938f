"""What forms share: the refusal of a verb, shown beside the field that it is about."""

from django import forms

from revampd.kit.errors import Invalid


def refuse(form: forms.BaseForm, refusal: Invalid) -> None:
    """Show `refusal` beside its field, or above the form if it is about none of them."""
    field = refusal.field if refusal.field in form.fields else None
    form.add_error(field, refusal.sentence)
