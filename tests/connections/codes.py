"""Second factors: setting them up, and the codes that an app would show."""

import time

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value

from connections.models import User

PERIOD = 30


def set_up(user: User) -> str:
    """An authenticator app and recovery codes; returns the secret of the app."""
    secret = generate_totp_secret()
    TOTP.activate(user, secret)
    RecoveryCodes.activate(user)
    return secret


def code(secret: str, *, later: int = 0) -> str:
    """What the app shows now, or `later` codes after this one."""
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // PERIOD + later)))


def recovery_codes(user: User) -> list[str]:
    kept = Authenticator.objects.get(user=user, type=Authenticator.Type.RECOVERY_CODES)
    return list(kept.wrap().get_unused_codes())


def wrong(code: str) -> str:
    return str((int(code) + 1) % 1_000_000).zfill(6)
