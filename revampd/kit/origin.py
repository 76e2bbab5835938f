"""Where an act came from (address, page, request id), for the audit trail."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

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
