"""Wallets: credits, their uses, and the ledger. Staff may adjust one, with a reason."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse

from billing.forms.wallet import AdjustmentForm
from billing.models import (
    Adjustment,
    Credit,
    CreditApplication,
    CreditReturn,
    Deduction,
    Transfer,
)
from billing.models.adjustments import alone
from connections.clocks import clock_of_connection
from connections.models import Connection
from revampd.kit import clock
from revampd.kit.acts import Act, act_page
from revampd.kit.admin import Waiting, WaitingFilter

from .acts import Confirmation
from .records import PARTIES, PARTY_NAMES, RecordAdmin, money, staff_of


@admin.register(Credit)
class CreditAdmin(RecordAdmin):
    list_display = (
        *("connection", "reason", "origin", money("amount"), money("applied", "used")),
        *("left", "issued_by", "issued_at"),
    )
    list_filter = ("origin", "issued_at")
    list_select_related = (*PARTIES, "issued_by")
    search_fields = ("reason", "=id", *PARTY_NAMES)
    date_hierarchy = "issued_at"
    ordering = ("-issued_at",)

    @admin.display(description="left")
    def left(self, credit: Credit) -> str:
        return str(credit.remaining)

    def get_urls(self) -> list[URLPattern]:
        adjust = self.admin_site.admin_view(self.adjust)
        return [
            path("of/<uuid:connection_id>/adjust/", adjust, name="adjust-wallet"),
            *super().get_urls(),
        ]

    def adjust(self, request: HttpRequest, connection_id: UUID) -> HttpResponse:
        """Add credit to the wallet of a connection, or take it out."""
        rows = Connection.objects.select_related("provider", "customer")
        connection = get_object_or_404(rows, pk=connection_id)
        form = AdjustmentForm(connection, request.POST if request.method == "POST" else None)

        def adjust() -> str:
            with clock_of_connection(connection):
                made = Adjustment.adjust(
                    connection,
                    form.change.minor if form.change else 0,
                    key=form.cleaned_data["key"],
                    reason=form.cleaned_data["reason"],
                    by=staff_of(request),
                    at=clock.now(),
                )
            if isinstance(made, Adjustment):
                return f"{made.total} wait for a second member of staff, who has to approve."
            return f"The wallet holds {connection.credits.balance(connection.currency)} now."

        act = Act(
            title=f"Adjust the wallet: {connection}",
            words=f"It holds {connection.credits.balance(connection.currency)}. More than "
            f"{alone(connection)} within a day takes a second member of staff.",
            submit="Adjust",
            back=reverse("admin:connections_connection_change", args=[connection.pk]),
        )
        return act_page(self, request, act, form, adjust)


@admin.register(Adjustment)
class AdjustmentAdmin(RecordAdmin):
    """Adjustments that take two: what waits is approved by somebody else than who proposed it."""

    list_display = (
        *("proposed_at", "connection", money("amount"), "reason", "state"),
        *("proposed_by", "decided_by", "decided_at"),
    )
    waiting = {
        "pending": Waiting(
            "Wallet adjustments that take a second person",
            "proposed_at",
            lambda rows: rows.filter(state=Adjustment.State.PENDING),
        )
    }
    list_filter = (WaitingFilter, "state", "proposed_at")
    list_select_related = (*PARTIES, "proposed_by", "decided_by")
    search_fields = ("=id", "reason", "=proposed_by__email", *PARTY_NAMES)
    ordering = ("-proposed_at",)

    def get_urls(self) -> list[URLPattern]:
        view, row = self.admin_site.admin_view, "<uuid:adjustment_id>"
        return [
            path(f"{row}/approve/", view(self.approve), name="approve-adjustment"),
            path(f"{row}/reject/", view(self.reject), name="reject-adjustment"),
            *super().get_urls(),
        ]

    def approve(self, request: HttpRequest, adjustment_id: UUID) -> HttpResponse:
        """Be the second person: it takes effect."""
        return self._decide(request, adjustment_id, "Approve", Adjustment.approve)

    def reject(self, request: HttpRequest, adjustment_id: UUID) -> HttpResponse:
        return self._decide(request, adjustment_id, "Reject", Adjustment.reject)

    def _decide(
        self, request: HttpRequest, adjustment_id: UUID, word: str, verb: Callable[..., Any]
    ) -> HttpResponse:
        rows = Adjustment.objects.select_related(*PARTIES, "proposed_by")
        adjustment: Adjustment = get_object_or_404(rows, pk=adjustment_id)
        connection = adjustment.connection

        def decide() -> str:
            with clock_of_connection(connection):
                verb(adjustment, by=staff_of(request), at=clock.now())
            state = adjustment.get_state_display().lower()
            return f"{adjustment.total} for the wallet of {connection} are {state}."

        balance = connection.credits.balance(connection.currency)
        act = Act(
            title=f"{word} {adjustment.total} for {connection}",
            words=f"{adjustment.proposed_by} proposed it: “{adjustment.reason}” "
            f"The wallet holds {balance}.",
            submit=word,
            back=reverse("admin:billing_adjustment_change", args=[adjustment.pk]),
        )
        return act_page(self, request, act, Confirmation(request.POST or None), decide)


@admin.register(Deduction)
class DeductionAdmin(RecordAdmin):
    list_display = ("connection", "reason", money("amount"), "made_by", "made_at")
    list_filter = ("made_at",)
    list_select_related = (*PARTIES, "made_by")
    search_fields = ("reason", "=id", *PARTY_NAMES)
    ordering = ("-made_at",)


@admin.register(CreditApplication)
class CreditApplicationAdmin(RecordAdmin):
    list_display = (
        *("connection", "credit", "invoice", "deduction"),
        *(money("amount"), money("returned"), "applied_at"),
    )
    list_filter = ("applied_at", ("deduction", admin.EmptyFieldListFilter))
    list_select_related = (*PARTIES, "credit", "invoice", "deduction")
    search_fields = ("=id", "=credit__id", "=invoice__number", *PARTY_NAMES)
    ordering = ("-applied_at",)


@admin.register(CreditReturn)
class CreditReturnAdmin(RecordAdmin):
    list_display = ("connection", "application", money("amount"), "returned_at")
    list_filter = ("returned_at",)
    list_select_related = (*PARTIES, "application__credit")
    search_fields = ("=id", "=application__id", *PARTY_NAMES)
    ordering = ("-returned_at",)


@admin.register(Transfer)
class TransferAdmin(RecordAdmin):
    """The ledger. Look for all movements of a document by its id."""

    list_display = (
        *("id", "at", "connection", "kind", "debit", "credit"),
        *(money("amount"), "document"),
    )
    list_filter = ("kind", "debit", "credit")
    list_select_related = PARTIES
    search_fields = ("=document", *PARTY_NAMES)
    date_hierarchy = "at"
    ordering = ("-id",)
