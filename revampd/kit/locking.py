"""Locks, taken in one fixed order: connection, then what hangs on it, oldest first."""

from typing import TypeVar
from uuid import UUID

from django.db import models, transaction

M = TypeVar("M", bound=models.Model)


def lock(instance: M) -> M:
    """Re-read `instance` from its row, held until the transaction ends.

    FOR NO KEY UPDATE: rows that only point at this one can still be inserted meanwhile.
    Raises `DoesNotExist` if the row is gone and `TransactionManagementError` outside a transaction.
    """
    rows = type(instance)._base_manager.select_for_update(no_key=True)
    return rows.get(pk=instance.pk)


def claim(key: UUID) -> bool:
    """Whether this transaction may work on what `key` names: nobody else does until it ends."""
    with transaction.get_connection().cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [str(key)])
        (is_ours,) = cursor.fetchone()
    return bool(is_ours)


def in_transaction() -> bool:
    """Whether the current database connection is inside `transaction.atomic()`."""
    return bool(transaction.get_connection().in_atomic_block)
