"""Affiliate payouts: the link of an organization, who came by it, and what that earned."""

from functools import partial
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from connections.access import Duty, Party, Side, party_view
from connections.models import Organization
from payouts.affiliates.summary import Summary
from payouts.models import AffiliatePayout, AffiliateShare, ReferralLink
from revampd.kit import clock
from revampd.kit.errors import DomainError
from revampd.kit.export import csv_response
from revampd.kit.htmx import done, page

PAGE_LENGTH = 25
CHUNK = 500
BROUGHT = "referrals"

# Wallets that take affiliate payouts: those of connections with Revampd.
WITH_REVAMPD = tuple(
    (Organization.Kind.PLATFORM.value, kind.value)
    for kind in (Organization.Kind.PARTNER, Organization.Kind.SUB_ORG)
)
own_view = partial(party_view, side=Side.CUSTOMER, between=WITH_REVAMPD)

PAYOUTS = (
    *("From", "Until", "Status", "Currency", "Earned", "Carried over", "Affiliate payout"),
    "Credited at",
)
SHARES = (
    *("Earned at", "Organization", "Kind", "Currency", "Base subscription"),
    *("Transaction fee", "Rate", "Share"),
)


@party_view(side=Side.CUSTOMER)
@require_GET
def affiliate_page(request: HttpRequest, party: Party) -> HttpResponse:
    return _page(request, party)


def _page(
    request: HttpRequest, party: Party, refusal: DomainError | None = None, **_: Any
) -> HttpResponse:
    """Link, terms, sums and the two lists. It also answers an act that was refused."""
    summary = Summary(party.connection, clock.now())
    show = BROUGHT if request.GET.get("show") == BROUGHT else ""
    rows, number = (
        (summary.referrals, summary.number_brought) if show else (summary.payouts, summary.number)
    )
    paginator = Paginator(rows, PAGE_LENGTH)
    paginator.count = number
    context = {
        "summary": summary,
        "show": show,
        "page": paginator.get_page(request.GET.get("page")),
        "today": summary.account.day_of(clock.now()),
        "address": _url_of(request, summary.link),
        "refusal": refusal,
    }
    return page(request, "payouts/affiliates/page.html", context)


def _url_of(request: HttpRequest, link: ReferralLink | None) -> str:
    if link is None:
        return ""
    return request.build_absolute_uri(reverse("joining:landing", args=[link.code]))


# The link


@party_view(side=Side.CUSTOMER, duty=Duty.BILL, refused=_page)
@require_POST
def make_link(request: HttpRequest, party: Party) -> HttpResponse:
    """Make a link, or another one in place of it."""
    connection = party.connection
    ends = (connection.customer, connection.provider)
    had = ReferralLink.objects.between(*ends) is not None
    ReferralLink.make(*ends, by=party.user, at=clock.now())
    sentence = (
        "This is your new link. The old one no longer works." if had else "Your link is made."
    )
    return done(request, sentence, _page_url(party))


@party_view(side=Side.CUSTOMER, duty=Duty.BILL, refused=_page)
@require_POST
def stop_link(request: HttpRequest, party: Party) -> HttpResponse:
    connection = party.connection
    link = ReferralLink.objects.between(connection.customer, connection.provider)
    if link:
        link.stop(by=party.user, at=clock.now())
    return done(request, "The link no longer works. Who came by it stays yours.", _page_url(party))


def _page_url(party: Party) -> str:
    return reverse("affiliates:affiliate", args=[party.connection.pk])


# A payout


@own_view()
@require_GET
def payout_detail(request: HttpRequest, party: Party, affiliate_payout_id: UUID) -> HttpResponse:
    payout = _find(party, affiliate_payout_id)
    shares = _shares(payout)
    context = {
        "payout": payout,
        "page": Paginator(shares, PAGE_LENGTH).get_page(request.GET.get("page")),
    }
    return page(request, "payouts/affiliates/payout.html", context)


def _find(party: Party, payout_id: UUID) -> AffiliatePayout:
    rows = party.connection.affiliate_payouts.select_related("carries", "carried_into")
    payout: AffiliatePayout = get_object_or_404(rows, pk=payout_id)
    payout.connection = party.connection
    return payout


def _shares(payout: AffiliatePayout) -> Any:
    shares = AffiliateShare.objects.filter(payout=payout).select_related("referral__referred")
    return shares.newest_first()


# CSV


@own_view()
@require_GET
def export_payouts(_request: HttpRequest, party: Party) -> StreamingHttpResponse:
    rows = party.connection.affiliate_payouts.newest_first().iterator(chunk_size=CHUNK)
    name = f"Affiliate payouts {party.connection.customer}"
    return csv_response(name, PAYOUTS, map(_payout, rows))


def _payout(row: AffiliatePayout) -> tuple[Any, ...]:
    return (
        *(row.period_start, row.last_day, row.get_state_display(), row.currency),
        *(row.earned_money, row.carried_money, row.total, row.applied_at),
    )


@own_view()
@require_GET
def export_shares(
    _request: HttpRequest, party: Party, affiliate_payout_id: UUID
) -> StreamingHttpResponse:
    payout = _find(party, affiliate_payout_id)
    rows = _shares(payout).iterator(chunk_size=CHUNK)
    name = f"Affiliate payout {party.connection.customer} {payout.period_start}"
    return csv_response(name, SHARES, map(_share, rows))


def _share(row: AffiliateShare) -> tuple[Any, ...]:
    return (
        *(row.earned_at, row.referral.referred.name, row.kind),
        *(row.currency, row.base_money, row.fee_money, row.percent, row.amount_money),
    )
