"""Sending and revising a request: the form, its preview, and everything it refuses."""

import uuid
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from billing.models import BillingRequest
from billing.models.proposals import Proposal
from tests.billing.deals import HTMX, MARKUP, propose, run
from tests.cast import Cast
from tests.pages import text


def form_url(cast: Cast) -> str:
    return reverse("billing:propose", args=[cast.northwind_bluebird.pk])


def filled(item, /, **changes) -> dict[str, str]:
    """A valid form that proposes `item`."""
    day = timezone.now().date() + timedelta(days=30)
    data = {
        "key": str(uuid.uuid4()),
        "item": str(item.pk),
        "quantity": "1",
        "timing": "NOW",
        "effective_date": "",
        "expires_on": day.isoformat(),
        "note": "",
    }
    return data | changes


def days_from_now(number: int) -> str:
    return (timezone.now().date() + timedelta(days=number)).isoformat()


class TestProposeRequest:
    def test_sends_what_was_chosen(self, cast, as_):
        data = filled(cast.phone_numbers, quantity="5", note="As you asked")
        run(cast)

        page = as_(cast.noah).post(form_url(cast), data)

        request = BillingRequest.objects.pending().get()
        assert page.status_code == 303
        assert page["Location"] == reverse(
            "billing:request", args=[request.connection_id, request.pk]
        )
        assert (request.add_on, request.quantity, request.note) == (
            cast.phone_numbers,
            5,
            "As you asked",
        )

    def test_takes_effect_on_the_day(self, cast, as_):
        day = days_from_now(10)
        data = filled(cast.growth, timing="DATE", effective_date=day)

        as_(cast.noah).post(form_url(cast), data)

        assert BillingRequest.objects.get().effective_date.isoformat() == day

    def test_can_be_decided_until_the_end_of_the_day(self, cast, as_):
        as_(cast.noah).post(form_url(cast), filled(cast.growth, expires_on=days_from_now(5)))

        expires_at = BillingRequest.objects.get().expires_at
        assert f"{expires_at:%Y-%m-%d %H:%M:%S}" == f"{days_from_now(5)} 23:59:59"

    def test_sends_a_form_once_that_is_sent_twice(self, cast, as_):
        data = filled(cast.growth)

        first = as_(cast.noah).post(form_url(cast), data)
        second = as_(cast.noah).post(form_url(cast), data)

        assert BillingRequest.objects.count() == 1
        assert first["Location"] == second["Location"]

    def test_refuses_the_key_of_a_request_of_another_connection(self, cast, as_):
        taken = BillingRequest.propose(
            Proposal(cast.contoso_basic),
            connection=cast.contoso_fabrikam,
            by=cast.oscar,
            at=timezone.now(),
        )

        page = as_(cast.noah).post(form_url(cast), filled(cast.growth, key=str(taken.pk)))

        assert page.status_code == 422
        assert BillingRequest.objects.count() == 1

    def test_redirects_htmx_to_the_request(self, cast, as_):
        page = as_(cast.noah).post(form_url(cast), filled(cast.growth), headers=HTMX)

        request = BillingRequest.objects.get()
        assert page["HX-Redirect"].endswith(f"{request.pk}/")

    def test_lists_the_newest_version_of_each_plan(self, cast, as_):
        newer = cast.growth.plan.publish(
            by=cast.maya, at=timezone.now(), interval="MONTH", base_price=159_00
        )

        page = text(as_(cast.noah).get(form_url(cast)))

        assert str(newer.pk) in page
        assert str(cast.growth_yearly.pk) in page
        assert str(cast.growth.pk) not in page
        assert str(cast.contoso_basic.pk) not in page

    def test_offers_the_next_cycle_only_where_one_runs(self, cast, as_):
        assert "Next billing cycle" not in text(as_(cast.noah).get(form_url(cast)))
        run(cast)
        assert "Next billing cycle" in text(as_(cast.noah).get(form_url(cast)))

    @pytest.mark.parametrize(
        ("name", "status"),
        [("dana", 403), ("vera", 403), ("ben", 403), ("oscar", 404), ("zed", 404)],
    )
    def test_is_only_for_owners_and_billing_of_the_provider(self, cast, as_, name, status):
        browser = as_(getattr(cast, name))

        assert browser.get(form_url(cast)).status_code == status
        assert browser.post(form_url(cast), filled(cast.growth)).status_code == status

    @pytest.mark.parametrize(
        ("field", "value", "sentence"),
        [
            ("item", "", "Choose a plan, an add-on or a one-time charge."),
            ("item", "nonsense", "Choose something from your own catalog"),
            ("item", "5f0c1d8e-0000-4000-8000-000000000000", "Choose something from your own"),
            ("quantity", "0", "Enter at least 1."),
            ("quantity", "-1", "Enter a whole number"),
            ("quantity", "1000000000", "Enter at most 10,000."),
            pytest.param("quantity", "9" * 5000, "Enter a whole number", id="quantity-long"),
            ("quantity", "1_000", "Enter a whole number"),
            ("quantity", "５", "Enter a whole number"),
            ("quantity", "1.5", "Enter a whole number"),
            ("timing", "", "This field is required."),
            ("timing", "YESTERDAY", "Choose one of the times below."),
            ("timing", "NEXT_CYCLE", "Choose one of the times below."),
            ("expires_on", "", "This field is required."),
            ("expires_on", "2026-02-30", "Enter a day that exists"),
            ("expires_on", "9999-12-31", "Choose a day from today on"),
            ("expires_on", "2000-01-01", "Choose a day from today on"),
            ("expires_on", "tomorrow", "Enter a day that exists"),
            pytest.param("note", MARKUP + "x" * 100_000, "Keep the note under", id="note-long"),
            ("note", "\x00", "Null characters are not allowed."),
        ],
    )
    def test_says_beside_the_field_what_is_wrong(self, cast, as_, field, value, sentence):
        data = filled(cast.growth, **{field: value})

        page = as_(cast.noah).post(form_url(cast), data, headers=HTMX)

        assert page.status_code == 422
        assert any(sentence in error for error in page.context["form"].errors[field])
        assert MARKUP not in text(page)
        assert not BillingRequest.objects.exists()

    @pytest.mark.parametrize(
        ("day", "sentence"),
        [
            (-2, "Choose today or a later day."),
            ("2300-01-01", "Choose a day within the next 12 months."),
            ("2027-02-30", "Enter a day that exists"),
        ],
    )
    def test_refuses_a_day_that_cannot_be(self, cast, as_, day, sentence):
        day = day if isinstance(day, str) else days_from_now(day)
        data = filled(cast.growth, timing="DATE", effective_date=day)

        page = as_(cast.noah).post(form_url(cast), data)

        assert page.status_code == 422
        assert sentence in page.context["form"].errors["effective_date"][0]
        assert f'value="{day}"' in text(page)

    def test_asks_for_the_day(self, cast, as_):
        page = as_(cast.noah).post(form_url(cast), filled(cast.growth, timing="DATE"))

        assert page.status_code == 422
        assert "Enter the day" in page.context["form"].errors["effective_date"][0]

    def test_refuses_what_another_partner_sells(self, cast, as_):
        page = as_(cast.noah).post(form_url(cast), filled(cast.contoso_basic))

        assert page.status_code == 422
        assert "item" in page.context["form"].errors

    def test_refuses_what_was_taken_off_sale_meanwhile(self, cast, as_):
        data = filled(cast.setup)
        cast.setup.archive(by=cast.maya, at=timezone.now())

        page = as_(cast.noah).post(form_url(cast), data)

        assert page.status_code == 422
        assert "on sale" in page.context["form"].errors["item"][0]

    def test_refuses_an_add_on_without_a_plan(self, cast, as_):
        page = as_(cast.noah).post(form_url(cast), filled(cast.phone_numbers))

        assert page.status_code == 422
        assert "Propose a plan first." in page.context["form"].errors["item"][0]

    def test_keeps_what_was_typed(self, cast, as_):
        data = filled(cast.growth, quantity="many", note="Kept, I hope")

        page = text(as_(cast.noah).post(form_url(cast), data))

        assert 'value="many"' in page
        assert "Kept, I hope" in page
        assert data["key"] in page


class TestPreview:
    def test_shows_what_the_customer_will_see_and_sends_nothing(self, cast, as_):
        data = filled(cast.growth, preview="1", note="Hello")

        page = text(as_(cast.noah).post(form_url(cast), data))

        assert "What Bluebird Clinic will see" in page
        assert "of which" in page
        assert "checked" in page
        assert not BillingRequest.objects.exists()

    def test_answers_htmx_with_the_preview_alone(self, cast, as_):
        data = filled(cast.growth, preview="1")

        page = as_(cast.noah).post(form_url(cast), data, headers=HTMX)

        assert page.status_code == 200
        assert "<html" not in text(page)
        assert 'id="preview"' in text(page)
        assert "$149.00" in text(page)

    def test_says_what_is_missing(self, cast, as_):
        data = filled(cast.growth, item="", preview="1")

        page = as_(cast.noah).post(form_url(cast), data, headers=HTMX)

        assert page.status_code == 200
        assert "Choose a plan, an add-on or a one-time charge." in text(page)

    def test_says_that_a_charge_is_once_and_what_runs_stays(self, cast, as_):
        run(cast)

        page = as_(cast.noah).post(form_url(cast), filled(cast.setup, preview="1"), headers=HTMX)

        assert "Nothing more" in text(page)
        assert "What runs already stays at $149.00 each month." in text(page)

    def test_says_how_much_less_a_smaller_plan_is(self, cast, as_):
        run(cast, cast.scale)

        page = as_(cast.noah).post(
            form_url(cast), filled(cast.growth, preview="1", timing="NEXT_CYCLE"), headers=HTMX
        )

        assert "$148.00 less than now." in text(page)

    def test_names_the_usage_fees(self, cast, as_):
        version = cast.growth.plan.publish(
            by=cast.maya,
            at=timezone.now(),
            interval="MONTH",
            base_price=100_00,
            booking_fee=2_00,
        )

        page = as_(cast.noah).post(form_url(cast), filled(version, preview="1"), headers=HTMX)

        assert "Usage comes on top: $2.00 each booking." in text(page)


class TestReviseRequest:
    def url(self, request: BillingRequest) -> str:
        return reverse("billing:revise-request", args=[request.connection_id, request.pk])

    def test_starts_from_the_request(self, cast, as_):
        request = propose(cast, cast.setup, note="The first try")

        page = as_(cast.noah).get(self.url(request))

        assert page.context["form"].initial["item"] == str(cast.setup.pk)
        assert "The first try" in text(page)

    def test_retires_the_request_and_sends_a_new_one(self, cast, as_):
        request = propose(cast)

        as_(cast.maya).post(self.url(request), filled(cast.scale))

        request.refresh_from_db()
        assert request.state == "REVISED"
        assert request.revision.plan_version == cast.scale

    def test_leaves_the_request_waiting_when_the_form_is_wrong(self, cast, as_):
        request = propose(cast)

        page = as_(cast.maya).post(self.url(request), filled(cast.scale, expires_on="never"))

        request.refresh_from_db()
        assert page.status_code == 422
        assert request.is_pending

    def test_is_refused_after_the_decision(self, cast, as_):
        request = run(cast)

        page = as_(cast.noah).post(self.url(request), filled(cast.scale))

        assert page.status_code == 409
        assert as_(cast.noah).get(self.url(request)).status_code == 302

    @pytest.mark.parametrize(("name", "status"), [("ben", 403), ("vera", 403), ("zed", 404)])
    def test_is_only_for_owners_and_billing_of_the_provider(self, cast, as_, name, status):
        request = propose(cast)

        page = as_(getattr(cast, name)).post(self.url(request), filled(cast.scale))

        assert page.status_code == status
