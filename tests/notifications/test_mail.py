"""Mail through a real server: what it says, and what becomes of it when the server refuses."""

import re
import socket
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest
from django.utils import timezone

from billing import events as billing
from connections import events as people
from connections.models import Event
from notifications.draining import drain_events
from notifications.mail import send_due
from notifications.models import RETRY_AFTER, AlreadyOnItsWay, Delivery
from tests.cast import Cast

from .smtp import Mailbox, mail_server

AT = datetime(2026, 11, 10, 9, 30, tzinfo=UTC)
State = Delivery.State


@pytest.fixture
def mailbox(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    with mail_server() as mailbox:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", mailbox.port
        yield mailbox


@pytest.fixture(autouse=True)
def _nothing_waits(cast):
    drain_events()
    Delivery.objects.update(state=State.SENT, sent_at=AT)


def tell(cast: Cast, kind=billing.request_withdrawn, **facts) -> Event:
    event = kind.record(
        cast.northwind_bluebird,
        by=cast.noah,
        at=AT,
        organization=cast.northwind,
        connection=cast.northwind_bluebird,
        **facts,
    )
    drain_events()
    return event


def delivery_to(event: Event, address: str) -> Delivery:
    return Delivery.objects.get(event=event, address=address)


def later(**delay: int):
    return lambda: timezone.now() + timedelta(**delay)


def part(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body((kind,))
    assert body is not None
    return str(body.get_content())


class TestMail:
    def send(self, cast: Cast, mailbox: Mailbox, kind=billing.request_withdrawn) -> EmailMessage:
        cast.ben.time_zone = "America/New_York"
        cast.ben.save()
        tell(
            cast, kind, item="Growth & more", price="$149.00 each month", note="As discussed",
            provider="Northwind Agency", proposed_by="Noah Tester",
            expires_at=AT + timedelta(days=30),
        )  # fmt: skip
        send_due()
        (mail,) = mailbox.to("ben@example.com")
        return mail

    def test_goes_to_each_person_alone(self, cast, mailbox):
        tell(cast)

        assert send_due() == 3
        assert sorted(str(mail["To"]) for mail in mailbox.mails) == [
            "bella@example.com",
            "ben@example.com",
            "dora@example.com",
        ]

    def test_says_the_same_facts_in_html_and_text(self, cast, mailbox):
        mail = self.send(cast, mailbox)

        html = re.sub(r"<style.*?</style>|<[^>]+>", " ", part(mail, "html"), flags=re.DOTALL)
        for fact in ("$149.00 each month", "As discussed", "Noah Tester", "Northwind Agency"):
            assert fact in part(mail, "plain")
            assert fact in html
        assert "Growth & more" in part(mail, "plain")
        assert "Growth &amp; more" in html

    def test_leads_to_the_page_by_the_same_link_in_both(self, cast, mailbox, settings):
        mail = self.send(cast, mailbox)

        link = f"{settings.BASE_URL}/connections/{cast.northwind_bluebird.pk}/requests/"
        links = re.findall(r'href="([^"]+)"', part(mail, "html"))
        assert all(one in part(mail, "plain") for one in links)
        page, *others = dict.fromkeys(links)
        assert page.startswith(link)
        preferences, ended = others
        assert preferences == f"{settings.BASE_URL}/notifications/preferences/"
        assert mail["List-Unsubscribe"].strip() == f"<{ended}>"

    def test_tells_instants_in_the_time_zone_of_the_reader(self, cast, mailbox):
        mail = self.send(cast, mailbox)

        assert "10 Dec 2026, 04:30 EST" in part(mail, "plain")
        assert "10 Dec 2026, 04:30 EST" in part(mail, "html")

    def test_says_as_whose_member_one_receives_it(self, cast, mailbox):
        mail = self.send(cast, mailbox)

        assert "as a member of Bluebird Clinic" in part(mail, "plain")
        assert "as a member of Bluebird Clinic" in part(mail, "html")

    def test_names_what_waits_on_its_button(self, cast, mailbox):
        mail = self.send(cast, mailbox, kind=billing.request_sent)

        assert "Review the request" in part(mail, "plain")
        assert "Review the request" in part(mail, "html")

    def test_has_its_styles_inline_and_asks_for_nothing_from_elsewhere(self, cast, mailbox):
        html = part(self.send(cast, mailbox), "html")

        assert re.search(r'<a[^>]*class="button"[^>]*style="[^"]*background', html)
        assert not re.search(r"<(img|link|script|form)\b", html)

    def test_is_known_by_its_delivery(self, cast, mailbox):
        mail = self.send(cast, mailbox)

        sent = Delivery.objects.get(state=State.SENT, address="ben@example.com", sent_at__gt=AT)
        assert mail["Message-ID"] == f"<{sent.pk}@revampd.example>"
        assert mail["Auto-Submitted"] == "auto-generated"

    def test_keeps_its_subject_on_one_line(self, cast, mailbox):
        tell(cast, item="Growth\nBcc: everybody@example.com", provider="Northwind")
        send_due()

        mail = mailbox.mails[0]
        assert mail["Subject"] == "Northwind withdrew Growth Bcc: everybody@example.com"
        assert mail["Bcc"] is None

    def test_invites_a_stranger_by_the_link_that_is_written_nowhere_else(self, cast, mailbox):
        event = tell(
            cast, people.invitation_sent, email="new@example.com", role="Billing",
            organization_name="Northwind Agency", inviter="Noah Tester, Northwind Agency",
        )  # fmt: skip
        send_due()

        (mail,) = mailbox.to("new@example.com")
        assert mail["Subject"] == "You are invited to Northwind Agency"
        assert "/invitations/" in part(mail, "plain")
        assert "/invitations/" not in str(event.facts)


class TestDelivery:
    def test_is_sent_once(self, cast, mailbox):
        event = tell(cast)

        assert (send_due(), send_due()) == (3, 0)
        assert {delivery.state for delivery in event.deliveries.all()} == {State.SENT}

    def test_fails_at_once_when_the_address_is_refused_for_good(self, cast, mailbox):
        mailbox.refusals["ben@example.com"] = "550 no such mailbox"
        event = tell(cast)

        assert send_due() == 2
        refused = delivery_to(event, "ben@example.com")
        assert (refused.state, refused.reason) == (State.FAILED, "550 no such mailbox")
        assert send_due(clock=later(days=9)) == 0

    def test_is_tried_again_after_ever_longer_waits_and_then_has_failed(self, cast, mailbox):
        mailbox.refusals["ben@example.com"] = "451 try again later"
        event = tell(cast)
        now = timezone.now()
        waits = []

        for _ in range(len(RETRY_AFTER)):
            send_due(clock=lambda: now)  # noqa: B023 - called before `now` changes
            waiting = delivery_to(event, "ben@example.com")
            assert (waiting.state, waiting.reason) == (State.QUEUED, "451 try again later")
            waits.append(waiting.due_at - now)
            now = waiting.due_at
        send_due(clock=lambda: now)

        assert waits == sorted(RETRY_AFTER)
        failed = delivery_to(event, "ben@example.com")
        assert (failed.state, failed.attempts) == (State.FAILED, 6)

    def test_arrives_once_the_address_is_taken_again(self, cast, mailbox):
        mailbox.refusals["ben@example.com"] = "451 try again later"
        event = tell(cast)
        send_due()
        mailbox.refusals.clear()

        assert send_due() == 0
        assert send_due(clock=later(minutes=2)) == 1
        arrived = delivery_to(event, "ben@example.com")
        assert (arrived.state, arrived.attempts, arrived.reason) == (State.SENT, 2, "")

    def test_waits_with_all_others_while_no_server_answers(self, cast, settings):
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        with socket.create_server(("127.0.0.1", 0)) as silent:
            settings.EMAIL_HOST, settings.EMAIL_PORT = silent.getsockname()
        event = tell(cast)

        assert send_due() == 0
        assert sorted(delivery.attempts for delivery in event.deliveries.all()) == [0, 0, 1]
        assert {delivery.state for delivery in event.deliveries.all()} == {State.QUEUED}

    def test_fails_with_the_reason_when_it_cannot_be_written(self, cast, mailbox):
        event = tell(cast)
        broken = delivery_to(event, "ben@example.com")
        broken.notification = None
        broken.save()

        assert send_due() == 2
        broken.refresh_from_db()
        assert broken.state == State.FAILED
        assert "could not be written" in broken.reason


class TestSendAgain:
    def test_queues_a_mail_that_failed_and_says_who_did_it(self, cast, mailbox):
        mailbox.refusals["ben@example.com"] = "550 no such mailbox"
        event = tell(cast)
        send_due()
        mailbox.refusals.clear()

        failed = delivery_to(event, "ben@example.com")
        failed.send_again(by=cast.rhea, at=timezone.now())

        assert send_due() == 1
        assert delivery_to(event, "ben@example.com").state == State.SENT
        assert Event.objects.about(failed).get().actor == cast.rhea

    def test_refuses_a_mail_that_was_sent(self, cast, mailbox):
        event = tell(cast)
        send_due()

        with pytest.raises(AlreadyOnItsWay):
            delivery_to(event, "ben@example.com").send_again(by=cast.rhea, at=timezone.now())


class TestAbout:
    def test_finds_the_mails_about_an_object(self, cast):
        event = tell(cast)

        found = Delivery.objects.about(cast.northwind_bluebird)
        assert set(event.deliveries.all()) <= set(found)
        assert not Delivery.objects.about(cast.contoso_fabrikam).filter(event=event).exists()
