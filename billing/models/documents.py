"""The PDF files of invoices and credit notes, stored with their hashes."""

from datetime import datetime
from hashlib import sha256

from django.db import models
from django.db.models import Q

from revampd.kit.constraints import AppendOnly


class Document(AppendOnly):
    """The PDF of one invoice or credit note. It is rendered once, and what is stored is sent."""

    invoice = models.OneToOneField(
        "billing.Invoice", on_delete=models.PROTECT, null=True, related_name="document"
    )
    note = models.OneToOneField(
        "billing.CreditNote", on_delete=models.PROTECT, null=True, related_name="document"
    )
    content = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    rendered_at = models.DateTimeField()

    class Meta(AppendOnly.Meta):
        abstract = False
        constraints = [
            models.CheckConstraint(
                condition=Q(invoice__isnull=False, note=None) | Q(invoice=None, note__isnull=False),
                name="document_of_one",
            ),
        ]

    def __str__(self) -> str:
        return f"PDF of {self.invoice or self.note}"

    # Factories

    @classmethod
    def keep(cls, content: bytes, *, at: datetime, **subject: models.Model) -> "Document":
        """Store the PDF of `subject` (invoice= or note=), for good."""
        digest = sha256(content).hexdigest()
        return cls.objects.create(content=content, sha256=digest, rendered_at=at, **subject)
