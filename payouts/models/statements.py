"""Statements: the file of a payout as it stood when something had last happened to it."""

from datetime import datetime
from hashlib import sha256

from django.db import models

from revampd.kit.constraints import AppendOnly

from .payouts import Payout


class Statement(AppendOnly):
    """Rendered once for each moment at which its payout changed; what is stored is sent.

    A long one comes in `parts`, PDFs of their own in one ZIP file.
    """

    payout = models.ForeignKey(Payout, on_delete=models.PROTECT, related_name="statements")
    as_of = models.DateTimeField()
    parts = models.PositiveSmallIntegerField()
    content = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    rendered_at = models.DateTimeField()

    class Meta(AppendOnly.Meta):
        abstract = False
        constraints = [
            models.UniqueConstraint(fields=["payout", "as_of"], name="statement_once"),
        ]

    def __str__(self) -> str:
        return f"Statement of {self.payout}"

    # Factories

    @classmethod
    def keep(
        cls, payout: Payout, content: bytes, *, as_of: datetime, parts: int, at: datetime
    ) -> "Statement":
        """Store the file of `payout` as it stood then, for good."""
        return cls.objects.create(
            payout=payout,
            as_of=as_of,
            parts=parts,
            content=content,
            sha256=sha256(content).hexdigest(),
            rendered_at=at,
        )

    # Properties

    @property
    def content_type(self) -> str:
        return "application/zip" if self.parts > 1 else "application/pdf"

    @property
    def file_name(self) -> str:
        ending = "zip" if self.parts > 1 else "pdf"
        return f"{self.payout.file_name}.{ending}"
