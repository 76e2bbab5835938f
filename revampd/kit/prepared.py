"""Queries that Django writes once, and the database plans once.

Writing the SQL of a query set costs several times what it costs to send it and to read the answer.
What every page asks is therefore declared as a function and written when it is asked first:

    @prepared
    def members_of(organization: Any) -> QuerySet[Membership]:
        return Membership.objects.filter(organization=organization)

    members_of(organization.pk)  # a list of memberships

Arguments by position are sent along with each call: plain values that the driver knows, keys rather
than instances. Arguments by name give the query its shape, such as an order or a number of rows,
and each shape is written apart. Nothing but arguments changes, so constants stand in the SQL as
they are, which lets the planner see that a partial index serves.
"""

from collections.abc import Callable, Iterator
from copy import copy
from functools import lru_cache, update_wrapper
from typing import Any, Generic, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import connections, models
from django.db.backends.postgresql.base import ServerBindingCursor
from django.db.models.expressions import Expression
from django.db.models.sql.compiler import SQLCompiler
from psycopg.sql import Literal

USING = "default"
SHAPES = 256  # kept of each query

Row = TypeVar("Row")


class Argument(Expression):
    """Stands in a query for the value that comes with the call."""

    def __init__(self, position: int) -> None:
        super().__init__(output_field=models.Field())
        self.position = position

    def as_sql(self, *_: Any) -> Any:
        return "%s", [self]


class Prepared(Generic[Row]):
    """A query as a function of its arguments. Call it for a list, or `first` for a row or None."""

    def __init__(self, build: Callable[..., models.QuerySet[Any, Row]]) -> None:
        self._build = build
        self._statement = lru_cache(SHAPES)(self._write)
        update_wrapper(self, build)

    def __call__(self, *values: Any, **shape: Any) -> list[Row]:
        return list(self._rows(values, shape))

    def first(self, *values: Any, **shape: Any) -> Row | None:
        return next(self._rows(values, shape), None)

    def part_of(self, *values: Any, **shape: Any) -> Any:
        """All rows, for a paginator; each part is asked for by the shape `part`, (start, stop).

        A paginator that takes it has to know how many there are.
        """
        return Parts(self, values, shape)

    def _rows(self, values: tuple[Any, ...], shape: dict[str, Any]) -> Iterator[Row]:
        if not (statement := self._statement(len(values), **shape)):
            return iter(())
        query, iterable = statement
        return iter(iterable(_Rows(query.with_values(values)), chunked_fetch=False))

    def _write(self, number: int, **shape: Any) -> "tuple[_Query, Any] | None":
        rows = self._build(*map(Argument, range(number)), **shape)
        if rows._prefetch_related_lookups:  # type: ignore[attr-defined]
            raise TypeError("what is fetched besides would have to be written every time")
        try:
            return _Query(rows), rows._iterable_class
        except EmptyResultSet:  # Django sees that no row can be found, and does not ask
            return None


def prepared(build: Callable[..., models.QuerySet[Any, Row]]) -> Prepared[Row]:
    return Prepared(build)


class Parts(Generic[Row]):
    """Rows of which only slices are read."""

    ordered = True

    def __init__(
        self, query: Prepared[Row], values: tuple[Any, ...], shape: dict[str, Any]
    ) -> None:
        self._query, self._values, self._shape = query, values, shape

    def __getitem__(self, part: slice) -> list[Row]:
        return self._query(*self._values, part=(part.start, part.stop), **self._shape)


class _Query:
    """The query of a query set, whose compiler has its SQL already."""

    def __init__(self, rows: models.QuerySet[Any, Any]) -> None:
        self.model = rows.model
        self._query = rows.query
        written = _Written(rows.query, connections[USING], USING)
        written.write()
        self._written = written

    def __getattr__(self, name: str) -> Any:
        return getattr(self._query, name)

    def with_values(self, values: tuple[Any, ...]) -> "_Query":
        mine = copy(self)
        mine._written = self._written.with_values(values)
        return mine

    def get_compiler(self, *_: Any, **__: Any) -> "_Written":
        return self._written

    def __copy__(self) -> "_Query":
        mine = object.__new__(_Query)
        mine.__dict__ |= self.__dict__
        return mine


class _Rows:
    """As much of a query set as Django's own ways of reading rows ask for."""

    db = USING
    _known_related_objects: dict[Any, Any] = {}
    _hints: dict[str, Any] = {}
    _fields = None

    def __init__(self, query: _Query) -> None:
        self.query = query
        self.model = query.model


class _Written(SQLCompiler):
    """A compiler that has done its work; it only fetches, with the values of one call."""

    values: tuple[Any, ...] = ()

    def write(self) -> None:
        sql, sent = self.as_sql()
        params: list[Any] = list(sent)
        self.connection.ensure_connection()
        driver = self.connection.connection
        self.positions = [param.position for param in params if isinstance(param, Argument)]
        # What is no place for a value stays as it is, for the driver to read in its turn.
        self.sql = sql.replace("%%", "%%%%") % tuple(
            "%s" if isinstance(param, Argument) else _literal(param, driver) for param in params
        )

    def with_values(self, values: tuple[Any, ...]) -> "_Written":
        mine = copy(self)
        mine.connection = connections[USING]
        mine.values = values
        return mine

    def execute_sql(self, *_: Any, **__: Any) -> Any:
        """All rows, as the chunks that a compiler gives."""
        with _cursor(self.connection) as cursor:
            cursor.execute(self.sql, [self.values[position] for position in self.positions])
            return [cursor.fetchall()]


def _cursor(connection: Any) -> Any:
    """A cursor that sends values apart from the SQL, as a statement that is planned once wants."""
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    cursor: Any = ServerBindingCursor
    return connection._prepare_cursor(cursor(connection.connection))


def _literal(constant: Any, driver: Any) -> str:
    return Literal(constant).as_string(driver).replace("%", "%%")
