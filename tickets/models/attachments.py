"""Files that came with messages. What is in them lies in the storage, not in the database."""

from collections.abc import Iterator
from typing import Any, ClassVar, Self

from django.core.files.storage import storages
from django.db import models
from django.db.models import Q

from revampd.kit.constraints import AppendOnly
from revampd.kit.ids import growing_id

from .messages import Message

NAME_LENGTH = 120
STORAGE = "attachments"


class AttachmentQuerySet(models.QuerySet["Attachment"]):
    def visible_to(self, side: str) -> Self:
        """Whoever may read a message may have its files, and nobody else."""
        return self.filter(message__in=Message.objects.visible_to(side))

    def visible_to_staff(self) -> Self:
        return self.filter(message__in=Message.objects.visible_to_staff())


class Attachment(AppendOnly):
    """A file of a message: `key` is its place in the storage, `kind` what its content says it is.

    `size` is in bytes.
    """

    id = models.UUIDField(primary_key=True, default=growing_id, editable=False)
    message = models.ForeignKey(Message, on_delete=models.PROTECT, related_name="attachments")
    name = models.CharField(max_length=NAME_LENGTH)
    kind = models.CharField(max_length=40)
    size = models.PositiveIntegerField()
    digest = models.CharField("SHA-256", max_length=64)
    key = models.CharField(max_length=100, unique=True)

    objects: ClassVar[Any] = AttachmentQuerySet.as_manager()

    class Meta(AppendOnly.Meta):
        abstract = False
        constraints = [
            models.CheckConstraint(condition=Q(size__gt=0), name="attachment_not_empty"),
            models.CheckConstraint(
                # No path, no drive, nothing that hides or turns what follows.
                condition=~Q(name__regex=r"[/\\:[:cntrl:]\u202a-\u202e\u2066-\u2069]"),
                name="attachment_name",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_there(self) -> bool:
        """Whether the storage still has it."""
        return storages[STORAGE].exists(self.key)

    def pieces(self) -> Iterator[bytes]:
        """The content, opened once somebody reads it."""
        with storages[STORAGE].open(self.key, "rb") as content:
            yield from content.chunks()
