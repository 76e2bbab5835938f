"""Files of Sub-Orgs on their way: what was confirmed, row by row, and how far it is.

They belong to billing, because their rows hold seats of a tier until they are done.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q, Subquery, Sum
from django.db.models.functions import Coalesce

from billing import events
from connections.models import Connection, Invitation, Organization, User
from revampd.kit.copying import copy_rows
from revampd.kit.doorbell import ring_on_commit

PROBLEM_LENGTH = 300
LEFT = F("total") - F("invited") - F("refused")


@dataclass(frozen=True, slots=True)
class NewSubOrg:
    """A row of a file: who is to be invited, and who of the Partner looks after it ("": nobody)."""

    line: int
    name: str
    email: str
    sales_owner: str = ""
    support_owner: str = ""


class SubOrgImportQuerySet(models.QuerySet["SubOrgImport"]):
    def of(self, partner: Organization) -> Self:
        return self.filter(partner=partner)

    def under_way(self) -> Self:
        return self.filter(finished_at__isnull=True)

    def newest_first(self) -> Self:
        return self.order_by("-confirmed_at", "id")

    def reserved(self) -> int:
        """How many Sub-Orgs are still to be invited: each has its seat already."""
        return int(self.under_way().aggregate(left=Sum(LEFT, default=0))["left"])

    def reserved_of_each(self) -> Coalesce:
        """The same of one of several Partners, as an expression: `self` says by whose key."""
        sums = self.under_way().order_by().values("partner").values(left=Sum(LEFT))
        return Coalesce(Subquery(sums), 0)


class SubOrgImport(models.Model):
    """A file of Sub-Orgs that a Partner confirmed. A worker invites them, a few at a time.

    The seats of all its rows are taken when it begins; a row that is refused gives its own back.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    partner = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    confirmed_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    total = models.PositiveIntegerField()
    invited = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)

    objects: ClassVar[Any] = SubOrgImportQuerySet.as_manager()

    class Meta:
        verbose_name = "import of Sub-Orgs"
        verbose_name_plural = "imports of Sub-Orgs"
        constraints = [
            models.CheckConstraint(
                condition=Q(finished_at=None, total__gt=F("invited") + F("refused"))
                | Q(finished_at__isnull=False, total=F("invited") + F("refused")),
                name="sub_org_import_progress",
            ),
        ]
        indexes = [
            models.Index(fields=["partner", "-confirmed_at"], name="sub_org_import_of_partner"),
        ]

    def __str__(self) -> str:
        return f"{self.total:,} Sub-Orgs of {self.partner}"

    # Factories

    @classmethod
    def begin(
        cls,
        sub_orgs: Sequence[NewSubOrg],
        *,
        partner: Organization,
        by: User,
        at: datetime,
        key: uuid.UUID,
    ) -> "SubOrgImport":
        """Take down what is to be invited. The caller holds the Partner's lock and its seats."""
        begun: SubOrgImport = cls.objects.create(
            pk=key, partner=partner, confirmed_by=by, confirmed_at=at, total=len(sub_orgs)
        )
        fields = ("sub_org_import", "line", "name", "email", "sales_owner", "support_owner")
        defaults = {"state": SubOrgImportRow.State.WAITING.value, "problem": ""}
        copy_rows(
            SubOrgImportRow,
            (*fields, *defaults),
            (
                (key, *(getattr(one, name) for name in fields[1:]), *defaults.values())
                for one in sub_orgs
            ),
        )
        events.import_confirmed.record(
            begun, by=by, at=at, organization=partner, number=len(sub_orgs)
        )
        ring_on_commit(events.IMPORT_TASK)
        return begun

    # Verbs

    def advance(self, *, invited: int, refused: int, at: datetime) -> None:
        """Count what a chunk came to; with the last one, the import is finished."""
        self.invited += invited
        self.refused += refused
        if not self.left:
            self.finished_at = at
        self.save(update_fields=["invited", "refused", "finished_at"])
        if self.finished_at:
            events.import_finished.record(
                self,
                by=None,
                at=at,
                organization=self.partner,
                invited=f"{self.invited:,}",
                refused=f"{self.refused:,}" if self.refused else "none",
                inviter=self.confirmed_by.name,
            )

    # Properties

    @property
    def is_under_way(self) -> bool:
        return self.finished_at is None

    @property
    def done(self) -> int:
        return self.invited + self.refused

    @property
    def left(self) -> int:
        return self.total - self.done


class SubOrgImportRowQuerySet(models.QuerySet["SubOrgImportRow"]):
    def waiting(self) -> Self:
        return self.filter(state=SubOrgImportRow.State.WAITING)

    def refused(self) -> Self:
        return self.filter(state=SubOrgImportRow.State.REFUSED)


class SubOrgImportRow(models.Model):
    """One Sub-Org of a file. Its owners are kept as addresses: members come and go."""

    class State(models.TextChoices):
        WAITING = "WAITING", "Waiting"
        INVITED = "INVITED", "Invited"
        REFUSED = "REFUSED", "Not invited"

    sub_org_import = models.ForeignKey(
        SubOrgImport, on_delete=models.PROTECT, related_name="rows", db_index=False
    )
    line = models.PositiveIntegerField()
    name = models.CharField(max_length=120)
    email = models.EmailField("e-mail")
    sales_owner = models.EmailField(blank=True)
    support_owner = models.EmailField(blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    problem = models.CharField(max_length=PROBLEM_LENGTH, blank=True)
    connection = models.ForeignKey(
        Connection, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )

    objects: ClassVar[Any] = SubOrgImportRowQuerySet.as_manager()

    class Meta:
        verbose_name = "row of an import"
        verbose_name_plural = "rows of imports"
        constraints = [
            models.UniqueConstraint(
                fields=["sub_org_import", "line"], name="sub_org_import_row_line"
            ),
            models.CheckConstraint(
                condition=Q(state="WAITING", problem="", connection=None)
                | Q(state="INVITED", problem="", connection__isnull=False)
                | Q(state="REFUSED", connection=None) & ~Q(problem=""),
                name="sub_org_import_row_state",
            ),
        ]
        indexes = [
            models.Index(
                fields=["sub_org_import", "line"],
                condition=Q(state="WAITING"),
                name="sub_org_import_row_waiting",
            ),
        ]

    def __str__(self) -> str:
        return f"Line {self.line}, {self.name}"

    # Verbs

    def settle(self, invitation: Invitation) -> None:
        """It is invited."""
        self.state, self.connection = self.State.INVITED, invitation.connection
        self.save(update_fields=["state", "connection"])

    def refuse(self, sentence: str) -> None:
        """It cannot be invited after all."""
        self.state, self.problem = self.State.REFUSED, sentence[:PROBLEM_LENGTH]
        self.save(update_fields=["state", "problem"])
