"""What narrows the list of notifications down; all of it stands in the address."""

from typing import Any

from django import forms
from django.db.models import Exists, OuterRef
from django.http import QueryDict

from connections.kinds import Category
from connections.models import Connection, User
from notifications.models import Notification, NotificationQuerySet

MOST = 500  # connections in the menu: nobody looks through more


class NarrowingForm(forms.Form):
    """`?category=`, `?connection=`, `?unread=`. What it does not know narrows nothing."""

    category = forms.ChoiceField(choices=Category.choices, required=False)
    connection = forms.ChoiceField(required=False)
    unread = forms.BooleanField(required=False)

    def __init__(self, data: QueryDict, reader: User) -> None:
        super().__init__(data)
        mine = set(reader.organizations)
        told = Notification.objects.of(reader).filter(connection=OuterRef("pk"))
        names = Connection.objects.of(reader).filter(Exists(told))
        rows = names.values_list("pk", "provider", "provider__name", "customer__name")
        choices = [
            (str(pk), customer if provider in mine else seller)
            for pk, provider, seller, customer in rows.order_by("customer__name", "pk")[:MOST]
        ]
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
