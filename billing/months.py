"""What was invoiced on a connection, month by month."""

from datetime import date
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet, Sum
from django.db.models.functions import TruncMonth

from connections.models import Connection
from revampd.kit.prepared import prepared

from .models import Invoice


class Month(NamedTuple):
    """What a month's invoices come to, and what of it is still owed, in minor units."""

    invoiced: int
    open: int


def invoiced_by_month(connection: Connection) -> dict[date, Month]:
    """Void invoices apart."""
    rows = _by_month(connection.pk)
    return {month: Month(invoiced, owed) for month, invoiced, owed in rows}


@prepared
def _by_month(connection: Any) -> QuerySet[Invoice, Any]:
    valid = Invoice.objects.filter(connection=connection).exclude(state=Invoice.State.VOID)
    by_month = valid.order_by().annotate(month=TruncMonth("issue_date")).values_list("month")
    owed = Sum("outstanding", filter=Q(state__in=Invoice.UNSETTLED), default=0)
    sums: QuerySet[Invoice, Any] = by_month.annotate(invoiced=Sum("total"), owed=owed)
    return sums
