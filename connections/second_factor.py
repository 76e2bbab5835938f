"""Saying once more that it is you, and how the secrets of second factors are kept.

Before something important changes, a session is not enough: the password is asked for again, and
with it a code where a second factor is set up. A passkey is both at once. Whoever learned a
password alone can so neither change where money goes nor turn the second factor off first.
"""

import base64
import hashlib
from typing import Any, ClassVar

from allauth.account.forms import ReauthenticateForm as PasswordForm
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.base.forms import ReauthenticateForm as CodeForm
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from cryptography.fernet import Fernet, MultiFernet
from django import forms
from django.conf import settings

from .models import User

Type = Authenticator.Type

LOCKED = "gAAAA"  # how every text that Fernet locked begins
PASSWORD, CODE = "reauthenticate", "mfa_reauthenticate"


def has_second_factor(user: User) -> bool:
    """Whether signing in takes more than a password."""
    return bool(is_mfa_enabled(user, [Type.TOTP, Type.WEBAUTHN]))


def takes_codes(user: User) -> bool:
    """Whether the person can type a code: of an authenticator app, or for recovery."""
    return bool(is_mfa_enabled(user, [Type.TOTP, Type.RECOVERY_CODES]))


def enough(user: User, methods: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of allauth's ways to say that it is you, those that are enough for this person.

    A code goes with the password and not in its place; who has a passkey and no codes uses that.
    """
    offered = {method["id"] for method in methods}
    if PASSWORD not in offered or not has_second_factor(user):
        return methods
    left_out = CODE if CODE in offered else PASSWORD
    return [method for method in methods if method["id"] != left_out]


class ReauthenticateForm(PasswordForm):
    """The password, and a code where a second factor is set up. A wrong password uses none up."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if has_second_factor(self.user) and takes_codes(self.user):
            self.fields["code"] = forms.CharField(
                label="Code",
                help_text="What your authenticator app shows, or one of your recovery codes.",
                widget=forms.TextInput(
                    {"autocomplete": "one-time-code", "autocapitalize": "off", "class": "mono"}
                ),
            )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if "code" in self.fields and not self.errors:
            self._use(given["code"])
        return given

    def _use(self, code: str) -> None:
        checked = CodeForm({"code": code}, user=self.user)
        if checked.is_valid():
            checked.save()
        else:
            self.add_error("code", checked.errors.as_data()["code"])


class MFAAdapter(DefaultMFAAdapter):
    """allauth's behaviour, with our words and with secrets that a copy of the database hides."""

    error_messages: ClassVar[dict[str, str]] = DefaultMFAAdapter.error_messages | {
        "incorrect_code": "That is not the code, or it was used already. Wait for the next one.",
        "unverified_email": "Confirm your e-mail address first.",
    }

    def encrypt(self, text: str) -> str:
        return _box().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        if not encrypted_text.startswith(LOCKED):  # Stored before anything was locked.
            return encrypted_text
        return _box().decrypt(encrypted_text.encode()).decode()


def _box() -> MultiFernet:
    """Locked with the site's key; what was locked with one before still opens."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(_key(key)) for key in keys])


def _key(secret: str) -> bytes:
    digest = hashlib.sha256(b"second factors\0" + secret.encode()).digest()
    return base64.urlsafe_b64encode(digest)
