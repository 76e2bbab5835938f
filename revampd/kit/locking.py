"""Locks, taken in one fixed order: connection, then what hangs on it, oldest first."""

from typing import TypeVar

from django.db import models, transaction

M = TypeVar("M", bound=models.Model)


def lock(instance: M) -> M:
    """Re-read `instance` from its row, held until the transaction ends.

    FOR NO KEY UPDATE: rows that only point at this one can still be inserted meanwhile.
    Raises `DoesNotExist` if the row is gone and `TransactionManagementError` outside a transaction.
    """
    rows = type(instance)._base_manager.select_for_update(no_key=True)
    return rows.get(pk=instance.pk)


def in_transaction() -> bool:
    """Whether the current database connection is inside `transaction.atomic()`."""
    return bool(transaction.get_connection().in_atomic_block)
