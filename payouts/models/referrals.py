"""Referrals: who brought whom to whom, and what that earns."""

import uuid
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, ClassVar, Self

import pgtrigger
from django.conf import settings
from django.db import models, transaction
from django.db.models import Exists, F, OuterRef, Q, Value

from billing.models import BillingRequest
from billing.pricing import Interval, ItemKind, boundary
from connections.models import Connection, Membership, Organization, User
from payouts.affiliates import events
from revampd.kit.constraints import CompositeForeignKey, no_truncate
from revampd.kit.errors import NotAllowed
from revampd.kit.locking import lock
from revampd.kit.money import CurrencyField

from .referral_links import ReferralLink
from .referral_terms import WHOLE, ReferralTerms, percent_in_words

OWN_MEMBERS = "The same people belong to both companies."


class OwnReferral(NotAllowed):
    """Nobody brings themselves, directly or around a corner."""


class ReferralQuerySet(models.QuerySet["Referral"]):
    def ready(self) -> Self:
        """Those not frozen yet whose organization has approved a plan."""
        approved = BillingRequest.objects.filter(
            connection=OuterRef("connection"),
            kind=ItemKind.PLAN,
            state=BillingRequest.State.APPROVED,
        )
        return self.filter(Exists(approved), frozen_at=None)

    def newest_first(self) -> Self:
        return self.order_by("-began_at", "-id")


class Referral(models.Model):
    """`referrer` brought `referred` to `provider`, through `link`.

    `account` is the referrer's connection with Revampd, where its shares are paid out; `connection`
    that of the provider with who was brought. With the first plan approved there the terms of that
    day are frozen: `rate` in hundredths of a percent, from `starts_on` up to `ends_on` (None is a
    lifetime), which are days at Revampd. `request` is that approval. A referral that is refused, or
    of a day without terms, is frozen at a rate of 0.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    link = models.ForeignKey(
        ReferralLink, on_delete=models.PROTECT, related_name="referrals", db_constraint=False
    )
    referrer = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="referrals", db_constraint=False
    )
    provider = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="+", db_constraint=False
    )
    account = models.ForeignKey(
        Connection, on_delete=models.PROTECT, related_name="referrals", db_constraint=False
    )
    connection = models.OneToOneField(
        Connection, on_delete=models.PROTECT, related_name="referral", db_constraint=False
    )
    referred = models.OneToOneField(
        Organization, on_delete=models.PROTECT, related_name="referral", db_constraint=False
    )
    currency = CurrencyField()
    brought_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    began_at = models.DateTimeField()
    frozen_at = models.DateTimeField(null=True)
    request = models.ForeignKey(
        BillingRequest, on_delete=models.PROTECT, null=True, related_name="+", db_constraint=False
    )
    request_kind = models.GeneratedField(
        expression=Value("PLAN"), output_field=models.CharField(max_length=10), db_persist=True
    )
    request_state = models.GeneratedField(
        expression=Value("APPROVED"), output_field=models.CharField(max_length=10), db_persist=True
    )
    terms = models.ForeignKey(
        ReferralTerms, on_delete=models.PROTECT, null=True, related_name="+", db_constraint=False
    )
    rate = models.PositiveIntegerField(default=0)
    starts_on = models.DateField(null=True)
    ends_on = models.DateField(null=True)
    refusal = models.CharField(max_length=200, blank=True)

    mutable = ("frozen_at", "request", "terms", "rate", "starts_on", "ends_on", "refusal")

    objects: ClassVar[Any] = ReferralQuerySet.as_manager()

    class Meta:
        constraints = [
            # Earnings and shares point at these: at the frozen rate, for the referrer's account.
            models.UniqueConstraint(fields=["connection", "id", "rate"], name="referral_rate"),
            models.UniqueConstraint(fields=["id", "account"], name="referral_account"),
            models.UniqueConstraint(
                fields=["provider", "brought_by"], name="referral_one_a_person"
            ),
            CompositeForeignKey(
                name="referral_by_link",
                fields=["link", "referrer", "provider"],
                to="payouts.ReferralLink",
                to_fields=["id", "owner", "provider"],
            ),
            CompositeForeignKey(
                name="referral_to_account",
                fields=["account", "referrer"],
                to="connections.Connection",
                to_fields=["id", "customer"],
            ),
            CompositeForeignKey(
                name="referral_of_provider",
                fields=["connection", "provider"],
                to="connections.Connection",
                to_fields=["id", "provider"],
            ),
            CompositeForeignKey(
                name="referral_of_referred",
                fields=["connection", "referred"],
                to="connections.Connection",
                to_fields=["id", "customer"],
            ),
            CompositeForeignKey(
                name="referral_authority",
                fields=["connection", "request", "request_kind", "request_state"],
                to="billing.BillingRequest",
                to_fields=["connection", "id", "kind", "state"],
            ),
            CompositeForeignKey(
                name="referral_at_terms",
                fields=["provider", "terms", "rate"],
                to="payouts.ReferralTerms",
                to_fields=["provider", "id", "rate"],
            ),
            models.CheckConstraint(
                condition=~Q(referrer=F("referred")) & ~Q(referrer=F("provider")),
                name="referral_of_somebody_else",
            ),
            models.CheckConstraint(
                condition=Q(rate__lte=WHOLE)
                & (
                    Q(frozen_at=None, request=None, terms=None, rate=0, starts_on=None)
                    & Q(ends_on=None, refusal="")
                    | Q(frozen_at__isnull=False, request__isnull=False, starts_on__isnull=False)
                    & (
                        Q(terms=None, rate=0, ends_on=F("starts_on"))
                        | Q(terms__isnull=False, refusal="")
                    )
                ),
                name="referral_frozen",
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="kept", operation=pgtrigger.Delete),
            no_truncate(),
            pgtrigger.Trigger(
                name="begun",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func="""
                    -- Two that close a circle at once wait for each other.
                    PERFORM pg_advisory_xact_lock(hashtextextended('payouts.referral', 0));
                    IF NEW.frozen_at IS NOT NULL THEN
                        RAISE EXCEPTION 'a referral begins before anything is earned'
                            USING ERRCODE = 'integrity_constraint_violation';
                    ELSIF NOT EXISTS (
                        SELECT 1 FROM connections_connection account, connections_connection own
                        WHERE account.id = NEW.account_id AND account.provider_kind = 'PLATFORM'
                        AND own.id = NEW.connection_id AND own.currency = account.currency
                        AND own.currency = NEW.currency
                    ) THEN
                        RAISE EXCEPTION 'a referral is paid out at Revampd, in its own currency'
                            USING ERRCODE = 'integrity_constraint_violation';
                    END IF;
                    IF EXISTS (
                        WITH RECURSIVE chain (organization_id) AS (
                            SELECT NEW.referrer_id
                            UNION
                            SELECT referral.referrer_id FROM payouts_referral referral
                            JOIN chain ON referral.referred_id = chain.organization_id
                        )
                        SELECT 1 FROM chain WHERE organization_id = NEW.referred_id
                        UNION ALL
                        SELECT 1 FROM chain
                        JOIN connections_membership theirs USING (organization_id)
                        WHERE theirs.user_id = NEW.brought_by_id OR EXISTS (
                            SELECT 1 FROM connections_membership own
                            WHERE own.organization_id = NEW.referred_id
                            AND own.user_id = theirs.user_id
                        )
                    ) THEN
                        RAISE EXCEPTION 'nobody brings themselves, nor whoever brought them'
                            USING ERRCODE = 'integrity_constraint_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="frozen",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                declare=[
                    (
                        "apart",
                        "text[] := ARRAY['frozen_at', 'request_id', 'terms_id', 'rate',"
                        " 'starts_on', 'ends_on', 'refusal', 'request_kind', 'request_state']",
                    )
                ],
                func="""
                    IF OLD.frozen_at IS NOT NULL OR NEW.frozen_at IS NULL
                       OR to_jsonb(OLD) - apart IS DISTINCT FROM to_jsonb(NEW) - apart THEN
                        RAISE EXCEPTION 'a referral is frozen once, and never changes'
                            USING ERRCODE = 'integrity_constraint_violation';
                    ELSIF NEW.terms_id IS NOT NULL AND NOT EXISTS (
                        SELECT 1 FROM payouts_referralterms
                        WHERE id = NEW.terms_id AND NEW.ends_on IS NOT DISTINCT FROM
                            (NEW.starts_on + make_interval(months => months))::date
                    ) THEN
                        RAISE EXCEPTION 'a referral ends after the months of its terms'
                            USING ERRCODE = 'integrity_constraint_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.referred}, brought by {self.referrer}"

    # Factories

    @classmethod
    def begin(
        cls, link: ReferralLink, connection: Connection, *, by: User, at: datetime
    ) -> "Referral":
        """`by` brought the customer of `connection` through `link`; the caller has guarded it."""
        referral: Referral = cls.objects.create(
            link=link,
            referrer=link.owner,
            provider=link.provider,
            account=account_of(link.owner),
            connection=connection,
            referred=connection.customer,
            currency=connection.currency,
            brought_by=by,
            began_at=at,
        )
        events.referral_begun.record(
            referral,
            by=by,
            at=at,
            organization=link.owner,
            account=referral.account_id,
            referred=connection.customer.name,
            provider=link.provider.name,
        )
        return referral

    # Verbs

    @transaction.atomic
    def freeze(self, *, at: datetime) -> None:
        """Keep the terms of the day of the first approved plan. Doing it again changes nothing."""
        lock(self.account)
        referral = lock(self)
        approved = referral.first_approval()
        if referral.frozen_at or approved is None:
            return
        decided: datetime = approved.decided_at  # type: ignore[assignment]  # it was approved
        terms = ReferralTerms.objects.of(referral.provider, at=decided)
        refusal = OWN_MEMBERS if referral.is_own else ""
        if refusal or (terms and not terms.rate):
            terms = None
        months = terms.months if terms else 0
        referral.frozen_at, referral.request, referral.terms = at, approved, terms
        referral.rate, referral.refusal = terms.rate if terms else 0, refusal
        referral.starts_on = day = referral.account.day_of(decided)
        referral.ends_on = None if months is None else boundary(day, Interval.MONTH, months)
        referral.save(update_fields=[*self.mutable])
        referral._tell_terms(at)

    def _tell_terms(self, at: datetime) -> None:
        events.referral_frozen.record(
            self,
            by=None,
            at=at,
            organization=self.referrer,
            account=self.account_id,
            referred=self.referred.name,
            provider=self.provider.name,
            terms=self.terms.in_words if self.terms else "nothing",
            why=self.refusal,
        )

    # Queries

    def first_approval(self) -> BillingRequest | None:
        """The plan that was approved first on the connection."""
        plans = BillingRequest.objects.filter(
            connection=self.connection_id,
            kind=ItemKind.PLAN,
            state=BillingRequest.State.APPROVED,
        )
        first: BillingRequest | None = plans.order_by("decided_at", "pk").first()
        return first

    @property
    def is_own(self) -> bool:
        """Whether somebody belongs both to who was brought and to who brought it; costs queries."""
        theirs = Membership.objects.filter(organization=self.referred_id).values("user")
        chain = [organization.pk for organization in brought(self.referrer)]
        return Membership.objects.filter(organization__in=chain, user__in=theirs).exists()

    # Properties

    @property
    def percent(self) -> str:
        return percent_in_words(self.rate)

    def has_ended(self, day: date) -> bool:
        return self.ends_on is not None and self.ends_on <= day


def account_of(organization: Organization) -> Connection:
    """The connection of Revampd with an organization: its wallet takes what referrals earn."""
    rows = Connection.objects.select_related("provider", "customer")
    account: Connection = rows.get(
        customer=organization, provider_kind=Organization.Kind.PLATFORM.value
    )
    return account


def brought(organization: Organization) -> Iterator[Organization]:
    """An organization, who brought it, who brought that one, and so on."""
    seen: set[Any] = set()
    one: Organization | None = organization
    while one is not None and one.pk not in seen:
        seen.add(one.pk)
        yield one
        above = Referral.objects.filter(referred=one).select_related("referrer").first()
        one = above.referrer if above else None


def require_newcomer(link: ReferralLink, user: User) -> None:
    """Raises OwnReferral if `user` belongs to the owner of the link, or to who brought that one."""
    mine = set(user.memberships.values_list("organization", flat=True))
    for organization in brought(link.owner):
        if organization.pk in mine:
            raise OwnReferral(
                f"You belong to {organization}. A referral brings somebody new: nobody can bring "
                "themselves, nor whoever brought them."
            )
