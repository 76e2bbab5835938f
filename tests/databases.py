"""Databases besides the one that all tests share: made from a template, and gone afterwards."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg


@contextmanager
def made(database: str, template: str = "template1") -> Iterator[None]:
    """A database, as long as the block lasts. Nobody may be connected to the template."""
    _execute(f"CREATE DATABASE {database} TEMPLATE {template}")
    try:
        yield
    finally:
        _execute(f"DROP DATABASE {database} WITH (FORCE)")


def _execute(statement: str) -> None:
    owner = os.environ["REVAMPD_DATABASE_OWNER_URL"]
    with psycopg.connect(owner, autocommit=True) as session:
        session.execute(statement)  # type: ignore[call-overload]
