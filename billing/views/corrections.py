"""Correcting an issued invoice: void, write off, and credit notes with their pages."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_GET

from billing.forms.corrections import CreditNoteForm, ReasonForm
from billing.models import CreditNote, Document, Invoice
from billing.models.returns import Return
from billing.settlement import refunded
from connections.access import Duty, Party, Side, party_view
from connections.models import Event
from connections.timeline import timeline
from revampd.kit import clock
from revampd.kit.errors import DomainError, Invalid
from revampd.kit.forms import refuse
from revampd.kit.htmx import done, page, wants_fragment

from .invoices import find_invoice

FORM = "billing/corrections/_form.html"
NOTE_FORM = "billing/corrections/_note_form.html"


# Void and written off


@party_view(side=Side.PROVIDER, duty=Duty.BILL)
def void_invoice(request: HttpRequest, party: Party, number: int) -> HttpResponse:
    return _end(request, party, number, Invoice.void, "void.html", "{code} is void.")


@party_view(side=Side.PROVIDER, duty=Duty.BILL)
def write_off_invoice(request: HttpRequest, party: Party, number: int) -> HttpResponse:
    sentence = "You wrote {due} of {code} off."
    return _end(request, party, number, Invoice.write_off, "write_off.html", sentence)


def _end(
    request: HttpRequest,
    party: Party,
    number: int,
    act: Callable[..., None],
    template: str,
    sentence: str,
) -> HttpResponse:
    """The page of an act that ends an invoice, and the act itself."""
    invoice = find_invoice(party, number)
    form = ReasonForm(request.POST if request.method == "POST" else None)
    context: dict[str, Any] = {"invoice": invoice, "form": form}
    if form.is_valid():
        told = sentence.format(code=invoice.code, due=invoice.amount_due)
        reason = form.cleaned_data["reason"]
        try:
            act(invoice, reason=reason, by=party.user, at=clock.now())
        except Invalid as refusal:
            refuse(form, refusal)
        except DomainError as refusal:
            context["refusal"] = refusal
        else:
            return done(request, told, _url("billing:invoice", invoice))
    template = f"billing/corrections/{template}"
    return page(request, template, context, fragment=FORM, status=_status(context))


# Credit notes


@party_view(side=Side.PROVIDER, duty=Duty.BILL)
def new_credit_note(request: HttpRequest, party: Party, number: int) -> HttpResponse:
    """The form, what would return where, and the issuing."""
    invoice = find_invoice(party, number)
    form = _note_form(request, invoice)
    is_preview = "preview" in request.POST
    context: dict[str, Any] = {"invoice": invoice, "form": form}
    if form.is_valid() and not is_preview:
        try:
            return _issue(request, party, invoice, form)
        except Invalid as refusal:
            refuse(form, refusal)
        except DomainError as refusal:
            context["refusal"] = refusal
    context["returned"] = Return.of(invoice, form.amount) if form.amount else None
    if is_preview and wants_fragment(request):
        # It comes alone: the form may have been answered, and replaced, while it was on its way.
        return render(request, "billing/corrections/_preview.html", context)
    template = "billing/corrections/note_new.html"
    return page(request, template, context, fragment=NOTE_FORM, status=_status(context))


def _note_form(request: HttpRequest, invoice: Invoice) -> CreditNoteForm:
    if "all" in request.POST:
        return CreditNoteForm.of_everything(invoice, request.POST.get("reason", ""))
    return CreditNoteForm(invoice, request.POST if request.method == "POST" else None)


def _issue(
    request: HttpRequest, party: Party, invoice: Invoice, form: CreditNoteForm
) -> HttpResponse:
    reason = form.cleaned_data["reason"]
    note = CreditNote.issue(invoice, form.amounts, reason=reason, by=party.user, at=clock.now())
    sentence = f"{note.code} takes back {note.total} of {invoice.code}."
    return done(request, sentence, _url("billing:credit-note", note))


@party_view
@require_GET
def credit_note(request: HttpRequest, party: Party, note_number: int) -> HttpResponse:
    note = find_note(party, note_number)
    refunds = list(note.refunds.select_related("payment__method").order_by("begun_at", "pk"))
    lines = note.lines.select_related("line").order_by("position")
    told = Event.objects.about(note, *refunds).with_actors().newest_first()
    context = {
        "note": note,
        "lines": list(lines),
        "refunds": [(refund, refunded(refund)) for refund in refunds],
        "document": Document.objects.filter(note=note).defer("content").first(),
        "timeline": timeline(told),
    }
    return page(request, "billing/corrections/note.html", context)


def find_note(party: Party, number: int) -> CreditNote:
    rows = party.connection.credit_notes.select_related("invoice", "issued_by")
    found: CreditNote = get_object_or_404(rows, number=number)
    found.connection = found.invoice.connection = party.connection
    return found


def _status(context: dict[str, Any]) -> int:
    if refusal := context.get("refusal"):
        return int(refusal.status)
    return 422 if context["form"].errors else 200


def _url(name: str, subject: Invoice | CreditNote) -> str:
    return reverse(name, args=[subject.connection_id, subject.number])
