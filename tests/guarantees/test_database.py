"""What PostgreSQL itself refuses, whatever the application does: raw SQL as the application's role.

Beside each refused statement stands one that succeeds, so that a refusal is never for a wrong
reason such as a missing column.

The database promises: no line without an approved request of the same connection and kind, no
approval of something that was not proposed first, nobody as the decider who may not decide or who
belongs to the proposing side, no approval after its time; sealed, decided, issued and recorded
rows stay as they are; nothing is charged twice; nothing crosses from one connection to another;
nobody but the schema's owner can switch these rules off.

It cannot promise that the person named as the decider pressed the button: the application has to
be able to write that update, and could write the wrong name of the right group. Nor does it check
that an amount follows from the price (that is arithmetic, proven in tests/billing/pricing), or that
invoice numbers have no gaps (only that none is used twice; see test_cycle.py and test_races.py).
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pgtrigger
import pytest
from django.db import DatabaseError, connections, transaction

from billing.models import (
    AddOn,
    BillingRequest,
    Invoice,
    InvoiceLine,
    PriceLimits,
    Subscription,
    SubscriptionItem,
)
from billing.models.proposals import Proposal
from billing.pricing import Timing
from connections.models import Connection, Event, Membership, Organization, User
from notifications.models import Notification
from tests.cast import Cast
from tests.guarantees.statements import (
    NOT_ALLOWED,
    accepted,
    assert_refused_by,
    copy,
    copy_refused,
    refused,
    settle,
)

NOW = datetime(2026, 11, 10, 9, 30, tzinfo=UTC)
LATER = date(2026, 11, 25)


@dataclass
class Books:
    """Bluebird runs Growth and five numbers, and paid for the setup; more waits or was refused."""

    connection: Connection
    invoice: Invoice  # of Growth
    line: InvoiceLine  # Growth, a month
    item: SubscriptionItem  # Growth
    growth: BillingRequest
    numbers: BillingRequest
    setup: BillingRequest  # billed
    later_charge: BillingRequest  # approved for LATER, not billed yet
    pending: BillingRequest
    rejected: BillingRequest
    foreign: BillingRequest  # approved, of Contoso and Fabrikam


def propose(cast: Cast, item, by: User, connection: Connection, **details) -> BillingRequest:
    proposal = Proposal(item, **details)
    return BillingRequest.propose(proposal, connection=connection, by=by, at=NOW)


@pytest.fixture
def books(cast: Cast) -> Books:
    return keep(cast)


def keep(cast: Cast) -> Books:
    connection = cast.northwind_bluebird

    def offered(item, **details) -> BillingRequest:
        return propose(cast, item, cast.noah, connection, **details)

    def approved(item, **details) -> BillingRequest:
        request = offered(item, **details)
        request.approve(by=cast.ben, seal=request.seal, at=NOW)
        return request

    growth = approved(cast.growth)
    invoice = connection.invoices.get()
    rejected = offered(cast.setup)
    rejected.reject(by=cast.ben, at=NOW)
    foreign = propose(cast, cast.contoso_basic, cast.oscar, cast.contoso_fabrikam)
    foreign.approve(by=cast.fay, seal=foreign.seal, at=NOW)
    line = invoice.lines.get()
    return Books(
        connection=connection,
        invoice=invoice,
        line=line,
        item=line.item,
        growth=growth,
        numbers=approved(cast.phone_numbers, quantity=5),
        setup=approved(cast.setup),
        later_charge=approved(cast.setup, timing=Timing.DATE, effective_date=LATER),
        pending=offered(cast.setup),
        rejected=rejected,
        foreign=foreign,
    )


def draft(books: Books, total: int = 400_00) -> dict:
    """Another invoice of the same connection, and what a line of it for the later charge holds."""
    return draft_details(books, copy(books.invoice, number=90_000, total=total), total)


def draft_details(books: Books, invoice: UUID, total: int = 0) -> dict:
    return {
        "invoice_id": invoice,
        "request_id": books.later_charge.pk,
        "item_id": None,
        "kind": "ONE_TIME",
        "amount": total,
        "period_start": None,
        "period_end": None,
    }


class TestInvoiceLine:
    def test_takes_an_approved_request(self, books):
        copy(books.line, **draft(books))

        settle()

    @pytest.mark.parametrize("which", ["pending", "rejected", "foreign", "growth", "numbers"])
    def test_takes_no_other_request(self, books, which):
        details = draft(books)

        wrong = getattr(books, which).pk
        copy_refused(books.line, **details | {"request_id": wrong}, by="invoice_line_authority")
        copy(books.line, **details)

    def test_is_refused_without_a_request(self, books):
        details = draft(books)

        copy_refused(books.line, **details | {"request_id": None}, by="request_id")
        copy_refused(books.line, **details | {"request_id": uuid4()}, by="invoice_line_authority")
        copy(books.line, **details)

    def test_of_an_item_needs_the_authority_of_that_item(self, books):
        number = SubscriptionItem.objects.get(request=books.numbers)
        details = draft(books, total=149_00) | next_month(books.line)

        other = {"kind": "ADD_ON", "item_id": number.pk}
        copy_refused(books.line, **details | other, by="invoice_line_authority")
        stolen = {"item_id": number.pk}
        copy_refused(books.line, **details | stolen, by="invoice_line_of_item")
        copy(books.line, **details)

    def test_stays_with_the_connection_of_its_invoice(self, books):
        theirs = SubscriptionItem.objects.get(request=books.foreign)
        details = draft(books, total=149_00) | next_month(books.line)

        elsewhere = {
            "connection_id": theirs.connection_id,
            "request_id": books.foreign.pk,
            "item_id": theirs.pk,
        }
        copy_refused(books.line, **details | elsewhere, by="invoice_line_of_invoice")
        copy(books.line, **details)

    def test_bills_a_one_time_charge_once(self, books):
        details = draft(books)

        billed = {"request_id": books.setup.pk}
        copy_refused(books.line, **details | billed, by="one_time_billed_once")
        copy(books.line, **details)

    @pytest.mark.parametrize("shift", [0, 1, 15, 29])
    def test_charges_a_day_of_an_item_once(self, books, shift):
        details = draft(books, total=149_00) | next_month(books.line)

        start = books.line.period_start + timedelta(shift)
        again = {"period_start": start, "period_end": start + timedelta(1)}
        copy_refused(books.line, **details | again, by="item_charged_once")
        copy(books.line, **details)

    def test_gives_a_day_of_an_item_back_once(self, books):
        first = draft(books, total=0) | item_days(books)
        whole = {"amount": 149_00} | next_month(books.line)
        back = item_days(books) | {"amount": -149_00, "position": 2}
        insert_lines(books.line, first | whole, first | back)

        second = copy(books.invoice, number=90_001, total=0)
        shifted = first | back | {"invoice_id": second}
        shifted["period_start"] += timedelta(3)
        copy_refused(books.line, **shifted, by="item_credited_once")
        copy(books.line, **draft_details(books, second))

    def test_covers_at_least_a_day(self, books):
        details = draft(books, total=149_00) | next_month(books.line)

        empty = {"period_end": details["period_start"]}
        copy_refused(books.line, **details | empty, by="invoice_line_kind")
        copy(books.line, **details)

    def test_adds_up_to_the_total(self, books):
        details = draft(books)

        for amount in (399_99, 400_01, 0, -400_00):
            copy_refused(books.line, **details | {"amount": amount}, by="add up to its total")
        copy(books.line, **details)

    def test_is_not_added_to_an_issued_invoice(self, books):
        details = draft(books, total=0)
        copy(books.line, **details)

        second = details | next_month(books.line) | {"position": 2}
        copy_refused(books.line, **second, by="gets no more lines")
        issued = second | {"invoice_id": books.invoice.pk}
        copy_refused(books.line, **issued, by="add up to its total")

    def test_is_not_added_with_another_that_takes_it_back(self, books):
        details = draft(books, total=0)
        copy(books.line, **details)

        charge = details | next_month(books.line) | {"amount": 5, "position": 2}
        back = details | item_days(books) | {"amount": -5, "position": 3}
        with pytest.raises(DatabaseError) as refusal:
            insert_lines(books.line, charge, back)
        assert_refused_by(refusal.value, by="gets no more lines")

    def test_is_what_every_invoice_has(self, books):
        details = draft(books)

        with pytest.raises(DatabaseError) as refusal:
            settle()
        assert_refused_by(refusal.value, by="invoice_has_lines")
        copy(books.line, **details)
        settle()


def next_month(line: InvoiceLine) -> dict:
    """The columns of a plan line for the period after `line`."""
    return {
        "kind": "PLAN",
        "item_id": line.item_id,
        "request_id": line.request_id,
        "period_start": line.period_end,
        "period_end": line.period_end + timedelta(31),
    }


def item_days(books: Books) -> dict:
    """The columns of a plan line for the days that were billed."""
    return {
        "kind": "PLAN",
        "item_id": books.item.pk,
        "request_id": books.growth.pk,
        "period_start": books.line.period_start,
        "period_end": books.line.period_end,
    }


def insert_lines(line: InvoiceLine, *lines: dict) -> None:
    """Several lines in one statement, through the ORM's plain INSERT."""
    fields = {field.column: field.attname for field in InvoiceLine._meta.concrete_fields}
    base = {name: getattr(line, name) for name in fields.values() if name != "id"}
    base.pop("request_state")
    with transaction.atomic():
        InvoiceLine.objects.bulk_create(
            InvoiceLine(**base | {fields[column]: value for column, value in changes.items()})
            for changes in lines
        )


RECORDED = (
    "billing_invoice",
    "billing_invoiceline",
    "billing_billingrequest",
    "billing_planversion",
    "billing_subscriptionitem",
    "connections_event",
    "notifications_notification",
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


@pytest.fixture
def told(books: Books, cast: Cast) -> Books:
    """The same books, of which Ben has been told."""
    tell(books, cast)
    return books


def tell(books: Books, cast: Cast) -> None:
    Notification.objects.create(
        event=Event.objects.filter(connection=books.connection).first(),
        recipient=cast.ben,
        organization=cast.bluebird,
        connection=books.connection,
        side=Notification.Side.CUSTOMER,
        category="BILLING_MANAGEMENT",
        title="Northwind Agency proposes Growth",
    )


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
        accepted("UPDATE billing_invoice SET state = 'PAID' WHERE id = %s", key)
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


class TestRequest:
    def test_begins_undecided(self, books):
        copy_refused(books.growth, by="begins undecided")
        copy_refused(books.pending, state="APPROVED", by="begins undecided")
        copy(books.pending)

    @pytest.mark.parametrize("which", ["growth", "rejected", "foreign", "setup"])
    def test_never_changes_once_decided(self, books, which):
        request = getattr(books, which)
        state = "UPDATE billing_billingrequest SET state = %s WHERE id = %s"

        refused(state, "WITHDRAWN", request.pk, by="decided request never changes")
        for change in ("decision_note = 'fine'", "decided_at = now()", "starts_on = starts_on + 1"):
            refused(
                f"UPDATE billing_billingrequest SET {change} WHERE id = %s",
                request.pk,
                by="decided request never changes",
            )

    @pytest.mark.parametrize(
        "change",
        ["quantity = 2", "note = ''", "terms = '{}'", "seal = ''", "expires_at = 'infinity'"],
    )
    def test_keeps_what_was_sealed_while_it_waits(self, books, change):
        statement = f"UPDATE billing_billingrequest SET {change} WHERE id = %s"

        refused(statement, books.pending.pk, by=NOT_ALLOWED)

    def test_is_approved_by_a_member_of_the_customer_who_may(self, books, cast):
        for stranger in (cast.noah, cast.maya, cast.dora, cast.sam, cast.theo, cast.oscar):
            refused(*approval(books.pending, stranger), by="member of the customer decides")

        accepted(*approval(books.pending, cast.bella))

    def test_is_not_decided_after_its_time(self, books, cast):
        late = books.pending.expires_at

        refused(*approval(books.pending, cast.ben, at=late), by="request_decided_in_time")
        accepted(*approval(books.pending, cast.ben, at=late - timedelta(seconds=1)))

    def test_names_who_decided_and_from_when(self, books, cast):
        statement, *params = approval(books.pending, cast.ben)
        for index, column in ((0, "decided_at"), (2, "starts_on")):
            refused(statement, *blank(params, index), by="request_decision")
            assert column in statement

        accepted(statement, *params)

    def test_is_chosen_only_by_the_person_who_made_it(self, books, cast):
        own = copy(books.pending, made_by="CUSTOMER", proposed_by_id=cast.bella.pk)
        request = BillingRequest.objects.get(pk=own)

        refused(*approval(request, cast.ben), by="request_chosen_by_its_maker")
        accepted(*approval(request, cast.bella))

    @pytest.mark.parametrize(
        ("column", "theirs", "kind", "by"),
        [
            ("plan_version_id", "contoso_basic", "PLAN", "request_plan_of_provider"),
            ("add_on_id", "contoso_add_on", "ADD_ON", "request_add_on_of_provider"),
            ("one_time_charge_id", "contoso_fee", "ONE_TIME", "request_charge_of_provider"),
        ],
    )
    def test_offers_what_its_provider_sells(self, books, cast, column, theirs, kind, by):
        empty = {"plan_version_id": None, "add_on_id": None, "one_time_charge_id": None}
        ours = {"PLAN": cast.growth, "ADD_ON": cast.phone_numbers, "ONE_TIME": cast.setup}[kind]
        item = contoso_item(cast, theirs)

        copy_refused(books.pending, **empty | {"kind": kind, column: item.pk}, by=by)
        copy(books.pending, **empty | {"kind": kind, column: ours.pk})

    def test_offers_exactly_one_thing(self, books, cast):
        two = {"add_on_id": cast.phone_numbers.pk}

        copy_refused(books.pending, **two, by="request_one_item")
        copy_refused(books.pending, one_time_charge_id=None, by="request_one_item")
        copy_refused(books.pending, quantity=2, by="request_one_item")
        copy(books.pending)

    def test_belongs_to_the_provider_of_its_connection(self, books, cast):
        contoso = cast.contoso.pk

        copy_refused(books.pending, provider_id=contoso, by="request_of_provider")
        elsewhere = {"connection_id": cast.contoso_fabrikam.pk}
        copy_refused(books.pending, **elsewhere, by="request_of_provider")
        copy(books.pending)

    def test_revises_one_of_its_own_connection_and_that_once(self, books):
        copy_refused(
            books.pending, revises_id=books.foreign.pk, by="request_revises_same_connection"
        )
        copy(books.pending, revises_id=books.rejected.pk)
        copy_refused(books.pending, revises_id=books.rejected.pk, by="revises_id")


def approval(request: BillingRequest, by: User, at: datetime = NOW) -> tuple:
    statement = """UPDATE billing_billingrequest
        SET state = 'APPROVED', decided_at = %s, decided_by_id = %s, starts_on = %s WHERE id = %s"""
    return statement, at, by.pk, at.date(), request.pk


def blank(params: list, index: int) -> list:
    return [None if position == index else value for position, value in enumerate(params)]


def contoso_item(cast: Cast, name: str):
    if name == "contoso_basic":
        return cast.contoso_basic
    ours = cast.phone_numbers if name == "contoso_add_on" else cast.setup
    key = copy(ours, provider_id=cast.contoso.pk)
    return type(ours).objects.get(pk=key)


class TestItem:
    def test_needs_an_approved_request_of_its_kind(self, books):
        later = {"start_date": LATER, "end_date": LATER, "billed_to": LATER}

        for wrong in (books.pending, books.foreign, books.setup, books.numbers):
            copy_refused(books.item, **later | {"request_id": wrong.pk}, by="item_authority")
        copy(books.item, **later)

    def test_is_the_only_plan_on_a_day(self, books):
        copy_refused(books.item, by="item_one_plan_a_day")
        copy_refused(books.item, start_date=date(2099, 1, 1), by="item_one_plan_a_day")
        accepted("UPDATE billing_subscriptionitem SET end_date = %s WHERE id = %s",
                 LATER, books.item.pk)  # fmt: skip
        copy_refused(books.item, start_date=LATER - timedelta(1), by="item_one_plan_a_day")
        copy(books.item, start_date=LATER)

    def test_stays_on_its_connection(self, books, cast):
        foreign = Subscription.objects.get(connection=cast.contoso_fabrikam)
        later = {"start_date": LATER, "end_date": LATER}

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

    def test_ends_no_earlier_than_it_starts(self, books):
        statement = "UPDATE billing_subscriptionitem SET end_date = start_date %s WHERE id = %s"

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


class TestInvoice:
    def test_has_a_number_of_its_own(self, books):
        copy_refused(books.invoice, by="invoice_number")
        copy_refused(books.invoice, number=0, by="invoice_number_positive")
        copy(books.invoice, number=90_000)
        copy_refused(books.invoice, number=90_000, by="invoice_number")
        copy_clean_up(books)

    def test_is_of_the_provider_of_its_connection(self, books, cast):
        details = {"number": 90_000}

        copy_refused(
            books.invoice, **details, provider_id=cast.contoso.pk, by="invoice_of_provider"
        )
        copy_refused(
            books.invoice,
            **details,
            connection_id=cast.contoso_fabrikam.pk,
            by="invoice_of_provider",
        )
        copy(books.invoice, **details)
        copy_clean_up(books)

    def test_is_never_moved_to_another_connection(self, books, cast):
        statement = "UPDATE billing_invoice SET connection_id = %s WHERE id = %s"

        refused(statement, cast.revampd_bluebird.pk, books.invoice.pk, by=NOT_ALLOWED)

    def test_is_never_negative(self, books):
        copy_refused(books.invoice, number=90_000, total=-1, by="invoice_total")
        copy(books.invoice, number=90_000, total=0)
        copy_clean_up(books)

    def test_is_due_no_earlier_than_it_was_issued(self, books):
        early = books.invoice.issue_date - timedelta(1)

        copy_refused(books.invoice, number=90_000, due_date=early, by="invoice_due_after_issue")
        copy(books.invoice, number=90_000, due_date=books.invoice.issue_date)
        copy_clean_up(books)


def copy_clean_up(books: Books) -> None:
    """Give the invoice a line, so that the transaction could commit."""
    invoice = Invoice.objects.get(number=90_000)
    details = {"invoice_id": invoice.pk, "request_id": books.later_charge.pk, "item_id": None}
    days = {"period_start": None, "period_end": None}
    copy(books.line, **details, **days, kind="ONE_TIME", amount=invoice.total)
    settle()


class TestPrice:
    @pytest.mark.parametrize(
        "beyond",
        [
            {"base_price": 1_000_01},
            {"booking_fee": 500_01},
            {"transfer_fee": 500_01},
            {"base_price": 44_99},
            {"base_price": 40_00, "booking_fee": 4_99},
        ],
    )
    def test_of_a_plan_keeps_to_the_limits(self, cast, beyond):
        copy_refused(cast.growth, number=9, **beyond, by="plan price is outside")
        copy(cast.growth, number=9)
        copy(cast.growth, number=10, base_price=1_000_00, booking_fee=500_00, transfer_fee=500_00)
        copy(cast.growth, number=11, base_price=0, booking_fee=22_00, transfer_fee=23_00)

    @pytest.mark.parametrize("name", ["phone_numbers", "setup"])
    def test_of_other_things_keeps_to_the_limits(self, cast, name):
        item = getattr(cast, name)

        copy_refused(item, name="New", unit_price=1_000_01, by="outside the platform limits")
        copy_refused(item, name="New", unit_price=0, by="_price")
        copy(item, name="New", unit_price=1_000_00)

    def test_is_never_negative(self, cast):
        copy_refused(cast.growth, number=9, base_price=-1, booking_fee=50_00, by="_prices")

    def test_of_revampd_has_no_limits(self, cast):
        tier = copy(cast.growth.plan, provider_id=cast.revampd.pk)

        copy(cast.growth, plan_id=tier, provider_id=cast.revampd.pk, base_price=5_000_00)

    def test_in_a_currency_without_limits_is_refused(self, cast):
        copy_refused(cast.growth, number=9, currency="XXX", by="plan price is outside")
        PriceLimits.objects.create(currency="XXX")
        copy(cast.growth, number=9, currency="XXX")

    def test_beyond_lowered_limits_stays_but_is_not_set_again(self, cast):
        accepted("UPDATE billing_pricelimits SET max_add_on = 100, max_base_price = 5000")
        numbers = cast.phone_numbers.pk

        copy_refused(cast.growth, number=9, by="plan price is outside")
        copy_refused(cast.phone_numbers, name="New", by="outside the platform limits")
        raise_price = "UPDATE billing_addon SET unit_price = %s WHERE id = %s"
        refused(raise_price, 2_60, numbers, by="outside the platform limits")
        accepted("UPDATE billing_addon SET name = 'Numbers' WHERE id = %s", numbers)
        accepted("UPDATE billing_addon SET archived_at = now() WHERE id = %s", numbers)
        accepted(raise_price, 1_00, numbers)
        cast.growth.retire(by=cast.maya, at=NOW)

    def test_can_be_archived_by_the_verb_after_the_limits_were_lowered(self, cast):
        PriceLimits.objects.update(max_add_on=100, max_one_time=100)

        cast.phone_numbers.archive(by=cast.maya, at=NOW)
        cast.setup.archive(by=cast.maya, at=NOW)

        assert not AddOn.objects.on_sale().filter(pk=cast.phone_numbers.pk).exists()


class TestParties:
    def test_has_one_platform(self, cast):
        partner = {"slug": "another", "kind": "PARTNER"}

        copy_refused(cast.revampd, slug="another", by="one_platform")
        copy(cast.revampd, **partner)
        refused(
            "UPDATE connections_organization SET kind = 'PLATFORM' WHERE id = %s",
            Organization.objects.get(slug="another").pk,
            by="one_platform",
        )

    @pytest.mark.parametrize(
        ("provider", "customer"),
        [
            ("bluebird", "northwind"),
            ("northwind", "revampd"),
            ("northwind", "contoso"),
            ("bluebird", "fabrikam"),
        ],
    )
    def test_connects_only_a_provider_with_a_customer(self, cast, provider, customer):
        seller, buyer = getattr(cast, provider), getattr(cast, customer)
        wrong = {
            "provider_id": seller.pk,
            "provider_kind": seller.kind,
            "customer_id": buyer.pk,
            "customer_kind": buyer.kind,
        }

        copy_refused(cast.northwind_bluebird, **wrong, by="connection_kinds")
        copy(cast.northwind_bluebird, customer_id=cast.fabrikam.pk)

    def test_cannot_lie_about_its_kinds(self, cast):
        bluebird = {"provider_id": cast.bluebird.pk, "customer_id": cast.fabrikam.pk}

        copy_refused(cast.northwind_bluebird, **bluebird, by="connection_provider_of_kind")
        partner = {"customer_id": cast.contoso.pk}
        copy_refused(cast.northwind_bluebird, **partner, by="connection_customer_of_kind")
        refused(
            "UPDATE connections_organization SET kind = 'SUB_ORG' WHERE id = %s",
            cast.northwind.pk,
            by="connection_",
        )

    def test_connects_two_parties_once(self, cast):
        copy_refused(cast.northwind_bluebird, by="connection_unique")

    @pytest.mark.parametrize("column", ["sales_owner_id", "support_owner_id"])
    def test_is_looked_after_by_a_member_of_the_provider(self, cast, column):
        theirs = Membership.objects.get(user=cast.ben)
        ours = Membership.objects.get(user=cast.noah)
        statement = f"UPDATE connections_connection SET {column} = %s WHERE id = %s"

        by = f"connection_{column.removesuffix('_id')}_of_provider"
        refused(statement, theirs.pk, cast.northwind_bluebird.pk, by=by)
        accepted(statement, ours.pk, cast.northwind_bluebird.pk)

    def test_stays_the_provider_of_what_it_has_billed(self, books, cast):
        statement = "UPDATE connections_connection SET provider_id = %s WHERE id = %s"

        refused(statement, cast.contoso.pk, books.connection.pk, by="_of_provider")


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
