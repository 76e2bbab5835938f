"""Where payouts go: the linked bank account, and the standing preference."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from connections.access import Duty, Party, Side
from payouts.access import freshly_signed_in, payout_view
from payouts.forms import PreferenceForm
from payouts.linking import begin_link, finish_link
from payouts.models import BankAccount, Preference
from revampd.kit import clock
from revampd.kit.errors import DomainError, Invalid
from revampd.kit.forms import refuse
from revampd.kit.htmx import done, page


@payout_view(side=Side.CUSTOMER)
@require_GET
def settings_page(request: HttpRequest, party: Party) -> HttpResponse:
    return _page(request, party)


def _page(
    request: HttpRequest,
    party: Party,
    *,
    form: PreferenceForm | None = None,
    refusal: DomainError | None = None,
) -> HttpResponse:
    """Both. It also answers an act that was refused."""
    preference = Preference.objects.filter(connection=party.connection).first()
    bank = _linked(party)
    context = {
        "bank": bank,
        "begun": _key(party) in request.session,
        "is_held": bool(bank and bank.is_held(clock.now())),
        "preference": preference,
        "form": form or PreferenceForm(preference),
        "refusal": refusal,
    }
    status = 422 if form else 200
    return page(request, "payouts/settings/page.html", context, status=status)


def _linked(party: Party) -> BankAccount | None:
    rows = BankAccount.objects.linked().filter(connection=party.connection)
    account: BankAccount | None = rows.select_related("linked_by").first()
    if account:
        account.connection = party.connection
    return account


# The preference


@payout_view(side=Side.CUSTOMER, duty=Duty.BILL)
@require_POST
def choose_preference(request: HttpRequest, party: Party) -> HttpResponse:
    form = PreferenceForm(None, request.POST)
    if not form.is_valid():
        return _page(request, party, form=form)
    given: dict[str, Any] = form.cleaned_data
    kind, percent = Preference.Kind(given["kind"]), given["credit_percent"]
    try:
        chosen = Preference.choose(
            party.connection, kind, credit_percent=percent, by=party.user, at=clock.now()
        )
    except Invalid as refusal:
        refuse(form, refusal)
        return _page(request, party, form=form)
    sentence = f"From the next payout on: {chosen.in_words[0].lower()}{chosen.in_words[1:]}."
    return done(request, sentence, _url(party))


# The bank account


@payout_view(side=Side.CUSTOMER, duty=Duty.BILL, refused=_page)
@require_POST
@freshly_signed_in
def link_account(request: HttpRequest, party: Party) -> HttpResponse:
    """Send them to the gateway's page. Nothing is kept before they come back."""
    return _open_page(request, party)


@payout_view(side=Side.CUSTOMER, duty=Duty.BILL, refused=_page)
@require_GET
@freshly_signed_in
def link_again(request: HttpRequest, party: Party) -> HttpResponse:
    """Open the page of the link that this session began anew: the gateway's pages grow old.

    Gateways send people here with a GET.
    """
    begun = request.session.get(_key(party))
    return _open_page(request, party, begun) if begun else redirect(_url(party))


def _open_page(request: HttpRequest, party: Party, begun: str = "") -> HttpResponse:
    back, again = (
        request.build_absolute_uri(reverse(f"payouts:{name}", args=[party.connection.pk]))
        for name in ("account-linked", "link-again")
    )
    link = begin_link(party.connection, back, again, begun=begun, by=party.user, at=clock.now())
    request.session[_key(party)] = link.reference
    response = redirect(link.url)
    response.status_code = 303
    return response


@payout_view(side=Side.CUSTOMER, duty=Duty.BILL, refused=_page)
@require_GET
def account_linked(request: HttpRequest, party: Party) -> HttpResponse:
    """Back from the gateway's page: keep the account that was linked there, once.

    Gateways send people back with a GET. It acts only on the link that this session began.
    """
    reference = request.session.get(_key(party))
    if reference is None:
        return redirect(_url(party))
    account = finish_link(party.connection, reference, by=party.user, at=clock.now())
    if account is None:
        messages.info(request, "No bank account was linked.")
        return redirect(_url(party))
    del request.session[_key(party)]
    held = account.is_held(clock.now())
    wait = f" Nothing is sent to it before {account.held_in_words}." if held else ""
    return done(request, f"{account} was linked.{wait}", _url(party))


@payout_view(side=Side.CUSTOMER, duty=Duty.BILL, refused=_page)
@freshly_signed_in
def remove_account(request: HttpRequest, party: Party) -> HttpResponse:
    """What removing it comes to, and the removal."""
    account = _linked(party)
    if account is None:
        return redirect(_url(party))
    if request.method == "POST":
        account.remove(by=party.user, at=clock.now())
        return done(request, f"{account} was removed. Payouts go to the wallet.", _url(party))
    return page(request, "payouts/settings/remove.html", {"bank": account})


def _key(party: Party) -> str:
    return f"link-{party.connection.pk}"


def _url(party: Party) -> str:
    return reverse("payouts:settings", args=[party.connection.pk])
