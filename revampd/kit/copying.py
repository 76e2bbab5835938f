"""Rows by the thousand: COPY into a table, under all its constraints and triggers."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection, models
from psycopg import sql


def copy_rows(
    model: type[models.Model], fields: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Insert `rows`, whose values stand in the order of `fields`. One statement for triggers.

    JSON columns take text. Columns that are not named get the database's default, or NULL.
    """
    columns = [str(model._meta.get_field(field).column) for field in fields]  # type: ignore[union-attr]
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(model._meta.db_table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def reserve_ids(model: type[models.Model], count: int) -> list[int]:
    """The next `count` numbers of the table's key, for rows that others will point at."""
    if not count:
        return []
    key = model._meta.pk.column
    with connection.cursor() as cursor:
        cursor.execute(
            # Materialized: else the name of the sequence is looked up for each number.
            """
            WITH sequence AS MATERIALIZED (SELECT pg_get_serial_sequence(%s, %s)::regclass AS id)
            SELECT nextval(id) FROM sequence, generate_series(1, %s)
            """,
            [model._meta.db_table, key, count],
        )
        return [number for (number,) in cursor.fetchall()]
