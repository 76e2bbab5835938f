"""Credit notes: how an issued invoice is corrected. Their lines point to the lines they correct."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Self

import pgtrigger
from django.conf import settings
from django.db import models, transaction
from django.db.models import Q, Sum, Value
from django.utils.functional import cached_property

from billing import events
from billing.pricing import allocate
from connections.models import Connection, Organization, User
from revampd.kit.constraints import AppendOnly, CompositeForeignKey
from revampd.kit.doorbell import ring_on_commit
from revampd.kit.errors import Conflict, Invalid
from revampd.kit.money import CurrencyField, MinorUnitsField, Money

from .applications import CreditApplication, CreditReturn
from .invoices import Invoice
from .ledger import REASON_LENGTH, Entry, Movement, Transfer
from .lines import InvoiceLine
from .refunds import Refund
from .returns import Return
from .series import InvoiceSeries


class NotCorrectable(Conflict):
    """The invoice is void, or the line is not its own."""


class CreditNoteQuerySet(models.QuerySet["CreditNote"]):
    def newest_first(self) -> Self:
        return self.order_by("-number")


class CreditNote(AppendOnly):
    """What is taken back of one invoice, in minor units, with the reason.

    Its number runs beside those of the provider's invoices, without gaps. A trigger counts it in
    the invoice's `corrected`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    connection = models.ForeignKey(
        Connection, on_delete=models.PROTECT, related_name="credit_notes", db_constraint=False
    )
    provider = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    invoice = models.ForeignKey(
        "billing.Invoice",
        on_delete=models.PROTECT,
        related_name="credit_notes",
        db_constraint=False,
    )
    number = models.PositiveBigIntegerField()
    currency = CurrencyField()
    amount = MinorUnitsField()
    reason = models.CharField(max_length=REASON_LENGTH)
    issued_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    issue_date = models.DateField()
    issued_at = models.DateTimeField()
    first_position = models.GeneratedField(
        expression=Value(1), output_field=models.PositiveIntegerField(), db_persist=True
    )

    objects: ClassVar[Any] = CreditNoteQuerySet.as_manager()

    class Meta(AppendOnly.Meta):
        abstract = False
        constraints = [
            models.UniqueConstraint(fields=["provider", "number"], name="credit_note_number"),
            models.UniqueConstraint(fields=["connection", "id"], name="credit_note_connection_id"),
            CompositeForeignKey(
                name="credit_note_of_provider",
                fields=["connection", "provider"],
                to="connections.Connection",
                to_fields=["id", "provider"],
            ),
            CompositeForeignKey(
                name="credit_note_of_invoice",
                fields=["connection", "invoice"],
                to="billing.Invoice",
                to_fields=["connection", "id"],
            ),
            CompositeForeignKey(
                name="credit_note_has_lines",
                fields=["id", "first_position"],
                to="billing.CreditNoteLine",
                to_fields=["note", "position"],
                deferred=True,
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="credit_note_amount"),
            models.CheckConstraint(condition=~Q(reason=""), name="credit_note_reason"),
        ]
        triggers = [
            *AppendOnly.Meta.triggers,
            pgtrigger.Trigger(
                name="counted",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                func="""
                    UPDATE billing_invoice
                    SET corrected = corrected + NEW.amount,
                        state = CASE WHEN outstanding = NEW.amount THEN 'PAID' ELSE state END
                    WHERE id = NEW.invoice_id;
                    RETURN NULL;
                """,
            ),
        ]

    def __str__(self) -> str:
        return self.code

    # Factories

    @classmethod
    @transaction.atomic
    def issue(
        cls,
        invoice: Invoice,
        amounts: Mapping[int, int],
        *,
        reason: str,
        by: User,
        at: datetime,
    ) -> "CreditNote":
        """Take back `amounts`, minor units by the id of the line, with a reason.

        What is still owed goes first. The rest returns as it was paid: in proportion to the credits
        and payments of the invoice, to the same credits and to the same cards. Raises
        NotCorrectable, NotVoidable, Invalid, NotAllowed.
        """
        invoice.hold()
        reason = invoice.guard_correction(by, reason)
        rows = cls._guarded(invoice, amounts)
        amount = sum(rows.values())
        returned = Return.of(invoice, amount)
        note = cls(
            connection=invoice.connection,
            provider=invoice.provider,
            invoice=invoice,
            currency=invoice.currency,
            amount=amount,
            reason=reason,
            issued_by=by,
            issue_date=invoice.connection.day_of(at),
            issued_at=at,
        )
        note._give_back(returned, at)
        note.number = InvoiceSeries.take_note(invoice.provider)
        note.save(force_insert=True)
        note._write_lines(rows)
        Transfer.book(Entry(invoice.connection_id, Movement.CORRECTED, amount, note.pk), at=at)
        note._record(returned.back, at)
        ring_on_commit(events.FILE_TASK)
        invoice.refresh_from_db()
        if not invoice.is_owed:
            invoice.stop_collecting(at=at)
        return note

    @staticmethod
    def everything(invoice: Invoice) -> dict[int, int]:
        """All that is left of `invoice`, minor units by the id of the line, to be taken back.

        What lines below zero gave back already is taken from the others in proportion.
        """
        lines = {line.pk: line.left for line in InvoiceLine.objects.with_left(invoice)}
        shares = allocate(invoice.total - invoice.corrected, list(lines.values()))
        return dict(zip(lines, shares, strict=True))

    @staticmethod
    def _guarded(invoice: Invoice, amounts: Mapping[int, int]) -> dict[int, int]:
        """The amounts that are not zero, once it is sure that their lines have so much left."""
        if invoice.state in (Invoice.State.VOID, Invoice.State.UNCOLLECTIBLE):
            raise NotCorrectable(f"{invoice.code} is {invoice.get_state_display().lower()}.")
        left = {line.pk: line for line in InvoiceLine.objects.with_left(invoice)}
        rows = {key: minor for key, minor in amounts.items() if minor}
        if not rows:
            raise Invalid("Enter what to take back of at least one line.")
        for key, minor in rows.items():
            line = left.get(key)
            if line is None:
                raise NotCorrectable("A credit note corrects lines of its own invoice.")
            if not 0 < minor <= line.left:
                most = Money(line.left, invoice.currency)
                raise Invalid(
                    f"At most {most} is left of “{line.description}”.", field=f"line-{key}"
                )
        if sum(rows.values()) > invoice.total - invoice.corrected:
            most = Money(invoice.total - invoice.corrected, invoice.currency)
            raise Invalid(f"At most {most} is left of the whole invoice.")
        return rows

    def _give_back(self, returned: Return, at: datetime) -> None:
        """To the same credits and to the same cards, each its share."""
        for source, share in returned.shares:
            if isinstance(source, CreditApplication):
                source.give_back(share, at=at)
            else:
                Refund.owe(source, share, note=self, at=at)

    def _write_lines(self, rows: Mapping[int, int]) -> None:
        CreditNoteLine.objects.bulk_create(
            CreditNoteLine(
                connection=self.connection, note=self, line_id=key, position=position, amount=minor
            )
            for position, (key, minor) in enumerate(rows.items(), start=1)
        )

    def _record(self, back: int, at: datetime) -> None:
        events.credit_note_issued.record(
            self,
            by=self.issued_by,
            at=at,
            organization=self.provider,
            connection=self.connection,
            code=self.code,
            amount=self.total,
            back=Money(back, self.currency),
            reason=self.reason,
            invoice=self.invoice.code,
            number=self.invoice.number,
            provider=self.connection.provider.name,
            customer=self.connection.customer.name,
        )

    # Properties

    @property
    def code(self) -> str:
        """The number as people write it."""
        return f"CN-{self.number:05d}"

    @property
    def file_name(self) -> str:
        """What its PDF is called, in letters that every system takes."""
        return self.invoice.file_name.replace(self.invoice.code, self.code)

    @property
    def total(self) -> Money:
        return Money(self.amount, self.currency)

    @cached_property
    def to_methods(self) -> Money:
        """What returns to cards."""
        refunds = self.refunds.aggregate(minor=Sum("amount", default=0))
        return Money(refunds["minor"], self.currency)

    @cached_property
    def to_wallet(self) -> Money:
        """What returned to credits, at the instant of the note and in its transaction."""
        own = CreditReturn.objects.filter(application__invoice=self.invoice_id)
        returns = own.filter(returned_at=self.issued_at).aggregate(minor=Sum("amount", default=0))
        return Money(returns["minor"], self.currency)

    @property
    def owed_less(self) -> Money:
        return self.total - self.to_methods - self.to_wallet


class CreditNoteLine(AppendOnly):
    """How much of one invoice line is taken back, never more than the line charged."""

    connection = models.ForeignKey(
        Connection, on_delete=models.PROTECT, related_name="+", db_constraint=False
    )
    note = models.ForeignKey(
        CreditNote, on_delete=models.PROTECT, related_name="lines", db_constraint=False
    )
    line = models.ForeignKey(InvoiceLine, on_delete=models.PROTECT, related_name="corrections")
    position = models.PositiveIntegerField()
    amount = MinorUnitsField()

    class Meta(AppendOnly.Meta):
        abstract = False
        constraints = [
            models.UniqueConstraint(fields=["note", "position"], name="note_line_position"),
            models.UniqueConstraint(fields=["note", "line"], name="note_line_once"),
            CompositeForeignKey(
                name="note_line_of_note",
                fields=["connection", "note"],
                to="billing.CreditNote",
                to_fields=["connection", "id"],
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="note_line_amount"),
        ]
        triggers = [
            *AppendOnly.Meta.triggers,
            pgtrigger.Trigger(
                name="within_the_line",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                referencing=pgtrigger.Referencing(new="added"),
                func="""
                    IF EXISTS (
                        SELECT 1 FROM added
                        JOIN billing_creditnote note ON note.id = added.note_id
                        JOIN billing_invoiceline line ON line.id = added.line_id
                        WHERE line.invoice_id <> note.invoice_id
                    ) THEN
                        RAISE EXCEPTION 'a credit note corrects the lines of its own invoice'
                            USING ERRCODE = 'integrity_constraint_violation';
                    ELSIF EXISTS (
                        SELECT 1 FROM billing_creditnote note
                        JOIN billing_creditnoteline line ON line.note_id = note.id
                        WHERE note.id IN (SELECT note_id FROM added)
                        GROUP BY note.id, note.amount
                        HAVING sum(line.amount) <> note.amount
                    ) THEN
                        RAISE EXCEPTION 'the lines of a credit note add up to its total'
                            USING ERRCODE = 'integrity_constraint_violation';
                    ELSIF EXISTS (
                        SELECT 1 FROM billing_creditnoteline taken
                        JOIN billing_invoiceline line ON line.id = taken.line_id
                        WHERE taken.line_id IN (SELECT line_id FROM added)
                        GROUP BY line.id, line.amount
                        HAVING sum(taken.amount) > line.amount
                    ) THEN
                        RAISE EXCEPTION 'a line is never corrected beyond its amount'
                            USING ERRCODE = 'integrity_constraint_violation';
                    END IF;
                    RETURN NULL;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.note}, line {self.position}"

    @property
    def total(self) -> Money:
        return Money(self.amount, self.note.currency)

    @property
    def charged(self) -> Money:
        """What the line that it corrects came to."""
        return Money(self.line.amount, self.note.currency)
