"""Locks: re-read, held to the end of the transaction, and no wider than needed."""

import threading

import pytest
from django.db import OperationalError, connections, transaction
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext

from connections.models import Connection, Event, Organization
from revampd.kit.locking import in_transaction, lock


class TestLock:
    def test_reads_the_row_as_it_is_now(self, cast):
        stale = cast.northwind
        Organization.objects.filter(pk=stale.pk).update(name="Renamed")

        assert lock(stale).name == "Renamed"
        assert stale.name == "Northwind Agency"

    def test_takes_no_more_than_it_needs(self, cast):
        with CaptureQueriesContext(transaction.get_connection()) as captured:
            lock(cast.northwind_bluebird)

        [query] = captured.captured_queries
        assert query["sql"].endswith("FOR NO KEY UPDATE")

    def test_of_a_row_that_is_gone_says_so(self, cast):
        with pytest.raises(Connection.DoesNotExist):
            lock(Connection())

    def test_outside_a_transaction_is_a_mistake(self, committed_cast):
        assert not in_transaction()
        with pytest.raises(TransactionManagementError):
            lock(committed_cast.northwind)

    def test_keeps_others_out_until_the_transaction_ends(self, committed_cast):
        connection = committed_cast.northwind_bluebird
        with transaction.atomic():
            lock(connection)
            assert in_transaction()
            assert refused_elsewhere(lambda: lock(connection))
        assert not refused_elsewhere(lambda: lock(connection))

    def test_lets_rows_be_added_that_point_at_it(self, committed_cast):
        connection = committed_cast.northwind_bluebird
        with transaction.atomic():
            lock(connection)
            assert not refused_elsewhere(
                lambda: Event.objects.create(
                    code="test", organization=connection.provider, connection=connection
                )
            )


def refused_elsewhere(act) -> bool:
    """Whether another session, which does not wait long, cannot do it now."""
    refused: list[bool] = []

    def attempt() -> None:
        try:
            with transaction.atomic(), connections["default"].cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '200ms'")
                act()
            refused.append(False)
        except OperationalError:
            refused.append(True)
        finally:
            connections.close_all()

    thread = threading.Thread(target=attempt)
    thread.start()
    thread.join()
    [answer] = refused
    return answer
