"""How lists of requests and invoices narrow down and sort: all of it in the address."""

from typing import Any

import django_filters as filters
from django.db.models import QuerySet

from .models import BillingRequest, Invoice
from .pricing import ItemKind

YEARS = [(str(year), str(year)) for year in range(2000, 2100)]


class StableOrdering(filters.OrderingFilter):
    """Sorts by what was asked for and then by `tie`, so that no row is on two pages."""

    def __init__(self, *args: Any, tie: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.tie = tie

    def filter(self, qs: QuerySet[Any], value: list[str] | None) -> QuerySet[Any]:
        asked = [self.get_ordering_value(name) for name in value or []]
        return qs.order_by(*asked, self.tie)


class RequestFilter(filters.FilterSet):
    """`?state=`, `?kind=`, `?sort=`; what it does not know, it leaves out."""

    state = filters.ChoiceFilter(choices=BillingRequest.State.choices)
    kind = filters.ChoiceFilter(choices=ItemKind.choices)
    sort = StableOrdering(
        fields={"proposed_at": "proposed", "expires_at": "decide-by"}, tie="-proposed_at"
    )


class InvoiceFilter(filters.FilterSet):
    """`?state=`, `?type=`, `?year=`, `?sort=`."""

    state = filters.ChoiceFilter(choices=Invoice.State.choices)
    type = filters.ChoiceFilter(field_name="kind", choices=Invoice.Kind.choices)
    year = filters.ChoiceFilter(field_name="issue_date", lookup_expr="year", choices=YEARS)
    sort = StableOrdering(
        fields={"number": "number", "due_date": "due", "total": "total"}, tie="-number"
    )
