"""A request as it stands in the database: its terms sealed, its decision written once."""

import re
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Self
from uuid import UUID

import pgtrigger
from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.expressions import Combinable
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Right

from billing import terms
from billing.pricing import Interval, ItemKind, Offer, Timing
from connections.models import Connection, Organization
from revampd.kit.constraints import CompositeForeignKey, no_truncate
from revampd.kit.ids import growing_id
from revampd.kit.keys import among
from revampd.kit.money import DEFAULT_CURRENCY, CurrencyField, Money
from revampd.kit.search import any_of, lexemes, vector

from .catalog import AddOn, OneTimeCharge
from .plans import PlanVersion
from .proposals import NOTE_LENGTH, About

if TYPE_CHECKING:
    from .requests import BillingRequest  # noqa: F401 - what the query set gives

ITEM_NAME = vector(KeyTextTransform("name", "terms"))
PRICE = Cast(KeyTextTransform("unit_price", "terms"), models.BigIntegerField()) * F("quantity")
REFERENCE = Right(Cast("id", models.TextField()), 6)

_REFERENCE = re.compile(r"(?:r-)?([0-9a-f]{6})", re.ASCII | re.IGNORECASE)

REMIND_BEFORE = timedelta(days=3)


class SealedRequestQuerySet(models.QuerySet["BillingRequest"]):
    def pending(self) -> Self:
        return self.filter(state=SealedRequest.State.PENDING)

    def newest_first(self) -> Self:
        return self.order_by("-proposed_at", "-id")

    def found(self, mine: Any, *, words: Any = None, price: Any = None, **known: Any) -> Self:
        """Those of the organizations `mine` with what is `known`, pk or reference.

        And those for such an item, or at this price in minor units.
        """
        rows = self.alias(lexemes=ITEM_NAME, reference=REFERENCE, price=PRICE)
        asked = any_of(lexemes=lexemes(words), **known)
        if price is not None:
            asked |= Q(price=price, currency=DEFAULT_CURRENCY)
        sent = rows.filter(among("provider", mine), asked).values("pk")
        received = rows.filter(among("connection__customer", mine), asked).values("pk")
        return self.filter(pk__in=sent.union(received))

    def overdue(self, at: datetime | Combinable) -> Self:
        """Pending ones whose time is over; `at` is on their connection's clock."""
        return self.pending().filter(expires_at__lte=at)

    def to_remind(self, at: datetime | Combinable) -> Self:
        """Pending ones that expire soon and of which nobody was reminded.

        What was sent with so little time from the start needs no reminder of itself.
        """
        soon: Any = at + REMIND_BEFORE
        patient = self.pending().filter(expires_at__gt=F("proposed_at") + REMIND_BEFORE)
        return patient.filter(expires_at__lte=soon, expires_at__gt=at, reminded_at=None)

    def unbilled_charges(self, on: date | Combinable) -> Self:
        """Approved one-time charges whose day has come and that no line bills yet."""
        approved = self.filter(kind=ItemKind.ONE_TIME, state=SealedRequest.State.APPROVED)
        return approved.filter(starts_on__lte=on, lines=None)


class SealedRequest(models.Model):
    """A proposal of a plan, an add-on or a one-time charge, with its terms sealed.

    Once sent, only the decision is written to it, and that once; the database keeps both rules.
    """

    class State(models.TextChoices):
        PENDING = "PENDING", "Waiting for approval"
        APPROVED = "APPROVED", "Approved"
        REJECTED = "REJECTED", "Rejected"
        WITHDRAWN = "WITHDRAWN", "Withdrawn"
        REVISED = "REVISED", "Revised"
        EXPIRED = "EXPIRED", "Expired"

    class MadeBy(models.TextChoices):
        PROVIDER = "PROVIDER", "Provider"
        CUSTOMER = "CUSTOMER", "Customer"

    id = models.UUIDField(primary_key=True, default=growing_id, editable=False)
    connection = models.ForeignKey(
        Connection, on_delete=models.PROTECT, related_name="billing_requests", db_constraint=False
    )
    provider = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    made_by = models.CharField(max_length=8, choices=MadeBy, default=MadeBy.PROVIDER)
    kind = models.CharField(max_length=10, choices=ItemKind)
    plan_version = models.ForeignKey(
        PlanVersion, on_delete=models.PROTECT, null=True, related_name="+", db_constraint=False
    )
    add_on = models.ForeignKey(
        AddOn, on_delete=models.PROTECT, null=True, related_name="+", db_constraint=False
    )
    one_time_charge = models.ForeignKey(
        OneTimeCharge, on_delete=models.PROTECT, null=True, related_name="+", db_constraint=False
    )
    quantity = models.PositiveIntegerField(default=1)
    timing = models.CharField(max_length=10, choices=Timing)
    effective_date = models.DateField(null=True)
    currency = CurrencyField()
    note = models.TextField(max_length=NOTE_LENGTH, blank=True)
    terms = models.JSONField()
    seal = models.CharField(max_length=64)
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    proposed_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    reminded_at = models.DateTimeField(null=True)
    revises = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, related_name="revision", db_constraint=False
    )
    state = models.CharField(max_length=9, choices=State, default=State.PENDING)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)
    decision_note = models.TextField(max_length=NOTE_LENGTH, blank=True)
    starts_on = models.DateField(null=True)

    mutable = ("state", "decided_by", "decided_at", "decision_note", "starts_on", "reminded_at")

    objects: ClassVar[Any] = SealedRequestQuerySet.as_manager()

    class Meta:
        abstract = True
        constraints = [
            models.UniqueConstraint(fields=["connection", "id"], name="request_connection_id"),
            # Lines and items point at (connection, id, kind, "APPROVED"): their authority.
            models.UniqueConstraint(
                fields=["connection", "id", "kind", "state"], name="request_authority"
            ),
            CompositeForeignKey(
                name="request_of_provider",
                fields=["connection", "provider"],
                to="connections.Connection",
                to_fields=["id", "provider"],
            ),
            CompositeForeignKey(
                name="request_plan_of_provider",
                fields=["plan_version", "provider"],
                to="billing.PlanVersion",
                to_fields=["id", "provider"],
            ),
            CompositeForeignKey(
                name="request_add_on_of_provider",
                fields=["add_on", "provider"],
                to="billing.AddOn",
                to_fields=["id", "provider"],
            ),
            CompositeForeignKey(
                name="request_charge_of_provider",
                fields=["one_time_charge", "provider"],
                to="billing.OneTimeCharge",
                to_fields=["id", "provider"],
            ),
            CompositeForeignKey(
                name="request_revises_same_connection",
                fields=["connection", "revises"],
                to="billing.BillingRequest",
                to_fields=["connection", "id"],
            ),
            models.CheckConstraint(
                name="request_one_item",
                condition=Q(
                    kind="PLAN",
                    plan_version__isnull=False,
                    add_on=None,
                    one_time_charge=None,
                    quantity=1,
                )
                | Q(kind="ADD_ON", plan_version=None, add_on__isnull=False, one_time_charge=None)
                | Q(
                    kind="ONE_TIME",
                    plan_version=None,
                    add_on=None,
                    one_time_charge__isnull=False,
                    quantity=1,
                ),
            ),
            models.CheckConstraint(
                condition=Q(quantity__gte=1, quantity__lte=10_000), name="request_quantity"
            ),
            models.CheckConstraint(
                name="request_decision",
                condition=Q(state="PENDING", decided_at=None, decided_by=None, starts_on=None)
                | Q(
                    state="APPROVED",
                    decided_at__isnull=False,
                    decided_by__isnull=False,
                    starts_on__isnull=False,
                )
                | Q(
                    state__in=["REJECTED", "WITHDRAWN", "REVISED"],
                    decided_at__isnull=False,
                    decided_by__isnull=False,
                    starts_on=None,
                )
                | Q(state="EXPIRED", decided_at__isnull=False, decided_by=None, starts_on=None),
            ),
            models.CheckConstraint(
                name="request_decided_in_time",
                condition=~Q(state__in=["APPROVED", "REJECTED"])
                | Q(decided_at__lt=F("expires_at")),
            ),
            models.CheckConstraint(
                name="request_chosen_by_its_maker",
                condition=Q(made_by="PROVIDER")
                | Q(made_by="CUSTOMER", decided_by=None)
                | Q(made_by="CUSTOMER", decided_by=F("proposed_by")),
            ),
        ]
        indexes = [
            models.Index(fields=["connection", "-proposed_at"], name="request_of_connection"),
            models.Index(
                fields=["connection"], condition=Q(state="PENDING"), name="request_pending"
            ),
            models.Index(
                fields=["expires_at"], condition=Q(state="PENDING"), name="request_expiring"
            ),
            models.Index(
                fields=["starts_on", "connection"],
                condition=Q(kind="ONE_TIME", state="APPROVED"),
                name="request_charge_due",
            ),
            # For search; requests are written one by one, by hand.
            GinIndex(ITEM_NAME, name="request_item_words"),
            models.Index(REFERENCE, name="request_reference"),
            models.Index("provider", PRICE, name="request_price"),
        ]
        triggers = [
            pgtrigger.Protect(name="kept", operation=pgtrigger.Delete),
            no_truncate(),
            pgtrigger.Trigger(
                name="sealed",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                declare=[("decision", "text[]")],
                func="""
                    decision := ARRAY['state', 'decided_by_id', 'decided_at', 'decision_note',
                                      'starts_on', 'reminded_at'];
                    IF OLD.state <> 'PENDING' THEN
                        RAISE EXCEPTION 'a decided request never changes'
                            USING ERRCODE = 'integrity_constraint_violation';
                    ELSIF to_jsonb(OLD) - decision IS DISTINCT FROM to_jsonb(NEW) - decision THEN
                        RAISE EXCEPTION 'the terms of a request never change'
                            USING ERRCODE = 'integrity_constraint_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
            # Consent names somebody who may give it, and never one of those who ask for it.
            pgtrigger.Trigger(
                name="consent",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(new__state__in=["APPROVED", "REJECTED"]),
                func="""
                    IF NOT EXISTS (
                        SELECT 1 FROM connections_membership member
                        JOIN connections_connection connection
                            ON connection.customer_id = member.organization_id
                        WHERE connection.id = NEW.connection_id
                            AND member.user_id = NEW.decided_by_id
                            AND member.role IN ('OWNER', 'BILLING')
                    ) OR NEW.made_by = 'PROVIDER' AND EXISTS (
                        SELECT 1 FROM connections_membership member
                        WHERE member.organization_id = NEW.provider_id
                            AND member.user_id = NEW.decided_by_id
                    ) THEN
                        RAISE EXCEPTION 'only an owner or billing member of the customer decides'
                            USING ERRCODE = 'integrity_constraint_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="undecided",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                condition=pgtrigger.Q(new__state__df="PENDING"),
                func="""
                    RAISE EXCEPTION 'a request begins undecided'
                        USING ERRCODE = 'integrity_constraint_violation';
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.item_name} for {self.connection.customer}"

    # Properties

    @property
    def item(self) -> Any:
        """The catalog entry: a plan version, an add-on or a one-time charge."""
        return self.plan_version or self.add_on or self.one_time_charge

    @property
    def item_name(self) -> str:
        return str(self.terms["name"])

    @property
    def about(self) -> About | None:
        """What it is for, if it was proposed for something."""
        about = self.terms.get("about")
        return About(**about) if about else None

    @property
    def charge_name(self) -> str:
        """What an invoice says for it: "Setup, Ticket #7"."""
        return f"{self.item_name}, {self.about.reference}" if self.about else self.item_name

    @property
    def offer(self) -> Offer:
        """The proposal as pricing takes it, at the sealed prices."""
        return Offer(
            kind=ItemKind(self.kind),
            name=self.item_name,
            unit_price=Money(self.terms["unit_price"], self.currency),
            quantity=self.quantity,
            interval=Interval(self.terms["interval"] or Interval.MONTH),
            timing=Timing(self.timing),
            day=self.effective_date,
            booking_fee=self.terms.get("booking_fee", 0),
            transfer_fee=self.terms.get("transfer_fee", 0),
            ends=tuple(UUID(key) for key in self.terms.get("ends", ())),
            alone=self.kind == ItemKind.ADD_ON and self.connection.is_managed,
        )

    @property
    def price(self) -> Money:
        return self.offer.price

    @property
    def is_pending(self) -> bool:
        return self.state == self.State.PENDING

    @property
    def is_approved(self) -> bool:
        return self.state == self.State.APPROVED

    @property
    def proposer(self) -> str:
        """The organization that made it, under the name it had then."""
        by_customer = self.made_by == self.MadeBy.CUSTOMER
        return str(self.terms["customer" if by_customer else "provider"])

    @property
    def reference(self) -> str:
        """A short name for people; the address has the whole id."""
        return f"R-{str(self.pk)[-6:].upper()}"

    @staticmethod
    def reference_in(text: str) -> str | None:
        """The end of the id that somebody typed: R-1A2B3C or 1a2b3c."""
        match = _REFERENCE.fullmatch(text)
        return match[1].lower() if match else None

    @property
    def headline(self) -> str:
        return terms.headline(self.terms)

    @property
    def price_in_words(self) -> str:
        return terms.price_in_words(self.terms)

    @property
    def effective_in_words(self) -> str:
        return terms.effective_in_words(self.terms)

    @property
    def terms_in_words(self) -> list[tuple[str, str]]:
        return terms.in_words(self.terms)
