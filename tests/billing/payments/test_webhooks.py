"""Webhooks: what is let in, and what each one leads to."""

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from billing.collecting import collect_due
from billing.gateways import sandbox, signing
from billing.gateways.base import State
from billing.models import GatewayEvent, Invoice, Payment, SandboxCharge
from billing.models.webhooks import LEASE
from billing.views.webhooks import MOST_BYTES
from billing.webhooks import work_off
from notifications.draining import drain_events
from notifications.models import Notification
from tests.billing.acts import NOW

from .acts import assert_books_agree, events_of, fresh

URL = "/webhooks/sandbox/"


def body_of(key: object, kind: str = "charge.succeeded", number: int = 1) -> bytes:
    about = {"reference": "charge_1", "key": str(key)}
    event = {"id": f"evt_{number}", "type": kind, "created": NOW.isoformat(), "object": about}
    return json.dumps(event).encode()


def send(body: bytes, url: str = URL, *, signed: bytes | None = None, at=None):
    """Post a webhook from outside, as a browser without a session would."""
    header = signing.sign(signed or body, sandbox._secret(), at or timezone.now())
    client = Client(enforce_csrf_checks=True)
    return client.post(
        url, body, content_type="application/json", headers={"Stripe-Signature": header}
    )


@pytest.fixture
def payment(cast, invoice, card) -> Payment:
    """Taken by the gateway, but nobody here knows of it yet."""
    card("answer_lost")
    collect_due(at=NOW)
    return invoice.payments.get()


@pytest.mark.usefixtures("db")
class TestReceive:
    def test_stores_what_is_signed_and_answers_at_once(self, payment):
        assert send(body_of(payment.pk)).status_code == 200

        event = GatewayEvent.objects.get()
        assert (event.key, event.kind, event.processed_at) == (payment.pk, "charge.succeeded", None)
        assert fresh(payment).state == "INTENT"

    def test_stores_a_replay_once(self, payment):
        assert [send(body_of(payment.pk)).status_code for _ in range(3)] == [200] * 3

        assert GatewayEvent.objects.count() == 1

    @pytest.mark.parametrize(
        ("change", "minutes"), [(b"{}", 0), (None, 6), (None, -6)], ids=["body", "old", "future"]
    )
    def test_refuses_a_wrong_signature_and_stores_nothing(self, change, minutes):
        body = body_of("0192f000-0000-7000-8000-000000000001")
        at = timezone.now() - timedelta(minutes=minutes)

        assert send(body, signed=change, at=at).status_code == 400
        assert not GatewayEvent.objects.exists()

    def test_refuses_one_without_a_signature(self, client):
        answer = client.post(URL, body_of("x"), content_type="application/json")

        assert answer.status_code == 400
        assert not GatewayEvent.objects.exists()

    @pytest.mark.parametrize("body", [b"", b"not json", b"[]", b'{"id": 1}', b"\xff\x00"])
    def test_refuses_what_is_signed_but_no_webhook(self, body):
        assert send(body).status_code == 400

    def test_knows_no_other_gateway(self):
        assert send(body_of("x"), "/webhooks/stripe/").status_code == 404
        assert not GatewayEvent.objects.exists()

    def test_shows_nothing(self, client):
        assert client.get(URL).status_code == 405

    def test_refuses_a_huge_body(self):
        assert send(b"x" * (MOST_BYTES + 1)).status_code == 413


class TestWorkOff:
    def test_asks_the_gateway_what_became_of_it(self, payment):
        # What the webhook says is not believed.
        send(body_of(payment.pk, "charge.failed"))

        assert [work_off(at=NOW), work_off(at=NOW)] == [1, 0]
        assert fresh(payment).state == "SUCCEEDED"
        assert GatewayEvent.objects.get().processed_at == NOW
        assert_books_agree()

    def test_books_once_whatever_comes_in_whichever_order(self, payment):
        for number, kind in enumerate(["succeeded", "processing", "succeeded", "failed"]):
            send(body_of(payment.pk, f"charge.{kind}", number))

        assert work_off(at=NOW) == 4
        assert len(events_of("payment.succeeded")) == 1
        assert_books_agree()

    @pytest.mark.parametrize("kind", ["charge.disputed", "customer.created", "x" * 300])
    def test_notes_what_is_not_about_anything_of_ours(self, db, kind):
        send(body_of("0192f000-0000-7000-8000-000000000001", kind))

        assert work_off(at=NOW) == 1
        event = GatewayEvent.objects.get()
        assert event.note == "Not about a payment, refund or dispute of ours."
        assert event.processed_at == NOW

    def test_tries_again_when_the_gateway_does_not_answer(self, payment, monkeypatch):
        send(body_of(payment.pk))
        with monkeypatch.context() as patched:
            patched.setattr("billing.collecting.gateway", lambda at: Silent(at))
            assert work_off(at=NOW) == 0

        assert work_off(at=NOW + LEASE / 2) == 0
        assert work_off(at=NOW + LEASE) == 1
        assert_books_agree()

    def test_leaves_one_to_the_next_worker_when_it_dies(self, payment):
        send(body_of(payment.pk))
        assert GatewayEvent.take(at=NOW) is not None  # and died

        assert work_off(at=NOW) == 0
        assert work_off(at=NOW + LEASE) == 1


class TestContradiction:
    """The gateway took what it had said that it would not take."""

    @pytest.fixture
    def contradicted(self, cast, invoice, card) -> Payment:
        card("insufficient_funds")
        collect_due(at=NOW)
        payment = invoice.payments.get()
        SandboxCharge.objects.filter(key=payment.pk).update(state=State.SUCCEEDED, code="")
        return payment

    def test_changes_nothing_here_and_stays_with_the_webhook(self, contradicted):
        send(body_of(contradicted.pk))

        work_off(at=NOW)

        assert fresh(contradicted).state == "FAILED"
        event = GatewayEvent.objects.get()
        assert event.problem == (
            "$149.00 by Visa ending 9995 for INV-00001 is failed here, "
            "but the gateway says succeeded."
        )
        assert event.processed_at is None
        assert work_off(at=NOW + LEASE * 2) == 0

    def test_is_told_to_staff_once(self, cast, contradicted):
        for number in range(3):
            send(body_of(contradicted.pk, number=number))
        work_off(at=NOW)

        drain_events()

        told = Notification.objects.filter(event__code="gateway.contradicted")
        assert [row.recipient for row in told] == [cast.rhea]

    def test_is_found_the_other_way_round(self, cast, invoice, card):
        card()
        collect_due(at=NOW)
        payment = invoice.payments.get()
        charge = SandboxCharge.objects.filter(key=payment.pk)
        charge.update(state=State.FAILED, code="generic_decline")
        send(body_of(payment.pk))

        work_off(at=NOW)

        assert fresh(payment).state == "SUCCEEDED"
        assert fresh(invoice).state == Invoice.State.PAID
        assert len(events_of("gateway.contradicted")) == 1


class Silent(sandbox.Sandbox):
    """A sandbox behind a network that is down."""

    def look_up(self, order, _reference="", /):
        raise sandbox.Unanswered
