"""What narrows the list of notifications down; all of it stands in the address."""

from typing import Any

from django import forms
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import QueryDict

from connections.kinds import Category
from connections.models import Connection, User
from notifications.models import Notification
from revampd.kit.keys import among, array_of
from revampd.kit.prepared import prepared

MOST = 500  # connections in the menu: nobody looks through more


class NarrowingForm(forms.Form):
    """`?category=`, `?connection=`, `?unread=`. What it does not know narrows nothing."""

    category = forms.ChoiceField(choices=Category.choices, required=False)
    connection = forms.ChoiceField(required=False)
    unread = forms.BooleanField(required=False)

    def __init__(self, data: QueryDict, reader: User) -> None:
        super().__init__(data)
        mine = set(reader.organizations)
        choices = [
            (str(pk), customer if provider in mine else seller)
            for pk, provider, seller, customer in _told_of(reader.pk, array_of(mine))
        ]
        choices.sort(key=lambda choice: choice[1].lower())
        self.fields["connection"].choices = choices  # type: ignore[attr-defined]
        self.is_valid()

    @property
    def chosen(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if value}


@prepared
def _told_of(reader: Any, organizations: Any) -> "QuerySet[Connection, Any]":
    """The connections of which the reader was told, and may still see."""
    seen = Q(among("provider", organizations)) | Q(among("customer", organizations))
    told = Notification.objects.of(reader).filter(connection=OuterRef("pk"))
    names: QuerySet[Connection, Any] = Connection.objects.filter(seen, Exists(told)).values_list(
        "pk", "provider", "provider__name", "customer__name"
    )
    return names.order_by("customer__name", "pk")[:MOST]
