"""What an answer says."""

from typing import Any


def text(answer: Any) -> str:
    """Its content, as the browser gets it."""
    return str(answer.content.decode())
