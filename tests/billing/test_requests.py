"""Consent: proposing, deciding, and what follows by itself."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connections as db

from billing.models import BillingRequest, Subscription
from billing.models.proposals import Proposal
from billing.models.requests import AlreadyDecided, OwnProposal, TermsChanged
from revampd.kit.errors import Invalid, NotAllowed
from tests.cast import Cast

NOW = datetime(2026, 11, 10, 9, 30, tzinfo=UTC)


def propose(cast: Cast, item=None, at=NOW, **details) -> BillingRequest:
    proposal = Proposal(item or cast.growth, **details)
    return BillingRequest.propose(proposal, connection=cast.northwind_bluebird, by=cast.noah, at=at)


def approve(cast: Cast, request: BillingRequest, at=NOW) -> None:
    request.approve(by=cast.ben, seal=request.seal, at=at)


class TestApprove:
    def test_starts_the_subscription_and_issues_its_first_invoice(self, cast):
        request = propose(cast)

        approve(cast, request)

        subscription = Subscription.objects.get(connection=cast.northwind_bluebird)
        invoice = cast.northwind_bluebird.invoices.get()
        assert subscription.running.plan.name == "Growth"
        assert str(invoice.total_money) == "$149.00"
        assert [line.request for line in invoice.lines.all()] == [request]

    def test_runs_as_the_application_role(self, cast):
        with db["default"].cursor() as cursor:
            cursor.execute(
                "SELECT current_user, usesuper FROM pg_user WHERE usename = current_user"
            )
            assert cursor.fetchone() == ("revampd_app", False)
