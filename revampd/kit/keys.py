"""Rows by thousands of keys, and page by page through a table that grows."""

from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import BooleanField, F, Func, TextField, Value
from django.db.models.expressions import BaseExpression


class among(Func):  # noqa: N801 - reads like a lookup: rows.filter(among("connection", keys))
    """Whether the field is one of these keys: one array, where `__in` makes parameters of them."""

    template = "%(expressions)s::%(type)s[])"
    arg_joiner = " = ANY ("
    output_field = BooleanField()

    def __init__(
        self,
        field: str,
        keys: Iterable[UUID | int] | BaseExpression,
        type: str = "uuid",  # noqa: A002 - in the words of SQL
    ) -> None:
        """An argument of a prepared query stands for what `array_of` gives."""
        values = keys if isinstance(keys, BaseExpression) else Value(array_of(keys))
        super().__init__(field, values, type=type)


def array_of(values: Iterable[UUID | date | str | int | None]) -> str:
    """Values as PostgreSQL writes an array: an adapter would look at each of them on its own."""
    return f"{{{','.join(['NULL' if value is None else str(value) for value in values])}}}"


class beyond(Func):  # noqa: N801 - reads like a lookup, too
    """Whether a row comes after the one with these values, in the order of the fields.

    An index over the fields leads there at once, past all that was there before.
    """

    template = "%(expressions)s"
    arg_joiner = " > "
    output_field = BooleanField()

    def __init__(self, fields: Iterable[str], values: Iterable[Any]) -> None:
        super().__init__(_row(map(F, fields)), _row(map(Value, values)))


def _row(expressions: Iterable[Any]) -> Func:
    return Func(*expressions, function="ROW", output_field=TextField())
