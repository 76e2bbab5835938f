"""The sandbox gateway's own pages, as a real one hosts them: adding a card, confirming a charge.

They exist only on a site whose gateway is the sandbox, each below a reference that nobody guesses.
Whoever may pay for the customer concerned comes in; for everybody else they are not there.
"""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render

from billing.forms.sandbox import CardForm, filled_in
from billing.gateways.base import State
from billing.gateways.cards import ALL, Behaviour, Card
from billing.gateways.sandbox import Sandbox
from billing.models import Payment, SandboxCharge, SandboxSetup
from connections.access import MemberRequest, Party, party_of, personal_view
from connections.clocks import clock_of_connection
from revampd.kit import clock

DECLINED = {Behaviour.REFUSED_WHEN_ADDED, Behaviour.DECLINES, Behaviour.DELAYED_DECLINE}
CONFIRMED = {Behaviour.CONFIRMS_ONCE, Behaviour.CONFIRMS_ALWAYS}
SIMPLE = {Behaviour.PAYS} | CONFIRMED | DECLINED
GROUPS: tuple[tuple[str, Callable[[Card], bool]], ...] = (
    ("Pay at once", lambda card: card.behaviour is Behaviour.PAYS),
    ("Have to be confirmed", lambda card: card.behaviour in CONFIRMED),
    ("Are declined", lambda card: card.behaviour in DECLINED),
    ("Pay, but not smoothly", lambda card: card.behaviour not in SIMPLE),
)


# Adding a card


@personal_view
def setup_page(request: MemberRequest, setup_reference: str) -> HttpResponse:
    setup = get_object_or_404(SandboxSetup, pk=setup_reference)
    party = _payer(request, setup.owner)
    with clock_of_connection(party.connection):
        return _add_card(request, party, setup)


def _add_card(request: HttpRequest, party: Party, setup: SandboxSetup) -> HttpResponse:
    now = clock.now()
    data = request.POST if request.method == "POST" else None
    form = CardForm(data, initial=filled_in(request.GET.get("card", ""), now.date()))
    if form.is_valid():
        try:
            return _seeother(Sandbox(now).complete_setup(setup.pk, **form.cleaned_data))
        except ValidationError as error:
            form.add_error(None, error)
    context = {
        "form": form,
        "party": party,
        "setup": setup,
        "is_open": setup.method_id is None,
        "groups": [(title, list(filter(belongs, ALL))) for title, belongs in GROUPS],
    }
    status = 422 if form.errors else 200
    return render(request, "billing/sandbox/setup.html", context, status=status)


# Confirming a charge


@personal_view
def confirmation_page(request: MemberRequest, charge_reference: str) -> HttpResponse:
    charge = get_object_or_404(SandboxCharge.objects.select_related("method"), pk=charge_reference)
    payment = get_object_or_404(Payment, pk=charge.key)
    party = _payer(request, payment.connection_id)
    with clock_of_connection(party.connection):
        return _confirm(request, party, charge)


def _confirm(request: HttpRequest, party: Party, charge: SandboxCharge) -> HttpResponse:
    answer = request.POST.get("answer")
    if answer in ("confirm", "refuse"):
        sandbox = Sandbox(clock.now())
        return _seeother(sandbox.authorize(charge.pk, succeed=answer == "confirm") or "/")
    is_open = charge.state == State.ACTION
    context = {"charge": charge, "party": party, "is_open": is_open}
    return render(request, "billing/sandbox/confirmation.html", context)


def _payer(request: MemberRequest, connection_id: Any) -> Party:
    """The party that may pay on that connection. Raises Http404 for everybody else."""
    party = party_of(request.user, connection_id)
    if not (party.is_customer and party.may_bill):
        raise Http404
    return party


def _seeother(url: str) -> HttpResponse:
    """Back to where the customer came from."""
    response = HttpResponseRedirect(url)
    response.status_code = 303
    return response
