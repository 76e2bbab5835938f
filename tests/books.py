"""What tests of money end with: the books agree."""

from billing.books import differences
from connections.models import Connection


def assert_books_agree(*connections: Connection) -> None:
    """The ledger, the documents and the approvals say the same, of all or of these connections."""
    assert differences(connections or None) == []
