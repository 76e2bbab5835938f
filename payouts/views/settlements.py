"""Settling a payout: the form, what it comes to, and the settlement itself."""

from dataclasses import dataclass
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from billing.wallet import Adjustment, Wallet
from connections.access import Duty, Party, Side
from payouts.access import payout_view
from payouts.forms import SettlementForm
from payouts.models import BankAccount, Payout
from payouts.models.accounts import NoBankAccount
from payouts.sending import resolve_transfer
from revampd.kit import clock
from revampd.kit.errors import Invalid
from revampd.kit.forms import refuse
from revampd.kit.htmx import done, page, wants_fragment
from revampd.kit.money import Money

from .payouts import detail_page, find_payout


@dataclass(frozen=True)
class Preview:
    """What a settlement would come to: the wallet afterwards, and what is sent to the bank."""

    wallet: Adjustment
    banked: Money
    left: Money  # of the payout, if the parts do not add up

    @property
    def is_exact(self) -> bool:
        return not self.left


@payout_view(side=Side.CUSTOMER, duty=Duty.BILL, refused=detail_page)
def settle_payout(request: HttpRequest, party: Party, payout_id: UUID) -> HttpResponse:
    payout = find_payout(party, payout_id)
    bank, why = _bank(party)
    form = SettlementForm(payout, bank, request.POST if request.method == "POST" else None)
    is_preview = "preview" in request.POST
    if request.method == "GET" and not payout.left:
        return redirect(_url(payout))
    if form.is_valid() and not is_preview:
        try:
            return _settle(request, party, payout, form)
        except Invalid as refusal:
            refuse(form, refusal)
    context = {"payout": payout, "form": form, "bank": bank, "why": why}
    context["preview"] = _preview(party, payout, form)
    if is_preview and wants_fragment(request):
        return render(request, "payouts/settling/_after.html", context)
    status = 422 if form.errors else 200
    fragment = "payouts/settling/_form.html"
    return page(request, "payouts/settling/new.html", context, fragment=fragment, status=status)


def _settle(
    request: HttpRequest, party: Party, payout: Payout, form: SettlementForm
) -> HttpResponse:
    credit, transfer = form.parts or (0, 0)
    at = clock.now()
    settlement = payout.settle(credit=credit, transfer=transfer, by=party.user, at=at)
    if settlement.sent:
        resolve_transfer(settlement.sent, at=at)
    return done(request, f"{settlement.in_words}.", _url(payout))


def _bank(party: Party) -> tuple[BankAccount | None, str]:
    """The account that takes transfers now, or why there is none."""
    try:
        return BankAccount.objects.ready(party.connection, at=clock.now()), ""
    except NoBankAccount as refusal:
        return None, refusal.sentence


def _preview(party: Party, payout: Payout, form: SettlementForm) -> Preview:
    """What is chosen now; the whole to the wallet while nothing can be read."""
    parts = form.parts if form.is_bound else None
    credit, transfer = parts or (payout.left, 0)
    wallet = Wallet(party.connection, party.connection.day_of(clock.now()))
    return Preview(
        wallet=wallet.adjusted(Money(credit, payout.currency)),
        banked=Money(transfer, payout.currency),
        left=payout.available - Money(credit + transfer, payout.currency),
    )


def _url(payout: Payout) -> str:
    return reverse("payouts:payout", args=[payout.connection_id, payout.pk])
