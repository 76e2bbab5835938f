"""What PostgreSQL itself refuses, whatever the application does: raw SQL as the application's role.

Beside each refused statement stands one that succeeds, so that a refusal is never for a wrong
reason such as a missing column.

The database promises: no line without an approved request of the same connection and kind, no
approval of something that was not proposed first, nobody as the decider who may not decide or who
belongs to the proposing side, no approval after its time; sealed, decided, issued and recorded
rows stay as they are; nothing is charged twice; nothing crosses from one connection to another;
nobody but the schema's owner can switch these rules off.

It cannot promise that the person named as the decider pressed the button: the application has to
be able to write that update, and could write the wrong name of the right group. Nor does it check
that an amount follows from the price (that is arithmetic, proven in tests/billing/pricing), or that
invoice numbers have no gaps (only that none is used twice; see test_cycle.py and test_races.py).
Of money it promises that nothing is applied, paid, refunded or corrected beyond what there is, and
that the sums it keeps are those of their rows; whether the ledger says the same, `verify_books`
asks.
"""
