"""Usage that a plan charges by number."""

from django.contrib import admin

from billing.models import UsageRecord

from .records import PARTIES, PARTY_NAMES, RecordAdmin


@admin.register(UsageRecord)
class UsageRecordAdmin(RecordAdmin):
    list_display = (
        *("used_on", "connection", "item", "measure", "quantity"),
        *("key", "line", "entered_by", "entered_at"),
    )
    list_filter = ("measure", ("line", admin.EmptyFieldListFilter), "used_on")
    list_select_related = (*PARTIES, "item", "line", "entered_by")
    search_fields = ("=key", "item__name", *PARTY_NAMES)
    date_hierarchy = "used_on"
    ordering = ("-used_on",)
