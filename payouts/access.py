"""The door to payouts: they stand on the connection of Revampd with a Partner, and on no other."""

from functools import partial, wraps
from typing import Any
from urllib.parse import urlencode

from allauth.account.decorators import reauthentication_required
from allauth.core.exceptions import ReauthenticationRequired
from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from connections.access import Party, View, party_view
from connections.models import Organization

PARTNERS = ((Organization.Kind.PLATFORM.value, Organization.Kind.PARTNER.value),)

payout_view = partial(party_view, between=PARTNERS)


def freshly_signed_in(view: View) -> View:
    """Only for who has just given their password or second factor; others do that first.

    They come back to the settings of payouts and press once more: nothing is done meanwhile.
    """
    checked = reauthentication_required(view)

    @wraps(view)
    def enter(request: HttpRequest, party: Party, **kwargs: Any) -> HttpResponseBase:
        try:
            answer: HttpResponseBase = checked(request, party, **kwargs)
        except ReauthenticationRequired:
            messages.info(request, "Say that it is you, then change where payouts go.")
            back = reverse("payouts:settings", args=[party.connection.pk])
            return redirect(f"{reverse('account_reauthenticate')}?{urlencode({'next': back})}")
        return answer

    return enter
