"""What is too large as a whole: refused before it is read, and said where somebody sees it."""

import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from revampd.kit.uploads import MEGABYTE, MOST_AT_ONCE
from tests.tickets.acts import submit

from .steps import expect_told, path_of

TWO_GIGABYTES = 2 * 1024 * MEGABYTE
REFUSED = "That is more than 60 MB at once. Nothing was sent."


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """A file that is larger than what is taken at once; it has no content, only a length."""
    path = tmp_path / "film.zip"
    with path.open("wb") as file:
        file.truncate(MOST_AT_ONCE + MEGABYTE)
    return path


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "error.log"
    path.write_text("line 1\n")
    return path


def attach(page: Page, file: Path) -> None:
    page.get_by_label("Attachments").set_input_files(file)


def send(page: Page) -> None:
    page.get_by_role("button", name="Send").click()


class TestStream:
    @pytest.mark.parametrize(
        ("length", "status"),
        [(f"Content-Length: {TWO_GIGABYTES}", 413), ("Transfer-Encoding: chunked", 403)],
        ids=["said", "unsaid"],
    )
    def test_of_two_gigabytes_is_answered_before_any_of_it_came(self, house, length, status):
        address = urlsplit(house.url)
        head = (
            "POST /connections/ HTTP/1.1\r\n"
            f"Host: {address.netloc}\r\n"
            "Content-Type: multipart/form-data; boundary=x\r\n"
            f"{length}\r\n\r\n"
        )
        with socket.create_connection((address.hostname, address.port)) as line:
            line.sendall(head.encode())
            # Whoever does not say how long it is has, for Django, sent an empty form.
            assert line.recv(4096).startswith(f"HTTP/1.1 {status} ".encode())

            assert sent_into(line) < MOST_AT_ONCE


def sent_into(line: socket.socket) -> int:
    """How many of two gigabytes, a chunk a megabyte, the other end takes until it hangs up."""
    sent, chunk = 0, b"%x\r\n%b\r\n" % (MEGABYTE, bytes(MEGABYTE))
    try:
        while sent < TWO_GIGABYTES:
            line.sendall(chunk)
            sent += MEGABYTE
    except ConnectionError:
        pass
    return sent


class TestTicket:
    @pytest.fixture
    def window(self, browse, committed_cast):
        """`window()` is Sam before a ticket of his, with something typed."""
        cast = committed_cast
        ticket = submit(cast, at=timezone.now())

        def window(**options):
            path = path_of(cast.northwind_bluebird, f"tickets/{ticket.pk}/")
            page = browse(cast.sam, path, **options)
            page.get_by_label("Message").fill("See the film.")
            return page

        return window

    def test_is_not_sent_with_too_much_until_there_is_less(self, window, film, log):
        sam = window()
        field = sam.get_by_label("Attachments")

        attach(sam, film)
        assert field.evaluate("field => field.validationMessage") == (
            "Together that is more than 60 MB. Choose smaller files, or fewer of them."
        )
        send(sam)
        assert field.evaluate("field => field.matches(':user-invalid, :invalid')")
        attach(sam, log)
        send(sam)

        expect(sam.get_by_role("log").get_by_text("See the film.")).to_have_count(1)
        expect(sam.get_by_role("link", name="error.log")).to_be_visible()

    def test_says_that_it_was_refused_and_keeps_what_was_typed(self, window, film):
        sam = window()
        attach(sam, film)
        # As if the file had grown after it was chosen.
        sam.get_by_label("Attachments").evaluate("field => field.setCustomValidity('')")

        send(sam)

        expect_told(sam, f"{REFUSED} Send smaller files, or fewer of them.")
        expect(sam.get_by_label("Message")).to_have_value("See the film.")
        expect(sam.get_by_role("button", name="Send")).to_be_enabled()

    def test_says_it_on_a_page_of_its_own_without_javascript(self, window, film):
        sam = window(javascript=False)
        attach(sam, film)

        send(sam)

        expect(sam.get_by_role("heading", level=1)).to_have_text(REFUSED)
        expect(sam.get_by_role("main")).to_contain_text("Send smaller files, or fewer of them.")
        sam.get_by_role("link", name="Back").click()
        expect(sam.get_by_role("log")).to_contain_text("It says 500 since this morning.")
