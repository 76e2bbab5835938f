"""Twenty workers at the daily summaries at the same moment: threads that commit for real."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from billing import events as billing
from connections.kinds import Category
from connections.models import User
from notifications.digests import compose_digests
from notifications.draining import drain_events
from notifications.mail import send_due
from notifications.models import Delivery, Digest, Notification, Preference
from tests.cast import Cast
from tests.notifications.smtp import Mailbox, mail_server

from .test_races import race

MANY = 20
MAIL = (Category.BILLING_MANAGEMENT, "MAIL")
State = Delivery.State


@pytest.fixture
def cast(committed_cast: Cast) -> Cast:
    """Ben, Bella and Dora hear of what Northwind withdraws, once a day."""
    drain_events()
    Delivery.objects.update(state=State.SENT, sent_at=timezone.now())
    for person in readers(committed_cast):
        Preference.choose(person, {MAIL: "DAILY"}, at=timezone.now())
    drain_events()
    Delivery.objects.filter(state=State.QUEUED).update(state=State.SENT, sent_at=timezone.now())
    return committed_cast


@pytest.fixture
def mailbox(settings: Any) -> Iterator[Mailbox]:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    with mail_server() as mailbox:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", mailbox.port
        yield mailbox


def readers(cast: Cast) -> list[User]:
    return [cast.ben, cast.bella, cast.dora]


def tell(cast: Cast, count: int) -> None:
    for number in range(count):
        billing.request_withdrawn.record(
            cast.northwind_bluebird, by=cast.noah, at=timezone.now(), organization=cast.northwind,
            connection=cast.northwind_bluebird, item=f"Offer {number}", provider="Northwind",
        )  # fmt: skip
    drain_events()


def tomorrow() -> Any:
    return timezone.now() + timedelta(days=1)


def compose() -> Any:
    return compose_digests(at=tomorrow())


def parts_of(person: User) -> Any:
    return Delivery.objects.filter(notification__recipient=person, event__code__contains="withdraw")


class TestAtOnce:
    def test_each_person_gets_one_summary_with_everything_in_it(self, cast, mailbox):
        tell(cast, 10)

        composed = race(*[compose] * MANY, seed=1)
        sent = race(*[lambda: send_due(clock=tomorrow)] * MANY, seed=2)

        assert sum(composed) == sum(sent) == 3
        assert Counter(str(mail["To"]) for mail in mailbox.mails) == {
            person.email: 1 for person in readers(cast)
        }
        for person in readers(cast):
            states = set(parts_of(person).values_list("state", "digest__recipient"))
            assert states == {(State.SENT, person.pk)}
            assert parts_of(person).count() == 10

    @pytest.mark.parametrize("seed", range(4))
    def test_what_is_read_told_chosen_and_sent_meanwhile_is_lost_by_nobody(
        self, cast, mailbox, seed
    ):
        tell(cast, 5)
        acts: list[Callable[[], Any]] = [compose] * 6 + [lambda: send_due(clock=tomorrow)] * 6
        acts += [lambda: tell(cast, 1)] * 4
        acts += [choosing(cast.bella, manner) for manner in ("OFF", "DAILY")]
        acts += [reading(cast.ben)] * 2

        race(*acts, seed=seed)
        for _ in range(2):  # what is left, a day and two later
            compose()
            send_due(clock=tomorrow)

        for person in readers(cast):
            told = Counter(str(mail["To"]) for mail in mailbox.mails)[person.email]
            assert told <= 1
            assert Digest.objects.filter(recipient=person).count() <= 1
            states = Counter(parts_of(person).values_list("state", flat=True))
            # One a day: what was told after it left waits for the next one.
            assert set(states) <= {State.SENT, State.SKIPPED, State.WAITING}
            left_out = parts_of(person).filter(state=State.WAITING, digest__isnull=False)
            assert not left_out.exists()
            if person == cast.dora:
                assert told == 1
                assert State.SKIPPED not in states
                assert states.total() == 9


def choosing(person: User, manner: str) -> Callable[[], Any]:
    own = User.objects.get(pk=person.pk)
    return lambda: Preference.choose(own, {MAIL: manner}, at=timezone.now())


def reading(person: User) -> Callable[[], Any]:
    return lambda: Notification.objects.of(person).mark_read(at=tomorrow())
