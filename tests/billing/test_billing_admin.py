"""Billing in the admin: read-only where rows only grow, verbs elsewhere, amounts as decimals."""

import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from billing.checking import check_books
from billing.gateways.base import Claim, ClaimState
from billing.models import (
    AddOn,
    BillingRun,
    BooksCheck,
    Credit,
    Discrepancy,
    Dispute,
    GatewayEvent,
    Plan,
    PlanVersion,
    PriceLimits,
)
from connections.models import Event, User
from revampd.kit.money import Money as Amount
from tests.billing.acts import NOW
from tests.billing.deals import many_requests, propose, queries, run
from tests.billing.payments.acts import fresh
from tests.books import assert_books_agree
from tests.guarantees.history import Money, spend
from tests.pages import text

PAGES = (
    *("plan", "planversion", "addon", "onetimecharge", "pricelimits", "billingrequest"),
    *("subscription", "subscriptionitem", "invoice", "invoiceline", "invoiceseries"),
)
MONEY = (
    *("credit", "creditapplication", "creditreturn", "deduction", "transfer", "paymentmethod"),
    *("payment", "refund", "creditnote", "creditnoteline", "document", "usagerecord"),
    *("dispute", "gatewayevent", "billingrun", "discrepancy", "bookscheck"),
)


@pytest.fixture
def staff(cast, as_) -> Client:
    rhea = User.objects.get(pk=cast.rhea.pk)
    rhea.is_superuser = True
    rhea.save(update_fields=["is_superuser"])
    cast.rhea = rhea
    return as_(rhea)


def listed(model: str) -> str:
    return reverse(f"admin:billing_{model}_changelist")


class TestEveryList:
    @pytest.mark.parametrize("model", PAGES)
    def test_opens_with_search_and_shows_a_row(self, cast, staff, model):
        run(cast)
        run(cast, cast.setup)

        page = staff.get(listed(model), {"q": "1"} if model != "pricelimits" else {})
        rows = staff.get(listed(model)).context["cl"].result_list

        assert page.status_code == 200
        change = reverse(f"admin:billing_{model}_change", args=[rows[0].pk])
        assert staff.get(change).status_code == 200

    @pytest.mark.parametrize("model", PAGES)
    def test_adds_and_deletes_nothing(self, cast, staff, model):
        run(cast)
        row = staff.get(listed(model)).context["cl"].result_list[0]

        assert staff.get(reverse(f"admin:billing_{model}_add")).status_code == 403
        delete = reverse(f"admin:billing_{model}_delete", args=[row.pk])
        assert staff.post(delete, {"post": "yes"}).status_code == 403

    @pytest.mark.parametrize("model", [page for page in PAGES if page != "pricelimits"])
    def test_changes_nothing(self, cast, staff, model):
        run(cast)
        row = staff.get(listed(model)).context["cl"].result_list[0]

        change = reverse(f"admin:billing_{model}_change", args=[row.pk])
        assert staff.post(change, {"name": "Changed"}).status_code == 403

    def test_shows_amounts_as_money(self, cast, staff):
        run(cast)

        assert "$149.00" in text(staff.get(listed("invoice")))
        assert "14900" not in text(staff.get(listed("planversion")))

    def test_costs_the_same_with_many_rows(self, cast, staff):
        pattern = propose(cast)
        few = queries(staff, listed("billingrequest"))
        many_requests(pattern, 40)

        assert queries(staff, listed("billingrequest")) == few


class TestPriceLimits:
    VALUES = {
        "max_base_price": "1200.50",
        "max_usage_fee": "500.00",
        "min_plan_total": "45.00",
        "max_add_on": "1000.00",
        "max_one_time": "1000.00",
    }

    def test_are_changed_in_decimals_and_recorded(self, cast, staff):
        path = reverse("admin:billing_pricelimits_change", args=["USD"])
        assert 'value="1000.00"' in text(staff.get(path))

        staff.post(path, self.VALUES)

        limits = PriceLimits.objects.get()
        assert limits.max_base_price == 1200_50
        event = Event.objects.about(limits).get()
        assert event.actor == cast.rhea
        assert event.facts["after"]["max_base_price"]["minor"] == 1200_50

    @pytest.mark.parametrize("typed", ["-1", "1e3", "NaN", "1_000", "0"])
    def test_refuse_what_is_no_limit(self, cast, staff, typed):
        path = reverse("admin:billing_pricelimits_change", args=["USD"])

        page = staff.post(path, self.VALUES | {"max_base_price": typed})

        assert page.status_code == 200
        assert page.context["errors"]
        assert PriceLimits.objects.get().max_base_price == 1000_00


class TestActions:
    def act(self, staff: Client, model: str, action: str, *rows) -> str:
        data = {"action": action, "_selected_action": [row.pk for row in rows]}
        return text(staff.post(listed(model), data, follow=True))

    def test_archive_what_is_on_sale(self, cast, staff):
        self.act(staff, "addon", "archive", cast.phone_numbers)
        self.act(staff, "plan", "archive", cast.growth.plan)

        assert AddOn.objects.get(pk=cast.phone_numbers.pk).archived_at
        assert Plan.objects.get(pk=cast.growth.plan.pk).archived_at

    def test_say_which_row_refused(self, cast, staff):
        self.act(staff, "addon", "archive", cast.phone_numbers)

        page = self.act(staff, "addon", "archive", cast.phone_numbers)

        assert "Phone number is off sale already." in page

    def test_retire_a_version(self, cast, staff):
        self.act(staff, "planversion", "retire", cast.growth)

        assert PlanVersion.objects.get(pk=cast.growth.pk).retired_at


@pytest.fixture
def money(cast) -> Money:
    """A row of everything that money leaves behind."""
    run(cast)
    connection = cast.northwind_bluebird
    BillingRun.objects.create(started_at=NOW, connections=4, done=1)
    Discrepancy.open(connection, "Growth is billed twice.", on=NOW.date(), at=NOW)
    about = f"connections.connection:{connection.pk}"
    check = BooksCheck.objects.create(checked_at=NOW, comparisons=2, done=2)
    check.finish([("First.", about), ("Second.", "")], at=NOW)
    GatewayEvent.objects.create(
        gateway="sandbox",
        event_id="evt_1",
        kind="charge.succeeded",
        body=b'{"id": "evt_1"}',
        received_at=NOW,
        problem="Nobody knows this charge.",
    )
    return spend(connection, cast.setup, cast.noah, cast.ben)


@pytest.fixture
def disputed(money) -> Dispute:
    """A part of what was paid, which the bank was asked to take back."""
    claim = Claim("dp_1", money.payment.pk, Amount(1_00), ClaimState.OPEN, "fraudulent")
    return Dispute.learn(money.payment, claim, gateway="sandbox", at=NOW)


def change(row: Any) -> str:
    return reverse(f"admin:billing_{row._meta.model_name}_change", args=[row.pk])


class TestMoney:
    @pytest.mark.parametrize("model", MONEY)
    def test_is_listed_searched_and_read(self, disputed, staff, model):
        rows = staff.get(listed(model)).context["cl"].result_list

        assert staff.get(listed(model), {"q": "north"}).status_code == 200
        assert staff.get(change(rows[0])).status_code == 200
        assert staff.get(reverse(f"admin:billing_{model}_add")).status_code == 403
        assert staff.post(change(rows[0]), {"amount": "1"}).status_code == 403

    def test_is_shown_as_money(self, money, staff):
        assert "$50.00" in text(staff.get(listed("creditapplication")))
        assert "$400.00" in text(staff.get(listed("transfer")))

    def test_shows_a_webhook_and_no_file(self, money, staff):
        event = GatewayEvent.objects.get()

        assert "evt_1" in text(staff.get(change(event)))
        assert "PDF" not in text(staff.get(change(money.document))).split("<fieldset")[1]

    def test_shows_every_difference_and_the_first_in_the_list(self, money, staff):
        page = text(staff.get(listed("bookscheck")))
        assert "First." in page
        assert "Second." not in page

        page = text(staff.get(change(BooksCheck.objects.get())))
        url = reverse("admin:connections_connection_change", args=[money.connection.pk])
        assert f'The first, which is closest to the cause: <a href="{url}">First.</a>' in page
        assert "<li>Second.</li>" in page

    def test_costs_the_same_with_many_rows(self, money, staff, cast):
        few = queries(staff, listed("transfer")), queries(staff, listed("creditapplication"))
        for _ in range(10):
            Credit.adjust(money.connection, 5, reason="More", by=cast.noah, at=NOW)
            Credit.adjust(money.connection, -5, reason="Less", by=cast.noah, at=NOW)

        assert queries(staff, listed("transfer")) <= few[0]
        assert queries(staff, listed("creditapplication")) <= few[1]


class TestVoid:
    def test_asks_for_a_reason_and_voids(self, money, staff):
        path = reverse("admin:void-invoice", args=[money.due.pk])
        assert path in text(staff.get(change(money.due)))
        assert "$400.00" in text(staff.get(path))

        assert staff.post(path, {"reason": ""}).status_code == 422
        answer = staff.post(path, {"reason": "Ordered twice"}, follow=True)

        assert "is void" in text(answer)
        assert fresh(money.due).state == "VOID"
        assert_books_agree()

    def test_says_why_not_and_does_it_once(self, money, staff):
        path = reverse("admin:void-invoice", args=[money.paid.pk])
        answer = staff.post(path, {"reason": "No"})
        assert answer.status_code == 409
        assert "was paid by card" in text(answer)

        path = reverse("admin:void-invoice", args=[money.due.pk])
        staff.post(path, {"reason": "Ordered twice"})
        assert staff.post(path, {"reason": "Ordered twice"}).status_code == 409

    def test_waits_for_the_bank_to_decide(self, money, disputed, staff):
        path = reverse("admin:void-invoice", args=[money.paid.pk])

        answer = staff.post(path, {"reason": "No"})

        assert answer.status_code == 409
        assert "$1.00 of it are disputed" in text(answer)
        assert fresh(money.paid).state == "PAID"

    def test_is_for_those_who_may_change_invoices(self, money, cast, as_):
        path = reverse("admin:void-invoice", args=[money.due.pk])

        assert as_(cast.rhea).post(path, {"reason": "No"}).status_code == 403
        assert fresh(money.due).state == "OPEN"


class TestWriteOff:
    def test_gives_up_what_is_owed(self, money, staff):
        path = reverse("admin:write-off-invoice", args=[money.due.pk])
        assert path in text(staff.get(change(money.due)))

        staff.post(path, {"reason": "Out of business"})

        assert fresh(money.due).state == "UNCOLLECTIBLE"
        assert path not in text(staff.get(change(money.due)))
        assert_books_agree()


class TestAdjust:
    def fields(self, **changes: Any) -> dict[str, Any]:
        key = uuid.uuid4()
        return {"key": key, "direction": "ADD", "amount": "12.50", "reason": "Sorry"} | changes

    def test_adds_credit_once_however_often_it_is_sent(self, money, staff):
        path = reverse("admin:adjust-wallet", args=[money.connection.pk])
        assert path in text(staff.get(change(money.credit)))
        connection = reverse("admin:connections_connection_change", args=[money.connection.pk])
        assert path in text(staff.get(connection))

        fields = self.fields()
        assert "$107.50" in text(staff.post(path, fields, follow=True))
        staff.post(path, fields)

        [credit] = Credit.objects.filter(amount=12_50)
        assert (credit.reason, credit.issued_by.email) == ("Sorry", "rhea@example.com")

    def test_says_beside_the_field_what_is_wrong(self, money, staff):
        path = reverse("admin:adjust-wallet", args=[money.connection.pk])

        wrong = {"amount": "0", "reason": "", "direction": "TAKE"}
        for field, value in wrong.items():
            fields = self.fields(direction="TAKE", amount="1000") | {field: value}
            answer = staff.post(path, fields)
            assert answer.status_code == 422
            concerned = "amount" if field == "direction" else field
            assert answer.context["form"].errors[concerned]
        assert not Credit.objects.filter(amount=12_50).exists()


class TestRelease:
    def test_lets_a_webhook_be_worked_off_again(self, money, staff):
        event = GatewayEvent.objects.get()
        data = {"action": "release", "_selected_action": [event.pk]}

        staff.post(listed("gatewayevent"), data)
        assert fresh(event).problem == ""

        page = text(staff.post(listed("gatewayevent"), data, follow=True))
        assert "was not set aside" in page


class TestCheckNow:
    def test_asks_a_worker(self, money, staff, django_capture_on_commit_callbacks):
        assert "Check the books now" in text(staff.get(listed("bookscheck")))

        with django_capture_on_commit_callbacks() as rings:
            answer = staff.post(reverse("admin:check-books"), follow=True)

        assert [ring.task for ring in rings] == ["billing.check_books"]
        assert "It waits for a worker" in text(answer)
        assert 'http-equiv="refresh"' in text(answer)
        assert staff.get(reverse("admin:check-books")).status_code == 405

    def test_shows_how_far_it_has_come(self, money, staff):
        check = BooksCheck.objects.create(checked_at=NOW, comparisons=30, done=12)

        page = text(staff.get(change(check)))

        assert "12 of 30 comparisons are done" in page
        assert '<progress id="progress" max="30" value="12">' in page

    def test_shows_what_the_equations_come_to(self, money, staff):
        check_books(at=NOW)

        page = text(staff.get(change(BooksCheck.objects.latest("pk"))))

        assert "The books agree." in page
        for title in ("What was collected is shared out", "Lots less applications"):
            assert title in page
        assert "each of which agrees" in page
        assert "http-equiv" not in page

    def test_says_why_it_came_to_no_end(self, money, staff):
        check = BooksCheck.objects.create(checked_at=NOW, comparisons=30, done=12)
        check.fail("OperationalError: canceling statement due to statement timeout", at=NOW)

        page = text(staff.get(change(check)))

        assert "came to no end after 12 of 30 comparisons" in page
        assert not check.is_clean
