"""A day of each role: what it does, without being a superuser."""

from django.contrib.auth.models import Group
from django.urls import reverse
from django.utils import timezone

from billing.models import BillingRequest, Invoice, OneTimeCharge, Plan
from billing.models.proposals import Proposal
from connections.models import Event, Invitation, Organization, User
from tests.billing.acts import NOW
from tests.staff.people import staff
from tests.test_access import values
from tests.tickets.acts import submit, texts
from tickets.models import Side, Ticket

__all__ = ["values"]


class TestDay:
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
