"""Raw SQL as the application's role: what it may do, and who refuses what it may not."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError, connections, transaction
from django.db.models import Model
from psycopg import sql
from psycopg.types.json import Jsonb

NOT_ALLOWED = "permission denied"


def accepted(statement: str, *params: Any, rows: int = 1) -> None:
    """Run a statement that must succeed and touch `rows` rows."""
    with transaction.atomic(), connections["default"].cursor() as cursor:
        cursor.execute(statement, params)
        assert cursor.rowcount == rows


def refused(statement: str, *params: Any, by: str) -> None:
    """Run a statement that must fail, refused by a constraint, trigger or privilege.

    `by` is the name of the constraint or a part of the sentence. Nothing of the statement stays.
    """
    with (
        pytest.raises(DatabaseError) as refusal,
        transaction.atomic(),
        connections["default"].cursor() as cursor,
    ):
        cursor.execute(statement, params)
    assert_refused_by(refusal.value, by)


def assert_refused_by(error: BaseException, by: str) -> None:
    diagnosis = error.__cause__.diag  # type: ignore[union-attr]
    assert by in (diagnosis.constraint_name, diagnosis.column_name) or by in str(error)


def copy(row: Model, **changes: Any) -> Any:
    """Insert a copy of `row` with `changes` (by column) by plain SQL; returns its key."""
    meta = type(row)._meta
    values = {
        field.column: getattr(row, field.attname)
        for field in meta.concrete_fields
        if not field.generated
    }
    has_uuid = isinstance(row.pk, UUID)
    values |= {meta.pk.column: uuid4()} if has_uuid else {}  # type: ignore[union-attr]
    if not has_uuid:
        del values[meta.pk.column]  # type: ignore[union-attr]
    values |= changes
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({}) RETURNING {}").format(
        sql.Identifier(meta.db_table),
        sql.SQL(", ").join([sql.Identifier(column) for column in values]),
        sql.SQL(", ").join([sql.Placeholder()] * len(values)),
        sql.Identifier(meta.pk.column),  # type: ignore[union-attr]
    )
    params = [Jsonb(v) if isinstance(v, dict) else v for v in values.values()]
    with transaction.atomic(), connections["default"].cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchone()[0]


def copy_refused(row: Model, *, by: str, **changes: Any) -> None:
    """A copy that must not get in."""
    with pytest.raises(DatabaseError) as refusal:
        copy(row, **changes)
    assert_refused_by(refusal.value, by)


def settle() -> None:
    """Check what a transaction checks only when it commits."""
    with transaction.atomic(), connections["default"].cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
