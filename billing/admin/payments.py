"""Payment methods, attempts to collect, refunds, disputes, and what gateways told us."""

from datetime import datetime, timedelta

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from billing.models import Dispute, GatewayEvent, Invoice, Payment, PaymentMethod, Refund
from revampd.kit.admin import Waiting, WaitingFilter, call_verb

from .records import PARTIES, PARTY_NAMES, RecordAdmin, money

RECENT = timedelta(days=30)
OWED = (Invoice.State.OPEN, Invoice.State.PAST_DUE)


def _recent() -> datetime:
    return timezone.now() - RECENT


@admin.register(PaymentMethod)
class PaymentMethodAdmin(RecordAdmin):
    list_display = (
        *("label", "connection", "gateway", "expiry", "is_default"),
        *("added_by", "added_at", "removed_at"),
    )
    list_filter = ("is_default", ("removed_at", admin.EmptyFieldListFilter), "gateway", "brand")
    list_select_related = (*PARTIES, "added_by")
    search_fields = ("=last4", "=reference", *PARTY_NAMES)
    ordering = ("-added_at",)


@admin.register(Payment)
class PaymentAdmin(RecordAdmin):
    list_display = (
        *("begun_at", "connection", "invoice", money("amount"), "state", "method", "cause"),
        *(money("refunded"), money("disputed"), "failure", "settled_at"),
    )
    waiting = {
        "failed": Waiting(
            "Failed payments of what is still owed",
            "settled_at",
            lambda rows: rows.filter(state=Payment.State.FAILED, invoice__state__in=OWED),
        )
    }
    list_filter = (WaitingFilter, "state", "cause", "is_hard", "begun_at")
    list_select_related = (*PARTIES, "invoice", "method")
    search_fields = ("=id", "=reference", "=invoice__number", *PARTY_NAMES)
    date_hierarchy = "begun_at"
    ordering = ("-begun_at",)


@admin.register(Refund)
class RefundAdmin(RecordAdmin):
    list_display = (
        *("begun_at", "connection", "note", money("amount"), "state", "payment"),
        *("failure", "settled_at"),
    )
    waiting = {
        "failed": Waiting(
            "Refunds that did not go through",
            "settled_at",
            lambda rows: rows.filter(state=Refund.State.FAILED, settled_at__gt=_recent()),
        )
    }
    list_filter = (WaitingFilter, "state", "begun_at")
    list_select_related = (*PARTIES, "note", "payment__method")
    search_fields = ("=id", "=reference", "=note__number", *PARTY_NAMES)
    ordering = ("-begun_at",)


@admin.register(Dispute)
class DisputeAdmin(RecordAdmin):
    """What banks claim back. Evidence is sent at the gateway, under the reference."""

    list_display = (
        *("opened_at", "connection", "invoice", money("claimed"), money("amount"), "state"),
        *("reason", "respond_by", "reference", "closed_at"),
    )
    list_filter = ("state", "reason", "opened_at")
    list_select_related = (*PARTIES, "payment__invoice")
    search_fields = ("=id", "=reference", "=payment__id", "=payment__invoice__number", *PARTY_NAMES)
    ordering = ("-opened_at",)

    @admin.display(ordering="payment__invoice__number")
    def invoice(self, dispute: Dispute) -> str:
        return str(dispute.payment.invoice)


@admin.register(GatewayEvent)
class GatewayEventAdmin(RecordAdmin):
    """Webhooks as they were received. One with a problem waits until it is released."""

    list_display = (
        *("received_at", "gateway", "kind", "event_id", "key"),
        *("processed_at", "note", "problem"),
    )
    waiting = {
        "set-aside": Waiting(
            "Webhooks that were set aside", "received_at", lambda rows: rows.exclude(problem="")
        )
    }
    list_filter = (
        WaitingFilter,
        ("problem", admin.EmptyFieldListFilter),
        ("processed_at", admin.EmptyFieldListFilter),
        *("inbox", "gateway", "kind"),
    )
    search_fields = ("=event_id", "=key", "problem")
    ordering = ("-id",)
    actions = ("release",)

    @admin.display(description="body")
    def text(self, event: GatewayEvent) -> str:
        return bytes(event.body).decode(errors="replace")

    def get_fields(self, request: HttpRequest, row: GatewayEvent | None = None) -> list[object]:  # type: ignore[override]
        return [*super().get_fields(request, row), "text"]

    @admin.action(description="Try again", permissions=["verb"])
    def release(self, request: HttpRequest, rows: QuerySet[GatewayEvent]) -> None:
        call_verb(request, rows, lambda row: row.release(), "{} released.")
