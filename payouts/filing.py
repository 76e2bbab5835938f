"""Statements of payouts as files: rendered when somebody asks, once as the payout stands.

Nothing waits for them but the page that was opened, which asks again until the file is there. So a
worker that dies over one, or a lost ring, costs the reader two seconds.
"""

from io import BytesIO
from uuid import UUID
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from django.db import transaction
from django.utils import timezone

from billing.documents import render_apart
from revampd.kit.locking import claim

from .documents.content import TEMPLATE
from .models import Payout, Statement
from .paper import parts_of

# A part of a ZIP file is as old as its format allows: its bytes depend on nothing but its content.
NEVER = (1980, 1, 1, 0, 0, 0)


@transaction.atomic
def file_statement(key: UUID) -> bool:
    """Render and keep the statement of a payout as it stands now.

    False if there is one, or somebody is just at it.
    """
    payout = Payout.objects.with_parties().filter(pk=key).first()
    if payout is None or not claim(payout.pk):
        return False
    as_of = payout.changed_at
    if payout.statements.filter(as_of=as_of).exists():
        return False
    files = [render_apart(content, TEMPLATE) for content in parts_of(payout, as_of)]
    content = files[0] if len(files) == 1 else _together(payout.file_name, files)
    Statement.keep(payout, content, as_of=as_of, parts=len(files), at=timezone.now())
    return True


def _together(name: str, files: list[bytes]) -> bytes:
    packed = BytesIO()
    with ZipFile(packed, "w", ZIP_DEFLATED) as archive:
        for number, content in enumerate(files, start=1):
            member = ZipInfo(f"{name}-{number}-of-{len(files)}.pdf", NEVER)
            archive.writestr(member, content, ZIP_DEFLATED)
    return packed.getvalue()
