"""Who may open what: every URL of the site, with every role. A URL without a rule fails."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from billing.collecting import pay
from billing.models import BillingRequest, Credit, CreditNote, Payment, Plan
from billing.models.proposals import Proposal
from billing.setups import begin_setup
from connections.access import Rule, Side
from connections.kinds import Category
from connections.models import Invitation, Membership, Organization, User
from connections.tokens import invitation_token
from notifications.draining import drain_events
from notifications.models import Delivery
from notifications.tokens import unsubscribe_token
from payouts.linking import begin_link
from payouts.models import AffiliatePayout, Inquiry, ReferralLink
from tests.billing.cards import add_card
from tests.billing.partners import clinics, confirm
from tests.billing.tiering import add, choose, put_on_sale
from tests.cast import Cast
from tests.payouts.acts import close, paid_out, sell, week
from tests.tickets.acts import with_file

# Pages that others wrote and that guard themselves; they are not walked role by role.
FOREIGN = ("accounts/", "admin/")

# What no browser sends, or a mail program: a signature takes the place of the form's token.
SIGNED = (
    "webhooks/<slug:gateway>/",
    "webhooks/payouts/<slug:gateway>/",
    "webhooks/mail/",
    "unsubscribe/<str:signed>/",
)

OUTSIDE = ("zed", "oscar", "fay")
PROVIDERS = ("maya", "noah", "dana", "vera", "dora")
CUSTOMERS = ("ben", "bella", "sam", "theo")
EVERYBODY = ("rhea", *PROVIDERS, *CUSTOMERS, *OUTSIDE)

ALLOWED_BY_DUTY = {
    None: {"OWNER", "BILLING", "SUPPORT", "VIEWER"},
    "may_manage": {"OWNER"},
    "may_bill": {"OWNER", "BILLING"},
    "may_support": {"OWNER", "SUPPORT"},
    "may_resend": {"OWNER", "BILLING", "SUPPORT"},
}


@dataclass(frozen=True)
class Page:
    """One URL of ours: its pattern, the view behind it and the rule that the view declares."""

    route: str
    view: Callable[..., Any]
    parameters: tuple[str, ...]

    @property
    def rule(self) -> Rule | None:
        return getattr(self.view, "access", None)

    def path(self, values: dict[str, Any]) -> str:
        path = "/" + self.route
        if self.rule and self.rule.between:
            values = values | values["with Revampd"]
        for name in self.parameters:
            start = path.index("<")
            path = f"{path[:start]}{values[name]}{path[path.index('>') + 1 :]}"
        return path


def pages(resolver: URLResolver | None = None, before: str = "") -> Iterator[Page]:
    for entry in (resolver or get_resolver()).url_patterns:
        route = before + str(entry.pattern)
        if route.startswith(FOREIGN):
            continue
        if isinstance(entry, URLResolver):
            yield from pages(entry, route)
        elif isinstance(entry, URLPattern):
            parameters = [part.split(">")[0].split(":")[-1] for part in route.split("<")[1:]]
            yield Page(route, entry.callback, tuple(parameters))


PAGES = {page.route: page for page in pages()}


@pytest.fixture
def values(cast: Cast) -> dict[str, Any]:
    """What stands in the URLs: rows of Northwind, Bluebird and their connection."""
    now = timezone.now()
    connection = cast.northwind_bluebird

    def propose(item: Any) -> BillingRequest:
        return BillingRequest.propose(Proposal(item), connection=connection, by=cast.noah, at=now)

    first = propose(cast.growth)
    first.approve(by=cast.ben, seal=first.seal, at=now)
    waiting = propose(cast.setup)
    invitation = Invitation.send(
        organization=cast.northwind, email="new@example.com", role="VIEWER", by=cast.maya, at=now
    )
    credit = Credit.adjust(connection, 20_00, reason="Goodwill", by=cast.noah, at=now)
    card = add_card(connection, by=cast.ben, at=now)
    invoice = connection.invoices.get()
    amounts = {invoice.lines.get().pk: 1_00}
    note = CreditNote.issue(invoice, amounts, reason="Rounding", by=cast.noah, at=now)
    confirmed_later = add_card(connection, "confirms_always", by=cast.ben, at=now)
    asked = pay(invoice, confirmed_later, cause=Payment.Cause.PERSON, at=now)
    assert asked is not None
    own = with_revampd(cast)
    link = begin_link(cast.revampd_northwind, "/", by=cast.maya, at=now)
    referral = ReferralLink.make(cast.northwind, cast.northwind, by=cast.maya, at=now)
    imported = confirm(cast, clinics(2))
    asked_for, file = with_file(cast)
    drain_events()
    return {
        "connection_id": connection.pk,
        "credit_id": credit.pk,
        "method_id": card.pk,
        "setup_reference": begin_setup(connection, "/", by=cast.ben, at=now).reference,
        "charge_reference": asked.reference,
        "payment_id": asked.pk,
        "slug": cast.northwind.slug,
        "topic": "plan",
        "request_id": waiting.pk,
        "number": invoice.number,
        "note_number": note.number,
        "token": invitation_token(invitation.pk),
        "invitation_id": invitation.pk,
        "membership_id": Membership.objects.get(user=cast.vera).pk,
        "plan_id": Plan.objects.get(provider=cast.northwind, name="Growth").pk,
        "version_id": cast.growth.pk,
        "add_on_id": cast.phone_numbers.pk,
        "charge_id": cast.setup.pk,
        "notification_id": cast.ben.notifications.first().pk,
        "pk": cast.ben.notifications.first().pk,
        "key": "nobody",
        "gateway": "sandbox",
        "delivery_id": Delivery.objects.answered_for_by(cast.northwind).about(asked_for).first().pk,
        "signed": unsubscribe_token(cast.ben, Category.ACCOUNT),
        "import_id": imported.pk,
        "ticket_id": asked_for.pk,
        "attachment_id": file.pk,
        "link_reference": link.reference,
        "code": referral.code,
        "inquiry_id": Inquiry.send(referral, name="New & Co", by=cast.zed, at=now).pk,
        "with Revampd": own,
    }


def with_revampd(cast: Cast) -> dict[str, Any]:
    """Rows of Northwind's connection with Revampd, for the pages that only such ones have.

    Its tier has room for ten Sub-Orgs.
    """
    on_sale = put_on_sale(cast)
    choose(cast, on_sale.starter)
    return {
        "connection_id": cast.revampd_northwind.pk,
        "version_id": on_sale.pro.pk,
        "add_on_id": on_sale.numbers.pk,
        "request_id": add(cast, on_sale.numbers, 3).pk,
        "payout_id": paid_out(cast, at=timezone.now() - timedelta(days=8)).pk,
        "affiliate_payout_id": AffiliatePayout.objects.create(
            connection=cast.revampd_northwind,
            period_start=date(2026, 10, 1),
            period_end=date(2026, 11, 1),
            closed_at=timezone.now(),
        ).pk,
    }


def ends_of(page: Page, cast: Cast) -> tuple[Organization, Organization]:
    """Provider and customer of the connection that the page is walked on."""
    assert page.rule is not None
    own = (cast.revampd, cast.northwind)
    return own if page.rule.between else (cast.northwind, cast.bluebird)


def role_of(user: User, page: Page, cast: Cast) -> tuple[str, Side | None] | None:
    """The role (and side) in which `user` stands before `page`; None for a stranger."""
    assert page.rule is not None
    roles = {m.organization_id: m.role for m in user.memberships.all()}
    if page.rule.door == "organization":
        role = roles.get(cast.northwind.pk)
        return (role, None) if role else None
    for side, organization in zip(Side, ends_of(page, cast), strict=True):
        if organization.pk in roles:
            return roles[organization.pk], side
    return None


def may_enter(role: str, side: Side | None, rule: Rule) -> bool:
    duty = rule.duty.value if rule.duty else None
    return (rule.side is None or rule.side is side) and role in ALLOWED_BY_DUTY[duty]


class TestEveryPage:
    def test_declares_who_may_come_in(self):
        undeclared = [page.route for page in PAGES.values() if page.rule is None]

        assert undeclared == []

    def test_says_why_if_it_is_public(self):
        public = [page for page in PAGES.values() if page.rule and page.rule.door == "public"]

        assert all(page.rule and page.rule.reason for page in public)
        assert {page.route for page in public} == {
            "healthz",
            "invitations/<str:token>/",
            "join/<str:code>/",
            "readyz",
            "unsubscribe/<str:signed>/",
            "webhooks/<slug:gateway>/",
            "webhooks/payouts/<slug:gateway>/",
            "webhooks/mail/",
        }

    def test_takes_its_connection_or_organization_from_the_address(self):
        for page in PAGES.values():
            assert page.rule is not None
            if page.rule.door == "party":
                assert page.parameters[0] == "connection_id", page.route
            if page.rule.door == "organization":
                assert page.parameters[0] == "slug", page.route


@pytest.mark.parametrize("route", sorted(PAGES))
class TestDoor:
    def test_sends_whoever_is_signed_out_to_the_login_page(self, route, values, client):
        page = PAGES[route]
        if page.rule is None or page.rule.door == "public":
            pytest.skip("public")
        for method in (client.get, client.post):
            answer = method(page.path(values))

            assert answer.status_code == 302, method
            assert answer["Location"].startswith("/accounts/login/?next=")

    def test_answers_404_403_or_the_page_by_side_and_role(self, route, values, cast, as_):
        page = PAGES[route]
        if page.rule is None or page.rule.door not in ("party", "organization"):
            pytest.skip("not behind a door")
        for name in EVERYBODY:
            user = getattr(cast, name)
            standing = role_of(user, page, cast)
            for method in ("get", "post"):
                # Nothing of what a POST would do may survive for the next person.
                status = rolled_back(as_(user), method, page.path(values))
                where = f"{method} {route} as {name}"
                if standing is None:
                    assert status == 404, where
                elif may_enter(*standing, page.rule):
                    # 403 can still come from a verb: Dora may not decide what Northwind sent.
                    assert status in (200, 204, 302, 303, 405, 409, 422), where
                else:
                    assert status == 403, where

    def test_takes_no_form_from_elsewhere(self, route, values, cast):
        page = PAGES[route]
        if route in SIGNED:
            pytest.skip("let in by a signature, not by a session")
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(cast.maya, backend="connections.backends.Backend")

        answer = strict.post(page.path(values))

        assert answer.status_code == 403, route
        assert "This form is no longer valid" in answer.content.decode()

    def test_lets_browsers_do_little_with_its_answer(self, route, values, cast, as_):
        answer = as_(cast.maya).get(PAGES[route].path(values))

        policy = answer["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer["X-Frame-Options"] == "DENY"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Referrer-Policy"] == "same-origin"
        assert "camera=()" in answer["Permissions-Policy"]
        assert "private" in answer["Cache-Control"]


def rolled_back(client: Client, method: str, path: str) -> int:
    """The status of the answer; a bare savepoint, because gateways refuse to be in a block."""
    before = transaction.savepoint()
    status = int(getattr(client, method)(path).status_code)
    transaction.savepoint_rollback(before)
    return status


class TestForeignIds:
    """An id of somebody else's, in an address that is one's own, is not there."""

    def test_is_not_found_for_a_request_of_another_connection(self, cast, as_):
        now = timezone.now()
        theirs = BillingRequest.propose(
            Proposal(cast.contoso_basic), connection=cast.contoso_fabrikam, by=cast.oscar, at=now
        )
        mine = f"/connections/{cast.northwind_bluebird.pk}/requests/{theirs.pk}/"

        for ending in ("", "approval/", "rejection/", "withdrawal/", "revision/"):
            for user in (cast.maya, cast.ben):
                browser = as_(user)
                answers = {browser.get(mine + ending).status_code}
                answers |= {browser.post(mine + ending).status_code}
                assert answers <= {404, 403, 405}, (ending, user)

        theirs.refresh_from_db()
        assert theirs.is_pending

    def test_is_not_found_for_an_invoice_number_of_another_connection(self, cast, as_):
        now = timezone.now()
        request = BillingRequest.propose(
            Proposal(cast.contoso_basic), connection=cast.contoso_fabrikam, by=cast.oscar, at=now
        )
        request.approve(by=cast.fay, seal=request.seal, at=now)
        number = cast.contoso_fabrikam.invoices.get().number

        answer = as_(cast.ben).get(f"/connections/{cast.northwind_bluebird.pk}/invoices/{number}/")

        assert answer.status_code == 404

    def test_is_not_found_for_a_payout_of_another_partner(self, cast, as_):
        sell(cast, 50_00, connection=cast.contoso_fabrikam)
        [payout] = close(week(1))
        mine = f"/connections/{cast.revampd_northwind.pk}/payouts/{payout.pk}/"

        for ending in ("", "settlement/", "export/", "statement/"):
            browser = as_(cast.maya)
            answers = {browser.get(mine + ending).status_code}
            answers |= {browser.post(mine + ending).status_code}
            assert answers <= {404, 405}, ending

    @pytest.mark.parametrize("page", ["", "settings/", "export/"])
    def test_is_not_found_for_payouts_where_there_are_none(self, cast, as_, page):
        address = f"/connections/{cast.northwind_bluebird.pk}/payouts/{page}"

        assert as_(cast.ben).get(address).status_code == 404

    @pytest.mark.parametrize("door", ["connections", "organizations"])
    def test_is_not_found_for_what_does_not_exist(self, cast, as_, door):
        nobody = {
            "connections": "/connections/00000000-0000-4000-8000-000000000000/",
            "organizations": "/organizations/nowhere/members/",
        }

        assert as_(cast.maya).get(nobody[door]).status_code == 404

    def test_shows_nobody_the_notifications_of_another(self, cast, values, as_):
        answer = as_(cast.zed).get(f"/notifications/{values['pk']}/")

        assert answer.status_code == 404


class TestStaff:
    def test_see_no_connection_but_their_own(self, cast, as_):
        answer = as_(cast.rhea).get(f"/connections/{cast.northwind_bluebird.pk}/")

        assert answer.status_code == 404

    def test_enter_the_admin_that_is_closed_to_everybody_else(self, cast, as_):
        cast.rhea.is_superuser = True
        cast.rhea.save()

        assert as_(cast.rhea).get("/admin/").status_code == 200
        assert as_(cast.maya).get("/admin/").status_code in (302, 403, 404)
