"""What runs on a connection, what is approved for later, and the next invoice."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from billing.models import BillingRequest
from billing.pricing import ItemKind
from billing.runs import Runs
from billing.tiers import Comparison
from connections.access import Party, party_view
from connections.models import Connection
from revampd.kit import clock
from revampd.kit.errors import DomainError
from revampd.kit.htmx import page

PENDING_SHOWN = 5


@party_view
@require_GET
def plan_page(request: HttpRequest, party: Party) -> HttpResponse:
    return plan_of(request, party)


def plan_of(request: HttpRequest, party: Party, refusal: DomainError | None = None) -> HttpResponse:
    """The page. It also answers an act that was refused."""
    connection, runs = party.connection, runs_of(party)
    # What becomes of a tier is said in a sentence of its own.
    told = [ItemKind.PLAN] if connection.sells_tiers and runs.plan else []
    context = {
        "runs": runs,
        "starting": [row for row in runs.later if row.kind not in told],
        "ending": [row for row in runs.ending if row.kind not in told],
        "pending": pending_of(party) if runs.standing.waiting else [],
        "waiting": runs.standing.waiting,
        "manager": managed_by(party),
        "usage": runs.usage,
        "tiers": Comparison(connection, runs) if connection.sells_tiers else None,
        "refusal": refusal,
    }
    return page(request, "billing/plan/detail.html", context)


def runs_of(party: Party) -> Runs:
    """What runs on the connection today, on its own clock."""
    return Runs(party.connection, party.connection.day_of(clock.now()))


def pending_of(party: Party) -> list[BillingRequest]:
    """The latest of what waits for a decision."""
    waiting = party.connection.billing_requests.pending().newest_first()
    return list(waiting.select_related("proposed_by")[:PENDING_SHOWN])


def managed_by(party: Party) -> Connection | None:
    """The connection with its Partner, through which a Sub-Org of Revampd has its access."""
    connection = party.connection
    if not (connection.provider.is_platform and connection.customer.kind == "SUB_ORG"):
        return None
    others = Connection.objects.exclude(pk=connection.pk).select_related("provider")
    return others.filter(customer=connection.customer).order_by("created_at").first()
