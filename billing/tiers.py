"""Revampd's tiers side by side, as a Partner compares them with its own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property, partial
from typing import Any

from django.db.models import QuerySet

from connections.models import Connection
from revampd.kit.money import Money
from revampd.kit.prepared import prepared

from .forms.catalog import TIER_LIMITS
from .models import PlanVersion
from .models.tiers import Allowance, Use
from .pricing import Interval
from .runs import Runs


@dataclass(frozen=True)
class Answer:
    """What a tier says to one question, and in words how that differs from one's own tier.

    `sign` is 1 for more than one's own, -1 for less.
    """

    text: str
    difference: str = ""
    sign: int = 0


@dataclass(frozen=True)
class Tier:
    """A tier as one column of the table.

    `act` is what choosing it is called, "" where there is nothing to choose; `excess` says what
    is used beyond its limits; `starts_on` is when it begins, if that is scheduled.
    """

    version: PlanVersion
    is_own: bool
    act: str
    excess: str
    starts_on: date | None

    @property
    def name(self) -> str:
        return self.version.name


@dataclass(frozen=True)
class Comparison:
    """All tiers on sale beside the one that runs. It queries when it is asked."""

    connection: Connection
    runs: Runs

    @cached_property
    def use(self) -> Use:
        return Use.of(self.connection)

    @property
    def own(self) -> PlanVersion | None:
        """The tier that runs today."""
        plan = self.runs.plan
        return plan.request.plan_version if plan else None

    @property
    def fee(self) -> str:
        """The transaction fee of one's own tier, in words."""
        return percent(self.own.transaction_fee or 0) if self.own else ""

    @cached_property
    def tiers(self) -> list[Tier]:
        """What is on sale and one's own, the cheapest first."""
        on_sale = _on_sale(self.connection.provider_id, self.connection.currency)
        versions = {version.pk: version for version in on_sale}
        if self.own:
            versions.setdefault(self.own.pk, self.own)
        return [self._tier(version) for version in sorted(versions.values(), key=_rank)]

    def _tier(self, version: PlanVersion) -> Tier:
        starts = (
            row.start_date for row in self.runs.later if row.request.plan_version_id == version.pk
        )
        return Tier(
            version,
            is_own=version == self.own,
            act=act_of(version, self.own),
            excess=self.use.excess(version),
            starts_on=next(starts, None),
        )

    @property
    def too_small(self) -> str:
        """Why the tier that is scheduled would not begin, as things stand."""
        return next((tier.excess for tier in self.tiers if tier.starts_on), "")

    @property
    def rows(self) -> list[tuple[str, list[tuple[Tier, Answer]]]]:
        """The questions, and what each tier says to them."""
        answers = rows_of([tier.version for tier in self.tiers], self.own)
        return [(label, list(zip(self.tiers, row, strict=True))) for label, row in answers]

    @property
    def allowances(self) -> list[Allowance]:
        """How much of each limit of one's own tier is used."""
        return self.use.of_tier(self.own) if self.own else []


@prepared
def _on_sale(provider: Any, currency: Any) -> "QuerySet[PlanVersion]":
    rows: QuerySet[PlanVersion] = PlanVersion.objects.filter(provider=provider, currency=currency)
    return rows.newest()  # type: ignore[attr-defined]


def act_of(version: PlanVersion, own: PlanVersion | None) -> str:
    """What it is called to choose `version`."""
    if own is None:
        return "Start"
    if version == own:
        return ""
    if yearly(version) == yearly(own):
        return "Change"
    return "Upgrade" if yearly(version) > yearly(own) else "Downgrade"


def rows_of(
    versions: Sequence[PlanVersion], own: PlanVersion | None
) -> list[tuple[str, list[Answer]]]:
    """What each of `versions` says to every question, compared with `own`."""
    return [
        (label, [answer(version, own) for version in versions])
        for label, answer in QUESTIONS.items()
    ]


def percent(hundredths: int) -> str:
    """A transaction fee in words: "3.5%", "None"."""
    if not hundredths:
        return "None"
    whole, rest = divmod(hundredths, 100)
    return f"{whole}.{rest:02}".rstrip("0").rstrip(".") + "%"


def yearly(version: PlanVersion) -> int:
    """What a year of it costs, in minor units."""
    return version.unit_price * 12 // Interval(version.interval).months


def _rank(version: PlanVersion) -> tuple[int, str, int]:
    return yearly(version), version.name.lower(), version.number


def _price(version: PlanVersion, own: PlanVersion | None) -> Answer:
    text = f"{version.price} / {version.interval_label}"
    if own is None:
        return Answer(text)
    if own.interval == version.interval:
        more, span = version.unit_price - own.unit_price, ""
    else:
        more, span = yearly(version) - yearly(own), " a year"
    return _compared(text, more, f"{Money(abs(more), version.currency)} {{}}{span}")


def _fee(version: PlanVersion, own: PlanVersion | None) -> Answer:
    fee = version.transaction_fee or 0
    more = fee - (own.transaction_fee or 0) if own else 0
    return _compared(percent(fee), more, f"{percent(abs(more))} {{}}")


def _limit(name: str, version: PlanVersion, own: PlanVersion | None) -> Answer:
    limit: int | None = getattr(version, name)
    text = "Unlimited" if limit is None else f"{limit:,}"
    present: int | None = getattr(own, name) if own else limit
    if limit is None or present is None:
        more = (limit is None) - (present is None)
        return _compared(text, more, "no limit" if more > 0 else "a limit")
    return _compared(text, limit - present, f"{abs(limit - present):,} {{}}", less="fewer")


def _compared(text: str, more: int, words: str, less: str = "less") -> Answer:
    if not more:
        return Answer(text)
    return Answer(text, words.format("more" if more > 0 else less), 1 if more > 0 else -1)


QUESTIONS: dict[str, Callable[[PlanVersion, PlanVersion | None], Answer]] = {
    "Price": _price,
    "Transaction fee": _fee,
    **{label: partial(_limit, name) for name, label in TIER_LIMITS.items()},
}
