"""How lists narrow down and sort: all of it in the address."""

from decimal import Decimal
from typing import Any

import django_filters as filters
from django.db.models import QuerySet

from connections.models import Connection
from revampd.kit.narrowing import Narrowing, StableOrdering

from . import portfolio
from .models import BillingRequest, Invoice
from .pricing import ItemKind, Measure

YES = [("yes", "Yes")]
NO_PLAN = "-"


def years() -> list[tuple[str, str]]:
    """A function, which is not copied for every request as a list would be."""
    return [(str(year), str(year)) for year in range(2000, 2100)]


class RequestFilter(Narrowing):
    """`?state=`, `?kind=`, `?sort=`; what it does not know, it leaves out."""

    state = filters.ChoiceFilter(choices=BillingRequest.State.choices)
    kind = filters.ChoiceFilter(choices=ItemKind.choices)
    sort = StableOrdering(
        fields={"proposed_at": "proposed", "expires_at": "decide-by"}, tie="-proposed_at"
    )


class InvoiceFilter(Narrowing):
    """`?state=`, `?type=`, `?year=`, `?sort=`."""

    state = filters.ChoiceFilter(choices=Invoice.State.choices)
    type = filters.ChoiceFilter(field_name="kind", choices=Invoice.Kind.choices)
    year = filters.ChoiceFilter(field_name="issue_date", lookup_expr="year", choices=years)
    sort = StableOrdering(
        fields={"number": "number", "due_date": "due", "total": "total"}, tie="-number"
    )


class UsageFilter(Narrowing):
    """`?measure=`, `?billed=yes` or `no`, `?invoice=` by its number, `?sort=`."""

    measure = filters.ChoiceFilter(choices=Measure.choices)
    billed = filters.ChoiceFilter(
        choices=[("yes", "Billed"), ("no", "On the next invoice")],
        method="narrow_by_billed",
    )
    invoice = filters.NumberFilter(
        field_name="line__invoice__number", min_value=1, max_value=2**31 - 1
    )
    sort = StableOrdering(
        fields={"used_on": "day", "quantity": "quantity", "key": "key"}, tie=("-used_on", "-id")
    )

    def narrow_by_billed(self, rows: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        return rows.filter(line__isnull=value == "no")


class CustomerFilter(Narrowing):
    """Rows of `portfolio.read` by `?q=`, `?state=`, `?plan=` ("-" is none), `?owner=`, `?sort=`.

    `?waiting=yes` are those that have to decide, `?overdue=yes` those that have to pay.
    """

    q = filters.CharFilter(method="narrow_by_text")
    state = filters.ChoiceFilter(choices=Connection.State.choices)
    plan = filters.CharFilter(method="narrow_by_plan")
    owner = filters.NumberFilter(method="narrow_by_owner", min_value=1, max_value=2**63 - 1)
    waiting = filters.ChoiceFilter(choices=YES, field_name="is_waiting", method="narrow_by_flag")
    overdue = filters.ChoiceFilter(choices=YES, field_name="is_overdue", method="narrow_by_flag")
    sort = StableOrdering(
        fields={
            "small_name": "name",
            "created_at": "since",
            "twelfths": "monthly",
            "overdue": "overdue",
        },
        tie=("customer_kind", "-created_at", "pk"),
    )

    def narrow_by_text(self, rows: QuerySet[Any], _name: str, text: str) -> QuerySet[Any]:
        return portfolio.called(rows, text)

    def narrow_by_plan(self, rows: QuerySet[Any], _name: str, plan: str) -> QuerySet[Any]:
        return portfolio.with_plan(rows, "" if plan == NO_PLAN else plan)

    def narrow_by_owner(self, rows: QuerySet[Any], _name: str, owner: Decimal) -> QuerySet[Any]:
        return portfolio.of_member(rows, int(owner))

    def narrow_by_flag(self, rows: QuerySet[Any], name: str, _yes: str) -> QuerySet[Any]:
        return rows.filter(**{name: True})
