"""What narrows the list of notifications down; all of it stands in the address."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.http import QueryDict

from connections.kinds import Category
from connections.models import Connection, User

from .models import NotificationQuerySet


class NarrowingForm(forms.Form):
    """`?category=`, `?connection=`, `?unread=`. What it does not know narrows nothing."""

    category = forms.ChoiceField(choices=Category.choices, required=False)
    connection = forms.ChoiceField(required=False)
    unread = forms.BooleanField(required=False)

    def __init__(self, data: QueryDict, connections: Iterable[Connection], reader: User) -> None:
        super().__init__(data)
        mine = {membership.organization_id for membership in reader.belongs_to}
        choices = [(str(row.pk), _counterparty(row, mine)) for row in connections]
        choices.sort(key=lambda choice: choice[1].lower())
        self.fields["connection"].choices = choices  # type: ignore[attr-defined]
        self.is_valid()

    @property
    def chosen(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if value}

    def narrow(self, rows: NotificationQuerySet) -> NotificationQuerySet:
        wanted = dict(self.chosen)
        if wanted.pop("unread", False):
            rows = rows.unread()
        for field in ("category", "connection"):
            if field in wanted:
                rows = rows.filter(**{field: wanted[field]})
        return rows


def _counterparty(connection: Connection, mine: set[Any]) -> str:
    provides = connection.provider_id in mine
    return connection.customer.name if provides else connection.provider.name
