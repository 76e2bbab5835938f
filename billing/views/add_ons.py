"""Revampd's add-ons: what runs, what is on sale, taking some, giving some back."""

from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.formats import date_format
from django.views.decorators.http import require_GET, require_POST

from billing import prospects
from billing.add_ons import Added, Less, counted
from billing.forms.add_ons import QuantityForm
from billing.models import AddOn, BillingRequest, SelfService, SubscriptionItem
from billing.pricing import ItemKind
from billing.prospects import Prospect
from billing.runs import Runs
from billing.statement import Statement
from connections.access import Duty, Party, Side, party_view
from connections.models import Organization
from revampd.kit import clock
from revampd.kit.errors import DomainError
from revampd.kit.htmx import done, page, wants_fragment
from revampd.kit.money import total

from .plan import runs_of

PLATFORM, PARTNER, SUB_ORG = Organization.Kind.values
OWN = ((PLATFORM, PARTNER), (PLATFORM, SUB_ORG))
SERVICES_SHOWN = 10


# The page


@party_view(between=OWN)
@require_GET
def add_on_page(request: HttpRequest, party: Party) -> HttpResponse:
    return _page(request, party)


def _page(
    request: HttpRequest, party: Party, refusal: DomainError | None = None, **_: Any
) -> HttpResponse:
    """What runs, what is on sale, services charged once. It also answers a refused act."""
    charged = party.connection.billing_requests.filter(
        kind=ItemKind.ONE_TIME, state=BillingRequest.State.APPROVED
    )
    runs = runs_of(party)
    context = {
        "runs": runs,
        "add_ons": Added.all_of(runs),
        "together": total((item.price for item in runs.add_ons), party.connection.currency),
        "may_add": party.may_decide and bool(runs.plan or party.connection.is_managed),
        "on_sale": _on_sale(party).order_by("name"),
        "services": charged.newest_first()[:SERVICES_SHOWN],
        "refusal": refusal,
    }
    return page(request, "billing/add_ons/list.html", context)


# Taking some


def _choice_page(
    request: HttpRequest, party: Party, add_on_id: UUID, refusal: DomainError | None = None
) -> HttpResponse:
    """How many, and what that costs. It also answers a choice that was refused."""
    add_on, runs, form = _find(party, add_on_id), runs_of(party), _form(request)
    context: dict[str, Any] = {"add_on": add_on, "runs": runs, "form": form, "refusal": refusal}
    if form.is_valid():
        context |= _prospect(party, add_on, runs, form.cleaned_data["quantity"])
    if "preview" in request.POST and wants_fragment(request):
        return render(request, "billing/add_ons/_preview.html", context)
    status = 422 if form.errors else 200
    fragment = "billing/add_ons/_choice.html"
    return page(request, "billing/add_ons/choice.html", context, fragment=fragment, status=status)


@party_view(side=Side.CUSTOMER, duty=Duty.BILL, between=OWN, refused=_choice_page)
def choose_add_on(request: HttpRequest, party: Party, add_on_id: UUID) -> HttpResponse:
    """The form, its preview, and the choice of what was seen."""
    form, at = _form(request), clock.now()
    if request.method != "POST" or "preview" in request.POST or not form.is_valid():
        return _choice_page(request, party, add_on_id)
    add_on, quantity = _find(party, add_on_id), form.cleaned_data["quantity"]
    seal = form.cleaned_data["seal"]
    added = prospects.add(_service(party), add_on, quantity, seal, by=party.user, at=at)
    first = Statement.sealed(added.terms).first_date
    charged = f"The invoice of {_spoken(first)} charges the days until then." if first else ""
    sentence = f"You have {counted(quantity, add_on.name)} from today on. {charged}"
    return done(request, sentence.strip(), _url(party))


def _prospect(party: Party, add_on: AddOn, runs: Runs, quantity: int) -> dict[str, Any]:
    """What so many would come to, or why there can be none."""
    service, at = SelfService(party.connection, runs.running), clock.now()
    try:
        choice = service.preview_add_on(add_on, quantity, by=party.user, at=at)
    except DomainError as refusal:
        return {"refusal": refusal}
    return {"prospect": Prospect(choice, runs)}


# Giving some back


def _removal_page(
    request: HttpRequest, party: Party, request_id: UUID, refusal: DomainError | None = None
) -> HttpResponse:
    """How many, and what it costs from then on. It also answers a removal that was refused."""
    runs = runs_of(party)
    item = _find_item(runs, request_id)
    form = _form(request, most=item.quantity)
    context: dict[str, Any] = {"item": item, "runs": runs, "form": form, "refusal": refusal}
    if form.is_valid():
        context["less"] = Less.of(item, form.cleaned_data["quantity"], runs)
    if "preview" in request.POST and wants_fragment(request):
        return render(request, "billing/add_ons/_less.html", context)
    status = 422 if form.errors else 200
    return page(request, "billing/add_ons/removal.html", context, status=status)


@party_view(side=Side.CUSTOMER, duty=Duty.BILL, between=OWN, refused=_removal_page)
def remove_add_on(request: HttpRequest, party: Party, request_id: UUID) -> HttpResponse:
    """What giving back some or all of it comes to, and the removal at the end of the period."""
    runs = runs_of(party)
    item = _find_item(runs, request_id)
    form = _form(request, most=item.quantity)
    if request.method != "POST" or "preview" in request.POST or not form.is_valid():
        return _removal_page(request, party, request_id)
    quantity = form.cleaned_data["quantity"]
    _service(party).remove(item.request, quantity=quantity, by=party.user, at=clock.now())
    day = Less.of(item, quantity, runs).day
    sentence = f"{counted(quantity, item.name)} ends on {_spoken(day)}. You can undo it until then."
    return done(request, sentence, _url(party))


@party_view(side=Side.CUSTOMER, duty=Duty.BILL, between=OWN, refused=_page)
@require_POST
def retain_add_on(request: HttpRequest, party: Party, request_id: UUID) -> HttpResponse:
    """Undo a removal before its day."""
    item = _find_item(runs_of(party), request_id)
    _service(party).retain(item.request, by=party.user, at=clock.now())
    return done(request, f"Undone. {item.name} stays as it is.", _url(party))


# Finding


def _on_sale(party: Party) -> QuerySet[AddOn]:
    mine = {"provider": party.connection.provider_id, "currency": party.connection.currency}
    rows: QuerySet[AddOn] = AddOn.objects.on_sale().filter(**mine)
    return rows


def _find(party: Party, add_on_id: UUID) -> AddOn:
    return get_object_or_404(_on_sale(party), pk=add_on_id)


def _find_item(runs: Runs, request_id: UUID) -> SubscriptionItem:
    """What a request added, as it runs or will."""
    rows = (row for row in runs.rows if row.kind == ItemKind.ADD_ON)
    found = next((row for row in rows if row.request_id == request_id), None)
    if found is None:
        raise Http404
    return found


def _form(request: HttpRequest, **limits: int) -> QuantityForm:
    data = request.POST if request.method == "POST" else {"quantity": "1"}
    return QuantityForm(data, **limits)


def _spoken(day: date | None) -> str:
    return date_format(day, "j M Y") if day else "its last day"


def _service(party: Party) -> SelfService:
    return SelfService(party.connection)


def _url(party: Party) -> str:
    return reverse("billing:add-ons", args=[party.connection.pk])
