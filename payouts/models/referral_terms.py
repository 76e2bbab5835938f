"""What is given for a referral: by Revampd for Partners, by a Partner for its Sub-Orgs."""

import uuid
from datetime import datetime
from typing import Any, ClassVar, Self

import pgtrigger
from django.conf import settings
from django.db import models, transaction
from django.db.models import Q

from connections.models import Organization, User
from payouts.affiliates import events
from revampd.kit.constraints import AppendOnly
from revampd.kit.errors import Invalid
from revampd.kit.locking import lock

WHOLE = 10_000  # hundredths of a percent
MAX_MONTHS = 120


class ReferralTermsQuerySet(models.QuerySet["ReferralTerms"]):
    def newest_first(self) -> Self:
        return self.order_by("-set_at", "-id")

    def of(self, provider: Organization, *, at: datetime) -> "ReferralTerms | None":
        """Those of `provider` that hold at `at`, None if it never set any."""
        return self.filter(provider=provider, set_at__lte=at).newest_first().first()


class ReferralTerms(AppendOnly):
    """So much of the base subscription, for so long, to whoever brings `provider` a customer.

    The newest row holds; the older ones are the history, and referrals that were frozen under them
    keep them. `rate` is in hundredths of a percent, 0 if nothing is given any more; `months` is
    None for a lifetime. Who sets them bears them: Revampd for Partners, a Partner for its Sub-Orgs.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    provider = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="referral_terms", db_index=False
    )
    rate = models.PositiveIntegerField()
    months = models.PositiveIntegerField(null=True)
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    set_at = models.DateTimeField()

    objects: ClassVar[Any] = ReferralTermsQuerySet.as_manager()

    class Meta(AppendOnly.Meta):
        abstract = False
        verbose_name_plural = "referral terms"
        constraints = [
            # Referrals point here, so that their rate is the one of their terms.
            models.UniqueConstraint(
                fields=["provider", "id", "rate"], name="referral_terms_provider_rate"
            ),
            models.UniqueConstraint(fields=["provider", "set_at"], name="referral_terms_in_turn"),
            models.CheckConstraint(condition=Q(rate__lte=WHOLE), name="referral_terms_percent"),
            models.CheckConstraint(
                condition=Q(months=None) | Q(months__gte=1, months__lte=MAX_MONTHS),
                name="referral_terms_months",
            ),
        ]
        triggers = [
            *AppendOnly.Meta.triggers,
            pgtrigger.Trigger(
                name="in_turn",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func="""
                    IF EXISTS (
                        SELECT 1 FROM payouts_referralterms
                        WHERE provider_id = NEW.provider_id AND set_at >= NEW.set_at
                    ) THEN
                        RAISE EXCEPTION 'terms hold from now on, never for days that have passed'
                            USING ERRCODE = 'integrity_constraint_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return self.in_words

    # Factories

    @classmethod
    @transaction.atomic
    def offer(
        cls, provider: Organization, *, rate: int, months: int | None, by: User, at: datetime
    ) -> "ReferralTerms":
        """From now on, give `rate` hundredths of a percent for `months`, None for a lifetime.

        What was frozen before stays. Offering the same again changes nothing. Staff set Revampd's
        alone: a Partner pays for its own. Raises Invalid, NotAllowed.
        """
        provider = lock(provider)
        provider.require_biller(by, or_staff=provider.is_platform)
        cls._guard(provider, rate, months)
        current = cls.objects.filter(provider=provider).newest_first().first()
        if current and (current.rate, current.months) == (rate, months):
            return current
        if current and current.set_at >= at:
            raise Invalid("Terms hold from now on, never for days that have passed.")
        terms = cls.objects.create(
            provider=provider, rate=rate, months=months, set_by=by, set_at=at
        )
        before = current.in_words if current else "nothing"
        events.terms_offered.record(
            terms, by=by, at=at, organization=provider, before=before, terms=terms.in_words
        )
        return terms

    @staticmethod
    def _guard(provider: Organization, rate: int, months: int | None) -> None:
        if not provider.is_seller:
            raise Invalid(f"{provider} sells nothing, so nobody can be brought to it.")
        if not 0 <= rate <= WHOLE:
            raise Invalid("Enter a percentage from 0 to 100.", field="rate")
        if months is not None and not 1 <= months <= MAX_MONTHS:
            raise Invalid(
                f"Enter a number of months from 1 to {MAX_MONTHS}, or none for a lifetime.",
                field="months",
            )

    # Properties

    @property
    def percent(self) -> str:
        return percent_in_words(self.rate)

    @property
    def duration(self) -> str:
        """For how long: `for 12 months`."""
        if self.months is None:
            return "for as long as it stays"
        return "for one month" if self.months == 1 else f"for {self.months} months"

    @property
    def in_words(self) -> str:
        return f"{self.percent} {self.duration}" if self.rate else "nothing"


def percent_in_words(rate: int) -> str:
    """Hundredths of a percent as people write it: `3.5 %`."""
    whole, part = divmod(rate, 100)
    return f"{whole}.{part:02d}".rstrip("0").rstrip(".") + " %"
