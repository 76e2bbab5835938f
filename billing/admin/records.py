"""What the pages of billing share: records that are only read, amounts as money."""

from collections.abc import Callable
from functools import reduce
from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from billing.models import (
    CreditApplication,
    CreditNoteLine,
    CreditReturn,
    InvoiceLine,
    SubscriptionItem,
    Transfer,
)
from connections.models import User
from revampd.kit.admin import ReadOnlyAdmin
from revampd.kit.money import MinorUnitsField, Money

# Where the currency of a row stands that has none itself.
CURRENCY_OF: dict[type[Model], tuple[str, ...]] = {
    CreditApplication: ("credit",),
    CreditNoteLine: ("note",),
    CreditReturn: ("application", "credit"),
    InvoiceLine: ("invoice",),
    SubscriptionItem: ("subscription",),
    Transfer: ("connection",),
}
PARTIES = ("connection__provider", "connection__customer")
PARTY_NAMES = ("connection__provider__name", "connection__customer__name")


def money(name: str, label: str = "") -> Callable[[Any], str]:
    """A column or field of the admin that shows the minor units of `name` as money."""

    @admin.display(description=label or name.replace("_", " "), ordering=name)
    def amount(row: Any) -> str:
        return str(Money(getattr(row, name), _currency(row)))

    return amount


def _currency(row: Any) -> str:
    owner = reduce(getattr, CURRENCY_OF.get(type(row), ()), row)
    return str(owner.currency)


def _shown(field: Any) -> Any:
    if isinstance(field, MinorUnitsField):
        return money(field.name, str(field.verbose_name))
    return field.name


class RecordAdmin(ReadOnlyAdmin):
    """A read-only page with every column, amounts as money."""

    list_per_page = 50

    def get_fields(self, request: HttpRequest, row: Model | None = None) -> list[Any]:
        return [_shown(self.opts.get_field(name)) for name in super().get_fields(request, row)]


def staff_of(request: HttpRequest) -> User:
    """The person who acts; the admin lets only signed-in staff this far."""
    return request.user  # type: ignore[return-value]
