"""Invoices and credit notes on paper: the stored PDF, or a page that waits for it."""

from typing import Protocol

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import content_disposition_header, parse_etags
from django.views.decorators.http import require_GET

from billing.events import FILE_TASK
from billing.models import CreditNote, Document, Invoice
from connections.access import Party, party_view
from revampd.kit.doorbell import ring_on_commit
from revampd.kit.htmx import page, wants_fragment

from .corrections import find_note
from .invoices import find_invoice

WAITING = "billing/documents/_waiting.html"


@party_view
@require_GET
def invoice_pdf(request: HttpRequest, party: Party, number: int) -> HttpResponse:
    invoice = find_invoice(party, number)
    document = Document.objects.filter(invoice=invoice).first()
    return _pdf(request, invoice, reverse("billing:invoice", args=_where(invoice)), document)


@party_view
@require_GET
def note_pdf(request: HttpRequest, party: Party, note_number: int) -> HttpResponse:
    note = find_note(party, note_number)
    document = Document.objects.filter(note=note).first()
    return _pdf(request, note, reverse("billing:credit-note", args=_where(note)), document)


def _pdf(
    request: HttpRequest, subject: Invoice | CreditNote, back: str, document: Document | None
) -> HttpResponse:
    if document and not wants_fragment(request):
        return download(request, subject.file_name, document)
    if not document:
        ring_on_commit(FILE_TASK, str(subject.pk))
    context = {"subject": subject, "back": back, "document": document, "name": subject.file_name}
    return page(request, "billing/documents/waiting.html", context, fragment=WAITING)


class Stored(Protocol):
    """A file as it is kept."""

    content: bytes | memoryview
    sha256: str


def download(
    request: HttpRequest, name: str, document: Stored, kind: str = "application/pdf"
) -> HttpResponse:
    """The stored bytes, or 304 for who has them already."""
    tag = f'"{document.sha256}"'
    if tag in parse_etags(request.headers.get("If-None-Match", "")):
        response = HttpResponse(status=304)
    else:
        response = HttpResponse(bytes(document.content), content_type=kind)
        response["Content-Disposition"] = str(content_disposition_header(True, name))
    response["ETag"] = tag
    # Whose right to it has ended may not read on from a cache.
    response["Cache-Control"] = "private, no-cache"
    return response


def _where(subject: Invoice | CreditNote) -> list[object]:
    return [subject.connection_id, subject.number]
