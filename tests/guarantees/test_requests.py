"""Requests: who decides, when, and what is sealed."""

from datetime import datetime, timedelta

import pytest

from billing.models import BillingRequest
from connections.models import User
from tests.cast import Cast
from tests.guarantees.history import NOW
from tests.guarantees.statements import NOT_ALLOWED, accepted, copy, copy_refused, refused


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
