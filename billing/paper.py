"""What stands on the PDF of an invoice or a credit note, from the rows that never change.

An invoice stands there as it was issued, with the credits that were applied then: it reads the
same whenever it is rendered. See docs/decisions.
"""

from collections.abc import Mapping

from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.formats import date_format

from revampd.kit.money import Money, total

from .documents import Credit, InvoiceContent, Line, Organization
from .models import CreditNote, Invoice
from .reasons import authority

NOTE = "Every line names the approval that allows it."


def content_of(subject: Invoice | CreditNote) -> InvoiceContent:
    return _invoice(subject) if isinstance(subject, Invoice) else _note(subject)


def _invoice(invoice: Invoice) -> InvoiceContent:
    at_issue = invoice.applications.filter(applied_at=invoice.issued_at)
    used = list(at_issue.select_related("credit").oldest_first())
    due = invoice.total_money - total((one.total for one in used), invoice.currency)
    return InvoiceContent(
        title="Invoice",
        code=invoice.code,
        status="Issued" if due else "Paid",
        tone="plain" if due else "good",
        issued_at=invoice.issued_at,
        issued=date_format(invoice.issue_date, "j M Y"),
        due=date_format(invoice.due_date, "j M Y") if due else "",
        period=str(invoice.period or ""),
        provider=party(invoice.provider_details),
        customer=party(invoice.customer_details),
        lines=_lines(invoice),
        total=str(invoice.total_money),
        credits=tuple(Credit(one.credit.reason, str(-one.total)) for one in used),
        amount_due=str(due),
        settlement="" if due else "Paid from the wallet." if used else "Nothing to pay.",
        notes=NOTE,
    )


def _lines(invoice: Invoice) -> tuple[Line, ...]:
    rows = invoice.lines.select_related("request__decided_by").order_by("position")
    return tuple(
        Line(
            description=line.description,
            quantity=intcomma(line.quantity),
            unit_price=str(line.unit_money),
            amount=str(line.amount_money),
            authority=authority(line, invoice.connection),
        )
        for line in rows
    )


def _note(note: CreditNote) -> InvoiceContent:
    invoice = note.invoice
    lines = note.lines.select_related("line").order_by("position")
    return InvoiceContent(
        title="Credit note",
        code=note.code,
        status="Issued",
        issued_at=note.issued_at,
        issued=date_format(note.issue_date, "j M Y"),
        corrects=f"{invoice.code} of {date_format(invoice.issue_date, 'j M Y')}",
        provider=party(invoice.provider_details),
        customer=party(invoice.customer_details),
        lines=tuple(Line(row.line.description, "", "", str(row.total), "") for row in lines),
        amount_label="Taken back",
        amount_due=str(note.total),
        settlement=_returned(note),
        notes=f"Reason: {note.reason}",
    )


def _returned(note: CreditNote) -> str:
    """Where it went: owed less, back to cards, back to the wallet."""
    sums: dict[str, Money] = {}
    for refund in note.refunds.select_related("payment__method").order_by("begun_at", "pk"):
        label = refund.payment.method.label
        sums[label] = sums.get(label, Money(0, note.currency)) + refund.total
    parts = [f"{note.owed_less} owed less"] if note.owed_less else []
    parts += [f"{amount} back to {label}" for label, amount in sums.items()]
    parts += [f"{note.to_wallet} back to the wallet"] if note.to_wallet else []
    return f"{', '.join(parts)}."


def party(details: Mapping[str, str]) -> Organization:
    """One side as the invoice froze it."""
    return Organization(
        name=details["name"],
        address=details.get("address", ""),
        tax_number=details.get("tax_number", ""),
        email=details.get("email", ""),
    )
