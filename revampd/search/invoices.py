"""Invoices, by number, total and, if few connections have such a name, by the other side."""

from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from billing.models import Invoice
from billing.templatetags.billing import invoice_state
from revampd.kit.money import typed_minor
from revampd.kit.search import uuid_in

from .hits import Asked, Hit, Noun


def rows(mine: Any, **known: Any) -> QuerySet[Any]:
    found = Invoice.objects.found(mine, **known)
    return found.defer("provider_details", "customer_details").order_by("-issued_at", "-number")


def hit(asked: Asked, invoice: Invoice) -> Hit:
    connection = invoice.connection
    toward = "to" if asked.is_sold(connection) else "from"
    return Hit(
        title=invoice.code,
        detail=f"{toward} {asked.other_side(connection)}",
        url=reverse("billing:invoice", args=[connection.pk, invoice.number]),
        icon="invoice",
        on=invoice.issue_date,
        state=invoice_state(invoice),
        amount=str(invoice.total_money),
    )


READS = {"pk": uuid_in, "number": Invoice.number_in, "total": typed_minor}
INVOICES = Noun("invoices", "Invoices", READS, rows, hit)
