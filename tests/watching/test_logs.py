"""Log lines: JSON with the request and the task, and nothing that names people or opens doors."""

import json
import logging
import re

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from billing.models import BillingRequest
from billing.models.proposals import Proposal
from connections.kinds import DRAIN_TASK
from connections.models import Invitation, User
from connections.tokens import invitation_token
from notifications.draining import drain_events
from notifications.mail import send_due
from notifications.tasks import drain_events as drain
from revampd.kit import clock
from revampd.kit.logs import JsonLines, discreet
from revampd.tasks import end  # noqa: F401 - what a worker does besides its tasks
from tests.billing.acts import agree

SECRETS = [
    ("Mail to maya@northwind.example failed", "Mail to [e-mail] failed"),
    ("postgres://app:hunter2@db/revampd", "postgres://[password]@db/revampd"),
    ("key sk_live_51HxAbCdEf was refused", "key [key] was refused"),
    ("Authorization: Bearer abc.def", "Authorization: Bearer [token]"),
    (
        "duplicate key\nDETAIL:  Key (name)=(Bluebird) already exists.",
        "duplicate key\nDETAIL: [left out]",
    ),
]


@pytest.fixture
def lines():
    """What is written while the test runs, line by line, as production writes it."""
    written: list[str] = []
    handler = logging.Handler()
    handler.setFormatter(JsonLines())
    handler.emit = lambda record: written.append(handler.format(record))  # type: ignore[method-assign]
    root, level = logging.getLogger(), logging.getLogger().level
    quiet = [logging.getLogger(name) for name in ("django", "django.request")]
    levels = [logger.level for logger in quiet]
    root.addHandler(handler)
    for logger in (root, *quiet):
        logger.setLevel(logging.INFO)
    yield written
    root.removeHandler(handler)
    root.setLevel(level)
    for logger, before in zip(quiet, levels, strict=True):
        logger.setLevel(before)


class TestDiscreet:
    @pytest.mark.parametrize(("told", "written"), SECRETS)
    def test_masks_what_is_nobodys_business(self, told, written):
        assert discreet(told) == written

    def test_masks_what_we_sign(self, cast):
        token = invitation_token(cast.northwind_bluebird.pk)

        assert token not in discreet(f"see /invitations/{token}/")

    def test_leaves_plain_words_alone(self):
        words = "billing.run_cycle: 3 of 5 at 12:30:15, https://portal.example/healthz"

        assert discreet(words) == words


class TestJsonLines:
    def test_say_what_happened_in_which_request(self, client, lines):
        answer = client.get("/healthz")

        [line] = map(json.loads, lines)
        assert line["request"] == answer["X-Request-ID"]
        assert (line["method"], line["route"], line["status"]) == ("GET", "/healthz", 200)
        assert line["ms"] >= 0
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00", line["at"])

    def test_say_in_which_task_something_was_done(self, cast, lines):
        agree(cast, cast.setup, at=clock.now())

        done = drain.apply(task_id="7f3c")

        assert done.result > 0
        [line] = [line for line in map(json.loads, lines) if "outcome" in line]
        assert (line["task"], line["task_id"]) == (DRAIN_TASK, "7f3c")
        assert (line["outcome"], line["result"]) == ("success", done.result)

    def test_leave_the_address_of_a_page_out(self, client, db, lines):
        client.get("/invitations/some-secret-token/?next=/hidden/")
        client.get("/no/such/page/maya@example.com/")

        assert "secret" not in "".join(lines)
        assert "hidden" not in "".join(lines)
        assert "maya" not in "".join(lines)
        assert "/invitations/<str:token>/" in "".join(lines)

    def test_tell_an_error_without_its_notes_and_rows(self, cast, lines):
        try:
            with transaction.atomic():
                User.objects.create(email=cast.maya.email, name="Somebody Else")
        except IntegrityError as error:
            error.add_note(f"while inviting {cast.maya.name}")
            logging.getLogger("billing").exception("It failed")

        [line] = map(json.loads, lines)
        assert line["error"] == "IntegrityError"
        assert "duplicate key value violates unique constraint" in line["traceback"]
        assert cast.maya.email not in lines[0]
        assert cast.maya.name not in lines[0]


class TestJourney:
    def test_leaves_no_person_and_no_secret_in_the_log(self, cast, as_, lines, settings):
        """A sign-in that fails, an invitation, an offer, its approval, the mails that fail."""
        now, party = clock.now(), cast.northwind_bluebird
        settings.EMAIL_BACKEND = "tests.watching.test_logs.RefusingBackend"
        Client().post(reverse("account_login"), {"login": cast.ben.email, "password": "Pa55-word!"})
        invitation = Invitation.send(
            organization=cast.northwind,
            email="new.person@example.com",
            role="VIEWER",
            by=cast.maya,
            at=now,
        )
        token = invitation_token(invitation.pk)
        Client().get(reverse("connections:invitation", args=[token]))
        offer = BillingRequest.propose(
            Proposal(cast.growth), connection=party, by=cast.noah, at=now
        )
        page = reverse("billing:approve-request", args=[party.pk, offer.pk])
        ben = as_(cast.ben)
        assert ben.post(page, {"seal": "wrong"}).status_code == 409
        assert ben.post(page, {"seal": offer.seal}).status_code == 303
        drain_events()
        send_due()

        told = "\n".join(lines)
        assert len(lines) > 4
        secrets = [token, offer.seal, "Pa55-word!", ben.cookies["sessionid"].value]
        names = User.objects.values_list("name", "email")
        people = [part for row in names for part in row] + ["new.person@example.com"]
        companies = [cast.northwind.name, cast.bluebird.name]
        assert [word for word in (*secrets, *people, *companies) if word in told] == []
        assert not re.search(r"[\w.+-]+@[\w-]+\.\w+", told)
        assert settings.SECRET_KEY not in told


class RefusingBackend:
    """A mail server that names whom it refuses."""

    def __init__(self, **_options):
        pass

    def open(self):
        pass

    def close(self):
        pass

    def send_messages(self, messages):
        raise OSError(f"550 no such user: {messages[0].to[0]}")
