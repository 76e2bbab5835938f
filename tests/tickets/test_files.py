"""Files that people send: what is refused, what is harmless, and how they come back."""

import pytest

from revampd.kit.errors import Invalid
from revampd.kit.uploads import MOST_AT_ONCE, MOST_OF_ONE
from tests.billing.deals import HTMX
from tests.tickets.acts import message, submit, url, with_file
from tests.tickets.files import HTML, PNG, SVG, Unreadable, bomb, upload
from tickets.content import Unacceptable, clean_name, kind_of
from tickets.keeping import Checked, kept
from tickets.models import Attachment, Side


def send(browser, ticket, *files, **fields):
    given = message("See the file.", **fields) | {"attachments": list(files)}
    return browser.post(url(ticket, "messages/"), given)


@pytest.fixture
def ticket(cast):
    return submit(cast)


@pytest.fixture
def sam(cast, as_):
    return as_(cast.sam)


class TestKindOf:
    @pytest.mark.parametrize(
        ("name", "content", "kind"),
        [
            ("a.png", PNG, "image/png"),
            ("a.JPG", b"\xff\xd8\xff\xe0" + bytes(9), "image/jpeg"),
            ("a.gif", b"GIF89a" + bytes(9), "image/gif"),
            ("a.webp", b"RIFF\x01\x02\x03\x04WEBP", "image/webp"),
            ("a.pdf", b"%PDF-1.7\n", "application/pdf"),
            ("a.docx", b"PK\x03\x04" + bytes(9), "application/zip"),
            ("a.csv", "name;größe\n".encode(), "text/plain"),
        ],
    )
    def test_follows_from_the_content(self, name, content, kind):
        assert kind_of(name, len(content), content).media_type == kind

    @pytest.mark.parametrize(
        ("name", "content", "why"),
        [
            ("page.html", HTML, "web page"),
            ("page.txt", b"  \n" + HTML, "web page"),
            ("late.txt", b"Hello\n" + HTML, "web page"),
            ("drawing.svg", SVG, "web page or drawing"),
            ("drawing.png", SVG, "web page or drawing"),
            ("old.xml", b'<?xml version="1.0"?><a/>', "web page or drawing"),
            ("photo.png", b"%PDF-1.7\n", "by its content it is a PDF"),
            ("report.pdf", PNG, "by its content it is a PNG image"),
            ("notes", b"plain words", "has no ending"),
            ("tool.exe", b"MZ\x90\x00\x03", "not taken here"),
            ("text.txt", b"\xff\xfe\x00\x00", "not taken here"),
            ("nothing.txt", b"", "is empty"),
        ],
    )
    def test_refuses_the_rest_and_says_why(self, name, content, why):
        with pytest.raises(Unacceptable, match=why):
            kind_of(name, len(content), content)

    def test_unpacks_nothing(self):
        packed = bomb()

        assert len(packed) < 200_000
        assert kind_of("bomb.zip", len(packed), packed).media_type == "application/zip"


class TestCleanName:
    @pytest.mark.parametrize(
        ("name", "clean"),
        [
            ("../../etc/passwd.txt", "passwd.txt"),
            (r"C:\Users\sam\photo.png", "photo.png"),
            ("report\u202egnp.exe", "report gnp.exe"),
            ("two\nlines\x00.txt", "two lines .txt"),
            (".htaccess", "htaccess"),
            ("...", "file"),
            ("x" * 300 + ".pdf", "x" * 116 + ".pdf"),
        ],
    )
    def test_has_no_path_and_no_tricks(self, name, clean):
        assert clean_name(name) == clean


class TestSending:
    def test_keeps_the_files_outside_of_the_database(self, sam, ticket, folder):
        answer = send(sam, ticket, upload("a.png", PNG), upload("error.log", b"line 1\n"))

        assert answer.status_code == 303
        assert {file.name for file in Attachment.objects.all()} == {"a.png", "error.log"}
        assert len(list(folder.iterdir())) == 2
        assert all(file.stat().st_mode & 0o077 == 0 for file in folder.iterdir())

    @pytest.mark.parametrize(
        ("name", "content", "why"),
        [
            ("page.html", HTML, "“page.html” is a web page"),
            ("drawing.svg", SVG, "“drawing.svg” is a web page or drawing"),
            ("photo.png", b"%PDF-1.7\n", "“photo.png” ends in .png, but by its content"),
        ],
    )
    def test_says_beside_the_field_what_is_wrong_and_keeps_the_text(
        self, sam, ticket, folder, name, content, why
    ):
        answer = send(sam, ticket, upload(name, content, "image/png"), upload("a.png", PNG))

        page = answer.content.decode()
        assert answer.status_code == 422
        assert why in page
        assert "See the file.</textarea>" in page
        assert not Attachment.objects.exists()
        assert list(folder.iterdir()) == []

    def test_takes_an_archive_without_looking_into_it(self, sam, ticket):
        assert send(sam, ticket, upload("bomb.zip", bomb())).status_code == 303

    def test_takes_no_more_than_five_at_once(self, sam, ticket):
        answer = send(sam, ticket, *(upload(f"{n}.png", PNG) for n in range(6)))

        assert answer.status_code == 422
        assert "Send at most 5 files at once." in answer.content.decode()

    def test_says_of_a_large_file_that_it_is(self, sam, ticket, folder):
        answer = send(sam, ticket, upload("film.png", PNG + bytes(MOST_OF_ONE)))

        assert answer.status_code == 422
        assert "“film.png” is larger than 10 MB." in answer.content.decode()
        assert list(folder.iterdir()) == []

    def test_reads_nothing_of_two_gigabytes(self, sam, ticket):
        answer = sam.generic(
            "POST",
            url(ticket, "messages/"),
            Unreadable(),
            content_type="multipart/form-data; boundary=x",
            CONTENT_LENGTH=str(2 * 1024**3),
        )

        assert answer.status_code == 413
        page = answer.content.decode()
        assert "more than 60 MB at once. Nothing was sent." in page
        assert "<h1>" in page
        assert MOST_AT_ONCE < 2 * 1024**3

    def test_says_of_two_gigabytes_where_htmx_shows_it(self, sam, ticket):
        answer = sam.generic(
            "POST",
            url(ticket, "messages/"),
            Unreadable(),
            content_type="multipart/form-data; boundary=x",
            headers=HTMX,
            CONTENT_LENGTH=str(2 * 1024**3),
        )

        assert (answer.status_code, answer["HX-Retarget"]) == (413, "#flash")
        toast = answer.content.decode()
        assert toast.lstrip().startswith('<div class="toast bad">')
        assert "Nothing was sent. Send smaller files, or fewer of them." in toast

    def test_leaves_no_file_behind_if_the_verb_refuses(self, cast, ticket, folder):
        with pytest.raises(Invalid), kept([Checked("a.png", "image/png", PNG)]) as files:
            ticket.reply(" ", side=Side.CUSTOMER, by=cast.sam, at=ticket.opened_at, files=files)

        assert list(folder.iterdir()) == []

    def test_of_the_same_form_twice_keeps_the_files_once(self, sam, ticket, folder):
        key = message("x")["key"]

        for _ in range(2):
            send(sam, ticket, upload("a.png", PNG), key=key)

        assert len(list(folder.iterdir())) == Attachment.objects.count() == 1


class TestServing:
    def test_is_a_download_that_runs_nothing(self, cast, as_):
        ticket, file = with_file(cast, b"<b>not markup here</b>", "a.txt")

        answer = as_(cast.dana).get(url(ticket, f"attachments/{file.pk}/"))

        assert b"".join(answer.streaming_content) == b"<b>not markup here</b>"
        assert answer["Content-Disposition"] == 'attachment; filename="a.txt"'
        assert answer["Content-Type"] == "text/plain; charset=utf-8"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer["Content-Security-Policy"]
        assert "default-src 'none'" in answer["Content-Security-Policy"]

    def test_is_for_who_may_read_the_ticket(self, cast, as_):
        ticket, file = with_file(cast)
        other = submit(cast)

        for who, status in (("ben", 200), ("vera", 200), ("oscar", 404), ("rhea", 404)):
            browser = as_(getattr(cast, who))
            assert browser.get(url(ticket, f"attachments/{file.pk}/")).status_code == status
        assert as_(cast.ben).get(url(other, f"attachments/{file.pk}/")).status_code == 404

    def test_is_not_found_if_the_storage_lost_it(self, cast, as_, folder):
        ticket, file = with_file(cast)
        (folder / file.key).unlink()

        assert as_(cast.ben).get(url(ticket, f"attachments/{file.pk}/")).status_code == 404

    def test_stands_in_the_conversation(self, cast, as_):
        ticket, _ = with_file(cast)

        page = as_(cast.ben).get(url(ticket)).content.decode()

        assert "error.log" in page
        assert "7\xa0bytes" in page

    def test_answers_htmx_with_the_form(self, sam, ticket):
        given = message("See") | {"attachments": [upload("page.html", HTML)]}

        answer = sam.post(url(ticket, "messages/"), given, headers=HTMX)

        assert answer.status_code == 422
        assert answer.content.decode().lstrip().startswith('<section class="card" id="write"')
