"""The seed: all there or not at all, once, and nothing that the product itself would not do."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Count, F, Max, Q, Sum
from pytest_django.fixtures import Settings

from billing.models import (
    BillingRequest,
    Credit,
    CreditNote,
    Dispute,
    Invoice,
    InvoiceLine,
    Payment,
    PlanVersion,
    SubscriptionItem,
    UsageRecord,
)
from connections.models import Connection, Event, Invitation, Membership, Organization, Outbox, User
from notifications.models import Delivery, Notification
from payouts.models import AffiliatePayout, BankTransfer, Earning, Payout, Referral, Settlement
from payouts.weeks import week_of
from revampd.demo import seed as seeding
from revampd.demo.companies import COMPANIES, DANIEL, ELENA, PEOPLE, PRIYA
from revampd.demo.seed import seed
from tests.books import assert_books_agree

pytestmark = pytest.mark.xdist_group("demo")  # one play of the history for all

State = BillingRequest.State
PLACEHOLDERS = re.compile(r"lorem|ipsum|\bfoo\b|\bbar\b|\btest|asdf|todo|xxx|example\.com", re.I)


def today() -> date:
    """The day at Revampd."""
    now = datetime.now(UTC)
    return now.astimezone(Organization.objects.platform().zone).date()


class TestSeed:
    def test_does_nothing_the_second_time(self, demo: None) -> None:
        events = Event.objects.count()
        assert seed(datetime.now(UTC)) is False
        assert Event.objects.count() == events

    @pytest.mark.django_db
    def test_leaves_nothing_behind_when_interrupted(self, monkeypatch: pytest.MonkeyPatch) -> None:
        nights = iter(range(30))

        def interrupted(at: datetime) -> None:
            if next(nights) == 20:
                raise KeyboardInterrupt

        monkeypatch.setattr(seeding, "work", interrupted)
        with pytest.raises(KeyboardInterrupt):
            seed(datetime.now(UTC))
        assert not Organization.objects.exists()
        assert not User.objects.exists()

    @pytest.mark.django_db
    def test_refuses_a_database_with_people_of_its_own(self, settings: Settings) -> None:
        settings.IS_DEMO = True
        User.objects.create_user("somebody@company.com", name="Somebody Real")
        with pytest.raises(CommandError, match="people of its own"):
            call_command("seed_demo")
        assert not Organization.objects.exists()

    def test_refuses_outside_the_demo(self) -> None:
        with pytest.raises(CommandError, match="REVAMPD_MODE=demo"):
            call_command("seed_demo")


class TestTheStory:
    def test_has_two_partners_and_at_least_ten_sub_orgs(self, demo: None) -> None:
        kinds = dict(Organization.objects.values_list("kind").annotate(Count("id")))
        assert kinds["PLATFORM"] == 1
        assert kinds["PARTNER"] == 2
        assert kinds["SUB_ORG"] >= 10

    def test_shows_requests_in_every_state_and_of_every_kind(self, demo: None) -> None:
        requests = BillingRequest.objects
        assert set(requests.values_list("state", flat=True)) == set(State.values)
        pending = set(requests.pending().values_list("kind", flat=True))
        assert pending == {"PLAN", "ADD_ON", "ONE_TIME"}
        assert requests.filter(state=State.REJECTED).exclude(decision_note="").exists()
        soon = datetime.now(UTC) + timedelta(days=3)
        assert requests.pending().filter(expires_at__lt=soon).exclude(reminded_at=None).exists()

    def test_keeps_books_that_agree(self, demo: None) -> None:
        assert_books_agree()

    def test_shows_a_payment_that_is_disputed_and_one_that_was(self, demo: None) -> None:
        states = Dispute.objects.order_by("state").values_list("state", flat=True)
        assert list(states) == ["OPEN", "WON"]
        assert (
            Invoice.objects.filter(disputed__gt=0)
            .get()
            .connection.provider.name.startswith("Ironside")
        )
        kinds = Earning.objects.exclude(dispute=None).values_list("is_won", flat=True)
        assert sorted(kinds) == [False, False, True]

    def test_has_no_decision_overdue(self, demo: None) -> None:
        assert not BillingRequest.objects.overdue(datetime.now(UTC)).exists()

    def test_shows_connections_invited_and_active(self, demo: None) -> None:
        sold = Connection.objects.filter(provider__kind="PARTNER")
        assert set(sold.values_list("state", flat=True)) == {"INVITED", "ACTIVE"}
        without_plan = sold.filter(state="ACTIVE", subscriptions=None)
        assert without_plan.filter(billing_requests__state=State.PENDING).exists()
        assert without_plan.filter(billing_requests__state=State.REJECTED).exists()
        pending = Invitation.objects.filter(state="PENDING")
        assert {i.is_open(datetime.now(UTC)) for i in pending} == {True, False}

    def test_shows_yearly_plans_upgrades_and_scheduled_changes(self, demo: None) -> None:
        today = datetime.now(UTC).date()
        assert SubscriptionItem.objects.on(today).filter(interval="YEAR").exists()
        scheduled = SubscriptionItem.objects.after(today)
        kinds = set(scheduled.values_list("connection__provider__kind", flat=True))
        assert kinds == {"PLATFORM", "PARTNER"}
        assert InvoiceLine.objects.filter(amount__lt=0).exists()

    def test_gives_the_longest_customer_nine_months_of_invoices(self, demo: None) -> None:
        invoices = Invoice.objects.filter(connection__customer__name="Lakeside Dental")
        months = {invoice.issue_date.replace(day=1) for invoice in invoices}
        assert len(months) >= 9
        assert {"SUBSCRIPTION", "ONE_TIME"} <= {invoice.kind for invoice in invoices}

    def test_puts_one_person_on_both_sides_and_one_with_both_partners(self, demo: None) -> None:
        connections = Connection.objects.filter(provider__memberships__user__email=ELENA.email)
        assert connections.filter(customer__memberships__user__email=ELENA.email).exists()
        kinds = Membership.objects.filter(user__email=DANIEL.email)
        assert set(kinds.values_list("organization__kind", flat=True)) == {"PARTNER", "SUB_ORG"}

    def test_gives_everybody_the_role_that_the_sign_in_page_names(self, demo: None) -> None:
        cast = {
            (company.name, member.person.email, str(member.role))
            for company in COMPANIES
            for member in company.members
        }
        rows = Membership.objects.values_list("organization__name", "user__email", "role")
        assert set(rows) == cast


class TestTheRecord:
    def test_has_an_approved_request_behind_every_line(self, demo: None) -> None:
        assert InvoiceLine.objects.exists()
        assert not InvoiceLine.objects.exclude(request__state=State.APPROVED).exists()
        assert not InvoiceLine.objects.exclude(request__connection=F("connection")).exists()

    def test_numbers_invoices_without_gaps_in_the_order_of_time(self, demo: None) -> None:
        for provider in Organization.objects.exclude(invoiceseries=None):
            invoices = Invoice.objects.filter(provider=provider).order_by("number")
            assert [invoice.number for invoice in invoices] == list(range(1, len(invoices) + 1))
            times = [invoice.issued_at for invoice in invoices]
            assert times == sorted(times)

    def test_adds_up(self, demo: None) -> None:
        sums = Invoice.objects.annotate(sum=Sum("lines__amount"))
        assert not sums.exclude(sum=F("total")).exists()

    def test_lies_in_the_past(self, demo: None) -> None:
        now = datetime.now(UTC)
        assert not Event.objects.filter(at__gt=now).exists()
        assert not User.objects.filter(date_joined__gt=now).exists()
        last = Event.objects.aggregate(last=Max("at"))["last"]
        assert now - last < timedelta(hours=2)

    def test_dates_everything_as_of_its_story(self, demo: None) -> None:
        """Nothing of last spring says that it was made today."""
        lately = datetime.now(UTC) - timedelta(hours=1)
        assert not Organization.objects.filter(created_at__gt=lately).exists()
        assert not Connection.objects.filter(created_at__gt=lately).exists()
        assert not Membership.objects.filter(joined_at__gt=lately).exists()
        assert not PlanVersion.objects.filter(plan__created_at__gt=lately).exists()

    def test_tells_the_events_in_their_order(self, demo: None) -> None:
        times = list(Event.objects.order_by("id").values_list("at", flat=True))
        assert times == sorted(times)


class TestNotifications:
    def test_leave_nothing_to_tell(self, demo: None) -> None:
        assert [row.problem for row in Outbox.objects.select_related("event")] == []

    def test_are_mostly_read_with_something_new_for_the_main_people(self, demo: None) -> None:
        counts = Notification.objects.aggregate(
            read=Count("id", filter=Q(read_at__isnull=False)),
            unread=Count("id", filter=Q(read_at=None)),
        )
        assert counts["read"] > 3 * counts["unread"]
        for key in ("maya", "daniel", "helen", "luis", "jake", "elena", "derek", "nina"):
            of_person = Notification.objects.filter(recipient__email=PEOPLE[key].email)
            assert of_person.unread().exists(), key
            assert of_person.exclude(read_at=None).exists(), key

    def test_queue_mail_only_of_the_last_days(self, demo: None) -> None:
        queued = Delivery.objects.filter(state=Delivery.State.QUEUED)
        assert queued.exists()
        old = datetime.now(UTC) - timedelta(days=4)
        assert not queued.filter(event__at__lt=old).exists()
        assert not Delivery.objects.filter(state=Delivery.State.FAILED).exists()

    def test_are_summed_up_once_a_day_for_who_wants_that(self, demo: None) -> None:
        priya = User.objects.get(email=PRIYA.email)
        [summary] = Delivery.objects.filter(event=None, digest__recipient=priya)

        assert {part.row.category for part in summary.parts} == {"SUPPORT"}
        assert Delivery.objects.awaiting_summary().filter(address=PRIYA.email).exists()


class TestWords:
    def test_are_those_of_a_real_company(self, demo: None) -> None:
        for text in texts():
            assert not PLACEHOLDERS.search(text), text

    def test_name_only_addresses_that_no_mail_can_reach(self, demo: None) -> None:
        for email in User.objects.values_list("email", flat=True):
            assert email.endswith(".example")


def texts() -> Iterator[str]:
    """Everything that the stories wrote into the database for people to read."""
    for organization in Organization.objects.all():
        yield from (organization.name, organization.legal_name, organization.address)
    for request in BillingRequest.objects.all():
        yield from (request.note, request.decision_note, request.item_name)
        yield request.terms["description"]
    yield from Notification.objects.values_list("title", flat=True)
    yield from Notification.objects.values_list("body", flat=True)
    yield from User.objects.values_list("name", flat=True)


class TestAnotherDay:
    @pytest.mark.django_db
    def test_plays_as_well(self) -> None:
        """Periods and month ends fall differently each day; here it is just past midnight."""
        assert seed(datetime(2028, 2, 29, 0, 5, tzinfo=UTC))
        scheduled = BillingRequest.objects.filter(state=State.APPROVED, timing="NEXT_CYCLE")
        assert scheduled.count() == 5


class TestMoney:
    def test_is_mostly_paid_by_card(self, demo: None) -> None:
        states = Counter(Invoice.objects.values_list("state", flat=True))
        assert states["PAID"] > 9 * (states.total() - states["PAID"])
        # What Partners earned pays some of what Revampd bills them.
        earned = Invoice.objects.filter(paid=0, applications__credit__origin="PAYOUT").distinct()
        assert earned.count() < states["PAID"] / 5
        assert Payment.objects.succeeded().count() >= states["PAID"] - earned.count() - 2

    def test_tells_of_a_card_that_is_declined_and_tried_again(self, demo: None) -> None:
        invoice = Invoice.objects.get(state="PAST_DUE")
        assert invoice.payments.filter(state="FAILED").count() == invoice.attempts > 1
        assert invoice.connection.customer.name == "Riverbend Yoga"

    def test_has_a_payment_to_confirm(self, demo: None) -> None:
        assert Payment.objects.get(state="ACTION").connection.customer.name == "Oak & Ivory"

    def test_uses_credits_and_returns_money(self, demo: None) -> None:
        given = Credit.objects.filter(origin=Credit.Origin.ADJUSTMENT)
        assert given.filter(applied__gt=0).count() == 2
        assert [note.refunds.get().state for note in CreditNote.objects.all()] == ["SUCCEEDED"]

    def test_pays_who_brought_a_partner(self, demo: None) -> None:
        referral = Referral.objects.get()
        assert (referral.referrer.name, referral.referred.name) == (
            "Brightwell Agency",
            "Ironside Growth",
        )
        assert (referral.rate, referral.terms.months) == (20_00, 12)
        applied = AffiliatePayout.objects.filter(state="APPLIED")
        assert applied.exists()
        assert {payout.credit.connection for payout in applied} == {referral.account}

    def test_pays_out_what_partners_earned(self, demo: None) -> None:
        assert not Earning.objects.waiting().filter(earned_on__lt=week_of(today())).exists()
        assert Payout.objects.count() > 30
        settled = Settlement.objects.filter(settled_by=None)
        assert settled.filter(credited__gt=0, banked__gt=0).count() > 15
        states = set(BankTransfer.objects.values_list("state", flat=True))
        assert states == {"PROCESSING", "SUCCEEDED", "FAILED"}
        assert Payout.objects.available().exists()
        paid = Credit.objects.filter(origin=Credit.Origin.PAYOUT, applied__gt=0)
        assert set(paid.values_list("connection__customer__name", flat=True)) == {
            "Brightwell Agency",
            "Ironside Growth",
        }

    def test_charges_bookings_on_the_invoices_of_their_months(self, demo: None) -> None:
        for name, least in (("Lakeside", 2), ("Pulse", 5)):
            used = UsageRecord.objects.filter(connection__customer__name__contains=name)
            invoices = set(used.values_list("line__invoice__number", flat=True)) - {None}
            assert len(invoices) >= least, name
            assert used.unbilled().count() < 6
