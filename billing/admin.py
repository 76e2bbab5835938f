"""Billing for staff: what is sealed, published or issued is read; the rest changes by verbs."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from connections.clocks import now_of_organization
from connections.models import User
from revampd.kit.admin import AnyModelAdmin, ReadOnlyAdmin, call_verb
from revampd.kit.money import MinorUnitsField, Money

from . import usage_admin  # noqa: F401 - registers its pages
from .models import (
    AddOn,
    BillingRequest,
    Invoice,
    InvoiceLine,
    InvoiceSeries,
    OneTimeCharge,
    Plan,
    PlanVersion,
    PriceLimits,
    SandboxCharge,
    SandboxLostRequest,
    SandboxMethod,
    SandboxRefund,
    SandboxSetup,
    SandboxWebhook,
    Subscription,
    SubscriptionItem,
)


def money(name: str, label: str = "") -> Callable[[Any], str]:
    """A column or field of the admin that shows the minor units of `name` as money."""

    @admin.display(description=label or name.replace("_", " "), ordering=name)
    def amount(row: Any) -> str:
        return str(Money(getattr(row, name), _currency(row)))

    return amount


def _currency(row: Any) -> str:
    if isinstance(row, InvoiceLine):
        return str(row.invoice.currency)
    return str(row.subscription.currency if isinstance(row, SubscriptionItem) else row.currency)


def _shown(field: Any) -> Any:
    if isinstance(field, MinorUnitsField):
        return money(field.name, str(field.verbose_name))
    return field.name


class RecordAdmin(ReadOnlyAdmin):
    """A read-only page with every column, amounts as money."""

    list_per_page = 50

    def get_fields(self, _request: HttpRequest, _row: Model | None = None) -> list[Any]:
        return [_shown(field) for field in self.opts.fields]

    def get_readonly_fields(self, request: HttpRequest, row: Model | None = None) -> list[Any]:
        return self.get_fields(request, row)


@admin.register(PriceLimits)
class PriceLimitsAdmin(AnyModelAdmin):
    """What a Partner may charge at most; what is on sale already stays as it is."""

    list_display = (
        "currency",
        *map(money, ("max_base_price", "max_usage_fee", "min_plan_total")),
        *map(money, ("max_add_on", "max_one_time")),
    )
    readonly_fields = ("currency",)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, _change: bool) -> None:
        values = {name: form.cleaned_data[name] for name in form.changed_data}
        obj.change(by=_staff(request), **values)

    def has_add_permission(self, *_: object, **__: object) -> bool:
        return False

    def has_delete_permission(self, *_: object, **__: object) -> bool:
        return False


class CatalogItemAdmin(RecordAdmin):
    """Something on sale; staff can take it off, through the same verb as its provider."""

    list_display: tuple[Any, ...] = ("name", "provider", "created_at", "archived_at")
    list_filter = (("archived_at", admin.EmptyFieldListFilter), "provider__kind")
    list_select_related = ("provider",)
    search_fields = ("name", "provider__name")
    ordering = ("provider__name", "name")
    actions = ("archive",)

    @admin.action(description="Archive: offer it no more", permissions=["verb"])
    def archive(self, request: HttpRequest, items: QuerySet[Any]) -> None:
        staff = _staff(request)

        def archive(item: Any) -> None:
            item.archive(by=staff, at=now_of_organization(item.provider))

        call_verb(request, items, archive, "{} archived.")


@admin.register(Plan)
class PlanAdmin(CatalogItemAdmin):
    pass


@admin.register(AddOn, OneTimeCharge)
class PricedItemAdmin(CatalogItemAdmin):
    list_display = ("name", "provider", money("unit_price", "price"), "created_at", "archived_at")


@admin.register(PlanVersion)
class PlanVersionAdmin(RecordAdmin):
    list_display = (
        *("plan", "number", "provider", "interval", money("base_price")),
        *(money("booking_fee"), money("transfer_fee"), "published_at", "retired_at"),
    )
    list_filter = ("interval", ("retired_at", admin.EmptyFieldListFilter), "provider__kind")
    list_select_related = ("plan", "provider")
    search_fields = ("plan__name", "provider__name")
    ordering = ("-published_at",)
    actions = ("retire",)

    @admin.action(description="Retire: use it for no new offer", permissions=["verb"])
    def retire(self, request: HttpRequest, versions: QuerySet[PlanVersion]) -> None:
        staff = _staff(request)

        def retire(version: PlanVersion) -> None:
            version.retire(by=staff, at=now_of_organization(version.provider))

        call_verb(request, versions, retire, "{} retired.")


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


@admin.register(Invoice)
class InvoiceAdmin(RecordAdmin):
    list_display = (
        *("code", "provider", "customer", "state", "kind"),
        *(money("total"), "issue_date", "due_date"),
    )
    list_filter = ("state", "kind", "issue_date", "provider__kind")
    list_select_related = ("provider", "connection__customer")
    search_fields = ("=number", "provider__name", "connection__customer__name")
    date_hierarchy = "issue_date"
    ordering = ("-issued_at",)

    @admin.display(ordering="connection__customer__name")
    def customer(self, invoice: Invoice) -> str:
        return str(invoice.connection.customer)


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
    list_display = ("provider", "last_number")
    list_select_related = ("provider",)
    search_fields = ("provider__name",)
    ordering = ("provider__name",)


@admin.register(SandboxCharge, SandboxRefund)
class SandboxOrderAdmin(RecordAdmin):
    """What the sandbox took and gave back: pretended money, of the demo and the tests."""

    list_display = ("reference", "key", "state", "code", money("amount"), "begun_at", "settles_at")
    list_filter = ("state", "code")
    search_fields = ("=reference", "=key")
    ordering = ("-begun_at",)


@admin.register(SandboxMethod, SandboxSetup, SandboxWebhook, SandboxLostRequest)
class SandboxRecordAdmin(RecordAdmin):
    ordering = ("-pk",)


def _staff(request: HttpRequest) -> User:
    """The person who acts; the admin lets only signed-in staff this far."""
    return request.user  # type: ignore[return-value]
