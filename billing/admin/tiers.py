"""What Partners use of their tiers, as the platform reported it."""

from typing import Any

from django.contrib import admin

from billing.models import TierUse

from .records import RecordAdmin


@admin.register(TierUse)
class TierUseAdmin(RecordAdmin):
    list_display: tuple[Any, ...] = ("connection", "campaigns", "workflows", "reported_at")
    list_select_related = ("connection__provider", "connection__customer")
    search_fields = ("connection__customer__name",)
    ordering = ("connection__customer__name",)
