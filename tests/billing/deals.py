"""What the page tests need: requests sent and decided, and lists of a thousand rows."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from billing.models import BillingRequest, Invoice, InvoiceLine
from billing.models.proposals import Proposal
from connections.models import User
from tests.cast import Cast

HTMX = {"HX-Request": "true"}
MARKUP = "<script>alert(1)</script>"


def request_url(name: str, request: BillingRequest) -> str:
    return reverse(f"billing:{name}", args=[request.connection_id, request.pk])


def requests_url(cast: Cast) -> str:
    return reverse("billing:requests", args=[cast.northwind_bluebird.pk])


def propose(
    cast: Cast,
    item: Any = None,
    *,
    by: User | None = None,
    at: datetime | None = None,
    **details: Any,
) -> BillingRequest:
    """A request of Northwind to Bluebird."""
    return BillingRequest.propose(
        Proposal(item or cast.growth, **details),
        connection=cast.northwind_bluebird,
        by=by or cast.noah,
        at=at or timezone.now(),
    )


def approve(cast: Cast, request: BillingRequest, **details: Any) -> BillingRequest:
    request.approve(by=cast.ben, seal=request.seal, **{"at": timezone.now(), **details})
    return request


def run(cast: Cast, item: Any = None, **details: Any) -> BillingRequest:
    """A request that was approved and runs."""
    return approve(cast, propose(cast, item, **details))


def many_requests(pattern: BillingRequest, number: int) -> None:
    """`number` more like `pattern`, a minute apart."""
    rows: list[BillingRequest] = []
    for minute in range(number):
        row = BillingRequest.objects.get(pk=pattern.pk) if not rows else _copy(rows[0])
        row.pk = uuid.uuid4()
        row.proposed_at = pattern.proposed_at - timedelta(minutes=minute + 1)
        rows.append(row)
    BillingRequest.objects.bulk_create(rows)


def many_invoices(request: BillingRequest, number: int) -> None:
    """`number` more invoices of the approved plan `request`, one for each period before."""
    pattern = request.connection.invoices.earliest("number")
    line: Any = pattern.lines.get()
    invoices, lines = [], []
    first = request.connection.invoices.count()
    for index in range(first, first + number):
        invoice = _copy(pattern)
        invoice.pk, invoice.number = uuid.uuid4(), pattern.number + index
        days = timedelta(days=index)
        added = _copy(line)
        added.pk, added.invoice = None, invoice
        added.period_start = line.period_start - days
        added.period_end = added.period_start + timedelta(days=1)
        invoices.append(invoice)
        lines.append(added)
    Invoice.objects.bulk_create(invoices)
    InvoiceLine.objects.bulk_create(lines)


def _copy(row: Any) -> Any:
    fields = [field for field in row._meta.concrete_fields if not field.generated]
    return type(row)(**{field.attname: getattr(row, field.attname) for field in fields})


def queries(browser: Any, path: str) -> int:
    """How many queries the page at `path` costs, once caches are warm."""
    browser.get(path)
    with CaptureQueriesContext(database) as captured:
        assert browser.get(path).status_code == 200
    return len(captured)
