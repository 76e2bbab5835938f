"""What only some of the staff may do to a row: it is done for them, and for nobody else."""

from typing import Any

import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from billing.models import GatewayEvent, Invoice, Refund
from connections.models import Outbox
from notifications.draining import drain_events
from notifications.models import Delivery, Undeliverable
from payouts.models import ReferralTerms
from tests.billing.acts import NOW, agree, issued
from tests.billing.payments.acts import add_card, live
from tests.staff.duties import LETTERS, A, F
from tests.staff.people import staff

pytestmark = pytest.mark.parametrize("role", sorted(LETTERS))


@pytest.fixture
def browser(role: str, cast, as_) -> Client:
    return as_(staff(role) if role else staff())


def choose(browser: Client, action: str, row: Model) -> None:
    """Tick a row of a list and pick an action."""
    opts: Any = admin.site._registry[type(row)].opts
    data = {"action": action, "_selected_action": [str(row.pk)]}
    browser.post(reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist"), data)


class TestMail:
    def test_that_failed_is_sent_again_by_those_who_answer(self, cast, browser, role):
        agree(cast)
        drain_events()
        lost = Delivery.objects.order_by("pk").first()
        Delivery.objects.filter(pk=lost.pk).update(state="FAILED", due_at=timezone.now())

        choose(browser, "send_again", lost)

        lost.refresh_from_db()
        assert (lost.state == "QUEUED") is (LETTERS[role] in "SA")

    def test_goes_to_an_address_again_that_they_free(self, browser, role):
        Undeliverable.mark("ben@example.com", "No such box", at=NOW)

        choose(browser, "try_again", Undeliverable.objects.get())

        assert Undeliverable.objects.exists() is not (LETTERS[role] in "SA")


class TestRelease:
    def test_of_an_event_is_the_administrators(self, cast, browser, role):
        agree(cast)
        aside = Outbox.objects.order_by("pk").first()
        Outbox.objects.filter(pk=aside.pk).update(problem="Broken.")

        choose(browser, "release", aside)

        aside.refresh_from_db()
        assert (aside.problem == "") is (LETTERS[role] == A)

    def test_of_what_a_gateway_told_is_that_of_finance(self, browser, role):
        aside = GatewayEvent.objects.create(
            gateway="sandbox", event_id="e", kind="k", body=b"{}", received_at=NOW, problem="What?"
        )

        choose(browser, "release", aside)

        aside.refresh_from_db()
        assert (aside.problem == "") is (LETTERS[role] in F + A)


class TestMoney:
    @pytest.mark.parametrize(("page", "state"), [("void", "VOID"), ("write-off", "UNCOLLECTIBLE")])
    def test_that_is_owed_is_given_up_by_finance(self, cast, browser, role, page, state):
        agree(cast)
        [invoice] = issued(cast)

        browser.post(reverse(f"admin:{page}-invoice", args=[invoice.pk]), {"reason": "Sorry"})

        invoice.refresh_from_db()
        assert (invoice.state == state) is (LETTERS[role] in F + A)

    def test_that_was_paid_goes_back_by_finance(self, cast, browser, role):
        add_card(cast.northwind_bluebird, cast.ben)
        agree(cast)
        live(2)
        invoice = Invoice.objects.get()
        assert invoice.paid == invoice.total
        line = f"line-{invoice.lines.get().pk}"

        path = reverse("admin:credit-invoice", args=[invoice.pk])
        browser.post(path, {line: "49", "reason": "A week without service"})

        amounts = list(Refund.objects.values_list("amount", flat=True))
        assert amounts == ([49_00] if LETTERS[role] in F + A else [])

    def test_for_bringing_others_is_offered_by_finance(self, cast, browser, role):
        before = ReferralTerms.objects.count()

        browser.post(reverse("admin:payouts_referralterms_add"), {"rate": "12.5", "months": "6"})

        assert ReferralTerms.objects.count() - before == (LETTERS[role] in F + A)
