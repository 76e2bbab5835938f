"""The check of the books: nothing to say of a long story, and each planted fault named first."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any
from uuid import uuid4

import pgtrigger
import pytest
from django.core.management import CommandError, call_command
from django.db import connections, transaction

from billing.books import COMPARISONS, comparison, differences
from billing.collecting import pay
from billing.cycle import bill_due
from billing.models import (
    BillingRequest,
    BooksCheck,
    Credit,
    CreditApplication,
    CreditNote,
    Invoice,
    InvoiceSeries,
    Payment,
    Refund,
    SubscriptionItem,
    Transfer,
    UsageRecord,
)
from billing.models.proposals import Proposal
from billing.pricing import Measure
from billing.refunding import resolve_refund
from billing.tasks import verify_books
from connections.models import Event, Outbox
from revampd.kit.locking import lock
from tests.billing.acts import NOW, agree, day, noon
from tests.billing.payments.acts import add_card
from tests.books import assert_books_agree
from tests.cast import Cast, assemble

WHERE = "Northwind Agency → Bluebird Clinic: "


def adjust(cast: Cast, minor: int, reason: str, at: datetime = NOW) -> Any:
    return Credit.adjust(cast.northwind_bluebird, minor, reason=reason, by=cast.noah, at=at)


def tell_story(cast: Cast) -> None:
    """Credits, payments, a credit note with its refund, a void, a write-off, changes of the plan.

    INV-00001 is Growth, paid by two credits; INV-00002 the setup, paid by card and corrected;
    INV-00004 is void, INV-00005 written off.
    """
    connection = cast.northwind_bluebird
    for minor, reason in ((100_00, "Welcome"), (80_00, "Sorry")):
        adjust(cast, minor, reason)
    agree(cast)
    agree(cast, cast.phone_numbers, quantity=5)
    agree(cast, cast.setup)
    card = add_card(connection, cast.ben)
    setup = connection.invoices.get(number=2)
    pay(setup, card, cause=Payment.Cause.PERSON, by=cast.ben, at=NOW)
    line = setup.lines.get()
    CreditNote.issue(setup, {line.pk: 99_99}, reason="Late", by=cast.noah, at=NOW)
    resolve_refund(Refund.objects.get(), at=NOW)
    agree(cast, cast.scale, at=noon(2026, 11, 20))
    adjust(cast, 30_00, "Again", noon(2026, 11, 20))
    adjust(cast, -10_00, "Too much", noon(2026, 11, 21))
    bill_due(day("2026-12-10"), at=noon(2026, 12, 10))
    agree(cast, cast.setup, noon(2026, 12, 11))
    agree(cast, cast.setup, noon(2026, 12, 12))
    void = connection.invoices.get(number=4)
    void.void(reason="Ordered twice", by=cast.noah, at=noon(2026, 12, 13))
    lost = connection.invoices.get(number=5)
    lost.write_off(reason="Not worth it", by=cast.noah, at=noon(2026, 12, 14))
    agree(cast, cast.growth_yearly, at=noon(2026, 12, 20))
    use(cast)
    bill_due(day("2028-01-02"), at=noon(2028, 1, 2))


def use(cast: Cast) -> None:
    """Fabrikam pays by the booking, once a year."""
    connection = cast.contoso_fabrikam
    plan = cast.contoso_basic.plan.publish(
        by=cast.oscar, at=NOW, interval="YEAR", base_price=200_00, booking_fee=2_00
    )
    request = BillingRequest.propose(
        Proposal(plan), connection=connection, by=cast.oscar, at=noon(2026, 12, 20)
    )
    request.approve(by=cast.fay, seal=request.seal, at=noon(2026, 12, 20))
    for number in (1, 2):
        UsageRecord.enter(
            connection,
            measure=Measure.BOOKING,
            used_on=day(f"2026-12-2{number}"),
            quantity=number,
            key=f"booking {number}",
            by=cast.oscar,
            at=noon(2026, 12, 23),
        )


@pytest.fixture(scope="module")
def played(django_db_setup: None, django_db_blocker: Any) -> Iterator[Cast]:
    """The story, told by the schema's owner: the only one who can break the rules."""
    application = connections["default"]
    with django_db_blocker.unblock():
        connections["default"] = connections["owner"]
        try:
            with transaction.atomic(durable=False):
                connections["owner"].atomic_blocks[-1]._from_testcase = True  # type: ignore[attr-defined]
                cast = assemble()
                tell_story(cast)
                yield cast
                transaction.set_rollback(True)
        finally:
            connections["default"] = application
            connections["owner"].run_on_commit = []
            connections["owner"].close()


@pytest.fixture
def story(played: Cast) -> Iterator[Cast]:
    """The story. What a test plants in it is undone."""
    savepoint = transaction.savepoint()
    yield played
    transaction.savepoint_rollback(savepoint)


def plant(statement: str, *params: Any) -> None:
    """Break the books behind the back of every trigger."""
    triggers = [trigger.get_pgid(model) for model, trigger in pgtrigger.registered()]
    with connections["default"].cursor() as cursor:
        ignored = "{" + ",".join(triggers) + "}"
        cursor.execute("SELECT set_config('pgtrigger.ignore', %s, true)", [ignored])
        cursor.execute(statement, params)
        assert cursor.rowcount > 0
        cursor.execute("SELECT set_config('pgtrigger.ignore', '', true)")


def first_difference() -> str:
    return differences()[0].removeprefix(WHERE)


def invoice(number: int) -> Invoice:
    return Invoice.objects.get(number=number, provider__name="Northwind Agency")


class TestDifferences:
    def test_has_none_in_an_honest_story(self, story):
        assert_books_agree()
        assert Transfer.objects.values("kind").distinct().count() >= 11

    def test_of_some_connections_are_theirs_alone(self, story):
        plant("DELETE FROM billing_transfer WHERE kind = 'PAID'")

        assert differences([story.northwind_bluebird])
        assert_books_agree(story.contoso_fabrikam)

    def test_are_shown_up_to_a_hundred_with_the_number_of_all(self, story, monkeypatch):
        monkeypatch.setattr(comparison, "SHOWN", 2)
        plant("UPDATE billing_invoice SET paid = paid + 1 WHERE state = 'OPEN'")
        open_invoices = Invoice.objects.open().count()

        found = [one for one in differences() if "paid" in one or one.startswith("And ")]

        assert len(found) == 3
        assert found[2] == f"And {open_invoices - 2:,} more like the last."


class TestFault:
    """What each fault of the books reads as."""

    def test_a_missing_transfer(self, story):
        plant("DELETE FROM billing_transfer WHERE document = %s", invoice(1).pk)

        assert first_difference() == (
            "Invoice issued of INV-00001 is $149.00 by its document, nothing in the ledger."
        )

    def test_a_transfer_without_its_document(self, story):
        [number] = Transfer.objects.filter(kind="PAID").values_list("pk", flat=True)
        plant("UPDATE billing_transfer SET document = %s WHERE id = %s", uuid4(), number)

        found = [sentence.removeprefix(WHERE) for sentence in differences()]
        paid = Payment.objects.get().total
        assert found[:2] == [
            f"Payment of INV-00002 is {paid} by its document, nothing in the ledger.",
            f"Payment #{number} is nothing by its document, {paid} in the ledger.",
        ]

    def test_a_transfer_of_another_amount(self, story):
        plant("UPDATE billing_transfer SET amount = amount + 1 WHERE document = %s", invoice(2).pk)

        assert first_difference() == (
            "Invoice issued of INV-00002 is $400.00 by its document, $400.01 in the ledger."
        )

    def test_a_transfer_of_another_connection(self, story):
        credit = Credit.objects.earliest("issued_at", "id")
        foreign = story.contoso_fabrikam.pk
        plant(
            "UPDATE billing_transfer SET connection_id = %s WHERE document = %s", foreign, credit.pk
        )

        number = Transfer.objects.get(document=credit.pk).pk
        assert differences()[0] == (
            f"Contoso Media → Fabrikam: Credit granted #{number} is nothing by its document,"
            f" {credit.total} in the ledger."
        )

    def test_a_void_that_was_not_booked(self, story):
        plant("UPDATE billing_invoice SET state = 'VOID' WHERE number = 5")

        assert first_difference() == (
            "Invoice void of INV-00005 is $400.00 by its document, nothing in the ledger."
        )
        assert any("Written off #" in sentence for sentence in differences())

    def test_a_total_that_is_not_that_of_its_lines(self, story):
        plant("UPDATE billing_invoiceline SET amount = amount + 2, unit_price = unit_price + 2"
              " WHERE invoice_id = %s", invoice(5).pk)  # fmt: skip

        assert first_difference() == (
            "The total of INV-00005 is $400.00, but its lines come to $400.02."
        )

    @pytest.mark.parametrize(
        ("table", "column", "sentence"),
        [
            ("credit", "applied", "What was used of “Welcome” is "),
            ("creditapplication", "returned", "What was returned of a credit of INV-0000"),
            ("payment", "refunded", "What was refunded of INV-00002 is "),
            (
                "invoice",
                "credited",
                "What credits paid of INV-00006 is $0.01, but",
            ),
            ("invoice", "paid", "What was paid of INV-00006 is $0.01, but the payments come to"),
            (
                "invoice",
                "corrected",
                "What is corrected of INV-00006 is $0.01, but",
            ),
        ],
    )
    def test_a_kept_column_that_is_off(self, story, table, column, sentence):
        rows = {
            "credit": "reason = 'Welcome'",
            "creditapplication": "returned > 0",
            "payment": "refunded > 0",
            "invoice": "number = 6",
        }
        step = "- 1" if table in ("credit", "creditapplication") else "+ 1"
        plant(f"UPDATE billing_{table} SET {column} = {column} {step} WHERE {rows[table]}")

        assert sentence in first_difference()

    def test_an_amount_held_by_no_payment(self, story):
        plant("UPDATE billing_invoice SET held = 1 WHERE number = 6")

        assert first_difference() == (
            "What is held of INV-00006 is $0.01, but the payments under way come to $0.00."
        )

    def test_a_credit_note_beside_its_lines(self, story):
        plant("UPDATE billing_creditnoteline SET amount = amount - 1")

        assert first_difference() == (
            "A credit note of INV-00002 is $99.99, but its lines come to $99.98."
        )

    def test_a_deduction_beside_the_credits_it_took(self, story):
        plant("UPDATE billing_deduction SET amount = amount + 1")

        assert first_difference() == (
            "The amount of “Too much” is $10.01, but the credits that it took come to $10.00."
        )

    def test_an_application_out_of_order(self, story):
        connection, at = lock(story.northwind_bluebird), noon(2028, 1, 3)
        first = adjust(story, 5_00, "First", at)
        second = adjust(story, 5_00, "Second", at + timedelta(hours=1))
        due = connection.invoices.open().latest("number")
        wrong = CreditApplication.objects.create(
            connection=connection, credit=second, invoice=due, amount=2_00, applied_at=at
        )
        assert first.issued_at < second.issued_at
        plant(
            "INSERT INTO billing_transfer"
            " (connection_id, kind, debit, credit, amount, document, at)"
            " VALUES (%s, 'APPLIED', 'WALLET', 'RECEIVABLE', 200, %s, %s)",
            *(connection.pk, wrong.pk, at),
        )

        assert differences() == [
            f"{WHERE}“Second” of {due.code} was used for $2.00 while an older credit held $5.00."
        ]

    def test_a_line_beyond_its_terms(self, story):
        """Everything else agrees: the total, the transfer and the credits."""
        plant("UPDATE billing_invoiceline SET amount = amount + 1, unit_price = unit_price + 1"
              " WHERE invoice_id = %s", invoice(5).pk)  # fmt: skip
        plant("UPDATE billing_invoice SET total = total + 1 WHERE number = 5")
        plant("UPDATE billing_transfer SET amount = amount + 1 WHERE document = %s", invoice(5).pk)

        assert differences() == [
            f"{WHERE}The amount of “Setup” of INV-00005 is $400.01, approved as $400.00.",
            f"{WHERE}The unit price of “Setup” of INV-00005 is $400.01, approved as $400.00.",
        ]

    def test_a_line_of_more_than_was_approved(self, story):
        plant("UPDATE billing_invoiceline SET quantity = 6 WHERE quantity = 5 AND position = 5")

        assert first_difference() == (
            "The quantity of “5 × Phone number, 10 Dec 2026 – 9 Jan 2027” of INV-00003 is 6,"
            " approved as 5."
        )

    def test_a_line_whose_request_is_of_other_terms(self, story):
        growth = invoice(1).lines.get()
        other = invoice(2).connection.billing_requests.get(terms__name="Scale")
        with connections["default"].cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        for table, column in (("subscriptionitem", "id"), ("invoiceline", "item_id")):
            plant(
                f"UPDATE billing_{table} SET request_id = %s WHERE {column} = %s",
                *(other.pk, growth.item_id),
            )

        assert "of “Growth, 10 Nov – 9 Dec 2026” of INV-00001 is $149.00, approved as $297.00." in (
            first_difference()
        )

    def test_usage_that_is_billed_by_no_line(self, story):
        plant("UPDATE billing_usagerecord SET line_id = NULL WHERE key = 'booking 2'")

        assert differences() == [
            "Contoso Media → Fabrikam: “3 bookings, 21 Dec – 22 Dec 2026” of INV-00002 charges 3,"
            " but 1 were entered for its days."
        ]

    def test_usage_at_another_fee(self, story):
        plant("UPDATE billing_subscriptionitem SET booking_fee = 100 WHERE booking_fee > 0")
        plant("UPDATE billing_invoiceline SET unit_price = 100 WHERE measure <> ''")

        assert differences() == [
            "Contoso Media → Fabrikam: The unit price of “3 bookings, 21 Dec – 22 Dec 2026” of"
            " INV-00002 is $1.00, approved as $2.00."
        ]

    def test_a_number_that_was_skipped(self, story):
        last = InvoiceSeries.objects.get(provider=story.northwind).last_number
        plant("UPDATE billing_invoice SET number = number + 1 WHERE number = %s", last)

        assert differences() == [
            f"Northwind Agency: of its invoices, the numbers {last} to {last} are missing.",
            f"Northwind Agency: the last of its invoices is number {last + 1},"
            f" but {last} were given out.",
        ]

    def test_a_period_that_was_skipped(self, story):
        running = SubscriptionItem.objects.get(name="Growth", kind="PLAN", end_date=None)
        plant(
            "UPDATE billing_subscriptionitem SET billed_to = '2029-12-20' WHERE id = %s", running.pk
        )

        assert first_difference() == (
            "The number of days charged of “Growth” since 20 Dec 2026 is 731, and should be 1096."
        )

    def test_days_given_back_that_were_used(self, story):
        given = SubscriptionItem.objects.get(name="Growth", start_date=day("2026-11-10"))
        plant(
            "UPDATE billing_subscriptionitem SET billed_to = billed_to + 1 WHERE id = %s",
            given.pk,
        )

        assert first_difference() == (
            "The number of days given back that are billed of “Growth” since 10 Nov 2026 is 1,"
            " and should be 0."
        )

    def test_an_account_that_its_documents_do_not_explain(self, story):
        """Last of all: whatever makes an account wrong is named by a document before it."""
        plant("UPDATE billing_invoice SET total = total + 5 WHERE number = 5")

        receivable = [one for one in differences() if one.startswith(f"{WHERE}Written off is")]
        assert len(receivable) == 1
        assert COMPARISONS[-1].sentence.startswith("{what} is {one}, but the balance by the ledger")


class TestVerifyBooks:
    def verify(self) -> str:
        out = StringIO()
        call_command("verify_books", stdout=out)
        return out.getvalue()

    def test_says_that_the_books_agree(self, story):
        assert self.verify() == "The books agree.\n"

    def test_fails_with_the_first_difference(self, story):
        plant("DELETE FROM billing_transfer WHERE document = %s", invoice(1).pk)

        with pytest.raises(CommandError) as failure:
            self.verify()
        assert failure.value.returncode == 1
        assert str(failure.value).splitlines()[0] == differences()[0]


class TestBooksCheck:
    def test_is_kept_and_tells_nobody_if_the_books_agree(self, story):
        assert verify_books() == 0

        check = BooksCheck.objects.get()
        assert (check.is_clean, check.first_difference) == (True, "")
        assert not Event.objects.about(check).exists()

    def test_tells_staff_of_differences(self, story):
        plant("DELETE FROM billing_transfer WHERE document = %s", invoice(1).pk)

        assert verify_books() == len(differences())

        check = BooksCheck.objects.get()
        assert check.differences == differences()
        event = Event.objects.about(check).get()
        assert event.organization == story.revampd
        assert event.facts == {"number": len(differences()), "first": check.first_difference}
        assert Outbox.objects.filter(event=event).exists()
        assert check.checked_at <= datetime.now(UTC)
