"""What referrals earn an organization, at a glance: its link, its terms, sums, and a chart."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any

from django.conf import settings
from django.db.models import Count, Q, QuerySet, Sum
from django.utils.formats import date_format

from connections.models import Connection, Organization
from payouts.models import AffiliatePayout, AffiliateShare, Referral, ReferralLink, ReferralTerms
from payouts.models.referrals import account_of
from revampd.kit.money import Money

from .periods import next_period, periods_until

PERIODS = 12

State = AffiliatePayout.State


@dataclass(frozen=True)
class Point:
    """What was earned in one period."""

    label: str
    amount: Money


@dataclass(frozen=True)
class Summary:
    """What the customer of `connection` earns by bringing others. It queries when it is asked.

    Link, terms and referrals are those with the provider of this connection; payouts are of all
    that the organization brought, since one wallet takes them.
    """

    connection: Connection
    at: datetime

    @cached_property
    def account(self) -> Connection:
        """The connection of Revampd with the organization."""
        own = self.connection
        return own if own.is_self_service else account_of(own.customer)

    @cached_property
    def link(self) -> ReferralLink | None:
        link = ReferralLink.objects.between(self.connection.customer, self.provider)
        if link:
            link.owner, link.provider = self.connection.customer, self.provider
        return link

    @property
    def provider(self) -> Organization:
        return self.connection.provider

    @cached_property
    def terms(self) -> ReferralTerms | None:
        """What is given now, None for nothing."""
        terms = ReferralTerms.objects.of(self.provider, at=self.at)
        return terms if terms and terms.rate else None

    @property
    def referrals(self) -> QuerySet[Any]:
        """Who was brought to this provider, each with what it has `earned`."""
        rows = Referral.objects.filter(referrer=self.connection.customer, provider=self.provider)
        rows = rows.select_related("referred").annotate(earned=Sum("shares__amount", default=0))
        return rows.newest_first()

    @cached_property
    def number_brought(self) -> int:
        rows = Referral.objects.filter(referrer=self.connection.customer, provider=self.provider)
        return int(rows.count())

    @property
    def payouts(self) -> QuerySet[Any]:
        rows: QuerySet[Any] = self.account.affiliate_payouts.newest_first()
        return rows

    @property
    def number(self) -> int:
        """How many payouts there are."""
        return int(self._paid["number"])

    @property
    def pending(self) -> Money:
        return self._money(self._paid["pending"])

    @property
    def applied(self) -> Money:
        return self._money(self._paid["applied"])

    @property
    def coming(self) -> Money:
        """What the period that is not over would come to, with what is carried into it."""
        return self._money(self._earned["waiting"] + self._paid["debt"])

    @property
    def closes_on(self) -> date:
        return next_period(self._today)

    @property
    def is_weekly(self) -> bool:
        return bool(settings.AFFILIATE_PERIOD == "week")

    @property
    def has_earned(self) -> bool:
        return bool(self._earned["shares"])

    @property
    def periods(self) -> list[Point]:
        """What each of the last periods earned."""
        form = "j M" if self.is_weekly else "M Y"
        return [
            Point(date_format(start, form), self._money(self._earned[start.isoformat()]))
            for start in self._starts
        ]

    @cached_property
    def _paid(self) -> dict[str, int]:
        debt = Q(state=State.CARRIED, carried_into=None)
        sums: dict[str, int] = self.account.affiliate_payouts.aggregate(
            number=Count("pk"),
            pending=Sum("amount", filter=Q(state=State.PENDING), default=0),
            applied=Sum("amount", filter=Q(state=State.APPLIED), default=0),
            debt=Sum("amount", filter=debt, default=0),
        )
        return sums

    @cached_property
    def _earned(self) -> dict[str, int]:
        columns: dict[str, Any] = {
            start.isoformat(): Sum(
                "amount",
                filter=Q(earned_on__gte=start, earned_on__lt=next_period(start)),
                default=0,
            )
            for start in self._starts
        }
        waiting = Sum("amount", filter=Q(payout=None), default=0)
        rows = AffiliateShare.objects.filter(account=self.account)
        sums: dict[str, int] = rows.aggregate(shares=Count("pk"), waiting=waiting, **columns)
        return sums

    @cached_property
    def _starts(self) -> list[date]:
        return periods_until(self._today, PERIODS)

    @property
    def _today(self) -> date:
        return self.account.day_of(self.at)

    def _money(self, minor: int) -> Money:
        return Money(minor, self.account.currency)
