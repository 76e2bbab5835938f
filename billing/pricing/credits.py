"""Which credits pay what is due: the oldest first."""

from collections.abc import Iterable
from typing import TypeVar

Key = TypeVar("Key")


def first_in_first_out(lots: Iterable[tuple[Key, int]], due: int) -> list[tuple[Key, int]]:
    """What each of `lots`, (key, remaining) from the oldest on, pays of `due`, in minor units.

    Never more than is due, nor than a lot has; a lot that pays nothing is left out.
    """
    takes = []
    for key, remaining in lots:
        if due <= 0:
            break
        if (taken := min(remaining, due)) > 0:
            takes.append((key, taken))
            due -= taken
    return takes
