"""Payouts, and the earnings of one, as CSV."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.http import HttpRequest, StreamingHttpResponse
from django.views.decorators.http import require_GET

from connections.access import Party
from payouts.access import payout_view
from payouts.models import Earning, Payout
from revampd.kit.export import csv_response

from .payouts import find_payout

CHUNK = 500

PAYOUTS = (
    *("From", "Until", "Status", "Currency", "Gross", "Transaction fee", "Affiliate share"),
    *("Net", "Carried over", "Payout", "To the wallet", "To the bank"),
)
EARNINGS = (
    *("Earned at", "Sub-Org", "Invoice", "Kind", "Currency", "Gross", "Fee rate"),
    *("Transaction fee", "Affiliate share", "Net"),
)


@payout_view()
@require_GET
def export_payouts(_request: HttpRequest, party: Party) -> StreamingHttpResponse:
    rows = party.connection.payouts.newest_first()
    return csv_response(f"Payouts {party.connection.customer}", PAYOUTS, map(_payout, _each(rows)))


def _payout(row: Payout) -> tuple[Any, ...]:
    return (
        *(row.period_start, row.last_day, row.get_state_display(), row.currency),
        *(row.gross_money, row.fee_money, row.affiliate_money, row.net_money),
        *(row.carried_money, row.total, row.credited_money, row.banked_money),
    )


@payout_view()
@require_GET
def export_earnings(_request: HttpRequest, party: Party, payout_id: UUID) -> StreamingHttpResponse:
    payout = find_payout(party, payout_id)
    rows = Earning.objects.filter(payout=payout).with_documents().newest_first()
    name = f"Payout {party.connection.customer} {payout.period_start}"
    return csv_response(name, EARNINGS, map(_earning, _each(rows)))


def _earning(row: Earning) -> tuple[Any, ...]:
    return (
        *(row.earned_at, row.connection.customer.name, row.payment.invoice.code),
        *(row.kind, row.currency, row.gross_money),
        *(row.fee_percent, row.fee_money, row.affiliate_money, row.net_money),
    )


def _each(rows: Any) -> Iterator[Any]:
    return iter(rows.iterator(chunk_size=CHUNK))
