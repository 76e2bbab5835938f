"""The billing run: each period once, whenever and however often it runs."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import takewhile

import pytest
from django.db import transaction

from billing.cycle import bill_due
from billing.models import BillingRequest, Invoice, Subscription
from billing.models.due import Account
from billing.models.proposals import Proposal
from billing.pricing import Ending, Interval, Timing, boundary
from connections.models import Connection, Organization
from tests.billing.acts import NOW, agree, approve, bill, day, issued, lines, noon, propose
from tests.books import assert_books_agree
from tests.cast import Cast, between, connect


def run(on: date) -> int:
    return bill_due(on, at=datetime.combine(on, time(12), UTC))


@pytest.fixture(autouse=True)
def _books(cast: Cast) -> Iterator[None]:
    """Whatever ran, and however often, the books agree."""
    yield
    assert_books_agree()


@pytest.fixture
def customer(cast: Cast) -> Callable[..., Connection]:
    """`customer(name, item, at)` is a new customer of Northwind with this plan since then."""

    def make(name: str, item, at: datetime) -> Connection:
        organization = connect(cast.northwind, name, cast.ben, by=cast.maya)
        connection = between(cast.northwind, organization)
        request = BillingRequest.propose(Proposal(item), connection=connection, by=cast.noah, at=at)
        request.approve(by=cast.ben, seal=request.seal, at=at)
        return connection

    return make


def days_of(connection: Connection) -> list[date]:
    return list(connection.invoices.order_by("number").values_list("issue_date", flat=True))


class TestBillDue:
    def test_issues_nothing_before_the_day(self, cast):
        agree(cast)

        assert run(day("2026-12-09")) == 0
        assert run(day("2026-12-10")) == 1

    def test_does_nothing_when_it_runs_again(self, cast):
        agree(cast)
        run(day("2026-12-10"))
        before = issued(cast)

        assert [run(day("2026-12-10")) for _ in range(3)] == [0, 0, 0]
        assert issued(cast) == before

    def test_catches_up_every_missed_period(self, cast):
        agree(cast, at=noon(2026, 1, 31))

        assert run(day("2026-06-15")) == 4

        assert [lines(invoice)[0][0] for invoice in issued(cast)] == [
            "Growth, 31 Jan – 27 Feb 2026",
            "Growth, 28 Feb – 30 Mar 2026",
            "Growth, 31 Mar – 29 Apr 2026",
            "Growth, 30 Apr – 30 May 2026",
            "Growth, 31 May – 29 Jun 2026",
        ]
        assert [invoice.issue_date.isoformat() for invoice in issued(cast)][1:] == [
            "2026-02-28",
            "2026-03-31",
            "2026-04-30",
            "2026-05-31",
        ]

    def test_late_gives_the_same_books_as_on_time(self, cast, customer):
        punctual = customer("Punctual", cast.growth, noon(2026, 1, 31))
        late = customer("Late", cast.growth, noon(2026, 1, 31))
        for month in range(2, 7):
            bill(punctual, noon(2026, month, 28))

        run(day("2026-06-30"))

        assert days_of(punctual) == days_of(late)

    def test_puts_a_late_charge_on_the_next_invoice(self, cast):
        agree(cast)
        charge = {"timing": Timing.DATE, "effective_date": day("2026-11-24")}
        request = agree(cast, cast.setup, **charge)

        assert run(day("2026-12-12")) == 1

        invoice = issued(cast)[-1]
        assert invoice.kind == Invoice.Kind.MIXED
        assert lines(invoice) == [("Growth, 10 Dec 2026 – 9 Jan 2027", 149_00), ("Setup", 400_00)]
        assert invoice.lines.get(kind="ONE_TIME").request == request

    def test_bills_a_charge_on_its_own_day(self, cast):
        agree(cast)
        agree(cast, cast.setup, timing=Timing.DATE, effective_date=day("2026-11-24"))

        assert [run(day("2026-11-23")), run(day("2026-11-24"))] == [0, 1]
        assert (issued(cast)[-1].kind, lines(issued(cast)[-1])) == ("ONE_TIME", [("Setup", 400_00)])

    def test_bills_a_charge_without_any_plan(self, cast):
        agree(cast, cast.setup, timing=Timing.DATE, effective_date=day("2026-11-24"))

        assert run(day("2026-12-24")) == 1
        assert issued(cast)[0].period is None

    def test_bills_only_what_was_approved(self, cast):
        later = {"timing": Timing.DATE, "effective_date": day("2026-11-24")}
        for end in ("reject", "withdraw"):
            request = propose(cast, cast.setup, **later)
            getattr(request, end)(by=cast.ben if end == "reject" else cast.noah, at=NOW)
        propose(cast, cast.setup, **later)

        assert run(day("2026-12-24")) == 0

    def test_runs_months_and_years_side_by_side(self, cast, customer):
        start = noon(2026, 11, 10)
        monthly = customer("Monthly", cast.growth, start)
        yearly = customer("Yearly", cast.growth_yearly, start)

        run(day("2028-11-10"))

        assert len(days_of(monthly)) == 25
        assert [d.isoformat() for d in days_of(yearly)] == [
            "2026-11-10",
            "2027-11-10",
            "2028-11-10",
        ]

    def test_renews_a_leap_day_every_february(self, cast, customer):
        leap = customer("Leap", cast.growth_yearly, noon(2028, 2, 29))

        run(day("2032-03-01"))

        assert [d.isoformat() for d in days_of(leap)] == [
            "2028-02-29",
            "2029-02-28",
            "2030-02-28",
            "2031-02-28",
            "2032-02-29",
        ]

    def test_numbers_each_provider_without_gaps(self, cast, customer):
        customer("Second", cast.growth, NOW)
        agree(cast)
        theirs = BillingRequest.propose(
            Proposal(cast.contoso_basic), connection=cast.contoso_fabrikam, by=cast.oscar, at=NOW
        )
        theirs.approve(by=cast.fay, seal=theirs.seal, at=NOW)

        run(day("2027-02-20"))

        for provider, number in ((cast.northwind, 8), (cast.contoso, 4)):
            assert numbers(provider) == list(range(1, number + 1))

    def test_gives_a_number_back_when_the_transaction_fails(self, cast):
        agree(cast)
        with pytest.raises(RuntimeError), transaction.atomic():
            fail_after(cast.northwind_bluebird)

        run(day("2027-01-10"))

        assert numbers(cast.northwind) == [1, 2, 3]

    def test_holds_up_nobody_when_one_connection_fails(self, cast, customer, monkeypatch):
        agree(cast)
        others = [customer(f"Other {n}", cast.growth, NOW) for n in range(3)]
        draft = Account.bill

        def broken(self):
            if self.payer.connection_id == cast.northwind_bluebird.pk:
                raise ValueError("the books are broken")
            draft(self)

        monkeypatch.setattr(Account, "bill", broken)

        with pytest.raises(ExceptionGroup, match="1 of 4 connections not billed") as failure:
            run(day("2026-12-10"))

        [cause] = failure.value.exceptions
        assert cause.__notes__ == ["while billing Northwind Agency → Bluebird Clinic"]
        assert [len(days_of(other)) for other in others] == [2, 2, 2]
        monkeypatch.undo()
        assert run(day("2026-12-10")) == 1

    def test_ends_a_subscription_whose_plan_has_ended(self, cast):
        agree(cast)
        subscription = Subscription.objects.get()
        subscription.items.update(end_date=subscription.next_invoice_date, ending=Ending.CANCELED)

        assert run(day("2027-03-01")) == 0

        subscription.refresh_from_db()
        assert (subscription.end_date, subscription.next_invoice_date) == (day("2026-12-10"), None)
        agree(cast, cast.setup, at=noon(2027, 3, 1))
        agree(cast, at=noon(2027, 3, 2))
        assert Subscription.objects.count() == 2
        assert [run(day("2027-04-01")), run(day("2027-04-02"))] == [0, 1]


def fail_after(connection: Connection) -> None:
    bill(connection, noon(2026, 12, 10))
    raise RuntimeError


def numbers(provider: Organization) -> list[int]:
    found = Invoice.objects.filter(provider=provider).order_by("number")
    return list(found.values_list("number", flat=True))


class TestProvidersDay:
    @pytest.mark.parametrize(
        ("zone", "early", "due"),
        [
            # 10 December begins in Auckland at 11:00 UTC the day before, in Los Angeles at 08:00.
            ("Pacific/Auckland", "2026-12-09T10:59:00Z", "2026-12-09T11:00:00Z"),
            ("UTC", "2026-12-09T23:59:00Z", "2026-12-10T00:00:00Z"),
            ("America/Los_Angeles", "2026-12-10T07:59:00Z", "2026-12-10T08:00:00Z"),
        ],
    )
    def test_is_when_the_invoice_comes_due(self, cast, zone, early, due):
        Organization.objects.filter(pk=cast.northwind.pk).update(time_zone=zone)
        agree(cast, at=noon(2026, 11, 10) - timedelta(hours=3))

        assert bill_due(at=datetime.fromisoformat(early)) == 0
        assert bill_due(at=datetime.fromisoformat(due)) == 1

    @pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/Los_Angeles", "Europe/Berlin"])
    def test_is_kept_for_two_years_from_any_month_end(self, cast, customer, zone):
        Organization.objects.filter(pk=cast.northwind.pk).update(time_zone=zone)
        evening = datetime(2028, 1, 28, 20, tzinfo=UTC)
        started = [
            customer(f"Anchor {n}", cast.growth, evening + timedelta(days=n)) for n in range(4)
        ]
        started.append(customer("Leap", cast.growth_yearly, datetime(2028, 2, 29, 9, tzinfo=UTC)))
        last = evening + timedelta(days=730)

        now = evening
        while now <= last:
            bill_due(at=now)
            now += timedelta(days=1)

        for connection in started:
            dates = days_of(connection)
            interval = Interval(
                Subscription.objects.get(connection=connection).items.get().interval
            )
            through = connection.day_of(last)
            assert dates == list(
                takewhile(
                    lambda on, end=through: on <= end,
                    (boundary(dates[0], interval, number) for number in range(30)),
                )
            )
            renewals = connection.invoices.exclude(issue_date=dates[0])
            assert all(connection.day_of(i.issued_at) == i.issue_date for i in renewals)
        assert numbers(cast.northwind) == list(range(1, len(numbers(cast.northwind)) + 1))


def test_a_pending_request_changes_no_invoice(cast):
    agree(cast)
    propose(cast, cast.scale)
    propose(cast, cast.phone_numbers, quantity=9)

    run(day("2026-12-10"))

    assert lines(issued(cast)[-1]) == [("Growth, 10 Dec 2026 – 9 Jan 2027", 149_00)]
    late = propose(cast, cast.scale, at=noon(2026, 12, 11))
    assert approve(cast, late, at=noon(2026, 12, 11)).is_approved
