"""The mail server is gone for an hour, and refuses one address when it is back."""

from collections import Counter
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from billing import events as billing
from connections.kinds import Category
from connections.models import User
from notifications.digests import compose_digests
from notifications.draining import drain_events
from notifications.mail import send_due
from notifications.models import Delivery, Preference
from tests.cast import Cast

from .smtp import Mailbox, mail_server

State = Delivery.State
MINUTE = timedelta(minutes=1)
REFUSED = "550 no such mailbox"


@pytest.fixture
def mailbox(settings, cast):
    """Its port is known and closed: nobody listens."""
    drain_events()
    Delivery.objects.update(state=State.SENT, sent_at=timezone.now())
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    with mail_server() as mailbox:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", mailbox.port
    return mailbox


def tell(cast: Cast, count: int) -> None:
    for number in range(count):
        billing.request_withdrawn.record(
            cast.northwind_bluebird, by=cast.noah, at=timezone.now(), organization=cast.northwind,
            connection=cast.northwind_bluebird, item=f"Offer {number}", provider="Northwind",
        )  # fmt: skip
    drain_events()


def pass_minutes(begun: datetime, minutes: range) -> int:
    """The sweep of each minute. Returns how many mails left."""
    return sum(send_due(clock=lambda: begun + minute * MINUTE) for minute in minutes)  # noqa: B023


def unsent() -> dict[str, int]:
    rows = Delivery.objects.exclude(state=State.SENT)
    return dict(Counter(rows.values_list("state", flat=True)))


def arrived(mailbox: Mailbox) -> dict[str, int]:
    return dict(Counter(str(mail["To"]) for mail in mailbox.mails))


def outlast(cast: Cast, mailbox: Mailbox) -> datetime:
    """An hour without a server, in which things happen and a summary falls due; Bella's address is
    refused afterwards. Returns when it is over."""
    Preference.choose(
        cast.dora, {(Category.BILLING_MANAGEMENT, "MAIL"): "DAILY"}, at=timezone.now()
    )
    Delivery.objects.filter(state=State.QUEUED).update(state=State.SENT, sent_at=timezone.now())
    begun = timezone.now() + timedelta(days=1)
    tell(cast, 2)
    assert pass_minutes(begun, range(30)) == 0
    tell(cast, 2)
    assert compose_digests(at=begun) == 1
    assert pass_minutes(begun, range(30, 61)) == 0
    assert unsent() == {State.QUEUED: 4 + 4 + 1, State.WAITING: 4}  # Ben, Bella, Dora's summary
    mailbox.refusals[cast.bella.email] = REFUSED
    return begun + 62 * MINUTE


class TestOutage:
    def test_delays_everything_and_doubles_nothing(self, cast, mailbox):
        over = outlast(cast, mailbox)

        with mail_server(mailbox):
            sent = pass_minutes(over, range(3))

        assert sent == 5
        assert arrived(mailbox) == {cast.ben.email: 4, cast.dora.email: 1}
        assert len({str(mail["Message-ID"]) for mail in mailbox.mails}) == 5
        assert unsent() == {State.FAILED: 4}
        assert set(of(cast.bella).values_list("reason", flat=True)) == {REFUSED}

    def test_shows_the_sender_what_was_refused_and_lets_it_go_again(self, cast, mailbox, as_):
        over = outlast(cast, mailbox)
        listed = f"/organizations/{cast.northwind.slug}/notifications/mail/"
        with mail_server(mailbox):
            pass_minutes(over, range(3))
            page = as_(cast.noah).get(listed).content.decode()
            assert page.count(REFUSED) == 4
            assert cast.ben.email not in page

            mailbox.refusals.clear()
            again = of(cast.bella).earliest("event_id")
            assert as_(cast.noah).post(f"{listed}{again.pk}/sending/").status_code == 303
            pass_minutes(timezone.now(), range(1))

        assert arrived(mailbox)[cast.bella.email] == 1
        assert unsent() == {State.FAILED: 3}

    def test_that_goes_on_is_held_against_no_mail(self, cast, mailbox):
        outlast(cast, mailbox)

        attempts = Delivery.objects.exclude(state=State.SENT).values_list("attempts", flat=True)

        assert set(attempts) <= {0, 1}
        assert not Delivery.objects.failed().exists()


def of(person: User):
    return Delivery.objects.filter(address=person.email)
