"""What is new to whom: one row a person and ticket, written with the message, gone once read.

So the number beside a menu is a count over an index that holds only what is unread, however many
tickets there are. Whoever joins later finds nothing unread: what came before is history.
"""

from collections.abc import Iterable
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Count, Subquery
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce

from connections.models import Connection, Organization, User


class UnreadQuerySet(models.QuerySet["Unread"]):
    def of(self, user: User) -> Self:
        return self.filter(user=user)

    def as_number(self) -> Combinable:
        """How many they are, as an expression in another query."""
        numbers = self.order_by().values("user").annotate(number=Count("id")).values("number")
        return Coalesce(Subquery(numbers), 0)

    def write(self, rows: Iterable[Any]) -> None:
        """Whoever has something unread in the ticket already keeps the earlier beginning."""
        self.bulk_create(list(rows), ignore_conflicts=True)


class Unread(models.Model):
    """This person has not read a ticket from its message number `since` on, as their side counts.

    `organization` is the one as whose member they read, over `connection`.
    """

    ticket = models.ForeignKey("tickets.Ticket", on_delete=models.PROTECT, related_name="unread")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    connection = models.ForeignKey(
        Connection, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    since = models.PositiveIntegerField()

    objects: ClassVar[Any] = UnreadQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "unread"
        constraints = [
            models.UniqueConstraint(fields=["user", "ticket"], name="unread_once"),
        ]
        indexes = [
            models.Index(
                fields=["user", "organization"], include=["connection"], name="unread_counted"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ticket_id} from {self.since} on"
