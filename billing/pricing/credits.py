"""Which credits pay what is due, the oldest first, and where money goes that is given back."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from .allocation import allocate

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


def give_back(amount: int, owed: int, shares: Sequence[int]) -> tuple[int, list[int]]:
    """Where `amount` goes that is taken back of an invoice, in minor units.

    What is still `owed` shrinks first; the rest returns to those who paid, in proportion to their
    `shares`. Returns by how much is owed less, and what each share gets back. Raises ValueError if
    that is more than was owed and paid together.
    """
    less = min(amount, owed)
    if amount - less > sum(shares):
        raise ValueError(f"{amount} is more than what was owed and paid")
    return less, allocate(amount - less, shares)
