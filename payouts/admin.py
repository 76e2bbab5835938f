"""Earnings and payouts for staff: all of it is read; Partners settle, and the gateway answers."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from billing.admin.records import PARTIES, PARTY_NAMES, RecordAdmin, money
from revampd.kit.admin import Waiting, WaitingFilter

from .affiliates import admin as affiliates
from .models import (
    BankAccount,
    BankTransfer,
    Earning,
    Payout,
    Preference,
    SandboxBank,
    SandboxLink,
    SandboxTransfer,
    Settlement,
    Statement,
)

__all__ = ["affiliates"]


@admin.register(Earning)
class EarningAdmin(RecordAdmin):
    list_display = (
        *("earned_at", "connection", money("gross"), money("fee"), money("affiliate")),
        *(money("net"), "payout"),
    )
    list_filter = (
        *(("refund", admin.EmptyFieldListFilter), ("dispute", admin.EmptyFieldListFilter)),
        ("payout", admin.EmptyFieldListFilter),
    )
    list_select_related = (*PARTIES, "payout")
    search_fields = ("=id", "=payment__id", *PARTY_NAMES)
    date_hierarchy = "earned_at"
    ordering = ("-earned_at",)


@admin.register(Payout)
class PayoutAdmin(RecordAdmin):
    list_display = (
        *("period_start", "connection", money("amount"), "state"),
        *(money("carried"), money("credited"), money("banked")),
    )
    list_filter = ("state", "period_start")
    list_select_related = PARTIES
    search_fields = ("=id", *PARTY_NAMES)
    ordering = ("-period_start",)


@admin.register(Settlement)
class SettlementAdmin(RecordAdmin):
    list_display = (
        *("settled_at", "connection", "payout"),
        *(money("credited"), money("banked"), "settled_by"),
    )
    list_select_related = (*PARTIES, "payout", "settled_by")
    search_fields = ("=id", "=payout__id", *PARTY_NAMES)
    ordering = ("-settled_at",)


@admin.register(Statement)
class StatementAdmin(RecordAdmin):
    list_display = ("payout", "as_of", "parts", "sha256", "rendered_at")
    list_select_related = ("payout",)
    search_fields = ("=payout__id", "=sha256")
    ordering = ("-rendered_at",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Statement]:
        rows: QuerySet[Statement] = super().get_queryset(request).defer("content")
        return rows


@admin.register(BankTransfer)
class BankTransferAdmin(RecordAdmin):
    """What is on its way to banks. Filter by state for what failed, with the reason."""

    list_display = (
        *("begun_at", "connection", money("amount"), "state", "account"),
        *("failure", "settled_at", "returned_at", "reference"),
    )
    waiting = {
        "failed": Waiting(
            "Failed transfers to banks",
            "settled_at",
            lambda rows: rows.filter(
                state=BankTransfer.State.FAILED, payout__state=Payout.State.AVAILABLE
            ),
        )
    }
    list_filter = (WaitingFilter, "state", "begun_at")
    list_select_related = (*PARTIES, "account")
    search_fields = ("=id", "=reference", *PARTY_NAMES)
    ordering = ("-begun_at",)


@admin.register(BankAccount)
class BankAccountAdmin(RecordAdmin):
    list_display = ("__str__", "connection", "gateway", "linked_by", "linked_at", "removed_at")
    list_filter = (("removed_at", admin.EmptyFieldListFilter), "gateway")
    list_select_related = (*PARTIES, "linked_by")
    search_fields = ("=last4", "=reference", *PARTY_NAMES)
    ordering = ("-linked_at",)


@admin.register(Preference)
class PreferenceAdmin(RecordAdmin):
    list_display = ("connection", "kind", "credit_percent", "chosen_by", "chosen_at")
    list_filter = ("kind",)
    list_select_related = (*PARTIES, "chosen_by")
    search_fields = PARTY_NAMES
    ordering = ("-chosen_at",)


@admin.register(SandboxTransfer)
class SandboxTransferAdmin(RecordAdmin):
    """What the sandbox's bank sent."""

    list_display = ("reference", "key", "state", "code", money("amount"), "begun_at", "arrives_at")
    list_filter = ("state", "code")
    search_fields = ("=reference", "=key")
    ordering = ("-begun_at",)


@admin.register(SandboxBank, SandboxLink)
class SandboxRecordAdmin(RecordAdmin):
    ordering = ("-pk",)
