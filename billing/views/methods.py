"""Payment methods: what a customer pays with. Cards are typed on the gateway's page, never here."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from billing.models import PaymentMethod
from billing.setups import begin_setup, finish_setup, forget
from connections.access import Duty, Party, Side, party_view
from revampd.kit import clock
from revampd.kit.errors import DomainError
from revampd.kit.htmx import done, page

# The list


@party_view(side=Side.CUSTOMER)
@require_GET
def method_list(request: HttpRequest, party: Party) -> HttpResponse:
    return _list(request, party)


def _list(
    request: HttpRequest, party: Party, refusal: DomainError | None = None, **_: Any
) -> HttpResponse:
    """The methods. It also answers an act that was refused."""
    connection = party.connection
    usable = connection.payment_methods.usable().select_related("added_by")
    today = connection.day_of(clock.now())
    context = {
        "methods": [
            (method, method.has_expired(today))
            for method in usable.order_by("-is_default", "-added_at")
        ],
        "overdue": connection.invoices.owed().filter(past_due_on__isnull=False).newest_first()[:5],
        "refusal": refusal,
    }
    return page(request, "billing/methods/list.html", context)


# Adding


@party_view(side=Side.CUSTOMER, duty=Duty.BILL, refused=_list)
@require_POST
def add_method(request: HttpRequest, party: Party) -> HttpResponse:
    """Send the customer to the gateway's page. Nothing is kept before they come back."""
    back = reverse("billing:payment-method-added", args=[party.connection.pk])
    return_url = request.build_absolute_uri(back)
    setup = begin_setup(party.connection, return_url, by=party.user, at=clock.now())
    request.session[_key(party)] = setup.reference
    response = redirect(setup.url)
    response.status_code = 303
    return response


@party_view(side=Side.CUSTOMER, duty=Duty.BILL, refused=_list)
@require_GET
def method_added(request: HttpRequest, party: Party) -> HttpResponse:
    """Back from the gateway's page: keep what was added there, once.

    Gateways send people back with a GET. It acts only on the setup that this session began.
    """
    reference = request.session.get(_key(party))
    methods_url = _url(party)
    if reference is None:
        return redirect(methods_url)
    method = finish_setup(party.connection, reference, by=party.user, at=clock.now())
    del request.session[_key(party)]
    if method is None:
        messages.info(request, "No card was added.")
        return redirect(methods_url)
    sentence = f"{method} was added. {party.counterparty}'s invoices are charged to it from now on."
    return done(request, sentence, methods_url)


def _key(party: Party) -> str:
    return f"setup-{party.connection.pk}"


# Choosing and removing


@party_view(side=Side.CUSTOMER, duty=Duty.BILL, refused=_list)
@require_POST
def choose_method(request: HttpRequest, party: Party, method_id: UUID) -> HttpResponse:
    method = _find(party, method_id)
    method.choose(by=party.user, at=clock.now())
    sentence = f"{method} is the default now: {party.counterparty}'s invoices are charged to it."
    return done(request, sentence, _url(party))


@party_view(side=Side.CUSTOMER, duty=Duty.BILL, refused=_list)
def remove_method(request: HttpRequest, party: Party, method_id: UUID) -> HttpResponse:
    """What removing it comes to, and the removal."""
    method = _find(party, method_id)
    if request.method == "POST":
        forget(method, by=party.user, at=clock.now())
        return done(request, f"{method} was removed.", _url(party))
    if method.removed_at:
        return redirect(_url(party))
    others = party.connection.payment_methods.usable().exclude(pk=method.pk)
    context = {"method": method, "heir": others.order_by("-added_at").first()}
    return page(request, "billing/methods/remove.html", context)


def _find(party: Party, method_id: UUID) -> PaymentMethod:
    method: PaymentMethod = get_object_or_404(party.connection.payment_methods, pk=method_id)
    # The very same connection, so that its parties need no further query.
    method.connection = party.connection
    return method


def _url(party: Party) -> str:
    return reverse("billing:payment-methods", args=[party.connection.pk])
