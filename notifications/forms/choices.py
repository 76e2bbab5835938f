"""What is told how: a field for each category and channel, of those that can be heard at all."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django import forms

from connections.models import Organization, User
from notifications.models import (
    Channel,
    DigestHour,
    Manner,
    OrganizationDefault,
    Preference,
)
from notifications.models.preferences import Choices, Key
from notifications.routing import Hearing, heard_by, heard_in

OFFERED = {
    Channel.MAIL: (
        (Manner.AT_ONCE, "At once"),
        (Manner.DAILY, "Daily summary"),
        (Manner.OFF, "Off"),
    ),
    Channel.PAGE: ((Manner.AT_ONCE, "Count as unread"), (Manner.OFF, "Quietly in the list")),
}
LABELS = {Channel.MAIL: "By e-mail", Channel.PAGE: "In Revampd"}
Usual = Callable[[Key, dict[Manner, str]], str]
NOT_OFFERED = {"invalid_choice": "Choose one of these."}


class UsualField(forms.TypedChoiceField):
    """Nobody has to choose: what is usual is one of the choices, and says so."""

    has_usual = True


@dataclass(frozen=True)
class Row:
    """One category as the page shows it; `fields` is empty if there is nothing to choose."""

    hearing: Hearing
    fields: list[forms.BoundField]

    @property
    def label(self) -> str:
        return self.hearing.category.label


class ChoicesForm(forms.Form):
    """A select for each category and channel. What is left open reads as None."""

    hearings: list[Hearing]

    def __init__(self, data: Any, chosen: Iterable[Any], usual: Usual) -> None:
        stored = {row.key: row.manner for row in chosen}
        initial = {_name(*key): manner for key, manner in stored.items()}
        super().__init__(data, initial=initial)
        for hearing in self.hearings:
            for channel in Channel if hearing.is_optional else ():
                key = (hearing.category, channel)
                self.fields[_name(*key)] = self._field(key, usual)

    @staticmethod
    def _field(key: tuple[str, str], usual: Usual) -> Any:
        offered = OFFERED[Channel(key[1])]
        return UsualField(
            label=LABELS[Channel(key[1])],
            choices=[("", usual(key, dict(offered))), *offered],
            required=False,
            empty_value=None,
            error_messages=NOT_OFFERED,
        )

    @property
    def choices(self) -> Choices:
        return {
            (hearing.category, channel): self.cleaned_data[_name(hearing.category, channel)]
            for hearing in self.hearings
            if hearing.is_optional
            for channel in Channel
        }

    def rows(self) -> Iterator[Row]:
        for hearing in self.hearings:
            channels = Channel if hearing.is_optional else ()
            yield Row(hearing, [self[_name(hearing.category, channel)] for channel in channels])


class PreferencesForm(ChoicesForm):
    """A person's own choices, and the hour of their summary."""

    hour_of_day = forms.TypedChoiceField(
        label="When the daily summary comes",
        choices=[(hour, f"{hour:02}:00") for hour in range(24)],
        coerce=int,
        error_messages={"required": "Choose an hour.", **NOT_OFFERED},
    )

    def __init__(self, data: Any = None, *, reader: User) -> None:
        self.hearings = heard_by(reader.belongs_to)
        super().__init__(data, Preference.objects.filter(person=reader), _as_suggested(reader))
        self.fields["hour_of_day"].initial = DigestHour.of(reader)
        self.fields["hour_of_day"].help_text = f"In your time zone, {reader.time_zone}."

    @property
    def hour(self) -> int:
        hour: int = self.cleaned_data["hour_of_day"]
        return hour


class DefaultsForm(ChoicesForm):
    """What an organization suggests to its members."""

    def __init__(self, data: Any = None, *, organization: Organization) -> None:
        self.hearings = heard_in(organization)
        chosen = OrganizationDefault.objects.filter(organization=organization)
        super().__init__(data, chosen, _as_usual)


def _as_usual(_: Key, words: dict[Manner, str]) -> str:
    return f"As usual: {words[Manner.AT_ONCE].lower()}"


def _as_suggested(reader: User) -> Usual:
    """What it comes to for `reader` to choose nothing, in words."""
    rows = OrganizationDefault.objects.filter(organization__in=reader.organizations)
    suggested = {(row.organization_id, *row.key): Manner(row.manner) for row in rows}

    def usual(key: Key, words: dict[Manner, str]) -> str:
        each = (suggested.get((one, *key), Manner.AT_ONCE) for one in reader.organizations)
        found = set(each)
        if len(found) > 1:
            return "As each organization suggests"
        return f"As suggested: {words[found.pop()].lower()}"

    return usual


def _name(category: str, channel: str) -> str:
    return f"{category}-{channel}".lower()
