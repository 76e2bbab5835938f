"""Several people, or several workers, at the same moment: threads that commit for real.

Each race runs several rounds with a seed that shuffles who starts first; what must hold is the
same whoever wins.
"""

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connections

from billing.cycle import bill_due
from billing.models import AddOn, BillingRequest, Invoice, InvoiceLine, Subscription
from billing.models.catalog import NameTaken
from billing.models.proposals import Proposal
from billing.models.requests import AlreadyDecided, TermsChanged
from billing.pricing import Interval
from connections.models import Connection, Event, Organization, User
from revampd.kit.errors import DomainError
from tests.cast import Cast, assemble, between, connect
from tests.conftest import emptied_afterwards

NOW = datetime(2026, 11, 10, 9, 30, tzinfo=UTC)
ROUNDS = range(4)


@pytest.fixture(scope="module")
def cast(django_db_setup: None, django_db_blocker: Any) -> Iterator[Cast]:
    """Everybody, committed; the rounds make what they race for anew."""
    with ExitStack() as stack:
        stack.enter_context(django_db_blocker.unblock())
        stack.enter_context(emptied_afterwards())
        yield assemble()


def race(*acts: Callable[[], Any], seed: int) -> list[Any]:
    """Run all acts at once; the results in the order of the acts, refusals as exceptions.

    Anything but a refusal that the product foresees fails the test.
    """
    results: list[Any] = [None] * len(acts)
    start = threading.Barrier(len(acts))

    def run(index: int) -> None:
        try:
            with connections["default"].cursor() as cursor:
                # Who waits is the point here, not how long: a busy machine fails no race.
                cursor.execute("SET lock_timeout = '60s'")
            start.wait()
            results[index] = acts[index]()
        except DomainError as refusal:
            results[index] = refusal
        except Exception as error:  # noqa: BLE001 - it is raised below, in the test's own thread
            results[index] = error
        finally:
            connections.close_all()

    order = list(range(len(acts)))
    random.Random(seed).shuffle(order)
    threads = [threading.Thread(target=run, args=(index,)) for index in order]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results:
        if isinstance(result, Exception) and not isinstance(result, DomainError):
            raise result
    return results


def refusals(results: list[Any]) -> list[DomainError]:
    return [result for result in results if isinstance(result, DomainError)]


def fresh(request: BillingRequest) -> BillingRequest:
    """The same request as another worker loads it: nothing is shared between threads."""
    rows = BillingRequest.objects.select_related("connection__provider", "connection__customer")
    return rows.get(pk=request.pk)


def approving(request: BillingRequest, by: User, at: datetime = NOW) -> Callable[[], Any]:
    own = fresh(request)
    return lambda: own.approve(by=by, seal=own.seal, at=at)


@pytest.fixture
def customer(cast: Cast, request: pytest.FixtureRequest) -> Callable[[str], Connection]:
    """`customer(name)` is a new customer of Northwind, owned by Ben."""

    def make(name: str) -> Connection:
        organization = connect(cast.northwind, name, cast.ben, by=cast.maya)
        return between(cast.northwind, organization)

    return make


def proposed(cast: Cast, item: Any, connection: Connection, **details: Any) -> BillingRequest:
    proposal = Proposal(item, **details)
    return BillingRequest.propose(proposal, connection=connection, by=cast.noah, at=NOW)


def events_about(request: BillingRequest) -> Counter[str]:
    return Counter(Event.objects.about(request).values_list("code", flat=True))


@pytest.mark.parametrize("seed", ROUNDS)
class TestDecision:
    def test_is_made_by_one_of_twenty(self, cast, customer, seed):
        connection = customer(f"Twenty {seed}")
        crowd = [someone(connection.customer, f"crowd{seed}-{n}") for n in range(20)]
        request = proposed(cast, cast.growth, connection)

        def deciding(person: User, approves: bool) -> Callable[[], Any]:
            own = fresh(request)
            if approves:
                return lambda: own.approve(by=person, seal=own.seal, at=NOW)
            return lambda: own.reject(by=person, at=NOW)

        acts = [deciding(person, n % 2 == 0) for n, person in enumerate(crowd)]
        results = race(*acts, seed=seed)

        request = fresh(request)
        [winner] = [crowd[n] for n, result in enumerate(results) if result is None]
        assert request.decided_by == winner
        assert len(refusals(results)) == 19
        for refusal in refusals(results):
            assert isinstance(refusal, AlreadyDecided)
            assert str(refusal) == (
                f"{winner} {request.state.lower()} this request on 10 Nov 2026 at 09:30. "
                "It stays so."
            )
        outcome = f"billing_request.{request.state.lower()}"
        assert events_about(request) == {"billing_request.sent": 1, outcome: 1}
        effects = 1 if request.is_approved else 0
        assert Subscription.objects.filter(connection=connection).count() == effects
        assert connection.invoices.count() == effects

    def test_is_either_the_approval_or_the_withdrawal(self, cast, customer, seed):
        request = proposed(cast, cast.growth, customer(f"Withdrawn {seed}"))
        own = fresh(request)

        results = race(
            approving(request, cast.ben), lambda: own.withdraw(by=cast.noah, at=NOW), seed=seed
        )

        assert_one_outcome(request, results, {"APPROVED", "WITHDRAWN"})

    def test_is_either_the_approval_or_the_expiry(self, cast, customer, seed):
        request = proposed(cast, cast.growth, customer(f"Expired {seed}"))
        own, eve = fresh(request), request.expires_at - timedelta(seconds=1)

        results = race(
            approving(request, cast.ben, at=eve),
            lambda: own.expire(at=request.expires_at),
            seed=seed,
        )

        assert_one_outcome(
            request, [None if result else result for result in results], {"APPROVED", "EXPIRED"}
        )
        expired = fresh(request).state == "EXPIRED"
        assert (results[1], bool(refusals(results))) == (expired, expired)

    def test_is_either_the_approval_or_the_revision(self, cast, customer, seed):
        request = proposed(cast, cast.growth, customer(f"Revised {seed}"))
        own = fresh(request)

        results = race(
            approving(request, cast.ben),
            lambda: own.revise(Proposal(cast.scale), by=cast.noah, at=NOW),
            seed=seed,
        )

        assert len(refusals(results)) == 1
        request = fresh(request)
        assert request.state in ("APPROVED", "REVISED")
        assert hasattr(request, "revision") == (request.state == "REVISED")
        with pytest.raises(AlreadyDecided):
            request.approve(by=cast.ben, seal=request.seal, at=NOW)

    def test_revises_a_proposal_once(self, cast, customer, seed):
        request = proposed(cast, cast.growth, customer(f"Revised twice {seed}"))

        def revising(by: User) -> Callable[[], Any]:
            own = fresh(request)
            return lambda: own.revise(Proposal(cast.scale), by=by, at=NOW)

        people = [cast.noah, cast.maya, cast.dora]
        results = race(*[revising(person) for person in people], seed=seed)

        assert len(refusals(results)) == 2
        assert request.connection.billing_requests.count() == 2
        assert fresh(request).revision.state == "PENDING"

    def test_on_one_of_two_plans_makes_the_other_out_of_date(self, cast, customer, seed):
        connection = customer(f"Two plans {seed}")
        requests = [proposed(cast, item, connection) for item in (cast.growth, cast.scale)]

        results = race(*[approving(request, cast.ben) for request in requests], seed=seed)

        [refusal] = refusals(results)
        assert isinstance(refusal, TermsChanged)
        assert [difference.label for difference in refusal.differences] == ["Replaces"]
        assert sorted(fresh(request).state for request in requests) == ["APPROVED", "PENDING"]
        assert connection.invoices.count() == 1
        assert Subscription.objects.get(connection=connection).items.count() == 1

    def test_on_different_things_holds_for_each(self, cast, customer, seed):
        connection = customer(f"Different {seed}")
        approving(proposed(cast, cast.growth, connection), cast.ben)()
        others = [
            proposed(cast, cast.phone_numbers, connection, quantity=5),
            proposed(cast, cast.setup, connection),
            proposed(cast, cast.setup, connection),
        ]

        results = race(*[approving(request, cast.ben) for request in others], seed=seed)

        assert not refusals(results)
        assert connection.invoices.count() == 3
        assert Subscription.objects.get(connection=connection).items.count() == 2


def someone(organization: Organization, name: str) -> User:
    user = User.objects.create_user(f"{name}@example.com", "", name=name.title())
    organization.admit(user, role="BILLING", by=None)
    return user


def assert_one_outcome(request: BillingRequest, results: list[Any], states: set[str]) -> None:
    request = fresh(request)
    assert request.state in states
    assert len(refusals(results)) <= 1
    approved = request.state == "APPROVED"
    assert sum(events_about(request).values()) == 2
    assert request.connection.invoices.count() == int(approved)
    assert Subscription.objects.filter(connection=request.connection).count() == int(approved)


@pytest.mark.parametrize("seed", ROUNDS)
class TestBillingRun:
    def test_bills_every_period_once(self, cast, customer, seed):
        customers = [customer(f"Run {seed}-{n}") for n in range(3)]
        for connection in customers:
            approving(proposed(cast, cast.growth, connection), cast.ben)()
            later = {"timing": "DATE", "effective_date": date(2026, 12, 1)}
            approving(proposed(cast, cast.setup, connection, **later), cast.ben)()
        day = date(2027, 3, 10)
        at = datetime.combine(day, datetime.min.time(), UTC)

        results = race(*[lambda: bill_due(day, at=at)] * 4, seed=seed)

        # Growth for December, January, February, March; the setup goes with the first of them.
        assert sum(results) >= 3 * 4
        for connection in customers:
            starts = lines_of(connection, "PLAN").values_list("period_start", flat=True)
            assert sorted(starts) == [date(2026, 11, 10)] + [
                date(2026 + n // 12, n % 12 + 1, 10) for n in range(11, 15)
            ]
            assert lines_of(connection, "ONE_TIME").count() == 1
            assert connection.invoices.count() == 5
        assert_no_gaps(cast.northwind)


def lines_of(connection: Connection, kind: str) -> Any:
    return InvoiceLine.objects.filter(connection=connection, kind=kind)


def assert_no_gaps(provider: Organization) -> None:
    numbers = Invoice.objects.filter(provider=provider).order_by("number")
    found = list(numbers.values_list("number", flat=True))
    assert found == list(range(1, len(found) + 1))


@pytest.mark.parametrize("seed", ROUNDS)
class TestCatalog:
    def test_numbers_versions_one_after_the_other(self, cast, seed):
        last = cast.scale.plan.versions.order_by("-number").first().number

        def publishing(price: int) -> Callable[[], Any]:
            plan = type(cast.scale.plan).objects.get(pk=cast.scale.plan_id)
            return lambda: plan.publish(
                by=cast.maya, at=NOW, interval=Interval.MONTH, base_price=price
            )

        results = race(*[publishing(200_00 + n) for n in range(4)], seed=seed)

        assert sorted(version.number for version in results) == [last + n for n in range(1, 5)]

    def test_gives_a_name_to_one(self, cast, seed):
        def offering(name: str) -> Callable[[], Any]:
            provider = Organization.objects.get(pk=cast.northwind.pk)
            return lambda: AddOn.offer(provider=provider, by=cast.maya, name=name, unit_price=100)

        names = [f"Fax {seed}", f"FAX {seed}", f"fax {seed}"]
        results = race(*[offering(name) for name in names], seed=seed)

        assert [type(refusal) for refusal in refusals(results)] == [NameTaken, NameTaken]
        assert AddOn.objects.filter(name__iexact=names[0]).count() == 1

    def test_takes_it_off_sale_once(self, cast, seed):
        name = f"Pager {seed}"
        item = AddOn.offer(provider=cast.northwind, by=cast.maya, name=name, unit_price=100)

        def archiving() -> Callable[[], Any]:
            own = AddOn.objects.get(pk=item.pk)
            return lambda: own.archive(by=cast.maya, at=NOW)

        results = race(*[archiving() for _ in range(3)], seed=seed)

        assert len(refusals(results)) == 2
        assert Event.objects.about(item).filter(code="catalog_item.archived").count() == 1
