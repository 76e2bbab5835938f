"""Whatever the workers of payouts do in a test, they do without failing; and one payout."""

from collections.abc import Iterator

import pytest

from payouts.models import Payout
from tests.cast import Cast

from .acts import paid_out, put_on_tier
from .pages import ago


@pytest.fixture(autouse=True)
def _nothing_fails_unseen(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Workers log what fails in one row and go on with the next: a test must not miss it."""
    yield
    records = [r for r in caplog.get_records("call") if r.exc_info]
    ours = ("payouts", "billing")
    assert [r.getMessage() for r in records if r.name.startswith(ours)] == []


@pytest.fixture
def payout(cast: Cast) -> Payout:
    """$96.50 of a sale of $100.00, available."""
    put_on_tier(cast)
    return paid_out(cast, at=ago(9))
