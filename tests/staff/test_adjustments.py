"""Above an amount it takes two of the staff: proposed by one, approved by another, once."""

import uuid

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.urls import reverse

from billing.models import Adjustment, Credit, Deduction
from billing.models.adjustments import AdjustmentDecided
from billing.models.deductions import InsufficientCredit
from connections.models import Event
from revampd.kit.errors import NotAllowed
from tests.billing.acts import NOW
from tests.books import assert_books_agree
from tests.guarantees.test_races import race
from tests.staff.people import staff

LARGE = 500_01
FORM = {"direction": "ADD", "amount": "500.01", "reason": "Two weeks without service"}


@pytest.fixture
def anna(cast):
    return staff("Finance", name="Anna")


@pytest.fixture
def bert(cast):
    return staff("Finance", name="Bert")


def propose(connection, by, minor=LARGE, key=None) -> Adjustment:
    adjustment = Adjustment.adjust(connection, minor, reason="Sorry", by=by, at=NOW, key=key)
    assert isinstance(adjustment, Adjustment)
    return adjustment


def balance(connection) -> int:
    return connection.credits.balance(connection.currency).minor


class TestAlone:
    @pytest.mark.parametrize("minor", [500_00, -1])
    def test_goes_up_to_the_amount(self, cast, anna, minor):
        Adjustment.adjust(cast.northwind_bluebird, 1, reason="x", by=cast.noah, at=NOW)

        made = Adjustment.adjust(cast.northwind_bluebird, minor, reason="x", by=anna, at=NOW)

        assert isinstance(made, Credit if minor > 0 else Deduction)

    def test_counts_what_one_did_within_a_day_together(self, cast, anna, bert):
        own = cast.northwind_bluebird
        for _ in range(2):
            Adjustment.adjust(own, 250_00, reason="x", by=anna, at=NOW)

        propose(own, anna, 1)
        propose(own, anna, -1)
        assert isinstance(Adjustment.adjust(own, 1, reason="x", by=bert, at=NOW), Credit)

    def test_is_what_a_partner_s_members_decide(self, cast):
        made = Adjustment.adjust(
            cast.northwind_bluebird, 9_000_00, reason="x", by=cast.noah, at=NOW
        )

        assert isinstance(made, Credit)

    def test_is_not_what_revampd_s_members_do_on_their_dashboard(self, cast, as_):
        path = reverse("billing:adjust-wallet", args=[cast.revampd_northwind.pk])

        answer = as_(cast.rhea).post(path, FORM | {"key": uuid.uuid4()}, follow=True)

        assert "second member" in answer.text
        assert balance(cast.revampd_northwind) == 0
        assert Adjustment.objects.pending().count() == 1


class TestApprove:
    def test_puts_it_into_the_wallet_and_says_who(self, cast, anna, bert):
        adjustment = propose(cast.northwind_bluebird, anna)
        assert balance(cast.northwind_bluebird) == 0

        made = adjustment.approve(by=bert, at=NOW)

        assert (made.pk, made.amount, made.issued_by) == (adjustment.pk, LARGE, bert)
        assert (adjustment.state, adjustment.proposed_by) == ("APPROVED", anna)
        codes = Event.objects.about(adjustment).values_list("code", "actor")
        assert set(codes) == {
            ("adjustment.proposed", anna.pk),
            ("adjustment.approved", bert.pk),
        }
        assert_books_agree()

    def test_is_never_by_who_proposed_whatever_their_role(self, cast):
        both = staff("Finance", "Administrator")
        both.is_superuser = True
        both.save()
        adjustment = propose(cast.northwind_bluebird, both)

        with pytest.raises(NotAllowed, match="proposed it yourself"):
            adjustment.approve(by=both, at=NOW)

    @pytest.mark.parametrize("role", ["Support", None])
    def test_is_for_those_whose_role_allows_it(self, cast, anna, role):
        adjustment = propose(cast.northwind_bluebird, anna)
        other = staff(role) if role else cast.noah

        for verb in (adjustment.approve, adjustment.reject):
            with pytest.raises(NotAllowed):
                verb(by=other, at=NOW)

    def test_happens_once_and_then_says_who_was_faster(self, cast, anna, bert):
        adjustment = propose(cast.northwind_bluebird, anna)
        adjustment.approve(by=bert, at=NOW)

        for verb in (adjustment.approve, adjustment.reject):
            with pytest.raises(AdjustmentDecided, match="Bert Tester approved it already"):
                verb(by=bert, at=NOW)
        assert balance(cast.northwind_bluebird) == LARGE

    def test_takes_nothing_out_that_is_not_there_any_more(self, cast, anna, bert):
        own = cast.northwind_bluebird
        Credit.adjust(own, LARGE, reason="x", by=cast.noah, at=NOW)
        adjustment = propose(own, anna, -LARGE)
        Credit.adjust(own, -1, reason="x", by=cast.noah, at=NOW)

        with pytest.raises(InsufficientCredit):
            adjustment.approve(by=bert, at=NOW)
        adjustment.refresh_from_db()
        assert adjustment.state == "PENDING"


class TestReject:
    def test_leaves_the_wallet_alone_also_by_who_proposed(self, cast, anna):
        adjustment = propose(cast.northwind_bluebird, anna)

        adjustment.reject(by=anna, at=NOW)

        assert adjustment.state == "REJECTED"
        assert balance(cast.northwind_bluebird) == 0


class TestProposing:
    def test_twice_with_one_key_is_one(self, cast, anna):
        key = uuid.uuid4()

        first, second = (propose(cast.northwind_bluebird, anna, key=key) for _ in range(2))

        assert first == second
        assert Adjustment.objects.count() == 1

    def test_takes_no_more_than_the_wallet_holds(self, cast, anna):
        Credit.adjust(cast.northwind_bluebird, LARGE - 1, reason="x", by=cast.noah, at=NOW)

        with pytest.raises(InsufficientCredit, match="The wallet holds"):
            propose(cast.northwind_bluebird, anna, -LARGE)
        assert not Adjustment.objects.exists()


class TestRow:
    def test_cannot_be_approved_by_one_alone(self, cast, anna, bert):
        adjustment = propose(cast.northwind_bluebird, anna)
        rows = Adjustment.objects.filter(pk=adjustment.pk)

        for wrong in (
            {"state": "APPROVED", "decided_by": anna, "decided_at": NOW},
            {"state": "APPROVED"},
            {"decided_by": bert},
            {"amount": 1},
            {"proposed_by": bert},
        ):
            with pytest.raises(DatabaseError), transaction.atomic():
                rows.update(**wrong)

    def test_begins_undecided_and_stays_decided(self, cast, anna, bert):
        adjustment = propose(cast.northwind_bluebird, anna)
        adjustment.reject(by=bert, at=NOW)

        with pytest.raises(DatabaseError), transaction.atomic():
            Adjustment.objects.update(state="PENDING", decided_by=None, decided_at=None)
        with pytest.raises(DatabaseError), transaction.atomic():
            adjustment.delete()
        adjustment.pk = uuid.uuid4()
        with pytest.raises(IntegrityError), transaction.atomic():
            adjustment.save(force_insert=True)


class TestPages:
    def test_propose_approve_and_refuse_to_do_it_alone(self, cast, anna, bert, as_):
        path = reverse("admin:adjust-wallet", args=[cast.northwind_bluebird.pk])
        fields = FORM | {"key": uuid.uuid4()}
        assert "second member of staff" in as_(anna).post(path, fields, follow=True).text
        as_(anna).post(path, fields)
        adjustment = Adjustment.objects.get()
        approve = reverse("admin:approve-adjustment", args=[adjustment.pk])
        page = reverse("admin:billing_adjustment_change", args=[adjustment.pk])

        assert approve not in as_(anna).get(page).text
        assert as_(anna).post(approve, {"sure": "True"}).status_code == 403
        assert approve in as_(bert).get(page).text
        assert as_(bert).post(approve, {"sure": "True"}).status_code == 302
        assert as_(bert).post(approve, {"sure": "True"}).status_code == 409
        assert balance(cast.northwind_bluebird) == LARGE


class TestRaces:
    @pytest.mark.parametrize("seed", range(3))
    def test_of_many_who_decide_one_does(self, committed_cast, seed):
        own = committed_cast.northwind_bluebird
        anna, *others = (staff("Finance", name=f"Person-{n}") for n in range(5))
        adjustment = propose(own, anna)

        def act(verb, by):
            return lambda: getattr(Adjustment.objects.get(pk=adjustment.pk), verb)(by=by, at=NOW)

        acts = [act("approve", by) for by in others]
        acts += [act("approve", anna)] * 3 + [act("reject", others[0])]
        race(*acts * 2, seed=seed)

        adjustment.refresh_from_db()
        assert adjustment.decided_by in others
        expected = LARGE if adjustment.state == "APPROVED" else 0
        assert balance(own) == expected
        assert Credit.objects.count() == (1 if expected else 0)
        assert_books_agree()

    def test_a_form_replayed_at_once_proposes_once_and_splitting_helps_nobody(self, committed_cast):
        own, anna = committed_cast.northwind_bluebird, staff("Finance")
        key = uuid.uuid4()

        race(*[lambda: propose(own, anna, key=key)] * 6, seed=1)
        race(*[lambda: Adjustment.adjust(own, 200_00, reason="x", by=anna, at=NOW)] * 6, seed=2)

        assert Adjustment.objects.filter(pk=key).count() == 1
        assert balance(own) == 400_00
