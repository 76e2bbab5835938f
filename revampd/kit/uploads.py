"""What people upload: how much of it is read, and where it stays until it is confirmed.

The file stays here; the browser holds only its hash.
"""

import hashlib
from typing import Any

from django.core.cache import cache
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.db import models

from revampd.kit.errors import Conflict

KEPT = 60 * 60  # seconds
MEGABYTE = 1024 * 1024
MOST_OF_ONE = 10 * MEGABYTE  # of a file
MOST_AT_ONCE = 60 * MEGABYTE  # of a whole form; more is not even read


class UploadGone(Conflict):
    """What was uploaded is kept for an hour."""


def keep(content: bytes, owner: models.Model, scope: Any) -> str:
    """Keep what `owner` uploaded for `scope`; returns the SHA-256 by which it is asked for."""
    digest = hashlib.sha256(content).hexdigest()
    cache.set(_address(digest, owner, scope), content, KEPT)
    return digest


def kept(digest: str, owner: models.Model, scope: Any) -> bytes:
    """What was kept. Raises UploadGone for what is not there, for this person and scope."""
    content: bytes | None = cache.get(_address(digest, owner, scope))
    if content is None or hashlib.sha256(content).hexdigest() != digest:
        raise UploadGone("The file is no longer here.", next_step="Upload it again.")
    return content


def _address(digest: str, owner: models.Model, scope: Any) -> str:
    asked = hashlib.sha256(digest.encode()).hexdigest()  # whatever the browser says, it is a name
    return f"upload:{owner.pk}:{scope}:{asked}"


class BoundedUpload(TemporaryFileUploadHandler):
    """Writes a file to disk up to MOST_OF_ONE bytes and lets the rest of it pass by.

    The form learns how large it is and can say so beside the field, with all that was typed.
    """

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if start < MOST_OF_ONE:
            super().receive_data_chunk(raw_data, start)
