"""Add-ons and one-time charges of a provider's catalog."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from billing.forms.catalog import ExtraForm, details_of
from billing.models import AddOn, OneTimeCharge
from connections.access import Duty, organization_view
from connections.models import Membership
from revampd.kit import clock
from revampd.kit.errors import DomainError
from revampd.kit.htmx import done

from .catalog import SELLERS, find_own, form_page, typed

Extra = type[AddOn] | type[OneTimeCharge]


# Add-ons


@organization_view(kinds=SELLERS, duty=Duty.BILL)
def offer_add_on(request: HttpRequest, membership: Membership) -> HttpResponse:
    return _offer(request, membership, AddOn)


def _add_on_page(
    request: HttpRequest,
    membership: Membership,
    add_on_id: UUID,
    refusal: DomainError | None = None,
) -> HttpResponse:
    return _change(request, membership, AddOn, add_on_id, refusal)


@organization_view(kinds=SELLERS, duty=Duty.BILL)
def change_add_on(request: HttpRequest, membership: Membership, add_on_id: UUID) -> HttpResponse:
    return _add_on_page(request, membership, add_on_id)


@organization_view(kinds=SELLERS, duty=Duty.BILL, refused=_add_on_page)
@require_POST
def archive_add_on(request: HttpRequest, membership: Membership, add_on_id: UUID) -> HttpResponse:
    return _archive(request, membership, AddOn, add_on_id)


# One-time charges


@organization_view(kinds=SELLERS, duty=Duty.BILL)
def offer_charge(request: HttpRequest, membership: Membership) -> HttpResponse:
    return _offer(request, membership, OneTimeCharge)


def _charge_page(
    request: HttpRequest,
    membership: Membership,
    charge_id: UUID,
    refusal: DomainError | None = None,
) -> HttpResponse:
    return _change(request, membership, OneTimeCharge, charge_id, refusal)


@organization_view(kinds=SELLERS, duty=Duty.BILL)
def change_charge(request: HttpRequest, membership: Membership, charge_id: UUID) -> HttpResponse:
    return _charge_page(request, membership, charge_id)


@organization_view(kinds=SELLERS, duty=Duty.BILL, refused=_charge_page)
@require_POST
def archive_charge(request: HttpRequest, membership: Membership, charge_id: UUID) -> HttpResponse:
    return _archive(request, membership, OneTimeCharge, charge_id)


# Both


def _offer(request: HttpRequest, membership: Membership, model: Extra) -> HttpResponse:
    provider = membership.organization
    form = ExtraForm(provider, model, typed(request))

    def offer() -> str:
        model.offer(
            provider=provider, by=membership.user, currency=form.currency, **form.cleaned_data
        )
        return _list_url(membership, model)

    template = "billing/catalog/offer.html"
    return form_page(request, form, offer, template, "{name} is on sale.", **_words(model))


def _change(
    request: HttpRequest,
    membership: Membership,
    model: Extra,
    key: UUID,
    refusal: DomainError | None,
) -> HttpResponse:
    """The form that changes an item. It also answers an act that was refused."""
    item = find_own(model, membership, key)
    data = None if refusal else typed(request)
    form = ExtraForm(membership.organization, model, data, initial=details_of(item))

    def change() -> str:
        item.change(by=membership.user, **form.cleaned_data)
        return _list_url(membership, model)

    context = _words(model) | {"item": item, "refusal": refusal}
    template = "billing/catalog/change.html"
    return form_page(request, form, change, template, "{name} is changed.", **context)


def _archive(request: HttpRequest, membership: Membership, model: Extra, key: UUID) -> HttpResponse:
    item = find_own(model, membership, key)
    item.archive(by=membership.user, at=clock.now())
    sentence = f"{item} is off sale. What customers have approved goes on."
    return done(request, sentence, _list_url(membership, model))


def _words(model: Extra) -> dict[str, Any]:
    return {"noun": model._meta.verbose_name, "stem": "add-on" if model is AddOn else "charge"}


def _list_url(membership: Membership, model: Extra) -> str:
    kind = "add-ons" if model is AddOn else "one-time-charges"
    return f"{reverse('catalog:catalog', args=[membership.organization.slug])}?kind={kind}"
