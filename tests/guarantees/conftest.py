"""The books that the guarantees are tried on."""

from collections.abc import Iterator

import pytest
from django.db import transaction

from billing.models import OneTimeCharge
from tests.cast import Cast
from tests.guarantees.history import Books, Money, keep, spend, tell


@pytest.fixture
def books(cast: Cast) -> Books:
    return keep(cast)


@pytest.fixture
def told(books: Books, cast: Cast) -> Books:
    """The same books, of which Ben has been told."""
    tell(books, cast)
    return books


@pytest.fixture
def money(books: Books, cast: Cast) -> Money:
    """What came of Northwind and Bluebird."""
    return spend(books.connection, cast.setup, cast.noah, cast.ben)


@pytest.fixture
def theirs(books: Books, cast: Cast) -> Money:
    """The same of Contoso and Fabrikam."""
    charge = OneTimeCharge.offer(
        provider=cast.contoso, by=cast.oscar, name="Setup", unit_price=400_00
    )
    return spend(cast.contoso_fabrikam, charge, cast.oscar, cast.fay)


@pytest.fixture
def undone(money: Money) -> Iterator[None]:
    """What the test leaves half done is gone before the transaction is checked as a whole."""
    savepoint = transaction.savepoint()
    yield
    transaction.savepoint_rollback(savepoint)
