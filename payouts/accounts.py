"""Signing up through a referral link: like an invitation, but the address has to be proven first.

The link of the mail that asks for it leads back to the referral, in whichever browser it is opened.
"""

from typing import Any
from urllib.parse import urlencode, urlsplit

from allauth.account.models import EmailConfirmation
from allauth.account.utils import get_next_redirect_url
from allauth.core import context as current
from django.http import HttpRequest
from django.urls import Resolver404, resolve

from connections import accounts

from .models import ReferralLink


def referral_of(request: HttpRequest) -> ReferralLink | None:
    """The open link that somebody who signs up comes from and returns to, if any."""
    try:
        target = resolve(urlsplit(get_next_redirect_url(request) or "").path)
    except (Resolver404, ValueError):
        return None
    if target.view_name != "joining:company":
        return None
    return ReferralLink.objects.current().filter(code=target.kwargs["code"]).first()


class SignupForm(accounts.SignupForm):
    """By a referral link people type their address themselves."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.referral = referral_of(current.request)
        if self.referral:
            email = self.fields["email"]
            email.disabled = False
            email.help_text = "We send you a link, so that we know it is yours."
            self._time_zone = self.referral.provider.time_zone


class AccountAdapter(accounts.AccountAdapter):
    """The same, open to who comes through a referral link as well."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return super().is_open_for_signup(request) or referral_of(request) is not None

    def get_email_confirmation_url(
        self, request: HttpRequest, emailconfirmation: EmailConfirmation
    ) -> str:
        url = super().get_email_confirmation_url(request, emailconfirmation)
        if referral_of(request) is None:
            return str(url)
        return f"{url}?{urlencode({'next': get_next_redirect_url(request)})}"
