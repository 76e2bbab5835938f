"""Billing runs as staff see them: asked for, dry, live, resumed."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from billing.models import BillingRun, Invoice, Subscription
from billing.models.due import Account
from billing.outcomes import Outcome
from billing.tasks import run_asked
from revampd.kit.errors import Conflict
from tests.billing.acts import agree
from tests.staff.people import staff

ASK = {"mode": "REAL", "on": "2026-12-10"}
DUE = date(2026, 12, 10)
THEN = datetime(2026, 12, 10, 18, tzinfo=UTC)


@pytest.fixture
def finance(cast, as_):
    agree(cast)
    with time_machine.travel(THEN, tick=True):
        yield as_(staff("Finance"))


def ask(browser, **changes):
    return browser.post(reverse("admin:ask-for-run"), ASK | changes)


def page(run) -> str:
    return reverse("admin:billing_billingrun_change", args=[run.pk])


class TestAsk:
    def test_has_a_worker_issue_what_is_due(self, finance):
        before = Invoice.objects.count()
        assert ask(finance).status_code == 302
        run = BillingRun.objects.get()
        assert "Waits for a worker" in finance.get(page(run)).text

        assert run_asked() == 1

        run.refresh_from_db()
        assert (run.on, run.done, run.issued, run.percent) == (DUE, 1, 1, 100)
        assert Invoice.objects.count() == before + 1
        text = finance.get(page(run)).text
        assert "1 invoice, $149.00" in text
        assert "$0.00 of $149.00; $149.00 are owed" in text
        assert run_asked() == 0

    def test_dry_says_what_it_would_issue_and_issues_nothing(self, finance):
        before = Invoice.objects.count(), Subscription.objects.get().next_invoice_date
        ask(finance, mode="DRY", on="2027-01-10")

        assert run_asked() == 2

        run = BillingRun.objects.get()
        assert (run.is_dry, run.done, run.issued) == (True, 1, 2)
        assert [str(amount) for amount in run.totals] == ["$298.00"]
        assert (Invoice.objects.count(), Subscription.objects.get().next_invoice_date) == before
        assert "Would be issued" in finance.get(page(run)).text

    def test_is_not_for_a_day_to_come(self, finance):
        answer = ask(finance, on="2026-12-31")

        assert answer.status_code == 422
        assert "would bill early" in answer.text
        assert not BillingRun.objects.exists()

    def test_is_one_at_a_time(self, finance):
        ask(finance)

        assert ask(finance).status_code == 409
        with pytest.raises(IntegrityError), transaction.atomic():
            BillingRun.objects.create(started_at=THEN, asked_by=BillingRun.objects.get().asked_by)

    def test_says_whom_it_could_not_bill_and_why(self, finance, monkeypatch):
        def broken(self):
            raise ValueError("the books are broken")

        monkeypatch.setattr(Account, "bill", broken)
        ask(finance)

        with pytest.raises(ExceptionGroup):
            run_asked()

        text = finance.get(page(BillingRun.objects.get())).text
        assert "the books are broken" in text
        assert "while billing" in text


class TestResume:
    def test_is_for_what_lost_its_worker(self, finance):
        ask(finance)
        run = BillingRun.objects.get()
        assert run.take(timezone.now())
        assert not run.take(timezone.now())
        assert run_asked() == 0
        with pytest.raises(Conflict, match="A worker is at it"):
            run.resume(by=run.asked_by, at=timezone.now())

        with time_machine.travel(THEN + timedelta(minutes=5)):
            assert "its worker is gone" in finance.get(page(run)).text
            path = reverse("admin:resume-run", args=[run.pk])
            assert finance.post(path, {"sure": "True"}).status_code == 302
            assert run_asked() == 1

        with pytest.raises(Conflict, match="has ended"):
            BillingRun.objects.get().resume(by=run.asked_by, at=timezone.now())

    def test_also_of_one_that_began_by_itself(self, finance):
        lost = BillingRun.objects.create(
            started_at=THEN - timedelta(hours=1), connections=9, done=3
        )

        path = reverse("admin:resume-run", args=[lost.pk])
        finance.post(path, {"sure": "True"})
        assert run_asked() >= 0

        lost.refresh_from_db()
        assert (lost.connections, lost.done, lost.issued) == (4, 4, 1)
        assert lost.finished_at


class TestOutcome:
    def test_is_of_its_own_invoices(self, finance, cast):
        ask(finance)
        run_asked()
        run = BillingRun.objects.get()

        assert Outcome(run).invoices.count() == 1

    def test_panel_is_for_those_who_may_see_runs(self, finance, cast, as_):
        ask(finance)
        path = reverse("admin:run-progress", args=[BillingRun.objects.get().pk])

        assert 'hx-trigger="every 2s"' in finance.get(path).text
        assert as_(staff("Support")).get(path).status_code == 403
