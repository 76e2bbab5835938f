"""A wallet pays for its own connection alone, whoever bills whatever else at the same moment."""

import pytest

from billing.cycle import bill_due
from billing.models import BillingRequest, Credit, Invoice, SelfService
from billing.models.proposals import Proposal
from connections.models import Connection, User
from tests.billing.acts import NOW, day, noon
from tests.books import assert_books_agree
from tests.cast import Cast, plan
from tests.guarantees.test_races import race

PRICE = 149_00
CREDIT = 60_00
RENEWAL = day("2027-01-10")


@pytest.fixture
def equals(committed_cast: Cast) -> list[Connection]:
    """Connections that nothing but their parties tells apart: the same price from the same day.

    Bluebird is the customer of two of them, Northwind of one and the provider of another.
    """
    cast = committed_cast
    tier = plan(cast.revampd, cast.rhea, "Growth", PRICE)
    for connection, person in (
        (cast.revampd_northwind, cast.maya),
        (cast.revampd_bluebird, cast.ben),
    ):
        SelfService(connection).choose_tier(tier, by=person, at=NOW)
    terms = {"connection": cast.northwind_bluebird, "by": cast.noah, "at": NOW}
    request = BillingRequest.propose(Proposal(cast.growth), **terms)
    request.approve(by=cast.ben, seal=request.seal, at=NOW)
    return [cast.revampd_northwind, cast.revampd_bluebird, cast.northwind_bluebird]


def grant(connection: Connection, by: User, times: int = 1) -> None:
    for _ in range(times):
        Credit.adjust(connection, CREDIT, reason="Thanks", by=by, at=NOW)


@pytest.mark.parametrize("seed", range(3))
class TestWallet:
    def test_pays_only_for_its_own_connection(self, committed_cast, equals, seed):
        rich, poor = equals[seed], [one for one in equals if one != equals[seed]]
        giver = committed_cast.noah if rich == equals[2] else committed_cast.rhea
        grant(rich, giver, times=10)

        on = noon(2027, 1, 10)
        late = [lambda: grant(rich, giver)] * 2
        results = race(*[lambda: bill_due(RENEWAL, at=on)] * 4, *late, seed=seed)

        assert sum(filter(None, results)) == 6
        assert self.credited(rich) == [0, PRICE, PRICE]
        assert [self.credited(one) for one in poor] == [[0, 0, 0]] * 2
        spent = sum(Credit.objects.filter(connection=rich).values_list("applied", flat=True))
        assert spent == 2 * PRICE
        assert_books_agree()

    @staticmethod
    def credited(connection: Connection) -> list[int]:
        invoices = Invoice.objects.filter(connection=connection).order_by("number")
        return list(invoices.values_list("credited", flat=True))
