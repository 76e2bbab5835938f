"""What was recorded stays, and nobody but the owner of the schema can switch the rules off."""

from datetime import timedelta
from uuid import uuid4

import pgtrigger
import pytest
from django.db import DatabaseError, connections, transaction

from billing.models import Invoice
from tests.guarantees.history import NOW, keep, tell
from tests.guarantees.statements import NOT_ALLOWED, accepted, copy, copy_refused, refused
from tests.guarantees.test_requests import approval

RECORDED = (
    "billing_invoice",
    "billing_invoiceline",
    "billing_billingrequest",
    "billing_planversion",
    "billing_subscriptionitem",
    "connections_event",
    "notifications_notification",
)
MONEY = (
    *("billing_transfer", "billing_credit", "billing_creditapplication", "billing_creditreturn"),
    *("billing_deduction", "billing_payment", "billing_refund", "billing_paymentmethod"),
    *("billing_creditnote", "billing_creditnoteline", "billing_usagerecord", "billing_document"),
)
CHANGES = {
    "billing_invoice": ("total", "total + 1"),
    "billing_invoiceline": ("amount", "amount + 1"),
    "billing_billingrequest": ("terms", "terms || '{\"unit_price\": 1}'"),
    "billing_planversion": ("base_price", "base_price + 1"),
    "billing_subscriptionitem": ("unit_price", "unit_price + 1"),
    "connections_event": ("facts", "'{}'"),
    "notifications_notification": ("title", "'Nothing happened'"),
}


class TestRecord:
    @pytest.mark.parametrize("table", RECORDED)
    def test_is_never_rewritten(self, told, table):
        column, value = CHANGES[table]

        refused(f"UPDATE {table} SET {column} = {value}", by=NOT_ALLOWED)
        with connections["default"].cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {table}")
            assert cursor.fetchone()[0] > 0

    @pytest.mark.parametrize("table", RECORDED)
    def test_is_never_deleted(self, told, table):
        refused(f"DELETE FROM {table}", by=NOT_ALLOWED)

    @pytest.mark.parametrize("table", [*RECORDED, "billing_subscription", "connections_connection"])
    def test_is_never_emptied(self, told, table):
        refused(f"TRUNCATE {table} CASCADE", by=NOT_ALLOWED)

    def test_is_written_on_in_the_columns_that_may_change(self, told):
        at, key = NOW + timedelta(days=1), told.invoice.pk
        accepted("UPDATE notifications_notification SET read_at = %s", at)
        accepted("UPDATE billing_invoice SET state = 'PAST_DUE' WHERE id = %s", key)
        accepted("UPDATE billing_planversion SET retired_at = %s WHERE number = 2", at)
        accepted("UPDATE billing_subscriptionitem SET billed_to = billed_to", rows=3)
        accepted(
            "UPDATE billing_billingrequest SET reminded_at = %s WHERE id = %s", at, told.pending.pk
        )

    def test_takes_no_unknown_state(self, books):
        sentence = "UPDATE billing_invoice SET state = %s WHERE id = %s"

        refused(sentence, "FORGOTTEN", books.invoice.pk, by="invoice_state")
        accepted(sentence, "VOID", books.invoice.pk)

    def test_retires_a_version_once(self, cast):
        statement = "UPDATE billing_planversion SET retired_at = %s WHERE id = %s"
        accepted(statement, NOW, cast.growth.pk)

        refused(statement, NOW + timedelta(1), cast.growth.pk, by="never changes")
        refused(statement, None, cast.growth.pk, by="never changes")


class TestMoney:
    """What was moved, and every document of it, is there for good."""

    @pytest.mark.parametrize("table", MONEY)
    def test_is_never_rewritten(self, money, table):
        column = "sha256" if table == "billing_document" else "amount"
        column = {"billing_paymentmethod": "last4", "billing_usagerecord": "quantity"}.get(
            table, column
        )

        refused(f"UPDATE {table} SET {column} = {column}", by=NOT_ALLOWED)
        with connections["default"].cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {table}")
            assert cursor.fetchone()[0] > 0

    @pytest.mark.parametrize("table", MONEY)
    def test_is_never_deleted_or_emptied(self, money, table):
        refused(f"DELETE FROM {table}", by=NOT_ALLOWED)
        refused(f"TRUNCATE {table} CASCADE", by=NOT_ALLOWED)

    @pytest.mark.parametrize("table", MONEY)
    @pytest.mark.parametrize("which", ["ALL", "USER"])
    def test_stays_so_in_spite_of_disable_trigger(self, cast, table, which):
        refused(f"ALTER TABLE {table} DISABLE TRIGGER {which}", by="must be owner")

    def test_moves_between_the_accounts_of_its_kind_once(self, money):
        other = {"document": uuid4()}

        copy_refused(money.transfer, by="transfer_once")
        copy_refused(money.transfer, **other, debit="CASH", by="transfer_accounts")
        copy_refused(money.transfer, **other, amount=0, by="transfer_amount")
        copy(money.transfer, **other)


class TestRules:
    """Nobody but the owner of the schema switches them off."""

    @pytest.mark.parametrize("table", RECORDED)
    @pytest.mark.parametrize("which", ["ALL", "USER"])
    def test_stay_on_in_spite_of_disable_trigger(self, cast, table, which):
        refused(f"ALTER TABLE {table} DISABLE TRIGGER {which}", by="must be owner")

    @pytest.mark.parametrize(
        "statement",
        [
            "SET session_replication_role = 'replica'",
            "SET ROLE revampd_owner",
            "ALTER TABLE billing_invoice OWNER TO revampd_app",
            "ALTER TABLE billing_invoiceline DROP CONSTRAINT invoice_line_authority",
            "DROP TRIGGER IF EXISTS pgtrigger_no_truncate_0 ON billing_invoice",
            "GRANT ALL ON billing_invoice TO revampd_app",
            "CREATE OR REPLACE FUNCTION public._pgtrigger_should_ignore(trigger_name NAME)"
            " RETURNS BOOLEAN AS 'SELECT TRUE' LANGUAGE sql",
        ],
    )
    def test_are_not_the_applications_to_change(self, cast, statement):
        if statement.startswith("GRANT"):
            # PostgreSQL only warns that nothing was granted.
            with transaction.atomic(), connections["default"].cursor() as cursor:
                cursor.execute(statement)
            refused("DELETE FROM billing_invoice", by=NOT_ALLOWED)
        elif statement.startswith("DROP TRIGGER"):
            name = trigger_name(Invoice, "frozen")
            refused(f"DROP TRIGGER {name} ON billing_invoice", by="must be owner")
        else:
            refused(statement, by="")

    def test_hold_against_pgtrigger_ignore(self, books, cast):
        names = [trigger.get_pgid(model) for model, trigger in pgtrigger.registered()]
        with connections["default"].cursor() as cursor:
            cursor.execute(
                "SELECT set_config('pgtrigger.ignore', %s, true)", ["{" + ",".join(names) + "}"]
            )

        state = "UPDATE billing_billingrequest SET state = 'PENDING' WHERE id = %s"
        refused(state, books.rejected.pk, by="decided request never changes")
        copy_refused(books.growth, by="begins undecided")
        refused(*approval(books.pending, cast.noah), by="member of the customer decides")
        copy_refused(cast.growth, number=9, base_price=1_000_01, by="plan price is outside")
        retire = "UPDATE billing_planversion SET retired_at = %s WHERE id = %s"
        accepted(retire, NOW, cast.growth.pk)
        refused(retire, None, cast.growth.pk, by="never changes")

    def test_run_as_a_role_without_powers(self, cast):
        with connections["default"].cursor() as cursor:
            cursor.execute(
                "SELECT current_user, usesuper FROM pg_user WHERE usename = current_user"
            )
            assert cursor.fetchone() == ("revampd_app", False)


def trigger_name(model, name: str) -> str:
    return next(
        trigger.get_pgid(one)
        for one, trigger in pgtrigger.registered()
        if one is model and trigger.name == name
    )


class TestTriggers:
    """They refuse by themselves too: even the owner of the schema, who has every privilege."""

    def test_refuse_the_owner(self, committed_cast):
        tell(keep(committed_cast), committed_cast)

        for table in RECORDED:
            column, value = CHANGES[table]
            for statement in (
                f"UPDATE {table} SET {column} = {value}",
                f"DELETE FROM {table}",
                f"TRUNCATE {table} CASCADE",
            ):
                assert "permission denied" not in refusal_of_the_owner(statement)


def refusal_of_the_owner(statement: str) -> str:
    with (
        pytest.raises(DatabaseError, match=r"never change|append-only|Cannot") as refusal,
        transaction.atomic("owner"),
        connections["owner"].cursor() as cursor,
    ):
        cursor.execute(statement)
    return str(refusal.value)
