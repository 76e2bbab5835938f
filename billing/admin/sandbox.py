"""The books of the sandbox gateway: pretended money, of the demo and the tests."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from billing.gateways.base import ClaimState
from billing.models import (
    Payment,
    SandboxCharge,
    SandboxDispute,
    SandboxLostRequest,
    SandboxMethod,
    SandboxRefund,
    SandboxSetup,
    SandboxWebhook,
)
from connections.clocks import clock_of_connection
from revampd.kit import clock
from revampd.kit.admin import call_verb

from .records import RecordAdmin, money


class SandboxOrderAdmin(RecordAdmin):
    """What the sandbox took and gave back."""

    list_display = ("reference", "key", "state", "code", money("amount"), "begun_at", "settles_at")
    list_filter = ("state", "code")
    search_fields = ("=reference", "=key")
    ordering = ("-begun_at",)


admin.site.register(SandboxRefund, SandboxOrderAdmin)


@admin.register(SandboxCharge)
class SandboxChargeAdmin(SandboxOrderAdmin):
    """What the sandbox took. Staff play the bank that takes it back."""

    actions = ("dispute",)

    @admin.action(description="Dispute what is left of it", permissions=["verb"])
    def dispute(self, request: HttpRequest, rows: QuerySet[SandboxCharge]) -> None:
        def begin(charge: SandboxCharge) -> None:
            _on_its_clock(charge, lambda at: SandboxDispute.begin(charge, at=at))

        call_verb(request, rows, begin, "{} disputed. The webhooks are on their way.")


@admin.register(SandboxDispute)
class SandboxDisputeAdmin(RecordAdmin):
    """What the sandbox's banks claim back. Staff play the bank that decides."""

    list_display = ("reference", "charge", money("amount"), "reason", "state", "begun_at")
    list_filter = ("state",)
    list_select_related = ("charge",)
    search_fields = ("=reference", "=charge__reference", "=charge__key")
    ordering = ("-begun_at",)
    actions = ("win", "lose")

    @admin.action(description="Win: the bank gives the money back", permissions=["verb"])
    def win(self, request: HttpRequest, rows: QuerySet[SandboxDispute]) -> None:
        self._decide(request, rows, ClaimState.WON, "{} won.")

    @admin.action(description="Lose: the bank keeps the money", permissions=["verb"])
    def lose(self, request: HttpRequest, rows: QuerySet[SandboxDispute]) -> None:
        self._decide(request, rows, ClaimState.LOST, "{} lost.")

    @staticmethod
    def _decide(
        request: HttpRequest, rows: QuerySet[SandboxDispute], state: ClaimState, done: str
    ) -> None:
        def decide(dispute: SandboxDispute) -> None:
            _on_its_clock(dispute.charge, lambda at: dispute.decide(state, at=at))

        call_verb(request, rows.select_related("charge"), decide, done)


def _on_its_clock(charge: SandboxCharge, act: Callable[[datetime], Any]) -> None:
    """Act at the time of the connection whose payment it is, which a demo can have moved."""
    payment = Payment.objects.select_related("connection").get(pk=charge.key)
    with clock_of_connection(payment.connection):
        act(clock.now())


@admin.register(SandboxMethod, SandboxSetup, SandboxWebhook, SandboxLostRequest)
class SandboxRecordAdmin(RecordAdmin):
    ordering = ("-pk",)
