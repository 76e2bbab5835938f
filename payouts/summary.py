"""The payouts of a Partner at a glance: what is available, what comes next, what was earned."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property

from django.db.models import Count, Exists, F, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils.formats import date_format

from connections.models import Connection
from revampd.kit.money import Money

from .models import BankTransfer, Earning, Payout
from .models.earnings import Sums
from .weeks import WEEK, week_of, weeks_until

WEEKS = 13  # a quarter
SUB_ORGS = 8

State = Payout.State

# For pages that read connections anyway, in minor units: what its Partner can have settled now, and
# what it has earned since.
AVAILABLE = Coalesce(
    Subquery(
        Payout.objects.filter(state=State.AVAILABLE, connection=OuterRef("pk"))
        .order_by()
        .values("connection")
        .values(sum=Sum(F("amount") - F("credited") - F("banked")))
    ),
    0,
)
EARNED = Coalesce(
    Subquery(
        Earning.objects.waiting()
        .filter(account=OuterRef("pk"))
        .order_by()
        .values("account")
        .values(sum=Sum("net"))
    ),
    0,
)


@dataclass(frozen=True)
class Point:
    """What was earned in one week, or by one Sub-Org."""

    label: str
    amount: Money


@dataclass(frozen=True)
class NextPayout:
    """What the week that is not over would come to, if nothing more happened in it."""

    closes_on: date
    earned: Money
    carried: Money
    sums: Sums

    @property
    def total(self) -> Money:
        return self.earned + self.carried


@dataclass(frozen=True)
class Summary:
    """The payouts of `connection` on a day. It queries when it is asked."""

    connection: Connection
    day: date

    @property
    def number(self) -> int:
        """How many payouts there are."""
        return self._totals["number"]

    @property
    def available(self) -> Money:
        return self._money("available")

    @property
    def failed(self) -> Money:
        """What of it came back from a bank and is to be settled again."""
        return self._money("failed")

    @property
    def in_transit(self) -> Money:
        return self._money("in_transit")

    @property
    def credited(self) -> Money:
        return self._money("credited")

    @property
    def banked(self) -> Money:
        """What arrived at the bank."""
        return self._money("paid")

    @property
    def paid(self) -> Money:
        return self.credited + self.banked

    @cached_property
    def _totals(self) -> dict[str, int]:
        left = F("amount") - F("credited") - F("banked")
        failure = BankTransfer.State.FAILED
        failed = BankTransfer.objects.filter(payout=OuterRef("pk"), state=failure)
        available, in_transit = Q(state=State.AVAILABLE), Q(state=State.IN_TRANSIT)
        debt = Q(state=State.CARRIED, carried_into=None)
        totals: dict[str, int] = self.connection.payouts.aggregate(
            number=Count("pk"),
            available=Sum(left, filter=available, default=0),
            failed=Sum(left, filter=Q(available, Exists(failed)), default=0),
            in_transit=Sum("banked", filter=in_transit, default=0),
            paid=Sum("banked", filter=~in_transit, default=0),
            credited=Sum("credited", default=0),
            debt=Sum("amount", filter=debt, default=0),
        )
        return totals

    @cached_property
    def upcoming(self) -> NextPayout:
        waiting = self.connection.earnings.waiting().sums()
        return NextPayout(
            closes_on=week_of(self.day) + WEEK,
            earned=self._in_currency(waiting.net),
            carried=self._money("debt"),
            sums=waiting,
        )

    @cached_property
    def weeks(self) -> list[Point]:
        """What each of the last weeks earned."""
        sums = self.connection.earnings.by_week(weeks_until(self.day, WEEKS))
        return [
            Point(date_format(start, "j M"), self._in_currency(net)) for start, net in sums.items()
        ]

    @cached_property
    def sub_orgs(self) -> list[Point]:
        """What each Sub-Org earned in all, the most first; the smallest together."""
        rows = self.connection.earnings.by_sub_org()
        points = [Point(name, self._in_currency(net)) for name, net in rows[:SUB_ORGS]]
        if others := rows[SUB_ORGS:]:
            rest = self._in_currency(sum(net for _, net in others))
            points.append(Point(f"{len(others)} others", rest))
        return points

    @property
    def most(self) -> Money:
        """What the Sub-Org that earned most comes to: the whole width of a bar."""
        amounts = (point.amount for point in self.sub_orgs)
        return max(amounts, key=lambda amount: amount.minor, default=self._in_currency(0))

    def _money(self, name: str) -> Money:
        return self._in_currency(self._totals[name])

    def _in_currency(self, minor: int) -> Money:
        return Money(minor, self.connection.currency)
