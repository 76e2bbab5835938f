"""Where an act came from (address, page, request id), for the audit trail."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.conf import settings
from django.http import HttpRequest

_origin: ContextVar[dict[str, str] | None] = ContextVar("origin", default=None)


def current_origin() -> dict[str, str]:
    """What is known of the act under way; empty outside a request or command."""
    return _origin.get() or {}


@contextmanager
def acting_from(**origin: str) -> Iterator[None]:
    """Everything recorded inside the block says that it came from here."""
    token = _origin.set({key: value for key, value in origin.items() if value})
    try:
        yield
    finally:
        _origin.reset(token)


def address_of(request: HttpRequest) -> str:
    """Whose request it is: the address that the outermost of our own proxies saw."""
    proxies = settings.ALLAUTH_TRUSTED_PROXY_COUNT
    seen = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",")]
    if proxies and len(seen) >= proxies:
        return seen[-proxies]
    return str(request.META.get("REMOTE_ADDR", ""))
