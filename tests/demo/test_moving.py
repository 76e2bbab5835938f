"""Moving the demo's clock: what is due on the way happens, once, and nothing else does."""

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from dateutil.relativedelta import relativedelta
from django.db import connections, transaction
from django.utils import timezone

from billing.models import Invoice, Subscription
from connections.models import Connection, Event
from revampd.demo import moving
from revampd.demo.companies import HELEN
from revampd.demo.work import work
from revampd.kit.errors import Invalid
from revampd.models import ClockIsMoving, ClockMove
from tests.demo.moves import arrive, begin, books, finish, lakeside

pytestmark = [
    pytest.mark.usefixtures("demo_mode", "demo"),
    pytest.mark.xdist_group("demo"),
]

MONTH = relativedelta(months=1)


def next_days_of_others(connection: Connection) -> dict[Any, Any]:
    others = Subscription.objects.exclude(connection=connection)
    return dict(others.values_list("id", "next_invoice_date"))


class TestOneConnection:
    def test_has_its_invoices_issued_when_its_months_pass(self) -> None:
        connection = lakeside()
        due = connection.subscriptions.live().get().next_invoice_date
        before = connection.invoices.count()

        arrive(connection, due + 2 * MONTH)

        fresh = list(connection.invoices.order_by("number"))[before:]
        assert [i.issue_date for i in fresh] == [due, due + MONTH, due + 2 * MONTH]
        assert [connection.day_of(i.issued_at) for i in fresh] == [i.issue_date for i in fresh]

    def test_moves_alone(self) -> None:
        connection, other = lakeside(), lakeside("Revampd")
        elsewhere = Invoice.objects.exclude(connection=connection).order_by("id")
        before = list(elsewhere.values_list("id"))
        next_days = next_days_of_others(connection)

        arrive(connection, connection.today + 3 * MONTH)

        other.refresh_from_db()
        assert other.ahead == timedelta(0)
        assert not Connection.objects.exclude(pk=connection.pk).exclude(ahead=timedelta(0)).exists()
        assert list(elsewhere.values_list("id")) == before
        assert next_days_of_others(connection) == next_days

    def test_has_its_requests_reminded_of_and_closed(self) -> None:
        connection = lakeside()
        waiting = list(connection.billing_requests.pending())
        assert waiting

        arrive(connection, max(r.expires_at for r in waiting).date() + timedelta(days=2))

        for request in waiting:
            request.refresh_from_db()
            assert request.state == "EXPIRED"
            assert (
                request.expires_at <= request.decided_at <= request.expires_at + timedelta(days=1)
            )
            assert request.reminded_at is not None
            assert request.reminded_at < request.decided_at

    def test_tells_people_day_by_day(self) -> None:
        connection = lakeside()
        due = connection.subscriptions.live().get().next_invoice_date

        move = arrive(connection, due)

        event = Event.objects.filter(code="invoice.issued", connection=connection).latest("id")
        assert event.recorded_at >= move.started_at
        assert connection.day_of(event.at) == due
        assert event.notifications.filter(recipient__email=HELEN.email).exists()


class TestAllConnections:
    def test_arrive_on_the_same_day(self) -> None:
        ahead = arrive(lakeside(), lakeside().today + timedelta(days=5))
        to = ahead.target_date + timedelta(days=10)
        earliest = min(connection.today for connection in ClockMove.moved(None))

        move = arrive(None, to)

        assert {connection.today for connection in ClockMove.moved(None)} == {to}
        assert move.days == (to - earliest).days

    def test_bill_every_period_once_and_number_without_gaps(self) -> None:
        to = max(connection.today for connection in ClockMove.moved(None)) + 2 * MONTH

        arrive(None, to)

        assert not Subscription.objects.due(to).exists()
        periods = Invoice.objects.exclude(period_start=None).values_list(
            "connection", "period_start"
        )
        assert len(periods) == len(set(periods))
        for provider in Invoice.objects.values_list("provider", flat=True).distinct():
            numbers = Invoice.objects.filter(provider=provider).order_by("number")
            assert [i.number for i in numbers] == list(range(1, len(numbers) + 1))


class Killed(BaseException):
    """As if the worker were gone: nothing catches it."""


@pytest.fixture
def work_dies(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, bool], None]:
    """`work_dies(3, after=True)`: the third day's work ends the worker, its work done or not."""

    def prepare(day: int, after: bool) -> None:
        days = iter(range(1, 10_000))

        def deadly(at: datetime) -> None:
            is_last = next(days) == day
            if after or not is_last:
                work(at)
            if is_last:
                raise Killed

        monkeypatch.setattr(moving, "work", deadly)

    return prepare


class TestGoOn:
    @pytest.mark.parametrize("after", [False, True])
    @pytest.mark.parametrize("day", [1, 20])
    def test_continues_where_a_killed_worker_was(
        self, day: int, after: bool, work_dies: Callable[[int, bool], None]
    ) -> None:
        to = lakeside().today + timedelta(days=35)
        with transaction.atomic():
            arrive(None, to)
            undisturbed = books()
            transaction.set_rollback(True)
        move = begin(None, to)

        work_dies(day, after)
        with pytest.raises(Killed):
            finish()
        move.refresh_from_db()
        assert move.days_done == day - 1
        finish()

        assert books() == undisturbed

    def test_does_a_month_at_a_time(self) -> None:
        move = begin(lakeside(), lakeside().today + timedelta(days=40))

        assert [moving.go_on(), moving.go_on(), moving.go_on()] == [31, 9, 0]
        move.refresh_from_db()
        assert move.finished_at is not None

    def test_leaves_the_move_to_the_worker_that_has_it(self) -> None:
        begin(lakeside(), lakeside().today + timedelta(days=3))
        with closing(connections["owner"]) as other, other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [moving.TURN])
            assert moving.go_on() == 0
            cursor.execute("SELECT pg_advisory_unlock(%s)", [moving.TURN])
            assert moving.go_on() == 3

    def test_stops_with_the_problem_and_lets_another_move_begin(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        move = begin(lakeside(), lakeside().today + timedelta(days=3))

        def broken(at: datetime) -> None:
            raise ExceptionGroup("1 of 9", [ValueError("the books are broken")])

        with monkeypatch.context() as patch:
            patch.setattr(moving, "work", broken)
            moving.go_on()

        move.refresh_from_db()
        assert move.finished_at is not None
        assert move.problem == "ValueError: the books are broken"
        assert arrive(lakeside(), move.target_date).days == 2


class TestBegin:
    def test_refuses_to_go_back_or_to_stay(self) -> None:
        connection = lakeside()
        for day in (connection.today, connection.today - timedelta(days=1)):
            with pytest.raises(Invalid, match="only goes forward"):
                begin(connection, day)

    def test_refuses_more_than_24_months_ahead_of_real_time(self) -> None:
        connection, last = lakeside(), ClockMove.last_day(timezone.now())
        assert last == datetime.now(UTC).date() + relativedelta(years=2)

        with pytest.raises(Invalid, match="24 months"):
            begin(connection, last + timedelta(days=1))
        arrive(connection, connection.today + timedelta(days=20))
        with pytest.raises(Invalid, match="24 months"):
            begin(Connection.objects.get(pk=connection.pk), last + timedelta(days=1))

    def test_moves_one_at_a_time(self) -> None:
        first = begin(lakeside(), lakeside().today + timedelta(days=3))

        with pytest.raises(ClockIsMoving) as refusal:
            begin(None, lakeside().today + timedelta(days=4))

        assert refusal.value.move == first
