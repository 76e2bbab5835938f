"""Bank accounts: where a Partner has its payouts sent. Numbers stay with the gateway."""

import uuid
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

import pgtrigger
from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.formats import date_format

from connections.kinds import EventKind
from connections.models import Connection, User
from payouts import events
from payouts.gateways.base import BankDetails
from revampd.kit.constraints import no_truncate
from revampd.kit.errors import Invalid
from revampd.kit.locking import lock


class NoBankAccount(Invalid):
    """There is no bank account to send to, or not yet."""


class BankAccountQuerySet(models.QuerySet["BankAccount"]):
    def linked(self) -> Self:
        return self.filter(removed_at=None)

    def ready(self, connection: Connection, *, at: datetime) -> "BankAccount":
        """The account of `connection` that takes transfers now. Raises NoBankAccount."""
        account = self.linked().filter(connection=connection).first()
        if account is None:
            raise NoBankAccount(
                "No bank account is linked, so all of it has to go to the wallet.",
                field="transfer",
                next_step="Link a bank account first.",
            )
        if account.is_held(at):
            raise NoBankAccount(
                f"{account} is new. Transfers to it wait until {account.held_in_words}.",
                field="transfer",
            )
        return account


class BankAccount(models.Model):
    """An account that a Partner has linked on the gateway's page; one at a time.

    One that takes the place of another, be that removed before or by this, gets nothing before
    `held_until`: whoever got hold of a password cannot empty the next payout before the owners have
    read of it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    connection = models.ForeignKey(
        Connection, on_delete=models.PROTECT, related_name="bank_accounts"
    )
    gateway = models.CharField(max_length=20)
    reference = models.CharField(max_length=255)
    bank = models.CharField(max_length=80)
    last4 = models.CharField(max_length=4)
    linked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    linked_at = models.DateTimeField()
    held_until = models.DateTimeField()
    removed_at = models.DateTimeField(null=True)

    mutable = ("removed_at",)

    objects: ClassVar[Any] = BankAccountQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "id"], name="bank_account_connection_id"),
            models.UniqueConstraint(fields=["gateway", "reference"], name="bank_account_reference"),
            models.UniqueConstraint(
                fields=["connection"], condition=Q(removed_at=None), name="bank_account_one_linked"
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="kept", operation=pgtrigger.Delete),
            no_truncate(),
            pgtrigger.Trigger(
                name="frozen",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func="""
                    IF OLD.removed_at IS NOT NULL OR to_jsonb(OLD) - 'removed_at'
                       IS DISTINCT FROM to_jsonb(NEW) - 'removed_at' THEN
                        RAISE EXCEPTION 'a bank account is linked and removed, never changed'
                            USING ERRCODE = 'integrity_constraint_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.bank} ending {self.last4}"

    # Factories

    @classmethod
    @transaction.atomic
    def link(
        cls,
        connection: Connection,
        details: BankDetails,
        *,
        gateway: str,
        by: User,
        at: datetime,
    ) -> "BankAccount":
        """Keep the account that was linked there, in the place of the one before.

        Doing it again changes nothing. Raises NotAllowed, and Invalid for somebody else's.
        """
        connection = lock(connection)
        connection.customer.require_biller(by)
        if details.owner != connection.pk:
            raise Invalid("That bank account was linked for somebody else.")
        kept = cls.objects.filter(gateway=gateway, reference=details.reference).first()
        if kept:
            return cls._own(kept, connection)
        before = cls.objects.linked().filter(connection=connection).first()
        if before:
            before._remove(at)
        account = cls._keep(connection, details, gateway=gateway, by=by, at=at)
        account._record(events.bank_account_linked, by=by, at=at)
        return account

    @classmethod
    def _keep(
        cls, connection: Connection, details: BankDetails, *, gateway: str, by: User, at: datetime
    ) -> "BankAccount":
        replaces = cls.objects.filter(connection=connection).exists()
        hold = timedelta(days=settings.PAYOUT_HOLD_DAYS) if replaces else timedelta(0)
        account: BankAccount = cls.objects.create(
            connection=connection,
            gateway=gateway,
            reference=details.reference,
            bank=details.bank,
            last4=details.last4,
            linked_by=by,
            linked_at=at,
            held_until=at + hold,
        )
        return account

    @staticmethod
    def _own(account: "BankAccount", connection: Connection) -> "BankAccount":
        if account.connection_id != connection.pk:
            raise Invalid("That bank account was linked for somebody else.")
        return account

    # Verbs

    @transaction.atomic
    def replace(self, details: BankDetails, *, at: datetime) -> None:
        """Keep what somebody put in its place at the gateway, without us. It is held as any other.

        Doing it again changes nothing. Raises Invalid for somebody else's.
        """
        connection = lock(self.connection)
        if details.owner != connection.pk:
            raise Invalid("That bank account was linked for somebody else.")
        accounts = type(self).objects
        is_known = accounts.filter(gateway=self.gateway, reference=details.reference).exists()
        if is_known or not self._remove(at):
            return
        account = self._keep(connection, details, gateway=self.gateway, by=self.linked_by, at=at)
        account._record(events.bank_account_replaced, by=None, at=at, before=str(self))

    @transaction.atomic
    def remove(self, *, by: User, at: datetime) -> None:
        """Send nothing to it any more. Doing it again changes nothing. Raises NotAllowed."""
        connection = lock(self.connection)
        connection.customer.require_biller(by)
        if self._remove(at):
            self._record(events.bank_account_removed, by=by, at=at)

    def _remove(self, at: datetime) -> bool:
        linked = type(self).objects.linked().filter(pk=self.pk)
        return bool(linked.update(removed_at=at) == 1)

    def _record(self, kind: EventKind, *, by: User | None, at: datetime, **facts: str) -> None:
        held = f" Nothing is sent to it before {self.held_in_words}." if self.is_held(at) else ""
        kind.record(
            self,
            by=by,
            at=at,
            organization=self.connection.customer,
            connection=self.connection,
            account=str(self),
            held=held,
            person=by.name if by else "",
            provider=self.connection.provider.name,
            **facts,
        )

    # Properties

    def is_held(self, at: datetime) -> bool:
        return at < self.held_until

    @property
    def held_in_words(self) -> str:
        return date_format(timezone.localtime(self.held_until), "j M Y, H:i")
