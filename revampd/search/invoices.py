"""Invoices, by number, total and, if few connections have such a name, by the other side."""

from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from billing.models import Invoice
from billing.templatetags.billing import invoice_state

from .hits import Asked, Hit, Noun


def rows(asked: Asked) -> QuerySet[Any]:
    found = Invoice.objects.found(asked.text, by=asked.by, among=asked.among)
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


INVOICES = Noun("invoices", "Invoices", rows, hit)
