"""The payouts of a Partner, and one of them with everything that it consists of."""

from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from billing.models import InvoiceLine
from connections.access import Party
from payouts.access import payout_view
from payouts.live import version, version_of
from payouts.models import Earning, Payout
from payouts.summary import Summary
from revampd.kit import clock, live
from revampd.kit.errors import DomainError
from revampd.kit.htmx import page

PAGE_LENGTH = 25


@payout_view()
@require_GET
def payout_list(request: HttpRequest, party: Party) -> HttpResponse:
    """What is available, in transit and paid, what comes next, and all payouts."""
    summary = Summary(party.connection, party.connection.day_of(clock.now()))
    paginator = Paginator(party.connection.payouts.newest_first(), PAGE_LENGTH)
    paginator.count = summary.number  # The summary has counted them.
    context = {"summary": summary, "page": paginator.get_page(request.GET.get("page"))}
    return page(request, "payouts/list.html", context)


@payout_view()
@require_GET
def payout_detail(request: HttpRequest, party: Party, payout_id: UUID) -> HttpResponse:
    """The page; or, for one on its way that asks again, how it stands once that has changed."""
    if not live.is_asked(request):
        return detail_page(request, party, payout_id)
    present = version_of(party.connection.pk, payout_id)
    if present and live.shows(request, present):
        return live.unchanged()
    context = _standing(find_payout(party, payout_id)) | {"is_news": True}
    return render(request, "payouts/_standing.html", context)


def detail_page(
    request: HttpRequest,
    party: Party,
    payout_id: UUID,
    refusal: DomainError | None = None,
    **_: Any,
) -> HttpResponse:
    """A payout. It also answers an act that was refused."""
    payout = find_payout(party, payout_id)
    context = {
        **_standing(payout),
        "page": Paginator(_earnings(payout), PAGE_LENGTH).get_page(request.GET.get("page")),
        "refusal": refusal,
    }
    return page(request, "payouts/detail.html", context)


def _standing(payout: Payout) -> dict[str, Any]:
    """How it was settled and where that is now."""
    rows = payout.settlements.select_related("settled_by", "bank_transfer__account")
    settlements = list(rows.order_by("settled_at", "pk"))
    return {
        "payout": payout,
        "settlements": settlements,
        "version": version(payout, settlements),
    }


def find_payout(party: Party, payout_id: UUID) -> Payout:
    rows = party.connection.payouts.select_related("carries", "carried_into")
    payout: Payout = get_object_or_404(rows, pk=payout_id)
    # The very same connection, so that its parties need no further query.
    payout.connection = party.connection
    return payout


def _earnings(payout: Payout) -> Any:
    """Newest first, each with its invoice and the approvals behind that."""
    lines = InvoiceLine.objects.select_related("request").order_by("position")
    approved = Prefetch("payment__invoice__lines", queryset=lines)
    earnings = Earning.objects.filter(payout=payout).with_documents().newest_first()
    return earnings.prefetch_related(approved)
