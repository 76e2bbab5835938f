"""Every way in which an internal note, or what a Partner and Revampd write, could reach a customer.

A ticket is as full of secrets as it can be: a note with a file, a conversation with Revampd, notes
of Revampd's own. Then everybody who must not know looks everywhere.
"""

import ast
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from connections.kinds import Category
from connections.models import Connection, Event, User
from connections.timeline import timeline
from notifications.digests import compose_digests
from notifications.draining import drain_events
from notifications.letter import message_of
from notifications.models import Delivery, Digest, Notification, Preference
from revampd.search import find
from tests.cast import Cast
from tests.test_access import PAGES
from tests.tickets.acts import NOW, SECRET, message, submit, support, url
from tickets.keeping import Checked, kept
from tickets.models import Attachment, Side, Ticket, Unread

ROOT = Path(__file__).resolve().parents[2]
SHARED = "quokka-between-partner-and-revampd"
OF_REVAMPD = "narwhal-of-revampd-alone"
FILE = "walrus-calculation"
CUSTOMERS = ("ben", "bella", "sam", "theo")


@dataclass(frozen=True)
class Full:
    """A ticket with everything in it that its customer must not know."""

    ticket: Ticket
    files: list[Attachment]
    cast: Cast


@pytest.fixture
def before(cast: Cast) -> Ticket:
    support(cast)
    ticket = submit(cast)
    drain_events()
    Unread.objects.all().delete()
    return ticket


@pytest.fixture
def full(cast: Cast, before: Ticket) -> Full:
    with kept([Checked(f"{FILE}.txt", "text/plain", FILE.encode())]) as files:
        before.note(SECRET, side=Side.PROVIDER, by=cast.dana, at=NOW, files=files)
    before.escalate(SHARED, by=cast.dana, at=NOW)
    before.assign(cast.rhea, side=Side.REVAMPD, by=cast.rhea, at=NOW)
    before.consult(SHARED, side=Side.REVAMPD, by=cast.rhea, at=NOW)
    before.note(OF_REVAMPD, side=Side.REVAMPD, by=cast.rhea, at=NOW)
    before.take_back(by=cast.dana, at=NOW)
    return Full(Ticket.objects.get(pk=before.pk), files, cast)


READING = re.compile(
    r"(Message|Attachment)\.objects\.(?!bulk_create)|\.(messages|attachments)\.\w+\("
)
SECRETS = (SECRET, SHARED, OF_REVAMPD, FILE)
WORDS = (*SECRETS, "xylophone", "quokka", "narwhal", "walrus", "scalat", "took this back")


def reads(browser: Client, path: str, **headers: str) -> str:
    answer = browser.get(path, headers=headers)
    return f"{answer.headers} {body(answer)}"


def body(answer: Any) -> str:
    whole = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return whole.decode(errors="replace")


def leaks(text: str) -> list[str]:
    return [word for word in WORDS if word.lower() in text.lower()]


def paths_of(full: Full) -> list[str]:
    """Every page that a customer could open, without what is told of elsewhere."""
    cast, ticket = full.cast, full.ticket
    own = f"/connections/{ticket.connection_id}/"
    values = {
        "connection_id": str(ticket.connection_id),
        "ticket_id": str(ticket.pk),
        "slug": cast.bluebird.slug,
    }
    found = []
    for page in PAGES.values():
        if set(page.parameters) <= set(values):
            parts = [part.split(">")[-1] for part in page.route.split("<")]
            names = [values[name] for name in page.parameters]
            found.append("/" + parts[0] + "".join(map("".join, zip(names, parts[1:], strict=True))))
    listed = [f"{own}tickets/?q={word}" for word in ("xylophone", "quokka", "narwhal", "500")]
    searched = [f"{path}?q={word}" for path in ("/search/", "/search/palette/") for word in WORDS]
    return [*found, *listed, *searched]


class TestCustomers:
    @pytest.mark.parametrize("who", CUSTOMERS)
    def test_find_no_secret_on_any_page_or_fragment(self, full, as_, who):
        browser = as_(getattr(full.cast, who))

        found = {}
        for path in paths_of(full):
            for headers in ({}, {"HX-Request": "true"}):
                text = reads(browser, path, **headers)
                # What one typed oneself comes back; that it finds nothing is looked at below.
                words = [word for word in leaks(text) if word not in path]
                found |= {path: words} if words else {}

        assert found == {}

    def test_get_as_many_pages_as_there_are(self, full):
        assert len(paths_of(full)) > 40

    @pytest.mark.parametrize("seen", ["0", "1", "2", "-1", "x", "99"])
    def test_find_none_among_the_news(self, full, as_, seen):
        news = reads(as_(full.cast.sam), url(full.ticket, f"news/?seen={seen}"))

        assert leaks(news) == []

    def test_get_no_file_of_a_note(self, full, as_):
        [file] = full.files

        for who in CUSTOMERS:
            answer = as_(getattr(full.cast, who)).get(url(full.ticket, f"attachments/{file.pk}/"))
            assert answer.status_code == 404

    @pytest.mark.parametrize("word", ["xylophone", "quokka", "narwhal", "walrus"])
    def test_find_nothing_by_searching(self, full, word):
        for who in CUSTOMERS:
            user = User.objects.get(pk=getattr(full.cast, who).pk)
            assert sum(group.total for group in find(word, by=user)) == 0

    @pytest.mark.parametrize("word", ["xylophone", "quokka", "walrus"])
    def test_find_and_count_nothing_in_their_list_and_its_file(self, full, as_, word):
        listed = f"/connections/{full.ticket.connection_id}/tickets/"

        def found(person: str) -> tuple[int, int]:
            browser = as_(getattr(full.cast, person))
            context = browser.get(f"{listed}?q={word}").context
            lines = body(browser.get(f"{listed}export/?q={word}")).splitlines()
            return len(context["rows"]), len(lines) - 1

        assert {person: found(person) for person in CUSTOMERS} == dict.fromkeys(CUSTOMERS, (0, 0))
        # Nor do names of files find a ticket; what the provider wrote finds it for the provider.
        assert found("dana") == ((0, 0) if word == "walrus" else (1, 1))

    def test_are_told_nothing_and_get_no_mail(self, full):
        told = Notification.objects.filter(recipient__in=people(full)).count()

        drain_events()

        assert Notification.objects.filter(recipient__in=people(full)).count() == told

    def test_find_none_in_any_mail_or_notification_ever(self, full):
        drain_events()
        deliveries = Delivery.objects.with_words().filter(notification__recipient__in=people(full))
        letters = [message_of(delivery) for delivery in deliveries]
        texts = [f"{m.subject} {m.body} {m.alternatives}" for m in letters]
        rows = Notification.objects.filter(recipient__in=people(full))
        texts += [f"{row.title} {row.body} {row.event.facts}" for row in rows]

        assert leaks(" ".join(texts)) == []
        assert not mail.outbox

    def test_find_none_in_their_daily_summaries(self, full):
        tomorrow = summarized(full)
        Delivery.objects.filter(notification__recipient__in=people(full)).update(due_at=tomorrow)
        full.ticket.reply("It works again.", side=Side.PROVIDER, by=full.cast.dana, at=NOW)
        drain_events()
        compose_digests(at=tomorrow)

        summaries = Delivery.objects.filter(event=None, digest__recipient__in=people(full))
        letters = [message_of(summary) for summary in summaries.with_words()]

        assert [letter.to for letter in letters] == [[full.cast.sam.email]]
        assert "Dana Tester answered" in letters[0].subject
        assert leaks(" ".join(f"{m.subject} {m.body} {m.alternatives}" for m in letters)) == []

    def test_get_no_summary_for_secrets_alone(self, full):
        tomorrow = summarized(full)

        compose_digests(at=tomorrow)

        assert not Digest.objects.filter(recipient__in=people(full)).exists()
        assert Digest.objects.filter(recipient=full.cast.rhea).exists()  # who may know, is told

    def test_find_none_where_mail_that_failed_is_shown(self, full, as_):
        drain_events()
        failed = Delivery.objects.filter(event__subject_id=str(full.ticket.pk))
        failed.update(state=Delivery.State.FAILED, reason="550 no such mailbox")
        shown = [path for path in paths_of(full) if "mail" in path or path.count("/") == 3]

        assert any(path.endswith("/notifications/mail/") for path in shown)
        found = {path: leaks(reads(as_(full.cast.ben), path)) for path in shown}
        assert [path for path, words in found.items() if words] == []

    def test_see_no_number_or_time_move(self, cast, before):
        numbers = (before.customer_length, before.customer_at)

        before.note(SECRET, side=Side.PROVIDER, by=cast.dana, at=NOW.replace(hour=23))

        after = Ticket.objects.get()
        assert (after.customer_length, after.customer_at) == numbers
        assert not Unread.objects.filter(user__in=[cast.ben, cast.bella, cast.sam]).exists()

    def test_see_the_same_page_before_and_after(self, cast, before, as_):
        def seen():
            pages = (
                url(before),
                url(before, "news/?seen=0"),
                f"{listed}?q=500",
                f"{listed}export/",
            )
            texts = [body(as_(cast.theo).get(page)).split("<main")[-1] for page in pages]
            return [re.sub(r"name=\"csrfmiddlewaretoken\" value=\"\w+\"", "", t) for t in texts]

        listed = f"/connections/{before.connection_id}/tickets/"
        earlier = seen()
        before.note(SECRET, side=Side.PROVIDER, by=cast.dana, at=NOW)

        assert seen() == earlier

    def test_find_nothing_in_the_timeline(self, full):
        connection = Connection.objects.get(pk=full.ticket.connection_id)
        words = [f"{entry.title} {entry.note}" for entry in timeline(connection.events.all())]

        assert leaks(" ".join(words)) == []
        assert leaks(str(list(Event.objects.filter(connection=connection).values()))) == []

    def test_get_no_number_of_hidden_messages_from_a_refused_form(self, full, as_):
        answer = as_(full.cast.sam).post(url(full.ticket, "messages/"), message("x", "INTERNAL"))

        assert leaks(answer.content.decode().split("<main")[1]) == []


class TestOthers:
    def test_of_the_partner_read_no_note_of_revampd(self, full, as_):
        page = reads(as_(full.cast.maya), url(full.ticket))

        assert SECRET in page
        assert SHARED in page
        assert OF_REVAMPD not in page

    def test_at_revampd_read_no_note_of_the_partner(self, full, as_):
        above = full.cast.revampd_northwind
        page = reads(as_(full.cast.rhea), url(full.ticket, connection=above))

        assert OF_REVAMPD in page
        assert SECRET not in page
        assert FILE not in page

    @pytest.mark.parametrize("who", ["oscar", "fay", "zed"])
    def test_find_nothing_at_all(self, full, as_, who):
        user = User.objects.get(pk=getattr(full.cast, who).pk)

        assert as_(user).get(url(full.ticket)).status_code == 404
        assert all(group.total == 0 for group in find("Booking form", by=user))

    def test_who_belong_to_both_sides_read_as_the_provider(self, full, as_):
        assert SECRET in reads(as_(full.cast.dora), url(full.ticket))

    def test_are_told_of_a_note_if_they_answer_for_it(self, cast, before):
        before.note(SECRET, side=Side.PROVIDER, by=cast.maya, at=NOW)

        drain_events()

        [told] = Notification.objects.filter(event__code="ticket.annotated")
        assert told.recipient == cast.dana
        assert SECRET not in told.title + told.body


class TestTheOnlyWay:
    """Messages and files are read through `visible_to`, wherever that is."""

    def test_to_messages_and_files_asks_who_reads(self):
        wrong = [
            f"{path.relative_to(ROOT)}:{line}"
            for app in ("tickets", "revampd", "notifications", "connections")
            for path in (ROOT / app).rglob("*.py")
            if "migrations" not in path.parts
            for line in unguarded(ast.parse(path.read_text()))
        ]

        assert wrong == []


def unguarded(tree: ast.Module) -> list[int]:
    """Functions in which messages or attachments are read that never say to whom."""
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
    sources = {node.lineno: ast.unparse(node) for node in functions}
    return [
        line
        for line, source in sources.items()
        if READING.search(source) and "visible_to" not in source
    ]


def summarized(full: Full) -> datetime:
    """Everybody wants summaries of tickets; returns a time at which those of today are due."""
    cast = full.cast
    for person in (*people(full), cast.dana, cast.maya, cast.rhea):
        Preference.choose(person, {(Category.SUPPORT, "MAIL"): "DAILY"}, at=NOW)
    drain_events()
    return timezone.now() + timedelta(days=1)


def people(full: Full) -> list[Any]:
    return [getattr(full.cast, who) for who in CUSTOMERS]
