"""PDF files: what has none yet gets one, the newest first, by as many workers as there are.

A worker that dies over one leaves it for the next. Each is claimed for the time of its rendering,
and its row is unique, so that two workers never render the same.
"""

import logging
from collections.abc import Iterator
from itertools import chain
from time import monotonic
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from revampd.kit.doorbell import ring_on_commit
from revampd.kit.locking import claim

from .documents import render
from .events import FILE_TASK
from .models import CreditNote, Document, Invoice
from .paper import content_of

BATCH = 500
# Seconds that one task may take; what is left then is asked for again.
PATIENCE = 60

log = logging.getLogger(__name__)


def file_documents(first: UUID | None = None, *, seconds: float = PATIENCE) -> int:
    """Render what has no PDF yet, `first` what somebody waits for. Returns how many.

    One that cannot be rendered is logged and holds up no other.
    """
    ends, filed = monotonic() + seconds, 0
    for subject in _waiting(first):
        filed += _file(subject)
        if monotonic() > ends or filed >= BATCH:
            ring_on_commit(FILE_TASK)
            break
    return filed


def _waiting(first: UUID | None) -> Iterator[Invoice | CreditNote]:
    invoices = Invoice.objects.filter(document=None)
    notes = CreditNote.objects.filter(document=None).select_related("invoice")
    asked = (invoices.filter(pk=first), notes.filter(pk=first)) if first else ()
    return chain(*asked, *(_newest(rows) for rows in (notes, invoices)))


def _newest(rows: "QuerySet[Invoice] | QuerySet[CreditNote]") -> Iterator[Invoice | CreditNote]:
    related = rows.select_related("connection__provider")
    yield from related.order_by("-issued_at", "-number")[:BATCH]


def _file(subject: Invoice | CreditNote) -> bool:
    try:
        return file(subject)
    except Exception:
        log.exception("There is no PDF of %s %s", type(subject).__name__, subject.pk)
        return False


@transaction.atomic
def file(subject: Invoice | CreditNote) -> bool:
    """Render and keep the PDF of `subject`. False if there is one, or somebody is just at it."""
    owner = {"invoice" if isinstance(subject, Invoice) else "note": subject}
    if not claim(subject.pk) or Document.objects.filter(**owner).exists():
        return False
    Document.keep(render(content_of(subject)), at=timezone.now(), **owner)
    return True
