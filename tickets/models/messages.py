"""What was said in a ticket, and who may read it. Neither ever changes."""

from typing import Any, ClassVar, Self

import pgtrigger
from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q

from connections.models import Event
from revampd.kit.constraints import AppendOnly
from revampd.kit.ids import growing_id
from revampd.kit.search import having, vector

BODY_LENGTH = 20_000
BODY = vector("body")


class Side(models.TextChoices):
    """From where somebody takes part: Revampd does in what a Partner escalated to it."""

    CUSTOMER = "CUSTOMER", "Customer"
    PROVIDER = "PROVIDER", "Provider"
    REVAMPD = "REVAMPD", "Revampd"


class Audience(models.TextChoices):
    """Who reads a message. `INTERNAL` is the side alone that wrote it."""

    EVERYONE = "EVERYONE", "Everyone"
    ESCALATION = "ESCALATION", "Partner and Revampd"
    INTERNAL = "INTERNAL", "Internal"


class MessageQuerySet(models.QuerySet["Message"]):
    def visible_to(self, side: str) -> Self:
        """What this side may read: the only way to messages, kept by tests/tickets/test_leaks.py.

        Revampd reads what stood there when a ticket was escalated and what came until the Partner
        took it back.
        """
        readable = Q(audience=Audience.EVERYONE)
        if side == Side.CUSTOMER:
            return self.filter(readable)
        readable |= Q(audience=Audience.ESCALATION) | Q(audience=Audience.INTERNAL, side=side)
        if side == Side.PROVIDER:
            return self.filter(readable)
        until = Q(ticket__revampd_until=None) | Q(position__lte=F("ticket__revampd_until"))
        return self.filter(readable, until, ticket__escalated_over__isnull=False)

    def visible_to_staff(self) -> Self:
        """What the admin shows: all but the notes that Partners leave for themselves."""
        own = Q(side=Side.REVAMPD) | Q(ticket__provider__kind="PLATFORM")
        return self.filter(own | ~Q(audience=Audience.INTERNAL))

    def in_order(self) -> Self:
        return self.order_by("position")

    def saying(self, words: Any) -> Self:
        """Those in whose text these beginnings of words are."""
        return having(self, BODY, words)


class Message(AppendOnly):
    """Something said in a ticket, or something that happened to it, in the order of `position`.

    `body` is what the author wrote, or in a few words what they did. An offer and what became of
    it have their `event`, in whose words they are told.
    """

    class Kind(models.TextChoices):
        MESSAGE = "MESSAGE", "Message"
        STATUS = "STATUS", "Status"
        PRIORITY = "PRIORITY", "Priority"
        ASSIGNMENT = "ASSIGNMENT", "Assignment"
        ESCALATION = "ESCALATION", "Escalation"
        OFFER = "OFFER", "Offer"
        DECISION = "DECISION", "Decision"

    # What happened and is shown, but makes no ticket unread.
    QUIET = (Kind.PRIORITY, Kind.ASSIGNMENT)

    id = models.UUIDField(primary_key=True, default=growing_id, editable=False)
    ticket = models.ForeignKey(
        "tickets.Ticket", on_delete=models.PROTECT, related_name="messages", db_index=False
    )
    position = models.PositiveIntegerField()
    kind = models.CharField(max_length=10, choices=Kind)
    side = models.CharField(max_length=8, choices=Side)
    audience = models.CharField(max_length=10, choices=Audience)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    body = models.TextField(max_length=BODY_LENGTH)
    event = models.OneToOneField(Event, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()

    objects: ClassVar[Any] = MessageQuerySet.as_manager()

    class Meta(AppendOnly.Meta):
        abstract = False
        constraints = [
            models.UniqueConstraint(fields=["ticket", "position"], name="message_position"),
            # What a customer says, everybody reads.
            models.CheckConstraint(
                name="message_audience",
                condition=Q(audience="EVERYONE", side__in=["CUSTOMER", "PROVIDER", "REVAMPD"])
                | Q(audience__in=["ESCALATION", "INTERNAL"], side__in=["PROVIDER", "REVAMPD"]),
            ),
            models.CheckConstraint(
                name="message_kind",
                condition=Q(
                    kind__in=["MESSAGE", "STATUS", "PRIORITY", "ASSIGNMENT"],
                    event=None,
                    author__isnull=False,
                )
                | Q(kind="ESCALATION", event=None, audience="ESCALATION", author__isnull=False)
                | Q(kind__in=["OFFER", "DECISION"], event__isnull=False, audience="EVERYONE"),
            ),
            models.CheckConstraint(condition=~Q(body=""), name="message_says_something"),
        ]
        indexes = [GinIndex(BODY, name="message_words")]
        triggers = [
            *AppendOnly.Meta.triggers,
            pgtrigger.Trigger(
                name="allowed",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                declare=[("asked", "record")],
                func="""
                    SELECT ticket.status, ticket.revampd_until, ticket.escalated_over_id AS way,
                        CASE NEW.side WHEN 'CUSTOMER' THEN own.customer_id
                            WHEN 'PROVIDER' THEN own.provider_id
                            ELSE above.provider_id END AS speaks
                    INTO asked
                    FROM tickets_ticket ticket
                    JOIN connections_connection own ON own.id = ticket.connection_id
                    LEFT JOIN connections_connection above ON above.id = ticket.escalated_over_id
                    WHERE ticket.id = NEW.ticket_id;
                    IF asked.way IS NULL AND NEW.audience = 'ESCALATION'
                        OR NEW.side = 'REVAMPD'
                        AND (asked.way IS NULL OR asked.revampd_until IS NOT NULL) THEN
                        RAISE EXCEPTION 'Revampd takes part in what is escalated, and no longer'
                            USING ERRCODE = 'integrity_constraint_violation';
                    ELSIF NEW.kind = 'MESSAGE' AND NEW.audience = 'EVERYONE'
                        AND asked.status = 'CLOSED' THEN
                        RAISE EXCEPTION 'a closed ticket takes no message'
                            USING ERRCODE = 'integrity_constraint_violation';
                    ELSIF NEW.author_id IS NOT NULL AND NOT EXISTS (
                        SELECT 1 FROM connections_membership member
                        WHERE member.user_id = NEW.author_id
                            AND member.organization_id = asked.speaks
                            AND (NEW.kind <> 'MESSAGE' OR member.role IN ('OWNER', 'SUPPORT'))
                    ) AND NOT EXISTS (
                        SELECT 1 FROM connections_user staff, connections_organization platform
                        WHERE staff.id = NEW.author_id AND staff.is_staff
                            AND platform.id = asked.speaks AND platform.kind = 'PLATFORM'
                    ) THEN
                        RAISE EXCEPTION 'only who belongs to a side speaks for it'
                            USING ERRCODE = 'integrity_constraint_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
            # What each side may know of: how many messages, and when the last one came.
            pgtrigger.Trigger(
                name="counted",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                func="""
                    UPDATE tickets_ticket SET
                        length = length + 1,
                        customer_length = customer_length + (NEW.audience = 'EVERYONE')::int,
                        customer_at = CASE WHEN NEW.audience = 'EVERYONE'
                            THEN NEW.at ELSE customer_at END,
                        provider_length = provider_length
                            + (NEW.audience <> 'INTERNAL' OR NEW.side = 'PROVIDER')::int,
                        provider_at = CASE WHEN NEW.audience <> 'INTERNAL' OR NEW.side = 'PROVIDER'
                            THEN NEW.at ELSE provider_at END,
                        revampd_length = revampd_length
                            + (escalated_over_id IS NOT NULL AND revampd_until IS NULL
                            AND (NEW.audience <> 'INTERNAL' OR NEW.side = 'REVAMPD'))::int,
                        revampd_at = CASE WHEN escalated_over_id IS NOT NULL
                            AND revampd_until IS NULL
                            AND (NEW.audience <> 'INTERNAL' OR NEW.side = 'REVAMPD')
                            THEN NEW.at ELSE revampd_at END
                    WHERE id = NEW.ticket_id;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.position} of {self.ticket_id}"

    # Properties

    @property
    def is_said(self) -> bool:
        """Whether somebody wrote it; the rest tells what happened."""
        return self.kind == self.Kind.MESSAGE

    @property
    def is_internal(self) -> bool:
        return self.audience == Audience.INTERNAL

    @property
    def is_shared(self) -> bool:
        """Whether it stays between the Partner and Revampd."""
        return self.audience == Audience.ESCALATION
