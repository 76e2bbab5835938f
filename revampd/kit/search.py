"""Finding by words, in PostgreSQL's text search: the beginnings of words, in any order.

The configuration is `simple`: names are in every language, and no word of a name is left out.
Misspelled words are not found: that would take the extension pg_trgm, which the role that migrates
may not be allowed to create.
"""

import re
from functools import reduce
from operator import or_
from typing import Any, TypeVar
from uuid import UUID

from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db.models import Func, Q, QuerySet, TextField, Value
from django.db.models.expressions import Combinable

Rows = TypeVar("Rows", bound=QuerySet[Any])

LONGEST = 100  # characters of what is typed that count
MOST_WORDS = 8

CONFIG = "simple"
# What PostgreSQL takes for a part of one word: of an address, a host, a path, a signed number.
JOINTS = "@.-_/+:~=&'<>"

_WORD = re.compile(r"[^\W_]+")
_HEX = re.compile(r"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}", re.ASCII | re.IGNORECASE)


def tidy(text: str) -> str:
    """What somebody typed, in one line that PostgreSQL takes: it knows no NUL."""
    return " ".join(text.replace("\0", " ").split())[:LONGEST].strip()


def words(text: str) -> list[str]:
    """The words in `text`, small; never a quote or an operator of text search."""
    return _WORD.findall(text.lower())[:MOST_WORDS]


def uuid_in(text: str) -> UUID | None:
    """The id that `text` is, as addresses have it."""
    return UUID(text) if _HEX.fullmatch(text) else None


def vector(*texts: str | Combinable) -> SearchVector:
    """The words of fields or expressions, as an index keeps them."""
    return SearchVector(*(_spaced(text) for text in texts), config=CONFIG)


def beginnings(text: str) -> str | None:
    """In words of text search: every word of `text` begins a word. None if it has no words.

    The last word may still be being typed, so all of them are taken for beginnings.
    """
    return " & ".join(f"'{word}':*" for word in words(text)) or None


def lexemes(beginnings: str | Combinable | None) -> SearchQuery | None:
    """What `beginnings` gave, or an argument of a prepared query that stands for it."""
    if beginnings is None:
        return None
    return SearchQuery(beginnings, config=CONFIG, search_type="raw")


def having(rows: Rows, words: SearchVector, beginnings: str | Combinable | None) -> Rows:
    """Those of `rows` that have all these beginnings among their `words`."""
    query = lexemes(beginnings)
    return rows.alias(lexemes=words).filter(lexemes=query) if query else rows.none()


def any_of(**known: Any) -> Q:
    """Rows with any of these values; those that are None are not asked for."""
    asked = [Q((field, value)) for field, value in known.items() if value is not None]
    return reduce(or_, asked, Q(pk__in=[]))


def _spaced(text: str | Combinable) -> Func:
    joints, spaces = Value(JOINTS), Value(" " * len(JOINTS))
    return Func(text, joints, spaces, function="translate", output_field=TextField())
