"""A ticket as it stands in the database."""

import re
from typing import Any, ClassVar, Self

import pgtrigger
from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q

from connections.models import Connection, Organization
from revampd.kit.constraints import CompositeForeignKey, no_truncate
from revampd.kit.ids import growing_id
from revampd.kit.keys import among
from revampd.kit.search import any_of, beginnings, lexemes, uuid_in, vector

from .messages import Message, Side

TITLE_LENGTH = 160
TITLE = vector("title")
ESCALATED = Q(escalated_over__isnull=False, revampd_until=None)

# As whose provider or customer each side sees a ticket.
SEEN = {
    Side.PROVIDER: "provider",
    Side.REVAMPD: "escalated_over__provider",
    Side.CUSTOMER: "connection__customer",
}

_NUMBER = re.compile(r"#?([0-9]{1,9})", re.ASCII)


class Status(models.TextChoices):
    OPEN = "OPEN", "Open"
    IN_PROGRESS = "IN_PROGRESS", "In Progress"
    RESOLVED = "RESOLVED", "Resolved"
    CLOSED = "CLOSED", "Closed"


class Priority(models.TextChoices):
    LOW = "LOW", "Low"
    MEDIUM = "MEDIUM", "Medium"
    HIGH = "HIGH", "High"


TONES = {
    Status.OPEN: "info",
    Status.IN_PROGRESS: "warn",
    Status.RESOLVED: "good",
    Status.CLOSED: "plain",
}


class TicketQuerySet(models.QuerySet[Any]):
    def escalated(self) -> Self:
        """Those in which Revampd takes part at present."""
        return self.filter(ESCALATED)

    def found(self, mine: Any, *, words: Any = None, **known: Any) -> Self:
        """Those of the organizations `mine` with such a title, or in which something such was said.

        Or with what is `known`, pk or number. Each side is asked for itself, so that nobody finds
        what they may not read.
        """
        rows: list[Any] = []
        for side, seen in SEEN.items():
            there = self.filter(among(seen, mine)).alias(lexemes=TITLE)
            said = Message.objects.visible_to(side).filter(among(f"ticket__{seen}", mine))
            named = there.filter(any_of(lexemes=lexemes(words), **known))
            rows += [named.values("pk"), said.saying(words).values("ticket")]
        return self.filter(pk__in=rows[0].union(*rows[1:]))

    def matching(self, text: str, side: str) -> Self:
        """Those in a list of this side with such a number or title, or in which it was said."""
        words = beginnings(text)
        named = any_of(pk=uuid_in(text), number=number_in(text), lexemes=lexemes(words))
        # The list narrows the messages down, so that its tickets are looked through and no others.
        listed = Message.objects.visible_to(side).filter(ticket__in=self.order_by().values("pk"))
        said = listed.saying(words).values("ticket")
        return self.alias(lexemes=TITLE).filter(named | Q(pk__in=said))


def number_in(text: str) -> int | None:
    """The number of a ticket that somebody typed: 12 or #12."""
    number = _NUMBER.fullmatch(text.strip())
    return int(number[1]) if number else None


class TicketRecord(models.Model):
    """Its title and number stay; status, priority and who looks after it change by verbs.

    Of everything that is counted each side has a number of its own, written by a trigger of the
    messages: what a side may not read does not show in what it may. `revampd_until` is the position
    up to which Revampd reads once the Partner has taken the ticket back.
    """

    Status = Status
    Priority = Priority

    id = models.UUIDField(primary_key=True, default=growing_id, editable=False)
    connection = models.ForeignKey(
        Connection, on_delete=models.PROTECT, related_name="tickets", db_index=False
    )
    provider = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    number = models.PositiveIntegerField()
    title = models.CharField(max_length=TITLE_LENGTH)
    priority = models.CharField(max_length=6, choices=Priority, default=Priority.MEDIUM)
    status = models.CharField(max_length=11, choices=Status, default=Status.OPEN)
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    opened_at = models.DateTimeField()
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    escalated_over = models.ForeignKey(
        Connection, on_delete=models.PROTECT, null=True, related_name="escalated_tickets"
    )
    revampd_until = models.PositiveIntegerField(null=True)
    revampd_assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    length = models.PositiveIntegerField(default=0)
    customer_length = models.PositiveIntegerField(default=0)
    customer_at = models.DateTimeField()
    provider_length = models.PositiveIntegerField(default=0)
    provider_at = models.DateTimeField()
    revampd_length = models.PositiveIntegerField(default=0)
    revampd_at = models.DateTimeField(null=True)

    mutable = (
        *("priority", "status", "assignee", "escalated_over", "revampd_until", "revampd_assignee"),
        *("length", "customer_length", "customer_at", "provider_length", "provider_at"),
        *("revampd_length", "revampd_at"),
    )

    objects: ClassVar[Any] = TicketQuerySet.as_manager()

    class Meta:
        abstract = True
        constraints = [
            models.UniqueConstraint(fields=["connection", "number"], name="ticket_number"),
            models.CheckConstraint(
                condition=Q(status__in=["OPEN", "IN_PROGRESS", "RESOLVED", "CLOSED"]),
                name="ticket_status",
            ),
            models.CheckConstraint(
                condition=Q(priority__in=["LOW", "MEDIUM", "HIGH"]), name="ticket_priority"
            ),
            models.CheckConstraint(
                name="ticket_revampd_takes_part",
                condition=Q(escalated_over__isnull=False)
                | Q(escalated_over=None, revampd_until=None, revampd_assignee=None),
            ),
            CompositeForeignKey(
                name="ticket_of_provider",
                fields=["connection", "provider"],
                to="connections.Connection",
                to_fields=["id", "provider"],
            ),
            # A Partner escalates to whom it buys from, over its own connection.
            CompositeForeignKey(
                name="ticket_escalated_by_provider",
                fields=["escalated_over", "provider"],
                to="connections.Connection",
                to_fields=["id", "customer"],
            ),
        ]
        indexes = [
            models.Index(fields=["provider", "-provider_at"], name="ticket_of_provider_newest"),
            models.Index(fields=["connection", "-provider_at"], name="ticket_sold_newest"),
            models.Index(fields=["connection", "-customer_at"], name="ticket_bought_newest"),
            models.Index(fields=["provider", "status", "assignee"], name="ticket_counted"),
            models.Index(
                fields=["-revampd_at"], condition=ESCALATED, name="ticket_escalated_newest"
            ),
            GinIndex(TITLE, name="ticket_title_words"),
        ]
        triggers = [
            pgtrigger.Protect(name="kept", operation=pgtrigger.Delete),
            no_truncate(),
            pgtrigger.Protect(
                name="stays_closed",
                operation=pgtrigger.UpdateOf("status"),
                condition=pgtrigger.Q(old__status="CLOSED", new__status__df="CLOSED"),
            ),
            pgtrigger.Trigger(
                name="assigned",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert
                | pgtrigger.UpdateOf("assignee_id", "revampd_assignee_id"),
                func="""
                    IF EXISTS (
                        SELECT 1 FROM (
                            SELECT NEW.assignee_id AS id, NEW.provider_id AS side
                            UNION ALL
                            SELECT NEW.revampd_assignee_id, above.provider_id
                            FROM connections_connection above WHERE above.id = NEW.escalated_over_id
                        ) assigned
                        JOIN connections_user person ON person.id = assigned.id
                        JOIN connections_organization side ON side.id = assigned.side
                        WHERE NOT (side.kind = 'PLATFORM' AND person.is_staff)
                            AND (TG_OP = 'INSERT' OR assigned.id IS DISTINCT FROM CASE
                                WHEN assigned.side = NEW.provider_id THEN OLD.assignee_id
                                ELSE OLD.revampd_assignee_id END)
                            AND NOT EXISTS (
                                SELECT 1 FROM connections_membership member
                                WHERE member.user_id = assigned.id
                                    AND member.organization_id = assigned.side
                            )
                    ) THEN
                        RAISE EXCEPTION 'a ticket is assigned to a member of its provider'
                            USING ERRCODE = 'integrity_constraint_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    # Properties

    @property
    def reference(self) -> str:
        return f"#{self.number}"

    @property
    def tone(self) -> str:
        """How its status is coloured: a tone of the badge."""
        return TONES[Status(self.status)]

    @property
    def is_closed(self) -> bool:
        return self.status == Status.CLOSED

    @property
    def is_escalated(self) -> bool:
        return self.escalated_over_id is not None and self.revampd_until is None

    def length_for(self, side: str) -> int:
        """How many messages this side can read; live pages and marks of reading count by it."""
        lengths = {
            Side.CUSTOMER: self.customer_length,
            Side.PROVIDER: self.provider_length,
            Side.REVAMPD: self.revampd_length,
        }
        return lengths[Side(side)]
