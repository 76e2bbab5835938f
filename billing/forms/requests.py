"""What a provider proposes, and what a customer says to it."""

from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.core.validators import ProhibitNullCharactersValidator

from billing.models import AddOn, BillingRequest, OneTimeCharge, PlanVersion, Subscription
from billing.models.proposals import (
    FARTHEST,
    MAX_QUANTITY,
    NOTE_LENGTH,
    OPEN_FOR,
    About,
    CatalogEntry,
    Proposal,
    last_second,
)
from billing.pricing import Running, Timing
from connections.models import Connection
from revampd.kit.ids import growing_id

from .fields import Choice, WholeNumberField

TOO_LONG = {"max_length": f"Keep the note under {NOTE_LENGTH:,} characters."}
ISO = ["%Y-%m-%d"]
NO_DAY = {"invalid": "Enter a day that exists, like 2026-12-01."}


class CatalogChoice(forms.RadioSelect):
    """The catalog as radio cards, in groups."""

    template_name = "billing/requests/_catalog_choice.html"


def day_field(**kwargs: Any) -> forms.DateField:
    widget = forms.DateInput({"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(input_formats=ISO, error_messages=NO_DAY, widget=widget, **kwargs)


class ProposalForm(forms.Form):
    """A catalog entry, when it takes effect, until when to decide, and a note.

    `key` is the id of the request to be, so that sending the form twice sends one request.
    """

    key = forms.UUIDField(widget=forms.HiddenInput)
    item = forms.ChoiceField(
        label="What do you propose?",
        widget=CatalogChoice,
        error_messages={
            "required": "Choose a plan, an add-on or a one-time charge.",
            "invalid_choice": "Choose something from your own catalog that is on sale.",
        },
    )
    quantity = WholeNumberField(
        required=False,
        initial=1,
        min_value=1,
        max_value=MAX_QUANTITY,
        help_text="Of an add-on.",
        error_messages={
            "min_value": "Enter at least 1.",
            "max_value": f"Enter at most {MAX_QUANTITY:,}.",
        },
    )
    timing = forms.ChoiceField(
        label="When does it take effect?",
        initial=Timing.NOW,
        widget=forms.RadioSelect({"class": "across"}),
        error_messages={"invalid_choice": "Choose one of the times below."},
    )
    effective_date = day_field(label="Day", required=False, help_text="For “On a day”.")
    expires_on = day_field(
        label="Decide by", help_text="Afterwards the request expires and nothing changes."
    )
    note = forms.CharField(
        required=False,
        max_length=NOTE_LENGTH,
        error_messages=TOO_LONG,
        widget=forms.Textarea({"rows": 3, "placeholder": "Why you propose it"}),
        help_text="The customer reads it; it is part of the sealed terms.",
    )

    def __init__(
        self,
        connection: Connection,
        at: datetime,
        data: Any = None,
        *,
        revises: Any = None,
        about: About | None = None,
    ) -> None:
        self.connection, self.today, self.about = connection, connection.day_of(at), about
        offered = charges_of(connection) if about else catalog_of(connection)
        self.entries = {str(entry.pk): entry for entry in offered}
        super().__init__(data, initial=self._initial(revises))
        if about:
            del self.fields["quantity"]  # charged once, by itself
        self.fields["item"].choices = self._item_choices()  # type: ignore[attr-defined]
        self.fields["timing"].choices = timings(  # type: ignore[attr-defined]
            Subscription.running_on(connection)
        )
        for name in ("effective_date", "expires_on"):
            farthest = self.today + FARTHEST
            self.fields[name].widget.attrs |= {"min": str(self.today), "max": str(farthest)}

    def _initial(self, revises: BillingRequest | None) -> dict[str, Any]:
        initial: dict[str, Any] = {"key": growing_id(), "expires_on": self.today + OPEN_FOR}
        if revises is None:
            return initial
        return initial | {
            "item": str(revises.item.pk),
            "quantity": revises.quantity,
            "timing": revises.timing,
            "effective_date": revises.effective_date if revises.timing == Timing.DATE else None,
            "note": revises.note,
        }

    def _item_choices(self) -> list[tuple[str, list[tuple[str, Choice]]]]:
        groups: dict[str, list[tuple[str, Choice]]] = {}
        for key, entry in self.entries.items():
            groups.setdefault(group_of(entry), []).append((key, choice_of(entry)))
        return list(groups.items())

    def clean_expires_on(self) -> date:
        day: date = self.cleaned_data["expires_on"]
        if not self.today <= day <= self.today + FARTHEST - timedelta(days=1):
            raise forms.ValidationError("Choose a day from today on, within 12 months.")
        return day

    def proposal(self) -> Proposal:
        """What the valid form proposes."""
        given = self.cleaned_data
        entry: CatalogEntry = self.entries[given["item"]]
        return Proposal(
            entry,
            quantity=(given["quantity"] or 1) if isinstance(entry, AddOn) else 1,
            timing=Timing(given["timing"]),
            effective_date=given["effective_date"] if given["timing"] == Timing.DATE else None,
            note=given["note"],
            expires_at=last_second(self.connection, given["expires_on"]),
            about=self.about,
        )


def catalog_of(connection: Connection) -> list[CatalogEntry]:
    """Everything that can be proposed on `connection` today."""
    mine = {"provider": connection.provider_id, "currency": connection.currency}
    versions = PlanVersion.objects.filter(**mine).newest()
    return [
        *sorted(versions, key=lambda version: (version.name.lower(), version.interval)),
        *AddOn.objects.on_sale().filter(**mine).order_by("name"),
        *charges_of(connection),
    ]


def charges_of(connection: Connection) -> list[CatalogEntry]:
    """What can be charged once, for something that was done."""
    mine = {"provider": connection.provider_id, "currency": connection.currency}
    return list(OneTimeCharge.objects.on_sale().filter(**mine).order_by("name"))


def group_of(entry: CatalogEntry) -> str:
    if isinstance(entry, PlanVersion):
        return "Plans"
    return "Add-ons" if isinstance(entry, AddOn) else "One-time charges"


def choice_of(entry: CatalogEntry) -> Choice:
    """How an entry stands on its card."""
    if isinstance(entry, PlanVersion):
        fees = [
            f"{fee} each {what}"
            for fee, what in ((entry.booking_price, "booking"), (entry.transfer_price, "transfer"))
            if fee
        ]
        detail = " · ".join([f"Version {entry.number}", *fees])
        return Choice(entry.name, detail, f"{entry.price} / {entry.interval_label}")
    rhythm = " / month" if isinstance(entry, AddOn) else " once"
    return Choice(entry.name, entry.description or group_of(entry)[:-1], f"{entry.price}{rhythm}")


def timings(running: Running) -> list[tuple[str, Choice]]:
    """When it can take effect; without a running cycle there is no next one."""
    choices = [(Timing.NOW, Choice("On approval", "It starts the moment they approve"))]
    if day := running.next_invoice:
        words = f"{day.day} {day:%b %Y}"
        choices.append((Timing.NEXT_CYCLE, Choice("Next billing cycle", f"It starts on {words}")))
    choices.append((Timing.DATE, Choice("On a day", "Choose the day below")))
    return [(timing.value, choice) for timing, choice in choices]


class DecisionForm(forms.Form):
    """The seal of the terms that the person saw, and a note. An odd seal is the verb's to judge."""

    seal = forms.CharField(required=False, validators=[ProhibitNullCharactersValidator()])
    note = forms.CharField(
        required=False,
        max_length=NOTE_LENGTH,
        error_messages=TOO_LONG,
    )
