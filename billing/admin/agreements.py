"""What was asked and approved, and what runs because of it."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from billing.models import BillingRequest, OneTimeCharge, Subscription, SubscriptionItem
from billing.models.proposals import NOTE_LENGTH, Proposal
from connections.clocks import clock_of_connection
from connections.models import Connection
from revampd.kit import clock
from revampd.kit.acts import Act, act_page
from revampd.kit.admin import Waiting, WaitingFilter
from revampd.kit.ids import growing_id

from .records import RecordAdmin, money, staff_of

RECENT = timedelta(weeks=2)


class ServiceChoice(forms.ModelChoiceField):
    def label_from_instance(self, charge: Any) -> str:
        return f"{charge.name}, {charge.price}"


class ServiceForm(forms.Form):
    """What to do for a customer. `key` is the id of the request to be, as in the Partners' form."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    service = ServiceChoice(OneTimeCharge.objects.none(), empty_label=None)
    note = forms.CharField(
        required=False,
        max_length=NOTE_LENGTH,
        widget=forms.Textarea({"rows": 3}),
        help_text="The customer reads it with the request.",
    )

    def __init__(self, connection: Connection, data: Any = None) -> None:
        super().__init__(data, initial={"key": growing_id()})
        own = OneTimeCharge.objects.on_sale().filter(provider=connection.provider)
        field: Any = self.fields["service"]
        field.queryset = own.order_by("name")


@admin.register(BillingRequest)
class BillingRequestAdmin(RecordAdmin):
    list_display = (
        *("reference", "headline", "connection", "state"),
        *("proposed_by", "proposed_at", "decided_by", "decided_at"),
    )
    waiting = {
        "expired": Waiting(
            "Requests that expired within two weeks",
            "decided_at",
            lambda rows: rows.filter(
                state=BillingRequest.State.EXPIRED, decided_at__gt=timezone.now() - RECENT
            ),
        )
    }
    list_filter = (WaitingFilter, "state", "kind", "made_by", "proposed_at")
    list_select_related = (
        *("connection__provider", "connection__customer"),
        *("proposed_by", "decided_by"),
    )
    search_fields = ("id", "seal", "terms__name", "provider__name", "connection__customer__name")
    date_hierarchy = "proposed_at"
    ordering = ("-proposed_at",)

    def get_urls(self) -> list[URLPattern]:
        propose = self.admin_site.admin_view(self.propose_service)
        return [
            path("service/<uuid:connection_id>/", propose, name="propose-service"),
            *super().get_urls(),
        ]

    def propose_service(self, request: HttpRequest, connection_id: UUID) -> HttpResponse:
        """Propose a one-time service of Revampd's own to one of its customers."""
        rows = Connection.objects.select_related("provider", "customer")
        connection = get_object_or_404(rows, pk=connection_id, provider_kind="PLATFORM")
        form = ServiceForm(connection, request.POST or None)

        def propose() -> str:
            given = form.cleaned_data
            with clock_of_connection(connection):
                sent = BillingRequest.propose(
                    Proposal(given["service"], note=given["note"]),
                    connection=connection,
                    by=staff_of(request),
                    at=clock.now(),
                    key=given["key"],
                )
            return f"{sent.item_name} waits for the approval of {connection.customer}."

        act = Act(
            title=f"Propose a service to {connection.customer}",
            words="Nothing is charged before somebody there has approved it. Then it comes onto an "
            "invoice of its own.",
            submit="Send the request",
            back=reverse("admin:connections_connection_change", args=[connection.pk]),
        )
        add = "billing.add_billingrequest"
        return act_page(self, request, act, form, propose, permission=add)


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
