"""What people write in tickets, and what they send along."""

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.core.validators import ProhibitNullCharactersValidator

from connections.models import User
from revampd.kit.ids import growing_id
from revampd.kit.uploads import MEGABYTE, MOST_AT_ONCE

from . import content
from .content import Unacceptable
from .keeping import Checked
from .models.messages import BODY_LENGTH
from .models.records import TITLE_LENGTH, Priority, Status
from .seats import Seat

TOO_LONG = {"max_length": f"Keep it under {BODY_LENGTH:,} characters."}
NO_NUL = [ProhibitNullCharactersValidator()]


class Files(forms.FileInput):
    """Several files. app.js says what is too much together, before any of it is sent."""

    allow_multiple_selected = True

    def __init__(self) -> None:
        limit = MOST_AT_ONCE // MEGABYTE
        too_much = f"Together that is more than {limit} MB. Choose smaller files, or fewer of them."
        super().__init__({"data-most": MOST_AT_ONCE, "data-too-much": too_much})


class FilesField(forms.FileField):
    """Several files, each checked by its content; cleans to a list of `Checked`."""

    widget = Files

    def __init__(self, **options: Any) -> None:
        help_text = (
            f"{content.ACCEPTED}. Up to {content.MOST_FILES} files of "
            f"{content.MOST_BYTES // MEGABYTE} MB each."
        )
        super().__init__(required=False, label="Attachments", help_text=help_text, **options)

    def clean(self, data: Any, initial: Any = None) -> Any:  # noqa: ARG002 - Django's signature
        files = [file for file in data or [] if file]
        if len(files) > content.MOST_FILES:
            raise forms.ValidationError(f"Send at most {content.MOST_FILES} files at once.")
        checked, problems = [], []
        for file in files:
            try:
                checked.append(_check(file))
            except Unacceptable as refusal:
                problems.append(str(refusal))
        if problems:
            again = "Nothing was sent yet. Choose the files again, without this."
            raise forms.ValidationError([*problems, again])
        return checked


def _check(file: UploadedFile) -> Checked:
    """Raises Unacceptable. Of what is too large no more was kept than one file may have."""
    name = content.clean_name(file.name or "")
    size = file.size or 0
    read = file.read() if size <= content.MOST_BYTES else b""
    return Checked(name, content.kind_of(name, size, read).media_type, read)


class MessageForm(forms.Form):
    """A message with its files. `key` is its id, so that sending the form twice says it once."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    audience = forms.ChoiceField(
        label="Who reads it?",
        widget=forms.RadioSelect({"class": "across"}),
        error_messages={
            "required": "Choose who reads it.",
            "invalid_choice": "Choose who reads it.",
        },
    )
    body = forms.CharField(
        label="Message",
        max_length=BODY_LENGTH,
        widget=forms.Textarea({"rows": 4}),
        error_messages=TOO_LONG | {"required": "Write a message."},
        validators=NO_NUL,
    )
    attachments = FilesField()

    def __init__(self, seat: Seat, data: Any = None, files: Any = None) -> None:
        initial = {"key": growing_id(), "audience": seat.narrowest}
        super().__init__(data, files, initial=initial)
        field: Any = self.fields["audience"]
        field.choices = [(one.value, seat.words_for(one)) for one in seat.audiences]
        if len(seat.audiences) == 1:
            field.widget = forms.HiddenInput()


class EscalationForm(forms.Form):
    """What the Partner asks Revampd."""

    body = forms.CharField(
        label="What Revampd should know",
        max_length=BODY_LENGTH,
        widget=forms.Textarea({"rows": 3}),
        help_text="The customer does not see it.",
        error_messages=TOO_LONG | {"required": "Say what Revampd should look at."},
        validators=NO_NUL,
    )

    def __init__(self, data: Any = None) -> None:
        # It stands beside the form of a message, whose field is called the same.
        super().__init__(data, auto_id="escalation_%s")


class TicketForm(forms.Form):
    """A new ticket. `key` becomes its id."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    title = forms.CharField(
        max_length=TITLE_LENGTH,
        help_text="In a few words, what it is about.",
        error_messages={
            "required": "Say in a few words what it is about.",
            "max_length": f"Keep it under {TITLE_LENGTH} characters.",
        },
    )
    priority = forms.ChoiceField(
        choices=Priority.choices,
        initial=Priority.MEDIUM,
        widget=forms.RadioSelect({"class": "across"}),
        error_messages={"invalid_choice": "Choose a priority from the list."},
    )
    body = forms.CharField(
        label="Description",
        max_length=BODY_LENGTH,
        widget=forms.Textarea({"rows": 8}),
        help_text="What happens, what you expected, and since when.",
        error_messages=TOO_LONG | {"required": "Describe what you need."},
        validators=NO_NUL,
    )
    attachments = FilesField()

    def __init__(self, data: Any = None, files: Any = None) -> None:
        super().__init__(data, files, initial={"key": growing_id()})


class Triage(forms.Form):
    """How a ticket stands, how urgent it is and who looks after it.

    The page says what it showed, so that only what somebody changed there is changed: meanwhile
    others may have changed the rest.
    """

    status = forms.ChoiceField(choices=Status.choices, show_hidden_initial=True)
    priority = forms.ChoiceField(choices=Priority.choices, show_hidden_initial=True)

    @property
    def changes(self) -> dict[str, Any]:
        """For `Ticket.triage`."""
        return {name: self.cleaned_data[name] for name in self.changed_data}


class StandingForm(Triage):
    """For whoever answers the ticket."""

    assignee = forms.ChoiceField(required=False, show_hidden_initial=True)

    def __init__(self, seat: Seat, data: Any = None) -> None:
        ticket: Any = seat.ticket
        initial = {
            "status": ticket.status,
            "priority": ticket.priority,
            "assignee": str(seat.assignee_id or ""),
        }
        super().__init__(data, initial=initial)
        people = [(str(one["pk"]), one["name"]) for one in getattr(ticket, "people", [])]
        present = ticket.revampd_assignee if seat.is_revampd else ticket.assignee
        if present and str(present.pk) not in dict(people):
            people.append((str(present.pk), present.name))  # has left, or is staff
        field: Any = self.fields["assignee"]
        field.choices = [("", "Nobody"), *people]
        if not seat.is_provider:
            del self.fields["status"], self.fields["priority"]

    def clean_assignee(self) -> User | None:
        key = self.cleaned_data["assignee"]
        return User.objects.get(pk=key) if key else None
