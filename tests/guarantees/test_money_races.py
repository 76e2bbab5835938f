"""Two workers at the same cents at once, in plain SQL and without our locks: one has to wait."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, connections

from billing.models import Invoice, OneTimeCharge
from tests.billing.payments.acts import fresh
from tests.cast import Cast
from tests.guarantees.history import NOW, Money, keep, spend
from tests.guarantees.statements import copy

ROUNDS = 5


@pytest.fixture
def money(committed_cast: Cast) -> Money:
    cast = committed_cast
    keep(cast)
    setup = OneTimeCharge.objects.get(pk=cast.setup.pk)
    return spend(cast.northwind_bluebird, setup, cast.noah, cast.ben)


def at_once(*acts: Callable[[], Any]) -> list[str]:
    """Run all acts at the same moment; the refusals of the database, by their constraints."""
    start, refusals = threading.Barrier(len(acts)), []

    def run(act: Callable[[], Any]) -> None:
        try:
            start.wait()
            act()
        except DatabaseError as refusal:
            refusals.append(refusal.__cause__.diag.constraint_name)  # type: ignore[union-attr]
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return refusals


class TestCredit:
    def test_is_never_applied_beyond_what_it_holds(self, money):
        uses = {"credit_id": money.credit.pk, "invoice_id": money.due.pk, "returned": 0}

        # $95.00 are left: three of $30.00 fit, whoever comes first.
        refusals = at_once(*(lambda: copy(money.application, **uses, amount=30_00),) * ROUNDS)

        assert refusals == ["credit_never_overdrawn"] * (ROUNDS - 3)
        assert fresh(money.credit).applied == 5_00 + 3 * 30_00
        assert fresh(money.due).credited == 90_00

    def test_never_gets_back_more_than_was_applied(self, money):
        refusals = at_once(*(lambda: copy(money.returned, amount=20_00),) * ROUNDS)

        assert refusals == ["application_never_over_returned"] * (ROUNDS - 2)
        assert fresh(money.application).returned == 5_00 + 2 * 20_00


class TestInvoice:
    def test_is_never_paid_beyond_what_is_owed(self, money):
        """By the wallet and by card at once: $400.00 are owed."""
        uses = {"credit_id": money.credit.pk, "invoice_id": money.due.pk, "returned": 0}
        attempt = {"invoice_id": money.due.pk, "state": "INTENT", "refunded": 0, "reference": ""}
        begun = attempt | {"settled_at": None, "amount": 320_01}

        refusals = at_once(
            lambda: copy(money.application, **uses, amount=80_00),
            lambda: copy(money.payment, **begun),
        )

        assert refusals == ["invoice_never_over_paid"]
        due = fresh(money.due)
        assert (due.credited, due.held) in ((80_00, 0), (0, 320_01))
        assert due.state == Invoice.State.OPEN

    def test_has_one_payment_under_way(self, money):
        attempt = {"invoice_id": money.due.pk, "state": "INTENT", "refunded": 0, "reference": ""}
        begun = attempt | {"settled_at": None, "amount": 10_00, "begun_at": NOW}

        refusals = at_once(*(lambda: copy(money.payment, **begun),) * ROUNDS)

        assert refusals == ["payment_one_at_a_time"] * (ROUNDS - 1)
        assert fresh(money.due).held == 10_00
