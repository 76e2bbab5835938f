"""Putting files into the storage before a verb and its locks, and out again if it refuses."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from django.core.files.base import ContentFile
from django.core.files.storage import storages

from revampd.kit.ids import growing_id

from .models.attachments import STORAGE, Attachment


@dataclass(frozen=True)
class Checked:
    """A file that may be taken: see content.py."""

    name: str
    media_type: str
    content: bytes


@contextmanager
def kept(files: Sequence[Checked]) -> Iterator[list[Attachment]]:
    """Attachments for a message to be; those of which none became are taken away again.

    A process that dies in between leaves files behind that nothing points at, and no message
    without its files.
    """
    attachments: list[Attachment] = []
    try:
        attachments.extend(_keep(file) for file in files)
        yield attachments
    except BaseException:
        _discard(attachments)
        raise
    _discard([attachment for attachment in attachments if attachment._state.adding])


def _discard(attachments: Iterable[Attachment]) -> None:
    for attachment in attachments:
        storages[STORAGE].delete(attachment.key)


def _keep(file: Checked) -> Attachment:
    pk = growing_id()
    return Attachment(
        pk=pk,
        name=file.name,
        kind=file.media_type,
        size=len(file.content),
        digest=hashlib.sha256(file.content).hexdigest(),
        key=storages[STORAGE].save(f"{pk}", ContentFile(file.content)),
    )
