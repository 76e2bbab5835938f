"""The overview of a connection, from either side: how it stands and what happened."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from dateutil.relativedelta import relativedelta
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from billing.attention import Watch
from billing.first_steps import FirstSteps, PartnerSteps
from billing.models import BillingRequest, Subscription
from billing.months import Month, invoiced_by_month
from billing.standing import Standing
from connections.access import OWNERS, Party, party_view
from connections.forms import OwnersForm
from connections.models import Connection, Event
from connections.timeline import timeline
from revampd.kit import clock
from revampd.kit.errors import DomainError
from revampd.kit.htmx import page
from revampd.kit.money import Money
from revampd.kit.prepared import prepared

MONTHS = 12
WAITING = 5
HISTORY = 10


@dataclass(frozen=True)
class Bar:
    """What was invoiced in one month."""

    label: str
    amount: Money


@party_view(also=OWNERS)
def overview(
    request: HttpRequest, party: Party, refusal: DomainError | None = None
) -> HttpResponse:
    """Status, plan, what waits, what was invoiced by month, and the latest events."""
    connection = party.connection
    today = connection.day_of(clock.now())
    months = invoiced_by_month(connection)
    invoiced = last_months(months, today, connection.currency)
    running = _running(connection, today)
    standing = Standing.of(connection)
    pending = _pending(connection.pk)
    context = {
        **running,
        "attention": Watch(party, today, running.get("next_invoice"), standing).found(),
        "first_steps": FirstSteps.of(party, standing, pending),
        "partner_steps": PartnerSteps.of(party, standing),
        "method": standing.method,
        "balance": standing.balance,
        "open": Money(sum(month.open for month in months.values()), connection.currency),
        "pending": pending,
        "waiting": standing.waiting,
        "invoiced": invoiced if any(bar.amount for bar in invoiced) else [],
        "entries": timeline(_history(connection.pk)),
        "owners_form": OwnersForm.of(party) if party.is_provider else None,
        "refusal": refusal,
    }
    return page(request, "connections/overview.html", context)


@prepared
def _pending(connection: Any) -> QuerySet[BillingRequest]:
    pending = BillingRequest.objects.pending().filter(connection=connection)
    newest: QuerySet[BillingRequest] = pending.newest_first()
    return newest[:WAITING]


@prepared
def _history(connection: Any) -> QuerySet[Event]:
    events = Event.objects.filter(connection=connection).with_actors()
    newest: QuerySet[Event] = events.newest_first()
    return newest[:HISTORY]


def _running(connection: Connection, today: date) -> dict[str, Any]:
    """The plan of today, or the one that comes; what it costs with its add-ons, and when."""
    running = Subscription.running_on(connection)
    plan = running.plan_on(today) or running.plan
    if plan is None:
        return {}
    recurring = running.recurring(max(today, plan.start), connection.currency)
    return {"plan": plan, "recurring": recurring, "next_invoice": running.next_invoice}


def last_months(months: dict[date, Month], today: date, currency: str) -> list[Bar]:
    """The last twelve months, those without an invoice as zero."""
    first = today.replace(day=1) - relativedelta(months=MONTHS - 1)
    shown = [first + relativedelta(months=number) for number in range(MONTHS)]
    nothing = Month(0, 0)
    return [
        Bar(f"{day:%b %y}", Money(months.get(day, nothing).invoiced, currency)) for day in shown
    ]
