"""Columns that triggers keep, and totals, beside the sums of the rows that they count."""

from psycopg import sql

from .comparison import Comparison

INVOICE = ("kept.number", "'{}'")
OF_INVOICE = ("(SELECT number FROM billing_invoice WHERE id = kept.invoice_id)", "'{}'")
REASON = ("NULL::bigint", "'{} of “' || kept.reason || '”'")

STATEMENT = sql.SQL("""
    SELECT kept.connection_id AS owner, {number} AS number, {what} AS what,
        kept.{column} AS one, coalesce(sums.amount, 0) AS other, true AS is_money
    FROM {table} kept LEFT JOIN ({sums}) sums ON sums.id = kept.id
    WHERE kept.{column} <> coalesce(sums.amount, 0)
""")


def _kept(
    table: str, column: str, label: str, naming: tuple[str, str], rows: str, counted: str
) -> Comparison:
    """`column` of `table` beside the sum of `rows`: a SELECT of ids and amounts."""
    number, what = naming
    summed = sql.SQL("SELECT id, sum(amount) AS amount FROM ({rows}) counted GROUP BY id")
    return Comparison(
        "{what} is {one}, but " + counted + " {other}.",
        STATEMENT.format(
            number=sql.SQL(number),
            what=sql.SQL(what.replace("{}", label)),
            column=sql.Identifier(column),
            table=sql.Identifier(f"billing_{table}"),
            sums=summed.format(rows=sql.SQL(rows)),
        ),
    )


KEPT = (
    _kept(
        *("invoice", "total", "The total", INVOICE),
        "SELECT invoice_id AS id, amount FROM billing_invoiceline",
        "its lines come to",
    ),
    _kept(
        *("creditapplication", "returned", "What was returned of a credit", OF_INVOICE),
        "SELECT application_id AS id, amount FROM billing_creditreturn",
        "the returns come to",
    ),
    _kept(
        *("credit", "applied", "What was used", REASON),
        "SELECT credit_id AS id, amount - returned AS amount FROM billing_creditapplication",
        "its applications come to",
    ),
    _kept(
        *("invoice", "credited", "What credits paid", INVOICE),
        "SELECT invoice_id AS id, amount - returned AS amount FROM billing_creditapplication",
        "the applications come to",
    ),
    _kept(
        *("deduction", "amount", "The amount", REASON),
        "SELECT deduction_id AS id, amount FROM billing_creditapplication",
        "the credits that it took come to",
    ),
    _kept(
        *("payment", "refunded", "What was refunded", OF_INVOICE),
        "SELECT payment_id AS id, amount FROM billing_refund",
        "the refunds come to",
    ),
    _kept(
        *("invoice", "paid", "What was paid", INVOICE),
        "SELECT invoice_id AS id, amount - refunded AS amount FROM billing_payment"
        " WHERE state = 'SUCCEEDED' UNION ALL"
        " SELECT invoice_id, -dispute.amount FROM billing_dispute dispute"
        " JOIN billing_payment payment ON payment.id = payment_id WHERE dispute.state = 'LOST'",
        "the payments come to",
    ),
    _kept(
        *("payment", "disputed", "What is disputed", OF_INVOICE),
        "SELECT payment_id AS id, amount FROM billing_dispute WHERE state <> 'WON'",
        "the disputes come to",
    ),
    _kept(
        *("invoice", "disputed", "What is disputed", INVOICE),
        "SELECT invoice_id AS id, dispute.amount FROM billing_dispute dispute"
        " JOIN billing_payment payment ON payment.id = payment_id WHERE dispute.state = 'OPEN'",
        "the open disputes come to",
    ),
    _kept(
        *("invoice", "held", "What is held", INVOICE),
        "SELECT invoice_id AS id, amount FROM billing_payment"
        " WHERE state IN ('INTENT', 'PROCESSING', 'ACTION')",
        "the payments under way come to",
    ),
    _kept(
        *("invoice", "corrected", "What is corrected", INVOICE),
        "SELECT invoice_id AS id, amount FROM billing_creditnote",
        "the credit notes come to",
    ),
    _kept(
        *("creditnote", "amount", "A credit note", OF_INVOICE),
        "SELECT note_id AS id, amount FROM billing_creditnoteline",
        "its lines come to",
    ),
)
