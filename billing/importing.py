"""Invites the Sub-Orgs of a file: all of it is checked at the confirmation, then worked off.

Every chunk is a transaction of its own, and says with it how far the import has come. Whoever dies
on the way is followed by the next sweep, which finds what is left.
"""

import logging
import time
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db import OperationalError, transaction

from connections.clocks import clock_of_organization
from connections.models import Invitation, Membership, Organization, User
from revampd.kit import clock
from revampd.kit.doorbell import ring_on_commit
from revampd.kit.errors import DomainError, Invalid
from revampd.kit.locking import claim, lock
from revampd.kit.sheets import BadRows

from .events import IMPORT_TASK
from .models import SubOrgImport, SubOrgImportRow
from .seats import Seats
from .sub_org_files import OWNERS, Comparison, SubOrgFile, names_taken, team

CHUNK = 20  # rows: others who invite wait for one chunk at most
TURN = 60  # seconds: other tasks want the worker too

log = logging.getLogger(__name__)


@transaction.atomic
def confirm(
    file: SubOrgFile, *, partner: Organization, by: User, at: datetime, key: UUID
) -> SubOrgImport:
    """Take the seats of all rows and begin to invite. `key` makes sending it twice harmless.

    Raises BadRows, NoTier, NoSeatLeft, and nothing of the file is kept.
    """
    partner = lock(partner)
    if begun := SubOrgImport.objects.of(partner).filter(pk=key).first():
        return begun
    if problems := Comparison(file, partner).problems:
        raise BadRows(problems)
    Seats.of(partner, at).require(len(file.sub_orgs))
    return SubOrgImport.begin(file.sub_orgs, partner=partner, by=by, at=at, key=key)


def go_on() -> int:
    """Invite what is waiting, for a minute at most. Returns how many rows are done."""
    until, done = time.monotonic() + TURN, 0
    under_way = SubOrgImport.objects.under_way().select_related("partner", "confirmed_by")
    for sub_org_import in under_way.order_by("confirmed_at", "id"):
        while time.monotonic() < until and (rows := _next_rows(sub_org_import)):
            done += rows
    if time.monotonic() >= until:
        ring_on_commit(IMPORT_TASK)
    return done


@transaction.atomic
def _next_rows(own: SubOrgImport) -> int:
    """Invite the next rows of one import. Returns how many were done; 0 if others are at it."""
    if not claim(own.pk):
        return 0
    partner = lock(own.partner)
    own.refresh_from_db(fields=["invited", "refused", "finished_at"])
    rows = list(own.rows.waiting().order_by("line")[:CHUNK])
    if not rows:
        return 0
    with clock_of_organization(partner):
        invited = _Invitations(own, partner, rows).send()
        own.advance(invited=invited, refused=len(rows) - invited, at=clock.now())
    return len(rows)


class _Invitations:
    """Some rows of an import, to be invited by whoever confirmed it."""

    def __init__(
        self, own: SubOrgImport, partner: Organization, rows: list[SubOrgImportRow]
    ) -> None:
        self.own, self.partner, self.rows = own, partner, rows
        self.members: Mapping[str, Membership] = team(partner)
        self.taken = names_taken(partner, [row.name for row in rows], but=own)

    def send(self) -> int:
        """Returns how many were invited; the others say why not."""
        return sum(self._settle(row) for row in self.rows)

    def _settle(self, row: SubOrgImportRow) -> bool:
        try:
            with transaction.atomic():
                row.settle(self._invite(row))
        except DomainError as refusal:
            row.refuse(refusal.sentence)
        except OperationalError:
            raise  # The database went away or was busy: the next sweep tries again.
        except Exception:
            log.exception("%s of %s cannot be invited", row, self.own.pk)
            row.refuse("Something went wrong on our side. Invite it by hand.")
        return row.state == SubOrgImportRow.State.INVITED

    def _invite(self, row: SubOrgImportRow) -> Invitation:
        if sentence := self.taken.get(row.name.lower()):
            raise Invalid(f"“{row.name}” {sentence}")
        return Invitation.send_to_customer(
            provider=self.partner,
            name=row.name,
            email=row.email,
            by=self.own.confirmed_by,
            at=clock.now(),
            owners={column: self._member(getattr(row, column)) for column in OWNERS},
        )

    def _member(self, email: str) -> Membership | None:
        if not email:
            return None
        if email not in self.members:
            raise Invalid(f"{email} is no member of {self.partner} any more.")
        return self.members[email]
