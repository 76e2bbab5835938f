"""Referral links: how an organization brings others to the one it buys from, or to itself."""

import secrets
import uuid
from datetime import datetime
from typing import Any, ClassVar, Self

import pgtrigger
from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.db.models.functions import Length
from django.db.models.lookups import GreaterThanOrEqual

from connections.models import Connection, Organization, User
from payouts.affiliates import events
from revampd.kit.constraints import no_truncate
from revampd.kit.errors import Conflict, Invalid
from revampd.kit.locking import lock

CODE_BYTES = 16  # nobody guesses one of 2^128
SHORTEST = 22  # characters, which is what these bytes come to


class LinkStopped(Conflict):
    """The link was stopped, or another one took its place."""


class ReferralLinkQuerySet(models.QuerySet["ReferralLink"]):
    def current(self) -> Self:
        return self.filter(stopped_at=None)

    def between(self, owner: Organization, provider: Organization) -> "ReferralLink | None":
        """The link by which `owner` brings others to `provider` now, if there is one."""
        return self.current().filter(owner=owner, provider=provider).first()


class ReferralLink(models.Model):
    """An unguessable code that leads to `provider`, on behalf of `owner`; one at a time.

    Through a link to Revampd a new Partner signs up by itself; through one to a Partner a new
    company asks to become its Sub-Org. A Partner's link to itself earns nobody a share.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="referral_links", db_index=False
    )
    provider = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    code = models.CharField(max_length=43, unique=True)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    made_at = models.DateTimeField()
    stopped_at = models.DateTimeField(null=True)

    mutable = ("stopped_at",)

    objects: ClassVar[Any] = ReferralLinkQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "provider"],
                condition=Q(stopped_at=None),
                name="referral_link_one_at_a_time",
            ),
            # Referrals point here: by this link, so of its owner and to its provider.
            models.UniqueConstraint(fields=["id", "owner", "provider"], name="referral_link_ends"),
            models.CheckConstraint(
                condition=GreaterThanOrEqual(Length("code"), SHORTEST), name="referral_link_code"
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="kept", operation=pgtrigger.Delete),
            no_truncate(),
            pgtrigger.Trigger(
                name="to_a_provider",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func="""
                    IF NOT EXISTS (
                        SELECT 1 FROM connections_connection
                        WHERE customer_id = NEW.owner_id AND provider_id = NEW.provider_id
                    ) AND NOT EXISTS (
                        SELECT 1 FROM connections_organization
                        WHERE id = NEW.owner_id AND id = NEW.provider_id AND kind = 'PARTNER'
                    ) THEN
                        RAISE EXCEPTION 'a link leads to a provider of its owner'
                            USING ERRCODE = 'integrity_constraint_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="frozen",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func="""
                    IF OLD.stopped_at IS NOT NULL OR to_jsonb(OLD) - 'stopped_at'
                       IS DISTINCT FROM to_jsonb(NEW) - 'stopped_at' THEN
                        RAISE EXCEPTION 'a link is made and stopped, never changed'
                            USING ERRCODE = 'integrity_constraint_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.owner}'s link to {self.provider}"

    # Factories

    @classmethod
    @transaction.atomic
    def make(
        cls, owner: Organization, provider: Organization, *, by: User, at: datetime
    ) -> "ReferralLink":
        """A new link; the one before stops working. Raises Invalid, NotAllowed."""
        owner = lock(owner)
        owner.require_biller(by)
        buys = Connection.objects.filter(provider=provider, customer=owner).exists()
        if not buys and not (owner == provider and owner.is_partner):
            raise Invalid(f"{owner} does not buy from {provider}, so it cannot bring others there.")
        cls.objects.current().filter(owner=owner, provider=provider).update(stopped_at=at)
        link = cls.objects.create(
            owner=owner,
            provider=provider,
            code=secrets.token_urlsafe(CODE_BYTES),
            made_by=by,
            made_at=at,
        )
        events.link_made.record(link, by=by, at=at, organization=owner, provider=provider.name)
        return link

    # Verbs

    @transaction.atomic
    def stop(self, *, by: User, at: datetime) -> None:
        """Nobody comes in by it any more. Raises LinkStopped if it was stopped before, NotAllowed.

        What came of it stays: referrals and their shares.
        """
        owner = lock(self.owner)
        owner.require_biller(by, or_staff=True)
        link = lock(self)
        link.require_open()
        link.stopped_at = self.stopped_at = at
        link.save(update_fields=["stopped_at"])
        events.link_stopped.record(
            link, by=by, at=at, organization=owner, provider=self.provider.name
        )

    def require_open(self) -> None:
        """Raises LinkStopped unless others can come in by it."""
        if self.stopped_at:
            raise LinkStopped(
                "This link no longer works.",
                next_step=f"Ask {self.owner} for the one that holds now.",
            )

    # Properties

    @property
    def leads_to_revampd(self) -> bool:
        return self.provider.is_platform

    @property
    def is_own(self) -> bool:
        """Whether it leads to its owner itself, so that nobody earns a share."""
        return self.owner_id == self.provider_id
