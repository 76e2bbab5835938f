"""The Plan page of a connection, seen from both sides."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from billing.models.proposals import Proposal
from billing.pricing import Timing
from tests.billing.deals import propose, queries, run
from tests.billing.settling import grant
from tests.pages import text


def plan_url(connection) -> str:
    return reverse("billing:plan", args=[connection.pk])


def with_fee(cast, booking_fee: int):
    """A version of Growth that charges each booking."""
    terms = {"interval": "MONTH", "base_price": 149_00, "booking_fee": booking_fee}
    return cast.growth.plan.publish(by=cast.maya, at=timezone.now(), **terms)


class TestPlanPage:
    @pytest.mark.parametrize("name", ["maya", "vera", "dana", "dora", "ben", "sam", "theo"])
    def test_shows_what_runs_with_its_approval(self, cast, as_, name):
        request = run(cast)
        add_on = run(cast, cast.phone_numbers, quantity=5)

        page = text(as_(getattr(cast, name)).get(plan_url(cast.northwind_bluebird)))

        assert "Growth" in page
        assert "5 × Phone number" in page
        assert "$161.50 / month" in page
        for authority in (request, add_on):
            assert reverse("billing:request", args=[authority.connection_id, authority.pk]) in page

    def test_names_the_usage_fees_that_were_approved(self, cast, as_):
        version = cast.growth.plan.publish(
            by=cast.maya,
            at=timezone.now(),
            interval="MONTH",
            base_price=100_00,
            booking_fee=2_00,
            transfer_fee=1_00,
        )
        run(cast, version)

        page = text(as_(cast.ben).get(plan_url(cast.northwind_bluebird)))

        assert "plus $2.00 each booking and $1.00 each transfer" in page

    def test_shows_the_next_invoice_as_the_billing_run_will_issue_it(self, cast, as_):
        run(cast)
        run(cast, cast.phone_numbers, quantity=2)

        page = as_(cast.ben).get(plan_url(cast.northwind_bluebird))

        runs = page.context["runs"]
        assert runs.upcoming[0].amount.minor == 149_00
        assert str(runs.upcoming_total) in text(page)
        assert "Upcoming" in text(page)

    def test_shows_what_is_scheduled(self, cast, as_):
        run(cast)
        run(cast, cast.scale, timing=Timing.NEXT_CYCLE)

        page = as_(cast.ben).get(plan_url(cast.northwind_bluebird))

        runs = page.context["runs"]
        assert [item.name for item in runs.later] == ["Scale"]
        assert [item.name for item in runs.ending] == ["Growth"]
        assert "Scheduled" in text(page)

    def test_shows_a_plan_that_has_not_begun(self, cast, as_):
        day = timezone.now().date() + timedelta(days=9)
        run(cast, timing=Timing.DATE, effective_date=day)

        page = text(as_(cast.maya).get(plan_url(cast.northwind_bluebird)))

        assert "Starts later" in page
        assert "Nothing runs yet." in page

    def test_puts_what_waits_on_top(self, cast, as_):
        request = propose(cast)
        link = reverse("billing:request", args=[request.connection_id, request.pk])

        decider = text(as_(cast.ben).get(plan_url(cast.northwind_bluebird)))
        reader = text(as_(cast.theo).get(plan_url(cast.northwind_bluebird)))

        assert "Waiting for your decision" in decider
        assert "Waiting for a decision" in reader
        assert link in decider
        assert link in reader

    def test_says_what_to_do_while_nothing_runs(self, cast, as_):
        propose_url = reverse("billing:propose", args=[cast.northwind_bluebird.pk])

        provider = text(as_(cast.noah).get(plan_url(cast.northwind_bluebird)))
        customer = text(as_(cast.ben).get(plan_url(cast.northwind_bluebird)))

        assert "Propose a plan" in provider
        assert "Nothing runs yet" in customer
        assert propose_url not in customer

    def test_leads_a_sub_org_to_its_partner(self, cast, as_):
        page = text(as_(cast.ben).get(plan_url(cast.revampd_bluebird)))

        assert "Access is managed by Northwind Agency" in page
        assert plan_url(cast.northwind_bluebird) in page

    def test_leads_the_platform_to_no_page_that_is_not_its_own(self, cast, as_):
        page = text(as_(cast.rhea).get(plan_url(cast.revampd_bluebird)))

        assert "through its Partner, Northwind Agency" in page
        assert plan_url(cast.northwind_bluebird) not in page

    def test_keeps_the_price_that_was_approved(self, cast, as_):
        run(cast)
        cast.growth.plan.publish(
            by=cast.maya, at=timezone.now(), interval="MONTH", base_price=199_00
        )

        page = text(as_(cast.ben).get(plan_url(cast.northwind_bluebird)))

        assert "$149.00" in page
        assert "$199.00" not in page

    @pytest.mark.parametrize("name", ["oscar", "fay", "zed"])
    def test_is_not_there_for_strangers(self, cast, as_, name):
        page = as_(getattr(cast, name)).get(plan_url(cast.northwind_bluebird))

        assert page.status_code == 404

    @pytest.mark.parametrize("booking_fee", [0, 2_00])
    def test_costs_the_same_with_many_add_ons(self, cast, as_, booking_fee):
        run(cast, with_fee(cast, booking_fee))
        propose(cast, cast.setup)
        grant(cast, 5_00)
        few = queries(as_(cast.ben), plan_url(cast.northwind_bluebird))

        for _ in range(10):
            run(cast, cast.phone_numbers)
            grant(cast, 5_00)
        waiting = propose(cast, cast.scale)
        waiting.revise(Proposal(cast.scale, note="Again"), by=cast.noah, at=timezone.now())

        assert queries(as_(cast.ben), plan_url(cast.northwind_bluebird)) == few <= 10
