"""The wallet of a connection, seen from both sides: its credits, their uses, adjustments."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.paginator import Page, Paginator
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_GET

from billing.forms.wallet import AdjustmentForm
from billing.models import Adjustment, Credit, CreditApplication, Deduction, Invoice
from billing.wallet import Wallet
from connections.access import Duty, Party, Side, party_view
from revampd.kit import clock
from revampd.kit.errors import Invalid
from revampd.kit.forms import refuse
from revampd.kit.htmx import done, page, wants_fragment
from revampd.kit.money import Money
from revampd.kit.prepared import prepared

PAGE_LENGTH = 25
TAKEN_OUT = "deductions"
SHOWN = (
    *("origin", "reason", "currency", "amount", "applied", "issued_at"),
    *("issued_by__name", "issued_by__email"),
)
# What the list can show: its name in the address, its tab, and the fact that counts it.
SHOWS = (
    ("", "All credits", "lots"),
    ("unspent", "Unspent", "unspent_lots"),
    (TAKEN_OUT, "Taken out", "taken_out"),
)


# The list


@party_view
@require_GET
def wallet_page(request: HttpRequest, party: Party) -> HttpResponse:
    """The balance, what the next invoice takes of it, and the credits or what was taken out."""
    wallet = _wallet(party)
    numbers = {name: wallet.facts[count] for name, _, count in SHOWS}
    show = request.GET.get("show", "")
    show = show if show in numbers else ""
    pages: Paginator[Any] = Paginator(_rows(party.connection.pk, show), PAGE_LENGTH)
    pages.count = numbers[show]  # counted already
    listed = pages.get_page(request.GET.get("page"))
    context = {
        "wallet": wallet,
        "shows": [(name, label, numbers[name]) for name, label, _ in SHOWS],
        "show": show,
        "page": listed,
        "rows": [(row, wallet.takes.get(row.pk)) for row in listed],
    }
    return page(request, "billing/wallet/detail.html", context)


def _rows(connection: UUID, show: str) -> Any:
    if show == TAKEN_OUT:
        return _deductions.part_of(connection)
    return _credits.part_of(connection, unspent=bool(show))


@prepared
def _credits(connection: Any, *, unspent: bool, part: tuple[int, int]) -> QuerySet[Credit]:
    """With who issued them, and whether they were ever used."""
    own = Credit.objects.filter(connection=connection).newest_first()
    shown = own.unspent() if unspent else own
    uses = CreditApplication.objects.filter(credit=OuterRef("pk"))
    told: QuerySet[Credit] = shown.select_related("issued_by").only(*SHOWN)
    return told.annotate(has_applications=Exists(uses))[slice(*part)]


@prepared
def _deductions(connection: Any, *, part: tuple[int, int]) -> QuerySet[Deduction]:
    own = Deduction.objects.filter(connection=connection).select_related("made_by")
    return own.order_by("-made_at", "-id")[slice(*part)]


# One credit


@dataclass(frozen=True)
class Move:
    """Cents that left a credit, or came back to it."""

    amount: Money
    at: datetime
    invoice: Invoice | None = None
    deduction: Deduction | None = None
    is_return: bool = False


@party_view
@require_GET
def credit_detail(request: HttpRequest, party: Party, credit_id: UUID) -> HttpResponse:
    """A credit and its applications, newest first; for htmx only the latest of them."""
    credit = get_object_or_404(party.connection.credits.select_related("issued_by"), pk=credit_id)
    applications = credit.applications.select_related("invoice", "deduction__made_by")
    newest = applications.prefetch_related("returns").order_by("-applied_at", "-id")
    listed = Paginator(newest, PAGE_LENGTH).get_page(request.GET.get("page"))
    context = {"credit": credit, "page": listed, "moves": list(_moves(listed, credit))}
    fragment = "billing/wallet/_applications.html"
    return page(request, "billing/wallet/credit.html", context, fragment=fragment)


def _moves(applications: "Page[CreditApplication]", credit: Credit) -> Iterable[Move]:
    """Each application, what went back of it right below."""
    for application in applications:
        target: dict[str, Any] = {
            "invoice": application.invoice,
            "deduction": application.deduction,
        }
        yield Move(Money(application.amount, credit.currency), application.applied_at, **target)
        for back in sorted(application.returns.all(), key=lambda row: row.returned_at):
            amount = Money(back.amount, credit.currency)
            yield Move(amount, back.returned_at, **target, is_return=True)


# Adjusting


@party_view(side=Side.PROVIDER, duty=Duty.BILL)
def adjust_wallet(request: HttpRequest, party: Party) -> HttpResponse:
    """The form, what the balance would be afterwards, and the adjustment itself."""
    form = AdjustmentForm(party.connection, request.POST if request.method == "POST" else None)
    is_preview = "preview" in request.POST
    if form.is_valid() and not is_preview:
        try:
            return _adjust(request, party, form)
        except Invalid as refusal:
            refuse(form, refusal)
    wallet, change = _wallet(party), form.change
    context = {
        "form": form,
        "wallet": wallet,
        "adjustment": wallet.adjusted(change) if change is not None else None,
    }
    if is_preview and wants_fragment(request):
        # A form half filled in is no mistake yet.
        return render(request, "billing/wallet/_after.html", context)
    status = 422 if form.errors else 200
    fragment = "billing/wallet/_form.html"
    template = "billing/wallet/adjust.html"
    return page(request, template, context, fragment=fragment, status=status)


def _adjust(request: HttpRequest, party: Party, form: AdjustmentForm) -> HttpResponse:
    given, change = form.cleaned_data, form.change or Money(0, form.currency)
    made = Adjustment.adjust(
        party.connection,
        change.minor,
        reason=given["reason"],
        by=party.user,
        at=clock.now(),
        key=given["key"],
    )
    if isinstance(made, Adjustment):
        sentence = f"{made.total} wait for a second member of Revampd's staff, who has to approve."
        return done(request, sentence, reverse("billing:wallet", args=[party.connection.pk]))
    did = "took {} out of" if isinstance(made, Deduction) else "added {} to"
    sentence = f"You {did.format(made.total)} the wallet of {party.counterparty}."
    return done(request, sentence, reverse("billing:wallet", args=[party.connection.pk]))


def _wallet(party: Party) -> Wallet:
    return Wallet(party.connection, party.connection.day_of(clock.now()))
