"""Invoices and what corrects them."""

from connections.kinds import Category, EventKind, Telling

from .places import to_invoice

INVOICE_FACTS = (
    ("code", "Invoice"),
    ("amount", "Total"),
    ("payable", "Amount due"),
    ("due", "Due"),
    ("provider", "From"),
    ("customer", "To"),
)

invoice_issued = EventKind(
    "invoice.issued",
    "Invoice {code} over {amount} was issued",
    category=Category.BILLING_MANAGEMENT,
    icon="invoice",
    customer=Telling("Invoice {code} from {provider}", "{amount}: {payable} is due {due}."),
    facts=(
        ("code", "Invoice"),
        ("amount", "Total"),
        ("credited", "From the wallet"),
        ("payable", "Amount due"),
        ("due", "Due"),
        ("provider", "From"),
        ("customer", "To"),
    ),
    link=to_invoice,
)
invoice_paid = EventKind(
    "invoice.paid", "{code} is paid", icon="check", tone="good", link=to_invoice
)
invoice_past_due = EventKind(
    "invoice.past_due",
    "{code} is past due",
    category=Category.BILLING_MANAGEMENT,
    icon="clock",
    tone="bad",
    provider=Telling("{code} of {customer} is past due", "{payable} was due {due}."),
    customer=Telling(
        "Invoice {code} is past due",
        "{payable} was due {due}. Add a payment method to pay it at once.",
        action="Pay the invoice",
    ),
    facts=INVOICE_FACTS,
    link=to_invoice,
)
invoice_voided = EventKind(
    "invoice.voided",
    "made {code} void: {reason}",
    category=Category.BILLING_MANAGEMENT,
    icon="undo",
    customer=Telling("Invoice {code} is void", "Nothing of it is owed. {reason}"),
    facts=(*INVOICE_FACTS, ("reason", "Reason")),
    link=to_invoice,
)
invoice_written_off = EventKind(
    "invoice.written_off", "wrote {lost} of {code} off: {reason}", icon="cross", link=to_invoice
)
credit_note_issued = EventKind(
    "credit_note.issued",
    "issued credit note {code} over {amount}: {reason}",
    category=Category.BILLING_MANAGEMENT,
    icon="undo",
    customer=Telling(
        "Credit note {code} from {provider}",
        "{amount} of {invoice} is taken back: {reason} What you had paid of it returns the same "
        "way: {back}.",
    ),
    facts=(
        ("code", "Credit note"),
        ("invoice", "Invoice"),
        ("amount", "Amount"),
        ("back", "Returns to you"),
        ("reason", "Reason"),
    ),
    link=to_invoice,
)
