"""What was asked and approved, and what runs because of it."""

from django.contrib import admin

from billing.models import BillingRequest, Subscription, SubscriptionItem

from .records import RecordAdmin, money


@admin.register(BillingRequest)
class BillingRequestAdmin(RecordAdmin):
    list_display = (
        *("reference", "headline", "connection", "state"),
        *("proposed_by", "proposed_at", "decided_by", "decided_at"),
    )
    list_filter = ("state", "kind", "made_by", "proposed_at")
    list_select_related = (
        *("connection__provider", "connection__customer"),
        *("proposed_by", "decided_by"),
    )
    search_fields = ("id", "seal", "terms__name", "provider__name", "connection__customer__name")
    date_hierarchy = "proposed_at"
    ordering = ("-proposed_at",)


@admin.register(Subscription)
class SubscriptionAdmin(RecordAdmin):
    list_display = ("connection", "start_date", "next_invoice_date", "end_date")
    list_filter = (("end_date", admin.EmptyFieldListFilter), "next_invoice_date")
    list_select_related = ("connection__provider", "connection__customer")
    search_fields = ("connection__provider__name", "connection__customer__name")
    ordering = ("next_invoice_date",)


@admin.register(SubscriptionItem)
class SubscriptionItemAdmin(RecordAdmin):
    list_display = (
        *("name", "connection", "kind", money("unit_price"), "quantity", "interval"),
        *("start_date", "end_date", "billed_to"),
    )
    list_filter = ("kind", "interval", ("end_date", admin.EmptyFieldListFilter))
    list_select_related = ("subscription", "connection__provider", "connection__customer")
    search_fields = ("name", "connection__provider__name", "connection__customer__name")
    ordering = ("-start_date",)
