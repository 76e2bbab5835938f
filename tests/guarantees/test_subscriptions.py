"""What runs: with its authority, on its connection, one plan a day."""

from datetime import date, timedelta

from billing.models import Subscription
from tests.guarantees.history import LATER
from tests.guarantees.statements import NOT_ALLOWED, accepted, copy, copy_refused, refused


class TestItem:
    def test_needs_an_approved_request_of_its_kind(self, books):
        later = {
            "start_date": LATER,
            "end_date": LATER,
            "billed_to": LATER,
            "ending": "REPLACED",
        }

        for wrong in (books.pending, books.foreign, books.setup, books.numbers):
            copy_refused(books.item, **later | {"request_id": wrong.pk}, by="item_authority")
        copy(books.item, **later)

    def test_is_the_only_plan_on_a_day(self, books):
        copy_refused(books.item, by="item_one_plan_a_day")
        copy_refused(books.item, start_date=date(2099, 1, 1), by="item_one_plan_a_day")
        ended = "UPDATE billing_subscriptionitem SET end_date = %s, ending = 'REPLACED'"
        accepted(f"{ended} WHERE id = %s", LATER, books.item.pk)
        copy_refused(books.item, start_date=LATER - timedelta(1), by="item_one_plan_a_day")
        copy(books.item, start_date=LATER)

    def test_stays_on_its_connection(self, books, cast):
        foreign = Subscription.objects.get(connection=cast.contoso_fabrikam)
        later = {"start_date": LATER, "end_date": LATER, "ending": "REPLACED"}

        copy_refused(
            books.item, **later, connection_id=foreign.connection_id, by="item_of_subscription"
        )
        copy_refused(books.item, **later, subscription_id=foreign.pk, by="item_of_subscription")
        refused(
            "UPDATE billing_subscriptionitem SET connection_id = %s WHERE id = %s",
            foreign.connection_id,
            books.item.pk,
            by=NOT_ALLOWED,
        )
        copy(books.item, **later)

    def test_says_why_it_ends(self, books):
        statement = "UPDATE billing_subscriptionitem SET end_date = %s, ending = %s WHERE id = %s"

        for wrong in ((LATER, ""), (LATER, "BORED"), (None, "REMOVED")):
            refused(statement, *wrong, books.item.pk, by="item_ending")
        accepted(statement, LATER, "REMOVED", books.item.pk)

    def test_ends_no_earlier_than_it_starts(self, books):
        ended = "UPDATE billing_subscriptionitem SET end_date = start_date %s, ending = 'REPLACED'"
        statement = f"{ended} WHERE id = %s"

        refused(statement.replace("%s", "- 1", 1), books.item.pk, by="item_dates")
        accepted(statement.replace("%s", "+ 1", 1), books.item.pk)


class TestSubscription:
    def test_is_the_only_one_that_lives(self, books):
        live = Subscription.objects.get(connection=books.connection)

        copy_refused(live, by="subscription_one_live")
        copy(live, end_date=live.start_date)

    def test_keeps_its_items_on_its_connection(self, books, cast):
        statement = "UPDATE billing_subscription SET connection_id = %s WHERE connection_id = %s"

        refused(statement, cast.revampd_bluebird.pk, books.connection.pk, by="item_of_subscription")
        accepted(statement, books.connection.pk, books.connection.pk)
