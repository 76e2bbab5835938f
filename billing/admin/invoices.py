"""Invoices and what corrects them. Staff may void one or write it off, with a reason."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse

from billing.forms.corrections import CreditNoteForm
from billing.models import (
    CreditNote,
    CreditNoteLine,
    Document,
    Invoice,
    InvoiceLine,
    InvoiceSeries,
)
from connections.clocks import clock_of_connection
from revampd.kit import clock
from revampd.kit.acts import Act, act_page

from .acts import ReasonForm
from .records import PARTIES, PARTY_NAMES, RecordAdmin, money, staff_of


@admin.register(Invoice)
class InvoiceAdmin(RecordAdmin):
    list_display = (
        *("code", "provider", "customer", "state", "kind"),
        *(money("total"), money("outstanding"), "issue_date", "due_date", "collect_on"),
    )
    list_filter = ("state", "kind", "is_stuck", "issue_date", "provider__kind")
    list_select_related = ("provider", "connection__customer")
    search_fields = ("=id", "=number", "provider__name", "connection__customer__name")
    date_hierarchy = "issue_date"
    ordering = ("-issued_at",)

    @admin.display(ordering="connection__customer__name")
    def customer(self, invoice: Invoice) -> str:
        return str(invoice.connection.customer)

    def get_urls(self) -> list[URLPattern]:
        void = self.admin_site.admin_view(self.void)
        write_off = self.admin_site.admin_view(self.write_off)
        credit = self.admin_site.admin_view(self.credit)
        return [
            path("<uuid:invoice_id>/void/", void, name="void-invoice"),
            path("<uuid:invoice_id>/write-off/", write_off, name="write-off-invoice"),
            path("<uuid:invoice_id>/credit-note/", credit, name="credit-invoice"),
            *super().get_urls(),
        ]

    def void(self, request: HttpRequest, invoice_id: UUID) -> HttpResponse:
        """Take a whole invoice back."""
        invoice = _invoice(invoice_id)
        words = (
            f"All {invoice.total_money} are taken back and nothing of it is owed any more. "
            f"{invoice.credited_money} return to the credits that paid. It cannot be undone."
        )
        return self._amend(request, invoice, "Make {} void", words, invoice.void)

    def write_off(self, request: HttpRequest, invoice_id: UUID) -> HttpResponse:
        """Give up on what is owed of an invoice."""
        invoice = _invoice(invoice_id)
        words = (
            f"Nobody asks for the {invoice.amount_due} any more that are owed. It cannot be undone."
        )
        return self._amend(request, invoice, "Write {} off", words, invoice.write_off)

    def credit(self, request: HttpRequest, invoice_id: UUID) -> HttpResponse:
        """Take a part of an invoice back, or all that is left; what was paid is refunded."""
        invoice = _invoice(invoice_id)
        form = CreditNoteForm.of_everything(invoice, "")
        if request.method == "POST" or "all" not in request.GET:
            form = CreditNoteForm(invoice, request.POST or None)

        def credit() -> str:
            reason = form.cleaned_data["reason"]
            with clock_of_connection(invoice.connection):
                note = CreditNote.issue(
                    invoice, form.amounts, reason=reason, by=staff_of(request), at=clock.now()
                )
            return f"{note.code} takes back {note.total} of {invoice}."

        act = Act(
            title=f"Credit note for {invoice}",
            words=f"{form.left} can still be taken back. What is owed goes first; what was paid "
            "returns as it was paid, to the same credits and to the same cards. It cannot be "
            "undone.",
            submit="Issue the credit note",
            back=reverse("admin:billing_invoice_change", args=[invoice.pk]),
        )
        return act_page(self, request, act, form, credit)

    def _amend(
        self,
        request: HttpRequest,
        invoice: Invoice,
        title: str,
        words: str,
        verb: Callable[..., None],
    ) -> HttpResponse:
        back = reverse("admin:billing_invoice_change", args=[invoice.pk])
        form = ReasonForm(request.POST or None)

        def amend() -> str:
            with clock_of_connection(invoice.connection):
                verb(reason=form.cleaned_data["reason"], by=staff_of(request), at=clock.now())
            return f"{invoice} is {invoice.get_state_display().lower()}."

        act = Act(title.format(invoice), words, title.format("it"), back)
        return act_page(self, request, act, form, amend)


def _invoice(invoice_id: UUID) -> Invoice:
    invoice: Invoice = get_object_or_404(
        Invoice.objects.select_related("provider", *PARTIES), pk=invoice_id
    )
    return invoice


@admin.register(InvoiceLine)
class InvoiceLineAdmin(RecordAdmin):
    list_display = (
        *("invoice", "position", "description", "quantity"),
        *(money("unit_price"), money("amount"), "request"),
    )
    list_filter = ("kind",)
    list_select_related = ("invoice", "request__connection__customer")
    search_fields = ("description", "=invoice__number", "request__id")
    ordering = ("-id",)


@admin.register(InvoiceSeries)
class InvoiceSeriesAdmin(RecordAdmin):
    list_display = ("provider", "last_number", "last_note")
    list_select_related = ("provider",)
    search_fields = ("provider__name",)
    ordering = ("provider__name",)


@admin.register(CreditNote)
class CreditNoteAdmin(RecordAdmin):
    list_display = (
        *("code", "provider", "customer", "invoice", money("amount")),
        *("reason", "issued_by", "issue_date"),
    )
    list_filter = ("issue_date", "provider__kind")
    list_select_related = ("provider", "connection__customer", "invoice", "issued_by")
    search_fields = ("=number", "=invoice__number", "reason", *PARTY_NAMES)
    date_hierarchy = "issue_date"
    ordering = ("-issued_at",)

    @admin.display(ordering="connection__customer__name")
    def customer(self, note: CreditNote) -> str:
        return str(note.connection.customer)


@admin.register(CreditNoteLine)
class CreditNoteLineAdmin(RecordAdmin):
    list_display = ("note", "position", "line", money("amount"))
    list_select_related = ("note", "line")
    search_fields = ("=note__number", "line__description")
    ordering = ("-id",)


@admin.register(Document)
class DocumentAdmin(RecordAdmin):
    """The PDF files, by their hashes; what is in them is on the invoices."""

    list_display = ("of", "sha256", "rendered_at")
    list_select_related = ("invoice", "note")
    search_fields = ("=sha256", "=invoice__number", "=note__number")
    ordering = ("-id",)

    @admin.display(description="of")
    def of(self, document: Document) -> Any:
        return document.invoice or document.note
