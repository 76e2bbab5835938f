"""How people sign up and are written to by the login pages (django-allauth).

Nobody signs up without an invitation, or a referral link (payouts/accounts.py). The link of an
invitation leads to the sign-up page with `next` pointing back to it, and that is all the sign-up
knows: whoever holds it has read the mail, so the address it went to, and no other, counts as
verified.
"""

import logging
from typing import Any
from urllib.parse import urlsplit

import css_inline
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.forms import SignupForm as BaseSignupForm
from allauth.account.utils import get_next_redirect_url
from allauth.core import context as current
from allauth.core import ratelimit
from django import forms
from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import Resolver404, resolve

from revampd.kit import clock
from revampd.kit.errors import Unavailable

from . import second_factor
from .clocks import clock_of_organization
from .models import Invitation, User

log = logging.getLogger(__name__)


def invitation_of(request: HttpRequest) -> Invitation | None:
    """The open invitation that somebody who signs up comes from and returns to, if any."""
    try:
        target = resolve(urlsplit(get_next_redirect_url(request) or "").path)
    except (Resolver404, ValueError):
        return None
    if target.view_name != "connections:invitation":
        return None
    try:
        invitation = Invitation.objects.of_token(target.kwargs["token"])
    except Invitation.DoesNotExist:
        return None
    with clock_of_organization(invitation.sender):
        return invitation if invitation.is_open(clock.now()) else None


# Out of sight, and out of the way of keyboards and screen readers.
TRAP = {"class": "vh", "tabindex": "-1", "autocomplete": "off", "aria-hidden": "true"}


class SignupForm(BaseSignupForm):
    """Asks for a name first; the address is the one that was invited."""

    name = forms.CharField(max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    field_order = ["name", "email", "password1", "password2"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        invitation = invitation_of(current.request)
        email = self.fields["email"]
        email.label = "E-mail"
        email.help_text = "Your invitation went to this address."
        # A disabled field takes its value from here, whatever the browser sends.
        email.initial = self.initial["email"] = invitation.email if invitation else ""
        email.disabled = True
        if trap := self.fields.get(settings.ACCOUNT_SIGNUP_FORM_HONEYPOT_FIELD):
            trap.widget.attrs = dict(TRAP)
        self._time_zone = invitation.sender.time_zone if invitation else "UTC"

    def try_save(self, request: HttpRequest) -> tuple[User | None, HttpResponse | None]:
        """Two presses at once make one account: the second is told that it exists."""
        try:
            with transaction.atomic():
                return super().try_save(request)
        except IntegrityError:
            self.account_already_exists = True
            return super().try_save(request)

    def custom_signup(self, _request: HttpRequest, user: User) -> None:
        user.name = self.cleaned_data["name"]
        user.time_zone = self._time_zone
        user.save(update_fields=["name", "time_zone"])


class AccountAdapter(DefaultAccountAdapter):
    """allauth's behaviour, with sign-up by invitation and mails in our words."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return invitation_of(request) is not None

    def is_email_verified(self, request: HttpRequest, email: str) -> bool:
        invitation = invitation_of(request)
        return invitation is not None and invitation.email.lower() == email.lower()

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        return second_factor.enough(user, super().get_reauthentication_methods(user))

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """While the person waits: it is what their next step needs. Raises Unavailable."""
        try:
            super().send_mail(template_prefix, email, context | {"base_url": settings.BASE_URL})
        except OSError as error:  # smtplib's own are of this kind, too; some hold the address
            log.warning("The mail server does not take mail: %s", type(error).__name__)
            # Nothing was sent, so the next attempt need not wait as if it had been.
            ratelimit.clear(current.request, action="confirm_email", key=email.lower())
            raise Unavailable(
                "We cannot send you the mail that this needs.",
                next_step="Our mail server does not take it. Try again in a few minutes.",
            ) from error

    def send_notification_mail(self, *args: Any, **kwargs: Any) -> None:
        """A notice of what is done already, which stays done without it."""
        try:
            super().send_notification_mail(*args, **kwargs)
        except Unavailable:
            log.warning("A notice of an account was not sent")

    def render_mail(
        self,
        template_prefix: str,
        email: str | list[str],
        context: dict[str, Any],
        headers: dict[str, str] | None = None,
    ) -> EmailMessage:
        """The text of the template, and the same as HTML."""
        mail = super().render_mail(template_prefix, email, context, headers)
        if isinstance(mail, EmailMultiAlternatives) and not mail.alternatives:
            about = context | {"subject": mail.subject, "text": mail.body}
            html = render_to_string("account/email/mail.html", about)
            mail.attach_alternative(css_inline.inline(html), "text/html")
        return mail
