"""A Partner's year and a half with Revampd: invoices are what was said on the day before."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from billing.cycle import bill_due
from billing.models import AddOn, BillingRequest, Credit, Invoice, Plan, SelfService
from billing.models.due import upcoming
from billing.models.self_service import Choice
from billing.models.tiers import BelowUse
from billing.pricing import Interval, boundary
from billing.prospects import Prospect
from billing.runs import Runs
from connections.models import Connection, Organization
from tests.billing.acts import lines, noon
from tests.books import assert_books_agree
from tests.cast import LONG_AGO, Cast

Act = Callable[["Year", datetime], Any]


class Year:
    """Northwind's own connection with Revampd, and what it does there."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.own = SelfService(cast.revampd_northwind)
        self.seen: dict[date, int] = {}  # by the day of the invoice, what was announced last
        terms: dict[str, Any] = {"by": cast.rhea, "at": LONG_AGO}
        starter, pro = (Plan.offer(provider=cast.revampd, by=cast.rhea, name=n) for n in ("S", "P"))
        self.starter = starter.publish(interval="MONTH", base_price=97_00, max_sub_orgs=2, **terms)
        self.pro = pro.publish(interval="MONTH", base_price=297_00, max_sub_orgs=10, **terms)
        self.pro_yearly = pro.publish(interval="YEAR", base_price=990_01, **terms)
        self.numbers, self.address = (
            AddOn.offer(provider=cast.revampd, by=cast.rhea, name=name, unit_price=price)
            for name, price in (("Number", 3_07), ("Address", 9_99))
        )

    def see(self, choice: Choice, at: datetime) -> None:
        """Remember the invoice that the page of a choice announces."""
        prospect = Prospect(choice, Runs(self.own.connection, at.date()))
        assert prospect.invoice_day
        self.seen = {prospect.invoice_day: prospect.invoice_after.minor}

    def newest(self, add_on: AddOn) -> BillingRequest:
        requests = BillingRequest.objects.filter(add_on=add_on, connection=self.own.connection)
        newest: BillingRequest = requests.latest("proposed_at", "id")
        return newest

    def invoices(self) -> list[Invoice]:
        return list(self.own.connection.invoices.order_by("number"))


def add(name: str, quantity: int) -> Act:
    def act(year: Year, at: datetime) -> None:
        add_on = getattr(year, name)
        year.see(year.own.preview_add_on(add_on, quantity, by=year.cast.noah, at=at), at)
        year.own.add(add_on, quantity, by=year.cast.noah, at=at)

    return act


def remove(name: str, quantity: int | None = None) -> Act:
    def act(year: Year, at: datetime) -> None:
        request = year.newest(getattr(year, name))
        year.own.remove(request, quantity=quantity, by=year.cast.maya, at=at)
        year.seen.clear()

    return act


def retain(name: str) -> Act:
    def act(year: Year, at: datetime) -> None:
        year.own.retain(year.newest(getattr(year, name)), by=year.cast.maya, at=at)
        year.seen.clear()

    return act


def choose(name: str) -> Act:
    def act(year: Year, at: datetime) -> None:
        tier = getattr(year, name)
        year.see(year.own.preview_tier(tier, by=year.cast.maya, at=at), at)
        year.own.choose_tier(tier, by=year.cast.maya, at=at)

    return act


def credit(minor: int) -> Act:
    def act(year: Year, at: datetime) -> None:
        Credit.adjust(year.own.connection, minor, reason="Sorry", by=year.cast.rhea, at=at)

    return act


def grow(year: Year, at: datetime) -> None:
    for name in ("Second", "Third"):
        customer = Organization.found(kind="SUB_ORG", name=name, by=year.cast.maya)
        provided = {"provider": year.cast.northwind, "customer": customer, "by": year.cast.maya}
        Connection.open(**provided).activate(by=year.cast.maya, at=at)
    year.seen.clear()  # the smaller tier will not begin


def too_small(year: Year, at: datetime) -> None:
    with pytest.raises(BelowUse, match="3 Sub-Orgs, S allows 2"):
        year.own.choose_tier(year.starter, by=year.cast.maya, at=at)


def cancel(year: Year, at: datetime) -> None:
    year.own.cancel(by=year.cast.maya, at=at)
    year.seen.clear()


def keep(year: Year, at: datetime) -> None:
    year.own.keep(by=year.cast.maya, at=at)
    year.seen.clear()


STORY: dict[date, Act] = {
    date(2026, 11, 10): choose("starter"),
    date(2026, 11, 20): add("numbers", 3),
    date(2026, 12, 5): credit(50_00),
    date(2026, 12, 15): choose("pro"),
    date(2026, 12, 20): keep,
    date(2026, 12, 22): choose("pro"),
    date(2027, 1, 20): remove("numbers", 1),
    date(2027, 2, 1): credit(400_00),
    date(2027, 2, 15): cancel,
    date(2027, 3, 1): keep,
    date(2027, 3, 12): choose("starter"),
    date(2027, 3, 13): grow,
    date(2027, 4, 12): too_small,
    date(2027, 4, 15): choose("pro_yearly"),
    date(2027, 4, 20): add("address", 2),
    date(2027, 4, 25): keep,
    date(2027, 4, 26): choose("pro_yearly"),
    date(2027, 7, 1): remove("address"),
    date(2027, 7, 2): retain("address"),
    date(2027, 9, 9): add("numbers", 5),
    date(2028, 4, 1): choose("pro"),
}

AS_CHOSEN = 4  # invoices before which nobody changed anything more
TOTALS = [
    *(112_35, 306_21, 303_14, 303_14, 303_14, 1316_77),
    *(461_27, 338_47, 338_47),
]


class TestYear:
    def test_is_billed_as_it_was_said(self, cast: Cast) -> None:
        year = Year(cast)
        told: list[tuple[list[tuple[str, int]], int, int]] = []
        chosen: list[tuple[int, int]] = []  # what was billed, and what choosing it had announced
        cycles = {boundary(min(STORY), Interval.MONTH, number) for number in range(1, 21)}
        for day in sorted(STORY.keys() | cycles):
            at = noon(day.year, day.month, day.day)
            if act := STORY.get(day):
                act(year, at)
                continue
            said = upcoming(year.own.connection, day - timedelta(days=1))
            if bill_due(day, at=at):
                [draft] = said.drafts
                texts = [(line.description, line.amount) for line in draft.lines]
                told.append((texts, draft.total, draft.credited))
                if day in year.seen:
                    chosen.append((draft.total, year.seen[day]))
            else:
                assert said is None or said.drafts[0].on > day

        assert [billed for billed, _ in chosen] == [seen for _, seen in chosen]
        assert len(chosen) == AS_CHOSEN
        first, *invoices = year.invoices()
        assert (first.total, first.issue_date) == (97_00, min(STORY))  # when it was chosen
        billed = [(lines(one), one.total, one.credited) for one in invoices]
        assert billed == told
        assert [one.total for one in invoices] == TOTALS
        assert_books_agree(year.own.connection)
