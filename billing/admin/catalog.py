"""What is on sale, and what a Partner may charge for it at most."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from billing.models import AddOn, OneTimeCharge, Plan, PlanVersion, PriceLimits
from connections.clocks import now_of_organization
from revampd.kit.admin import AnyModelAdmin, call_verb

from .records import RecordAdmin, money, staff_of


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
        obj.change(by=staff_of(request), **values)

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
        staff = staff_of(request)

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
        staff = staff_of(request)

        def retire(version: PlanVersion) -> None:
            version.retire(by=staff, at=now_of_organization(version.provider))

        call_verb(request, versions, retire, "{} retired.")
