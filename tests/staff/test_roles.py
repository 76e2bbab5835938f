"""What each role of the staff may do: every page and action of the admin, with every role."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.contrib.auth.models import Group
from django.urls import reverse
from django.utils import timezone

from billing.models import (
    Adjustment,
    BillingRequest,
    BillingRun,
    BooksCheck,
    Credit,
    Discrepancy,
    GatewayEvent,
    Invoice,
    OneTimeCharge,
    Plan,
)
from billing.models.proposals import Proposal
from connections.models import Event, Invitation, Organization, User, Viewing
from notifications.models import Undeliverable
from payouts.models import ReferralTerms
from revampd.staff.roles import ROLES, set_up
from tests.billing.acts import NOW
from tests.staff.people import staff
from tests.staff.test_viewing import fingerprint
from tests.test_access import values
from tests.tickets.acts import submit, texts
from tickets.models import Side, Ticket

__all__ = ["values"]

S, F, A, SF, SA, FA, SFA = "S", "F", "A", "SF", "SA", "FA", "SFA"

# Who sees the rows of a model. What is not listed, nobody but a superuser sees.
SEES = {
    SFA: """
        billing.addon billing.billingrequest billing.credit billing.creditapplication
        billing.creditnote billing.invoice billing.invoiceline billing.onetimecharge
        billing.payment billing.plan billing.planversion billing.suborgimport
        billing.suborgimportrow billing.subscription billing.subscriptionitem billing.tieruse
        billing.usagerecord connections.connection connections.event connections.membership
        connections.organization connections.user payouts.inquiry payouts.referral
        payouts.referrallink
    """,
    SA: """
        connections.invitation connections.outbox connections.viewing notifications.delivery
        notifications.digest notifications.digesthour notifications.notification
        notifications.organizationdefault notifications.preference notifications.undeliverable
        tickets.attachment tickets.message tickets.ticket tickets.unread
    """,
    FA: "billing.* payouts.*",
    A: "revampd.clockmove",
}
# Who opens which page that calls a verb, and who may change or add by the form of the admin.
PAGES = {
    "answer-ticket": SA,
    "triage-ticket": SA,
    "view-as": SA,
    "adjust-wallet": FA,
    "approve-adjustment": FA,
    "reject-adjustment": FA,
    "void-invoice": FA,
    "write-off-invoice": FA,
    "credit-invoice": FA,
    "propose-service": FA,
    "enter-usage": FA,
    "import-usage": FA,
    "confirm-usage-import": FA,
    "ask-for-run": FA,
    "resume-run": FA,
    "run-progress": FA,
    "check-books": FA,
    "create-partner": A,
    "offer-tier": A,
    "publish-tier": A,
    "offer-addon": A,
    "offer-onetimecharge": A,
}
CHANGES = dict.fromkeys(("connections.organization", "connections.user", "billing.pricelimits"), A)
ADDS = {"payouts.referralterms": FA}
ACTIONS = {
    "connections.invitation": (SA, {"resend", "withdraw"}),
    "connections.membership": (A, {"make_owner", "remove"}),
    "connections.outbox": (A, {"release"}),
    "notifications.delivery": (SA, {"send_again"}),
    "notifications.undeliverable": (SA, {"try_again"}),
    "billing.gatewayevent": (FA, {"release"}),
    "billing.sandboxcharge": (A, {"dispute"}),
    "billing.sandboxdispute": (A, {"win", "lose"}),
    "billing.addon": (A, {"archive"}),
    "billing.onetimecharge": (A, {"archive"}),
    "billing.plan": (A, {"archive"}),
    "billing.planversion": (A, {"retire"}),
    "payouts.referrallink": (FA, {"stop"}),
}
# Of these there is no row here: their pages are asked for with a key that nobody has.
WITHOUT_ROWS = """
    billing.CreditReturn billing.Dispute billing.Document billing.Refund billing.SandboxDispute
    billing.SandboxLostRequest billing.SandboxRefund billing.TierUse billing.UsageRecord
    mfa.Authenticator notifications.Digest notifications.DigestHour
    notifications.OrganizationDefault notifications.Preference payouts.AffiliateShare
    payouts.BankAccount payouts.BankTransfer payouts.Preference payouts.Referral
    payouts.SandboxBank payouts.SandboxTransfer payouts.Settlement payouts.Statement
    revampd.ClockMove usersessions.UserSession
    """
LETTERS = {"Support": S, "Finance": F, "Administrator": A, "": "-"}


def seers(label: str) -> str:
    """The letters of the roles that see the rows of a model."""
    app = label.split(".")[0]
    found = [who for who, named in SEES.items() if {label, f"{app}.*"} & set(named.split())]
    return found[0] if found else ""


@dataclass(frozen=True)
class Address:
    """A page of the admin: whose it is, of which kind, and whether it is there for a row."""

    label: str
    kind: str  # list, add, change, delete, history, or the name of a page of ours
    path: str

    def allows(self, role: str, *, post: bool) -> bool:
        letter = LETTERS[role]
        if self.kind in PAGES:
            return letter in PAGES[self.kind]
        if self.kind == "add":
            return letter in ADDS.get(self.label, "")
        if self.kind == "delete":
            return False
        if post and self.kind == "change":
            return letter in CHANGES.get(self.label, "")
        return letter in seers(self.label)


@pytest.fixture
def rows(cast, values) -> dict[str, Any]:
    """What stands in the addresses of our own pages."""
    helper = staff("Finance", name="Helper")
    adjusted = cast.revampd_bluebird
    adjustment = Adjustment.adjust(adjusted, 900_00, reason="Sorry", by=helper, at=NOW)
    ticket = submit(cast, connection=cast.revampd_bluebird)
    more_of_everything(cast)
    return {
        "connection_id": cast.revampd_northwind.pk,
        "invoice_id": cast.northwind_bluebird.invoices.first().pk,
        "plan_id": Plan.objects.filter(provider=cast.revampd).first().pk,
        "adjustment_id": adjustment.pk,
        "ticket_id": ticket.pk,
        "user_id": cast.ben.pk,
        "run_id": BillingRun.objects.create(started_at=NOW, connections=1).pk,
    }


def more_of_everything(cast) -> None:
    """Rows of lists that the pages of members do not need."""
    own = cast.northwind_bluebird
    Discrepancy.open(own, "Growth is billed twice.", on=NOW.date(), at=NOW)
    BooksCheck.objects.create(checked_at=NOW)
    for minor in (1, -1):
        Credit.adjust(own, minor, reason="Sorry", by=cast.noah, at=NOW)
    GatewayEvent.objects.create(
        gateway="sandbox", event_id="e", kind="k", body=b"{}", received_at=NOW, problem="Unknown."
    )
    Undeliverable.mark("nobody@example.com", "No such box", at=NOW)
    looking = Viewing.begin(cast.ben, reason="One", by=staff("Support", name="Lou"), at=NOW)
    looking.end(at=NOW)
    platform = Organization.objects.platform()
    ReferralTerms.offer(platform, rate=1_000, months=6, by=cast.rhea, at=NOW)


def addresses(rows: dict[str, Any]) -> Iterator[Address]:
    """Every URL of the admin."""
    for model, own in admin.site._registry.items():
        label, stem = model._meta.label_lower, f"{own.opts.app_label}_{own.opts.model_name}"
        row = model._base_manager.first()
        for pattern in own.get_urls():
            if not pattern.name:
                continue  # the address of rows in old versions of Django, which leads elsewhere
            kind = pattern.name.removeprefix(f"{stem}_").replace("changelist", "list")
            names = list(pattern.pattern.converters)
            if names == ["object_id"]:
                if row is None and kind == "history":
                    continue  # it looks for the row first, and sends everybody away
                # Whoever may not open the page of a row learns not even that there is none.
                arguments = [quote(row.pk) if row else "1"]
            else:
                arguments = [rows[name] for name in names]
            yield Address(label, kind, reverse(f"admin:{pattern.name}", args=arguments))


class TestTable:
    def test_names_every_page_of_ours(self, rows):
        stock = {"list", "add", "change", "delete", "history"}
        kinds = {address.kind for address in addresses(rows)} - stock

        assert kinds == set(PAGES)

    def test_has_a_row_of_most_and_names_the_others(self, rows):
        empty = {
            model._meta.label for model in admin.site._registry if not model._base_manager.exists()
        }

        assert empty == set(WITHOUT_ROWS.split())

    def test_names_every_action(self):
        own = {
            model._meta.label_lower: {getattr(one, "__name__", one) for one in pages.actions or ()}
            for model, pages in admin.site._registry.items()
        }
        foreign = {"account.emailaddress"}

        offered = {label: names for label, names in own.items() if names and label not in foreign}
        assert offered == {label: names for label, (_, names) in ACTIONS.items()}


@pytest.mark.parametrize("role", ["Support", "Finance", "Administrator", ""])
class TestRole:
    def test_opens_its_pages_and_no_other(self, rows, as_, role):
        browser = as_(staff(role) if role else staff())

        answers = {address: browser.get(address.path).status_code for address in addresses(rows)}

        # What is an act and no page answers GET with 405, whoever asks.
        wrong = {
            address: code
            for address, code in answers.items()
            if code != 405 and (code == 403) is address.allows(role, post=False)
        }
        assert wrong == {}

    def test_changes_nothing_that_is_not_its_own(self, rows, as_, role):
        browser = as_(staff(role) if role else staff())
        closed = [one for one in addresses(rows) if not one.allows(role, post=True)]
        before = fingerprint()

        posted = {
            one.path: browser.post(one.path, {"post": "yes", "sure": "True"}).status_code
            for one in closed
            if one.kind not in ("list", "history")
        }

        assert {path: code for path, code in posted.items() if code != 403} == {}
        assert fingerprint() == before

    def test_is_offered_its_actions_and_no_other(self, rows, rf, role):
        request = rf.get("/")
        request.user = staff(role) if role else staff()

        offered = {
            model._meta.label_lower: set(own.get_actions(request))
            for model, own in admin.site._registry.items()
            if own.has_view_permission(request)
        }

        for label, names in offered.items():
            who, actions = ACTIONS.get(label, ("", set()))
            expected = actions if LETTERS[role] in who else set()
            assert names == expected, label

    def test_cannot_slip_an_action_in(self, rows, as_, role):
        browser = as_(staff(role) if role else staff())
        before = fingerprint()

        for label, (who, actions) in ACTIONS.items():
            if LETTERS[role] in who:
                continue
            app, model = label.split(".")
            row = next(m for m in admin.site._registry if m._meta.label_lower == label)
            chosen = [str(one.pk) for one in row._base_manager.all()[:1]]
            for action in actions:
                data = {"action": action, "_selected_action": chosen}
                browser.post(reverse(f"admin:{app}_{model}_changelist"), data)

        assert fingerprint() == before


class TestGroups:
    def test_are_there_and_come_back_as_the_table_says(self, db):
        support = Group.objects.get(name="Support")
        permissions = set(support.permissions.all())
        support.permissions.clear()

        set_up()

        assert {group.name for group in Group.objects.all()} == {role.name for role in ROLES}
        assert set(support.permissions.all()) == permissions != set()

    def test_never_delete(self, db):
        for group in Group.objects.all():
            assert not group.permissions.filter(codename__startswith="delete_").exists()


class TestDay:
    """What each role does, without being a superuser."""

    def test_of_support(self, cast, as_):
        ticket = submit(cast, connection=cast.revampd_bluebird)
        sent = Invitation.send(
            organization=cast.northwind, email="n@example.com", role="VIEWER", by=cast.maya, at=NOW
        )
        sue = staff("Support", name="Sue")
        browser = as_(sue)

        answer = reverse("admin:answer-ticket", args=[ticket.pk])
        browser.post(answer, {"audience": "EVERYONE", "body": "Done."})
        triage = reverse("admin:triage-ticket", args=[ticket.pk])
        browser.post(triage, {"status": "IN_PROGRESS", "priority": "HIGH", "assignee": sue.pk})
        chosen = {"action": "withdraw", "_selected_action": [str(sent.pk)]}
        browser.post(reverse("admin:connections_invitation_changelist"), chosen)

        assert "Done." in texts(ticket, Side.CUSTOMER)
        assert Ticket.objects.get(pk=ticket.pk).assignee == sue
        assert not Invitation.objects.pending().filter(pk=sent.pk).exists()

    def test_of_finance(self, cast, values, as_):
        browser = as_(staff("Finance"))
        service = OneTimeCharge.objects.get(provider=cast.revampd)
        propose = reverse("admin:propose-service", args=[cast.revampd_northwind.pk])
        key = browser.get(propose).context["form"].initial["key"]

        answer = browser.post(propose, {"key": key, "service": service.pk, "note": "As agreed"})

        assert answer.status_code == 302
        sent = BillingRequest.objects.get(pk=key)
        assert (sent.connection, sent.is_pending) == (cast.revampd_northwind, True)

    def test_of_finance_becomes_a_line_once_the_partner_agrees(self, cast, values, as_):
        own = cast.revampd_northwind
        service = OneTimeCharge.offer(
            provider=cast.revampd, by=cast.rhea, name="Data migration", unit_price=750_00
        )
        path = reverse("admin:propose-service", args=[own.pk])
        browser, issued = as_(staff("Finance")), set(own.invoices.values_list("pk", flat=True))
        key = browser.get(path).context["form"].initial["key"]
        browser.post(path, {"key": key, "service": service.pk, "note": "As agreed"})
        sent = BillingRequest.objects.get(pk=key)
        assert set(own.invoices.values_list("pk", flat=True)) == issued

        decision = reverse("billing:approve-request", args=[own.pk, sent.pk])
        assert as_(cast.maya).post(decision, {"seal": sent.seal}).status_code in (200, 302, 303)

        invoice = own.invoices.exclude(pk__in=issued).get()
        line = invoice.lines.get()
        assert (invoice.kind, line.amount, line.request) == ("ONE_TIME", 750_00, sent)
        row = as_(cast.maya).get(reverse("billing:invoices", args=[own.pk])).text
        assert ("One-time" in row, "$750.00" in row) == (True, True)

    def test_of_finance_takes_an_invoice_back_in_part(self, cast, as_):
        from_now = timezone.now()
        sent = BillingRequest.propose(
            Proposal(cast.setup), connection=cast.northwind_bluebird, by=cast.noah, at=from_now
        )
        sent.approve(by=cast.ben, seal=sent.seal, at=from_now)
        invoice = Invoice.objects.get()
        browser = as_(staff("Finance"))
        path = reverse("admin:credit-invoice", args=[invoice.pk])
        line = f"line-{invoice.lines.get().pk}"

        assert "$400.00" in browser.get(f"{path}?all=yes").text
        assert browser.post(path, {line: "", "reason": "Sorry"}).status_code == 422
        assert browser.post(path, {line: "400.01", "reason": "Sorry"}).status_code == 422
        assert browser.post(path, {line: "100", "reason": "Sorry"}).status_code == 302
        invoice.refresh_from_db()
        assert (invoice.corrected, invoice.credit_notes.get().reason) == (100_00, "Sorry")

    def test_of_administrators(self, cast, as_):
        browser = as_(staff("Administrator"))
        tier = {"name": "Duo", "interval": "MONTH", "base_price": "120", "transaction_fee": "4.5"}

        browser.post(reverse("admin:offer-tier"), tier | {"max_sub_orgs": "2"})
        plan = Plan.objects.get(name="Duo")
        publish = reverse("admin:publish-tier", args=[plan.pk])
        browser.post(publish, tier | {"base_price": "130"})
        for name, price in (("addon", "3"), ("onetimecharge", "90")):
            offered = {"name": "More", "unit_price": price}
            assert browser.post(reverse(f"admin:offer-{name}"), offered).status_code == 302

        assert [version.base_price for version in plan.versions.order_by("number")] == [
            120_00,
            130_00,
        ]
        assert plan.versions.get(number=1).max_sub_orgs == 2
        assert cast.revampd.addons.get().unit_price == 3_00
        assert OneTimeCharge.objects.get(provider=cast.revampd).unit_price == 90_00

    def test_of_administrators_is_also_to_appoint_others_but_not_themselves(self, cast, as_):
        alice = staff("Administrator", name="Alice")
        browser = as_(alice)
        support = Group.objects.get(name="Support")
        data = {"is_active": "on", "is_staff": "on", "groups": [support.pk]}

        def page(user):
            return reverse("admin:connections_user_change", args=[user.pk])

        assert browser.post(page(cast.zed), data).status_code == 302
        assert browser.post(page(alice), data).status_code == 403
        root = User.objects.create_superuser("root@example.com", None, name="Root")
        assert browser.post(page(root), data).status_code == 403

        zed = User.objects.get(pk=cast.zed.pk)
        assert (zed.is_staff, [group.name for group in zed.groups.all()]) == (True, ["Support"])
        event = Event.objects.about(zed).get()
        assert (event.actor, event.facts["after"]["groups"]) == (alice, "Support")
        assert event.organization == Organization.objects.platform()
