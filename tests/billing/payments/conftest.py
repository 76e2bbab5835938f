"""Bluebird owes Northwind an invoice, and has or has not a card."""

from collections.abc import Callable, Iterator

import pytest

from billing.models import Invoice, PaymentMethod
from tests.billing.acts import agree, issued
from tests.cast import Cast

from .acts import add_card


@pytest.fixture(autouse=True)
def _nothing_fails_unseen(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Workers log what fails in one row and go on with the next: a test must not miss it."""
    yield
    records = [r for r in caplog.get_records("call") if r.exc_info]
    broken = [r.getMessage() for r in records if r.name.startswith("billing")]
    assert broken == []


@pytest.fixture
def invoice(cast: Cast) -> Invoice:
    """$149.00 that Bluebird owes Northwind since NOW."""
    agree(cast)
    return issued(cast)[0]


@pytest.fixture
def card(cast: Cast) -> Callable[..., PaymentMethod]:
    """`card("visa")` adds a card of that name to the connection of Northwind and Bluebird."""

    def add(name: str = "visa", **details) -> PaymentMethod:
        return add_card(cast.northwind_bluebird, cast.ben, name, **details)

    return add
