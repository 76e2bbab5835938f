"""The catalog of a provider: what is on sale, and its plans with their versions."""

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.db import IntegrityError, transaction
from django.db.models import Count, Exists, F, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST
from psycopg.errors import CheckViolation

from billing.forms.catalog import (
    CatalogForm,
    DescriptionForm,
    NewPlanForm,
    VersionForm,
    details_of,
)
from billing.models import AddOn, OneTimeCharge, Plan, PlanVersion, SubscriptionItem
from billing.pricing import ItemKind
from connections.access import Duty, organization_view
from connections.models import Membership, Organization
from revampd.kit import clock
from revampd.kit.errors import DomainError, Invalid
from revampd.kit.forms import refuse
from revampd.kit.htmx import done, page

PAGE_LENGTH = 25
SELLERS = (Organization.Kind.PARTNER, Organization.Kind.PLATFORM)
KINDS = {"plans": Plan, "add-ons": AddOn, "one-time-charges": OneTimeCharge}

# What is on sale


@organization_view(kinds=SELLERS)
@require_GET
def catalog_page(request: HttpRequest, membership: Membership) -> HttpResponse:
    kind = request.GET.get("kind", "")
    model: Any = KINDS.get(kind, Plan)
    archived = request.GET.get("show") == "archived"
    rows = model.objects.filter(provider=membership.organization, archived_at__isnull=not archived)
    if model is Plan:
        active = PlanVersion.objects.filter(retired_at=None).order_by("-number")
        versions = counted(active, today_of(membership.organization))
        retired = Count("versions", filter=Q(versions__retired_at__isnull=False))
        rows = rows.annotate(retired=retired).prefetch_related(Prefetch("versions", versions))
    pages = Paginator(rows.order_by("name", "id"), PAGE_LENGTH)
    context = {
        "rows": pages.get_page(request.GET.get("page")),
        "kind": kind if kind in KINDS else "plans",
        "archived": archived,
    }
    return page(request, "billing/catalog/list.html", context)


@organization_view(kinds=SELLERS)
@require_GET
def plan_detail(request: HttpRequest, membership: Membership, plan_id: UUID) -> HttpResponse:
    return _plan_page(request, membership, plan_id)


def _plan_page(
    request: HttpRequest,
    membership: Membership,
    plan_id: UUID,
    refusal: DomainError | None = None,
    **_: object,
) -> HttpResponse:
    """A plan with all of its versions. It also answers an act that was refused."""
    plan = find_own(Plan, membership, plan_id)
    versions = counted(plan.versions.order_by("-number"), today_of(membership.organization))
    pages = Paginator(versions, PAGE_LENGTH)
    context = {"plan": plan, "refusal": refusal}
    context["versions"] = pages.get_page(request.GET.get("page"))
    return page(request, "billing/catalog/plan.html", context)


def counted(versions: QuerySet[PlanVersion], on: date) -> QuerySet[Any]:
    """`versions` with the number of subscribers, and whether new offers use them."""
    running = SubscriptionItem.objects.on(on).filter(
        kind=ItemKind.PLAN, request__plan_version=OuterRef("pk")
    )
    number = running.order_by().values("request__plan_version").annotate(n=Count("id")).values("n")
    newer = PlanVersion.objects.filter(
        plan=OuterRef("plan"),
        interval=OuterRef("interval"),
        number__gt=OuterRef("number"),
        retired_at=None,
    )
    return versions.annotate(
        subscribers=Coalesce(Subquery(number), 0), is_superseded=Exists(newer)
    ).annotate(is_retired=Q(retired_at__isnull=False), plan_archived_at=F("plan__archived_at"))


def today_of(organization: Organization) -> date:
    return clock.now().astimezone(organization.zone).date()


# Plans


@organization_view(kinds=SELLERS, duty=Duty.BILL)
def launch_plan(request: HttpRequest, membership: Membership) -> HttpResponse:
    provider = membership.organization
    form = NewPlanForm(provider, typed(request))

    def launch() -> str:
        named = {name: form.cleaned_data[name] for name in ("name", "description")}
        plan = Plan.launch(
            provider=provider, by=membership.user, at=clock.now(), **named, **form.version()
        )
        return reverse("catalog:plan", args=[provider.slug, plan.pk])

    return form_page(request, form, launch, "billing/catalog/launch.html", "{name} is on sale.")


@organization_view(kinds=SELLERS, duty=Duty.BILL)
def change_plan(request: HttpRequest, membership: Membership, plan_id: UUID) -> HttpResponse:
    plan = find_own(Plan, membership, plan_id)
    form = DescriptionForm(membership.organization, typed(request), initial=details_of(plan))

    def change() -> str:
        plan.change(by=membership.user, **form.cleaned_data)
        return _url("catalog:plan", membership, plan)

    template = "billing/catalog/change.html"
    return form_page(request, form, change, template, "{name} is changed.", item=plan)


@organization_view(kinds=SELLERS, duty=Duty.BILL, refused=_plan_page)
def publish_version(request: HttpRequest, membership: Membership, plan_id: UUID) -> HttpResponse:
    plan = find_own(Plan, membership, plan_id)
    form = VersionForm(membership.organization, typed(request))

    def publish() -> str:
        plan.publish(by=membership.user, at=clock.now(), **form.version())
        return _url("catalog:plan", membership, plan)

    template = "billing/catalog/publish.html"
    sentence = f"New offers of {plan} use the new version."
    return form_page(request, form, publish, template, sentence, item=plan)


@organization_view(kinds=SELLERS, duty=Duty.BILL, refused=_plan_page)
@require_POST
def retire_version(
    request: HttpRequest, membership: Membership, plan_id: UUID, number: int
) -> HttpResponse:
    plan = find_own(Plan, membership, plan_id)
    version = get_object_or_404(plan.versions, number=number)
    version.retire(by=membership.user, at=clock.now())
    sentence = f"Version {number} is retired. Its subscribers keep it."
    return done(request, sentence, _url("catalog:plan", membership, plan))


@organization_view(kinds=SELLERS, duty=Duty.BILL, refused=_plan_page)
@require_POST
def archive_plan(request: HttpRequest, membership: Membership, plan_id: UUID) -> HttpResponse:
    plan = find_own(Plan, membership, plan_id)
    plan.archive(by=membership.user, at=clock.now())
    sentence = f"{plan} is off sale. What customers have approved goes on."
    return done(request, sentence, reverse("catalog:catalog", args=[membership.organization.slug]))


# Answering


def form_page(
    request: HttpRequest,
    form: CatalogForm,
    act: Callable[[], str],
    template: str,
    sentence: str,
    **context: Any,
) -> HttpResponse:
    """The page of a form; `act` carries a valid one out and says where to go then."""
    if form.is_valid() and (to := _attempt(form, act)):
        said = sentence.replace("{name}", form.cleaned_data.get("name", ""))
        return done(request, said, to)
    status = 422 if form.errors else 200
    fragment = "billing/catalog/_form.html"
    return page(request, template, context | {"form": form}, fragment=fragment, status=status)


def _attempt(form: CatalogForm, act: Callable[[], str]) -> str:
    """Call `act`; what the verb or the database refuses becomes an error of the form."""
    try:
        with transaction.atomic():
            return act()
    except Invalid as refusal:
        refuse(form, refusal)
    except IntegrityError as error:
        if not isinstance(error.__cause__, CheckViolation):
            raise
        form.refuse_price()
    return ""


def typed(request: HttpRequest) -> Any:
    return request.POST if request.method == "POST" else None


def find_own(model: Any, membership: Membership, key: UUID) -> Any:
    item = get_object_or_404(model, pk=key, provider=membership.organization)
    item.provider = membership.organization
    return item


def _url(name: str, membership: Membership, item: Any) -> str:
    return reverse(name, args=[membership.organization.slug, item.pk])
