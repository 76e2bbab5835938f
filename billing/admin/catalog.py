"""What is on sale, and what a Partner may charge for it at most."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse

from billing.forms.catalog import ExtraForm, NewPlanForm, VersionForm
from billing.models import AddOn, OneTimeCharge, Plan, PlanVersion, PriceLimits
from connections.clocks import clock_of_organization, now_of_organization
from connections.models import Organization
from revampd.kit import clock
from revampd.kit.acts import Act, act_page
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

    def offer_page(
        self, request: HttpRequest, what: str, form: Any, offer: Callable[[Organization], Any]
    ) -> HttpResponse:
        """Put something of Revampd's own on sale."""
        platform = Organization.objects.platform()

        def offered() -> str:
            with clock_of_organization(platform):
                return f"{offer(platform)} is on sale."

        act = Act(
            title=f"Put {what} on sale",
            words="Revampd's customers see it at once. Its prices never change: what is to cost "
            "something else is another one.",
            submit="Put on sale",
            back=reverse(f"admin:billing_{self.opts.model_name}_changelist"),
        )
        add = f"billing.add_{self.opts.model_name}"
        return act_page(self, request, act, form, offered, permission=add)


@admin.register(Plan)
class PlanAdmin(CatalogItemAdmin):
    change_list_template = "admin/billing/plan/change_list.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("tier/", view(self.offer), name="offer-tier"),
            path("<uuid:plan_id>/version/", view(self.publish), name="publish-tier"),
            *super().get_urls(),
        ]

    def offer(self, request: HttpRequest) -> HttpResponse:
        form = NewPlanForm(Organization.objects.platform(), request.POST or None)
        staff = staff_of(request)

        @transaction.atomic
        def offer(platform: Organization) -> Plan:
            named = {name: form.cleaned_data[name] for name in ("name", "description")}
            plan = Plan.offer(provider=platform, by=staff, at=clock.now(), **named)
            plan.publish(by=staff, at=clock.now(), **form.version())
            return plan

        return self.offer_page(request, "a tier", form, offer)

    def publish(self, request: HttpRequest, plan_id: UUID) -> HttpResponse:
        """New prices for a tier; who has the old ones keeps them."""
        plan = get_object_or_404(Plan, pk=plan_id, provider=Organization.objects.platform())
        form = VersionForm(plan.provider, request.POST or None)

        def publish() -> str:
            with clock_of_organization(plan.provider):
                version = plan.publish(by=staff_of(request), at=clock.now(), **form.version())
            return f"{plan} costs {version.price} from now on for whoever chooses it."

        act = Act(
            title=f"New prices for {plan}",
            words="Whoever chooses it from now on pays these. Who has it already keeps its price.",
            submit="Publish",
            back=reverse("admin:billing_plan_change", args=[plan.pk]),
        )
        add = "billing.add_planversion"
        return act_page(self, request, act, form, publish, permission=add)


@admin.register(AddOn, OneTimeCharge)
class PricedItemAdmin(CatalogItemAdmin):
    list_display = ("name", "provider", money("unit_price", "price"), "created_at", "archived_at")
    change_list_template = "admin/billing/priced_list.html"

    def get_urls(self) -> list[URLPattern]:
        offer = self.admin_site.admin_view(self.offer)
        return [
            path("offer/", offer, name=f"offer-{self.opts.model_name}"),
            *super().get_urls(),
        ]

    def offer(self, request: HttpRequest) -> HttpResponse:
        form = ExtraForm(Organization.objects.platform(), self.model, request.POST or None)
        staff = staff_of(request)

        def offer(platform: Organization) -> Any:
            given = form.cleaned_data
            return self.model.offer(provider=platform, by=staff, at=clock.now(), **given)

        what = "an add-on" if self.model is AddOn else "a one-time service"
        return self.offer_page(request, what, form, offer)


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
