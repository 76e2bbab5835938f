"""Whether the books of payouts agree: earnings, payouts and what was settled, with the ledger.

`billing.books` runs these after its own comparisons; the settings list them. Every one is a
statement that gives a row for each difference, as `Comparison` says.
"""

from billing.books.comparison import Comparison
from billing.books.equations import Equation

from .accounts import CONTROL, TRANSFERS
from .earnings import COLLECTED, INVOICES, MISSED
from .weeks import LOTS, PAYOUTS, SUMS

__all__ = ["COMPARISONS", "EQUATIONS", "INVOICES", "PAYOUTS"]

EQUATIONS: tuple[Equation, ...] = (INVOICES, PAYOUTS)
COMPARISONS: tuple[Comparison, ...] = (
    *(TRANSFERS, COLLECTED, MISSED, SUMS, LOTS, CONTROL),
    *(equation.comparison for equation in EQUATIONS),
)
