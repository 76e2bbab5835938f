"""The books of the sandbox gateway: pretended money, of the demo and the tests."""

from django.contrib import admin

from billing.models import (
    SandboxCharge,
    SandboxLostRequest,
    SandboxMethod,
    SandboxRefund,
    SandboxSetup,
    SandboxWebhook,
)

from .records import RecordAdmin, money


@admin.register(SandboxCharge, SandboxRefund)
class SandboxOrderAdmin(RecordAdmin):
    """What the sandbox took and gave back."""

    list_display = ("reference", "key", "state", "code", money("amount"), "begun_at", "settles_at")
    list_filter = ("state", "code")
    search_fields = ("=reference", "=key")
    ordering = ("-begun_at",)


@admin.register(SandboxMethod, SandboxSetup, SandboxWebhook, SandboxLostRequest)
class SandboxRecordAdmin(RecordAdmin):
    ordering = ("-pk",)
