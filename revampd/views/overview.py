"""The overview of a connection, from either side: how it stands and what happened."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from dateutil.relativedelta import relativedelta
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from billing.models import Invoice, Subscription
from connections.access import Party, party_view
from connections.forms import OwnersForm
from connections.timeline import timeline
from revampd.kit.errors import DomainError
from revampd.kit.htmx import page
from revampd.kit.money import Money

MONTHS = 12
HISTORY = 12


@dataclass(frozen=True)
class Bar:
    """What was invoiced in one month."""

    label: str
    amount: Money


@party_view
def overview(
    request: HttpRequest, party: Party, refusal: DomainError | None = None
) -> HttpResponse:
    """Status, plan, what waits, what was invoiced by month, and the latest events."""
    connection = party.connection
    today = connection.day_of(timezone.now())
    running = Subscription.running_on(connection)
    plan = running.plan_on(today) or running.plan
    invoiced = invoiced_by_month(connection, today)
    context = {
        "plan": plan,
        "recurring": running.recurring(max(today, plan.start), connection.currency)
        if plan
        else None,
        "next_invoice": running.next_invoice,
        "open": Invoice.objects.filter(connection=connection).amount_open(connection.currency),
        "pending": connection.billing_requests.pending().newest_first()[:5],
        "invoiced": invoiced if any(bar.amount for bar in invoiced) else [],
        "entries": timeline(connection.events.with_actors().newest_first()[:HISTORY]),
        "owners_form": OwnersForm.of(party) if party.is_provider else None,
        "refusal": refusal,
    }
    return page(request, "connections/overview.html", context)


def invoiced_by_month(connection: Any, today: date) -> list[Bar]:
    """The last twelve months, those without an invoice as zero."""
    first = today.replace(day=1) - relativedelta(months=MONTHS - 1)
    sums = Invoice.objects.filter(connection=connection).total_by_month(since=first)
    months = [first + relativedelta(months=number) for number in range(MONTHS)]
    return [Bar(f"{m:%b %y}", Money(sums.get(m, 0), connection.currency)) for m in months]
