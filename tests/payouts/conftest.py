"""Whatever the workers of payouts do in a test, they do without failing."""

from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _nothing_fails_unseen(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Workers log what fails in one row and go on with the next: a test must not miss it."""
    yield
    records = [r for r in caplog.get_records("call") if r.exc_info]
    ours = ("payouts", "billing")
    assert [r.getMessage() for r in records if r.name.startswith(ours)] == []
