"""The start page of the admin: what waits, for whom, and the list of just that. And the search."""

from datetime import datetime, timedelta

import pytest
from django.contrib import admin
from django.urls import reverse
from django.utils import timezone

from billing.deadlines import expire_overdue
from billing.models import (
    Adjustment,
    BillingRequest,
    BillingRun,
    BooksCheck,
    Discrepancy,
    GatewayEvent,
)
from billing.models.proposals import Proposal
from connections.models import Outbox
from notifications.draining import drain_events
from notifications.models import Delivery
from payouts.sending import send_transfers
from tests.billing.acts import NOW, agree, issued
from tests.billing.deals import queries
from tests.billing.payments.acts import add_card, fresh, live
from tests.payouts.acts import WEEK, link_bank, paid_out
from tests.staff.people import staff
from tests.tickets.acts import escalated, submit

OURS = {
    "Failed payments of what is still owed",
    "Refunds that did not go through",
    "Webhooks that were set aside",
    "Stopped invoices",
    "Requests that expired within two weeks",
    "Wallet adjustments that take a second person",
    "Billing runs that failed or lost their worker",
    "Failed transfers to banks",
    "Mails that did not arrive within 30 days",
    "Tickets for Revampd that nobody looks after",
    "Tickets that Partners have escalated",
    "Events of which nobody could be told",
    "Differences in the books, at the last check",
}


def waits(browser) -> dict[str, int]:
    """What the start page counts."""
    page = browser.get("/admin/")
    return {item.label: item.number for item in items(page)}


def items(page):
    """As the template got them."""
    return next(layer["items"] for layer in page.context if "items" in layer)


def checked(differences: list[str], *, at: datetime) -> None:
    check = BooksCheck.objects.create(checked_at=at)
    check.finish([(difference, "") for difference in differences], at=at)


@pytest.fixture
def waiting(cast):
    """One of everything that waits."""
    now = timezone.now()
    own = cast.northwind_bluebird
    BillingRequest.propose(
        Proposal(cast.setup), connection=own, by=cast.noah, at=now - timedelta(days=40)
    )
    expire_overdue(at=now)
    Adjustment.adjust(own, 900_00, reason="Sorry", by=staff("Finance", name="Anna"), at=now)
    Discrepancy.open(own, "Growth is billed twice.", on=now.date(), at=now)
    checked(["First.", "Second."], at=now)
    BillingRun.objects.create(started_at=now - timedelta(hours=1), connections=4, done=1)
    GatewayEvent.objects.create(
        gateway="sandbox", event_id="e", kind="k", body=b"{}", received_at=NOW, problem="Unknown."
    )
    submit(cast, connection=cast.revampd_bluebird)
    escalated(cast)
    Outbox.objects.filter(pk=Outbox.objects.first().pk).update(problem="Broken.")
    drain_events()
    lost = Delivery.objects.first()
    Delivery.objects.filter(pk=lost.pk).update(state="FAILED", due_at=now)


class TestNeedsAttention:
    def test_counts_what_waits_and_leads_to_just_that(self, cast, waiting, as_):
        browser = as_(staff("Administrator"))
        page = browser.get("/admin/")
        found = {item.label: item for item in items(page)}

        assert set(found) == OURS
        for label in OURS - {
            "Failed payments of what is still owed",
            "Refunds that did not go through",
            "Failed transfers to banks",
        }:
            item = found[label]
            assert item.number >= 1, label
            assert item.oldest, label
            listed = browser.get(item.url).context["cl"].result_count
            assert listed == item.number, label

    def test_counts_payments_until_they_are_made_good(self, cast, as_):
        browser, label = as_(staff("Finance")), "Failed payments of what is still owed"
        agree(cast)
        add_card(cast.northwind_bluebird, cast.ben, "insufficient_funds")
        live(0)
        assert waits(browser)[label] == 1

        add_card(cast.northwind_bluebird, cast.ben, "visa")
        live(9)

        assert waits(browser)[label] == 0

    def test_counts_transfers_until_the_payout_is_settled_again(self, cast, as_):
        browser, label = as_(staff("Finance")), "Failed transfers to banks"
        link_bank(cast, "refused")
        payout, later = paid_out(cast), NOW + WEEK
        payout.settle(credit=30_00, transfer=70_00, by=cast.maya, at=later)
        send_transfers(at=later)
        assert waits(browser)[label] == 1

        fresh(payout).settle(credit=70_00, transfer=0, by=cast.maya, at=later)

        assert waits(browser)[label] == 0

    def test_counts_only_what_the_role_sees(self, cast, waiting, as_):
        support, finance = waits(as_(staff("Support"))), waits(as_(staff("Finance")))

        assert "Tickets that Partners have escalated" in support
        assert "Differences in the books, at the last check" not in support
        assert "Differences in the books, at the last check" in finance
        assert "Tickets that Partners have escalated" not in finance
        assert waits(as_(staff())) == {}

    def test_costs_the_same_however_much_waits(self, cast, waiting, as_):
        browser = as_(staff("Administrator"))
        few = queries(browser, "/admin/")
        for _ in range(5):
            submit(cast, connection=cast.revampd_bluebird)
            checked(["Third."], at=timezone.now())

        assert queries(browser, "/admin/") == few
        assert few <= 12

    def test_looks_only_at_the_last_check_of_the_books(self, cast, waiting, as_):
        checked([], at=timezone.now() + timedelta(minutes=1))

        assert waits(as_(staff("Finance")))["Differences in the books, at the last check"] == 0

    def test_is_named_by_every_list_that_has_its_filter(self):
        for own in admin.site._registry.values():
            named = {getattr(one, "parameter_name", "") for one in own.list_filter}
            assert ("waiting" in named) == bool(getattr(own, "waiting", {})), own


class TestFind:
    def find(self, browser, text: str) -> list[str]:
        page = browser.get(reverse("find"), {"q": text})
        assert page.status_code == 200
        return [name for hits in page.context["found"] for name, _ in hits.rows]

    def test_finds_by_any_id(self, cast, waiting, as_):
        browser = as_(staff("Administrator"))
        rows = [
            *(cast.northwind, cast.northwind_bluebird, cast.growth, cast.growth.plan),
            *(Adjustment.objects.first(), BillingRequest.objects.first(), Delivery.objects.first()),
        ]

        for row in rows:
            [found] = self.find(browser, str(row.pk))
            assert found.startswith(str(row)), row

    @pytest.mark.parametrize("text", ["ben@example.com", "Ben Tester", "bluebird"])
    def test_finds_people_and_organizations_by_mail_and_name(self, cast, as_, text):
        found = self.find(as_(staff("Support")), text)

        assert {"Ben Tester", "Bluebird Clinic"} & set(found)

    def test_finds_invoices_by_their_number(self, cast, as_):
        agree(cast)
        [invoice] = issued(cast)
        browser = as_(staff("Finance"))

        for text in (str(invoice.number), invoice.code):
            assert f"{invoice.code}, {invoice.connection}" in self.find(browser, text)

    def test_shows_only_what_the_role_sees(self, cast, waiting, as_):
        adjustment = Adjustment.objects.first()

        assert self.find(as_(staff("Support")), str(adjustment.pk)) == []
        assert as_(cast.ben).get(reverse("find"), {"q": "ben"}).status_code == 302

    @pytest.mark.parametrize("text", ["", "  ", "\0", "%", "'", "x" * 500, "-", "٣"])
    def test_bears_whatever_is_typed(self, cast, as_, text):
        self.find(as_(staff("Administrator")), text)


class TestHistory:
    def test_tells_what_happened_to_a_row(self, cast, waiting, as_):
        adjustment = Adjustment.objects.first()
        path = reverse("admin:billing_adjustment_history", args=[adjustment.pk])

        page = as_(staff("Finance")).get(path).text

        assert "Proposed to adjust the wallet of" in page
        assert "Anna Tester" in page

    def test_of_a_person_is_also_what_they_did(self, cast, as_):
        path = reverse("admin:connections_user_history", args=[cast.maya.pk])

        assert "Accepted the invitation as Owner" in as_(staff("Support")).get(path).text
