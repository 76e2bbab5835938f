"""Choices, daily summaries, mail that comes back, and the link that ends mail."""

import json
from datetime import timedelta

import pytest
from django.core import mail as outbox
from django.utils import timezone

from billing import events as billing
from connections.kinds import Category
from notifications.bouncing import signature_of
from notifications.digests import compose_digests
from notifications.draining import drain_events
from notifications.mail import send_due
from notifications.models import (
    Delivery,
    Digest,
    Notification,
    OrganizationDefault,
    Preference,
    Undeliverable,
)
from notifications.tokens import unsubscribe_token
from tests.cast import Cast

MAIL = (Category.BILLING_MANAGEMENT, "MAIL")
PAGE = (Category.BILLING_MANAGEMENT, "PAGE")
REPORT = "/webhooks/mail/"


@pytest.fixture(autouse=True)
def _nothing_waits(cast, settings):
    settings.MAIL_WEBHOOK_SECRET = "a long random text"
    drain_events()
    Delivery.objects.update(state="SENT", sent_at=timezone.now())


def tell(cast: Cast, count: int = 1, kind=billing.request_withdrawn) -> None:
    for number in range(count):
        kind.record(
            cast.northwind_bluebird, by=cast.noah, at=timezone.now(), organization=cast.northwind,
            connection=cast.northwind_bluebird, item=f"Offer {number}", provider="Northwind",
        )  # fmt: skip
    drain_events()


def choose(person, **manners) -> None:
    Preference.choose(person, {MAIL: manners["mail"]}, at=timezone.now())


def of(person) -> list[str]:
    rows = Delivery.objects.filter(address=person.email).exclude(state="SENT")
    return sorted(rows.values_list("state", flat=True))


def tomorrow():
    return timezone.now() + timedelta(days=1)


class TestPreference:
    def test_decides_whether_and_when_one_is_mailed(self, cast):
        choose(cast.ben, mail="OFF")
        choose(cast.bella, mail="DAILY")
        tell(cast)

        assert (of(cast.ben), of(cast.bella), of(cast.dora)) == ([], ["WAITING"], ["QUEUED"])
        assert Notification.objects.of(cast.ben).unread().exists()

    def test_keeps_consent_coming(self, cast):
        choose(cast.ben, mail="OFF")
        tell(cast, kind=billing.request_sent)

        assert of(cast.ben) == ["QUEUED"]

    def test_stands_above_what_the_organization_suggests(self, cast):
        now = timezone.now()
        OrganizationDefault.suggest(cast.bluebird, {MAIL: "OFF"}, by=cast.ben, at=now)
        choose(cast.bella, mail="AT_ONCE")
        tell(cast)

        assert (of(cast.ben), of(cast.bella)) == ([], ["QUEUED"])

    def test_keeps_quiet_what_is_wanted_quietly(self, cast):
        before = Notification.objects.of(cast.ben).unread().count()
        Preference.choose(cast.ben, {PAGE: "OFF", MAIL: "DAILY"}, at=timezone.now())
        tell(cast)

        assert Notification.objects.of(cast.ben).unread().count() == before
        assert compose_digests(at=tomorrow()) == 1


class TestDigest:
    def test_merges_ten_events_of_one_thing_into_a_line(self, cast):
        choose(cast.ben, mail="DAILY")
        tell(cast, 10)
        assert compose_digests(at=tomorrow()) == 1
        assert compose_digests(at=tomorrow()) == 0
        send_due(clock=tomorrow)

        [one] = [mail for mail in outbox.outbox if mail.to == [cast.ben.email]]
        assert one.body.count("withdrew Offer") == 1
        assert "and 9 earlier" in one.body
        assert of(cast.ben) == []

    def test_is_one_a_day(self, cast):
        choose(cast.ben, mail="DAILY")
        for _ in range(2):
            tell(cast)
            compose_digests(at=tomorrow())

        assert Digest.objects.filter(recipient=cast.ben).count() == 1

    def test_leaves_out_what_was_read_and_is_never_empty(self, cast):
        choose(cast.ben, mail="DAILY")
        tell(cast)
        Notification.objects.of(cast.ben).mark_read(at=tomorrow())

        assert compose_digests(at=tomorrow()) == 0
        assert of(cast.ben) == ["SKIPPED"]

    def test_is_not_sent_when_all_was_read_after_it_was_composed(self, cast):
        choose(cast.ben, mail="DAILY")
        tell(cast)
        compose_digests(at=tomorrow())
        Notification.objects.of(cast.ben).mark_read(at=tomorrow())
        send_due(clock=tomorrow)

        assert [mail for mail in outbox.outbox if mail.to == [cast.ben.email]] == []

    def test_hears_that_somebody_switched_it_off(self, cast):
        choose(cast.ben, mail="DAILY")
        tell(cast)
        choose(cast.ben, mail="OFF")

        assert compose_digests(at=tomorrow()) == 0


class TestUnsubscribe:
    def test_acts_on_post_alone_and_needs_nobody_signed_in(self, cast, client):
        path = f"/unsubscribe/{unsubscribe_token(cast.ben, MAIL[0])}/"
        assert "End this mail?" in client.get(path).content.decode()
        assert not Preference.objects.exists()

        client.post(path, {"List-Unsubscribe": "One-Click"})
        tell(cast)

        assert of(cast.ben) == []
        assert client.get("/unsubscribe/1-ALL:forged/").status_code == 404

    def test_is_not_offered_in_mail_about_consent(self, cast):
        tell(cast, kind=billing.request_sent)
        send_due()

        [one] = [mail for mail in outbox.outbox if mail.to == [cast.ben.email]]
        assert "List-Unsubscribe" not in one.extra_headers
        assert "It always comes" in one.body


class TestBounce:
    def report(self, client, delivery: Delivery, secret_ok: bool = True):
        body = json.dumps(
            {"type": "bounced", "message_id": f"<{delivery.pk}@x>", "permanent": True,
             "reason": "550 gone"}
        )  # fmt: skip
        moment = str(int(timezone.now().timestamp()))
        signed = signature_of(f"1.{moment}.{body}".encode()) if secret_ok else "v1,forged"
        headers = {
            "webhook-id": "1", "webhook-timestamp": moment, "webhook-signature": signed,
        }  # fmt: skip
        return client.post(REPORT, body, content_type="application/json", headers=headers)

    def test_marks_the_address_holds_further_mail_and_tells_the_sender(self, cast, client):
        tell(cast)
        send_due()
        sent = Delivery.objects.filter(address=cast.ben.email).latest("event_id")
        assert self.report(client, sent, secret_ok=False).status_code == 400
        assert [self.report(client, sent).status_code for _ in range(2)] == [204, 204]
        tell(cast)
        send_due()

        assert of(cast.ben) == ["BOUNCED", "HELD"]
        titles = Notification.objects.of(cast.noah).values_list("title", flat=True)
        assert list(titles).count(f"Mail to {cast.ben.email} comes back") == 1

    def test_is_seen_and_sent_again_by_the_sender_at_most_every_ten_minutes(
        self, cast, client, as_
    ):
        tell(cast)
        send_due()
        sent = Delivery.objects.filter(address=cast.ben.email).latest("event_id")
        self.report(client, sent)
        listed = f"/organizations/{cast.northwind.slug}/notifications/mail/"
        assert "550 gone" in as_(cast.noah).get(listed).content.decode()

        path = f"{listed}{sent.pk}/sending/"
        assert as_(cast.noah).post(path).status_code == 303
        assert as_(cast.noah).post(path).status_code == 409
        assert not Undeliverable.objects.exists()
        send_due()
        assert of(cast.ben) == []

    def test_is_shown_to_the_person_who_may_try_again(self, cast, as_):
        Undeliverable.mark(cast.ben.email, "550 gone", at=timezone.now())
        browser = as_(cast.ben)
        assert "comes back" in browser.get("/notifications/").content.decode()

        assert browser.post("/notifications/preferences/address/").status_code == 303
        assert not Undeliverable.objects.exists()


class TestPages:
    def test_answer_what_is_not_offered_with_422(self, cast, as_):
        wrong = {"account-mail": "NEVER", "hour_of_day": "99"}
        answer = as_(cast.maya).post("/notifications/preferences/", wrong)
        assert answer.status_code == 422
        path = f"/organizations/{cast.northwind.slug}/notifications/"
        assert as_(cast.maya).post(path, wrong).status_code == 422

    def test_save_what_was_chosen(self, cast, as_):
        data = {"account-mail": "DAILY", "hour_of_day": "17"}
        answer = as_(cast.maya).post("/notifications/preferences/", data)

        assert answer.status_code == 303
        assert Preference.objects.get(person=cast.maya).manner == "DAILY"
        assert cast.maya.digest_hour.hour == 17
