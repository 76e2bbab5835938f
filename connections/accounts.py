"""How people sign up and are written to by the login pages (django-allauth)."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.forms import SignupForm as BaseSignupForm
from django import forms
from django.conf import settings
from django.http import HttpRequest

from .models import User


class SignupForm(BaseSignupForm):
    """Sign-up asks for a name first."""

    name = forms.CharField(max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    field_order = ["name", "email", "password1", "password2"]

    def custom_signup(self, request: HttpRequest, user: User) -> None:
        user.name = self.cleaned_data["name"].strip()
        user.save(update_fields=["name"])


class AccountAdapter(DefaultAccountAdapter):
    """allauth's behaviour, with our origin in the links of its mails."""

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        context["base_url"] = settings.BASE_URL
        super().send_mail(template_prefix, email, context)
