"""Text that people typed, made fit for a page that has to be readable by everybody."""

import unicodedata
from collections.abc import Callable
from typing import Any

MISSING = "□"

_CONTROLS = dict.fromkeys((*range(32), *range(127, 160), 8232, 8233), " ")
# These turn the direction of what follows, an amount for one; letters bring their own direction.
_TURNS = dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF))
_CLEAN = _CONTROLS | _TURNS | {ord("\n"): "\n"}


def without_controls(facts: Any) -> Any:
    """`facts` with nothing in its texts that steers a page instead of standing on it."""
    return _each_text(facts, lambda text: text.replace("\r\n", "\n").translate(_CLEAN))


def legible(facts: Any, can_show: Callable[[str], bool]) -> Any:
    """`facts` with a box in the place of each letter that cannot be shown."""
    return _each_text(facts, lambda text: _shown(text, can_show))


def _shown(text: str, can_show: Callable[[str], bool]) -> str:
    if text.isascii() or can_show(text):
        return text
    known = {letter: letter.isascii() or can_show(letter) for letter in set(text)}
    boxed = "".join(letter if known[letter] else MISSING for letter in text)
    if can_show(boxed):
        return boxed
    # Each letter can be shown but not next to its neighbour, a mark on a foreign letter for one.
    plain = unicodedata.normalize("NFKD", boxed)
    return "".join(letter if letter.isascii() else MISSING for letter in plain)


def _each_text(facts: Any, change: Callable[[str], str]) -> Any:
    if isinstance(facts, str):
        return change(facts)
    if isinstance(facts, dict):
        return {name: _each_text(value, change) for name, value in facts.items()}
    if isinstance(facts, int):
        return facts
    return [_each_text(value, change) for value in facts]
