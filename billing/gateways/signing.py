"""Signatures of webhooks: Stripe's scheme, which the sandbox uses as well.

The header is `t=<unix seconds>,v1=<hex>`, with one `v1` for each secret in use. It signs the very
bytes of the body, with the moment before them, so that an old one cannot be sent again later.
"""

import hmac
import re
from datetime import datetime, timedelta
from hashlib import sha256

from .base import BadSignature

HEADER = "Stripe-Signature"
TOLERANCE = timedelta(minutes=5)
_SECONDS = re.compile(r"[0-9]{1,12}", re.ASCII)


def sign(body: bytes, secret: str, at: datetime) -> str:
    """The header of a webhook that leaves at `at`."""
    seconds = int(at.timestamp())
    return f"t={seconds},v1={_digest(body, secret, seconds)}"


def verify(body: bytes, header: str, secret: str, *, at: datetime) -> None:
    """Raises BadSignature unless `secret` signed these bytes within minutes of `at`."""
    seconds, signatures = _parts(header)
    expected = _digest(body, secret, seconds).encode()
    if not any(hmac.compare_digest(expected, signature.encode()) for signature in signatures):
        raise BadSignature("signed by somebody else, or changed on its way")
    if abs(int(at.timestamp()) - seconds) > TOLERANCE.total_seconds():
        raise BadSignature("too old, or from the future")


def _digest(body: bytes, secret: str, seconds: int) -> str:
    return hmac.new(secret.encode(), b"%d.%b" % (seconds, body), sha256).hexdigest()


def _parts(header: str) -> tuple[int, list[str]]:
    pairs = [part.strip().partition("=") for part in header.split(",")]
    moments = [value for name, _, value in pairs if name == "t"]
    signatures = [value for name, _, value in pairs if name == "v1"]
    if len(moments) != 1 or not _SECONDS.fullmatch(moments[0]):
        raise BadSignature("the header has no time")
    return int(moments[0]), signatures
