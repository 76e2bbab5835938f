"""A Partner changes its tier with Revampd: what that comes to, the change, its end, the undoing."""

from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.formats import date_format
from django.views.decorators.http import require_POST

from billing import prospects
from billing.models import PlanVersion, SelfService
from billing.pricing import Timing
from billing.prospects import Prospect
from billing.tiers import Comparison, act_of, rows_of
from connections.access import Duty, Party, Side, party_view
from connections.models import Organization
from revampd.kit import clock
from revampd.kit.errors import DomainError
from revampd.kit.htmx import done, page
from revampd.kit.prepared import prepared

from .plan import plan_of, runs_of

TIERS = ((Organization.Kind.PLATFORM, Organization.Kind.PARTNER),)

# Choosing


def _choice_page(
    request: HttpRequest, party: Party, version_id: UUID, refusal: DomainError | None = None
) -> HttpResponse:
    """What a tier would change and cost. It also answers a choice that was refused."""
    version, runs = _find(party, version_id), runs_of(party)
    own, prospect = Comparison(party.connection, runs).own, None
    try:
        service = SelfService(party.connection, runs.running)
        choice = service.preview_tier(version, by=party.user, at=clock.now())
        prospect = Prospect(choice, runs)
    except DomainError as error:
        refusal = refusal or error
    context = {
        "version": version,
        "act": act_of(version, own) or "Change",
        "runs": runs,
        "rows": rows_of([own or version, version], own),
        "prospect": prospect,
        "refusal": refusal,
    }
    return page(request, "billing/tiers/choice.html", context)


@party_view(side=Side.CUSTOMER, duty=Duty.BILL, between=TIERS, refused=_choice_page)
def choose_tier(request: HttpRequest, party: Party, version_id: UUID) -> HttpResponse:
    """What a tier would change and cost, and the choice of what was seen."""
    if request.method != "POST":
        return _choice_page(request, party, version_id)
    version, replaced = _find(party, version_id), runs_of(party).coming_plan
    seal, at = request.POST.get("seal", ""), clock.now()
    chosen = prospects.choose_tier(_service(party), version, seal, by=party.user, at=at)
    words = [f"{version.name} starts on {_spoken(chosen.starts_on)}."]
    if replaced:
        words.append(f"It replaces the change to {replaced.name}.")
    if chosen.timing != Timing.NOW:
        words.append("You can undo it until then.")
    return done(request, " ".join(words), _plan_url(party))


# Ending, and undoing


def _cancellation_page(
    request: HttpRequest, party: Party, refusal: DomainError | None = None
) -> HttpResponse:
    """What ends when, and what the last invoice is. It also answers a refusal."""
    runs = runs_of(party)
    context: dict[str, Any] = {"runs": runs, "refusal": refusal}
    try:
        service = SelfService(party.connection, runs.running)
        cancellation = service.preview_cancellation(at=clock.now())
    except DomainError as error:
        context["refusal"] = refusal or error
    else:
        last = prospects.last_invoice(runs, cancellation)
        context |= {"cancellation": cancellation, "last_invoice": last}
    return page(request, "billing/tiers/cancellation.html", context)


@party_view(side=Side.CUSTOMER, duty=Duty.BILL, between=TIERS, refused=_cancellation_page)
def cancel_plan(request: HttpRequest, party: Party) -> HttpResponse:
    """What ends when, and the cancellation."""
    if request.method != "POST":
        return _cancellation_page(request, party)
    service, at = _service(party), clock.now()
    end = service.preview_cancellation(at=at).end
    service.cancel(by=party.user, at=at)
    sentence = f"Your plan ends on {_spoken(end)}. You can undo it until then."
    return done(request, sentence, _plan_url(party))


@party_view(side=Side.CUSTOMER, duty=Duty.BILL, between=TIERS, refused=plan_of)
@require_POST
def keep_plan(request: HttpRequest, party: Party) -> HttpResponse:
    """Undo a change or a cancellation before its day."""
    _service(party).keep(by=party.user, at=clock.now())
    return done(request, "Undone. Your plan goes on as it is.", _plan_url(party))


# Finding


def _find(party: Party, version_id: UUID) -> PlanVersion:
    connection = party.connection
    version = _version.first(version_id, connection.provider_id, connection.currency)
    if version is None:
        raise Http404
    return version


@prepared
def _version(pk: Any, provider: Any, currency: Any) -> QuerySet[PlanVersion]:
    rows = PlanVersion.objects.filter(pk=pk, provider=provider, currency=currency)
    with_plan: QuerySet[PlanVersion] = rows.select_related("plan")
    return with_plan


def _spoken(day: date | None) -> str:
    return date_format(day, "j M Y") if day else "its day"


def _service(party: Party) -> SelfService:
    return SelfService(party.connection)


def _plan_url(party: Party) -> str:
    return reverse("billing:plan", args=[party.connection.pk])
