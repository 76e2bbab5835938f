"""Files that come with a new ticket: refused beside the field or harmless, and all or nothing."""

import pytest
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from django.utils.html import escape

from connections.models import Event
from revampd.kit.ids import growing_id
from revampd.kit.uploads import MOST_OF_ONE
from tests.billing.deals import HTMX
from tests.tickets.files import HTML, PNG, SVG, Unreadable, bomb, upload
from tickets.models import Attachment, Ticket

BODY = "It says 500 since this morning."


@pytest.fixture
def sam(cast, as_):
    return as_(cast.sam)


@pytest.fixture
def path(cast):
    return f"/connections/{cast.northwind_bluebird.pk}/tickets/new/"


def given(*files, **fields):
    """What the form sends."""
    typed = {"title": "Booking form", "priority": "HIGH", "body": BODY, "key": growing_id()}
    return typed | {"attachments": list(files)} | fields


def nothing_came_of_it(folder):
    told = Event.objects.filter(code__startswith="ticket.").exists()
    rows = Ticket.objects.exists() or Attachment.objects.exists()
    return not (told or rows or list(folder.iterdir()))


class TestSubmitting:
    REFUSED = [
        ("page.html", HTML, "“page.html” is a web page or drawing (HTML, SVG, XML)"),
        ("drawing.svg", SVG, "“drawing.svg” is a web page or drawing (HTML, SVG, XML)"),
        ("drawing.png", SVG, "“drawing.png” is a web page or drawing (HTML, SVG, XML)"),
        ("photo.png", b"%PDF-1.7\n", "“photo.png” ends in .png, but by its content it is a PDF."),
        ("tool.exe", b"MZ\x90\x00\x03", "“tool.exe” is of a kind that is not taken here."),
        ("film.png", PNG + bytes(MOST_OF_ONE), "“film.png” is larger than 10 MB."),
    ]

    @pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "htmx"])
    @pytest.mark.parametrize(("name", "content", "why"), REFUSED)
    def test_says_beside_the_field_what_is_wrong_and_keeps_what_was_typed(
        self, sam, path, folder, name, content, why, headers
    ):
        files = (upload("a.png", PNG), upload(name, content, "image/png"))

        answer = sam.post(path, given(*files), headers=headers)

        page = answer.content.decode()
        beside = page.partition('name="attachments"')[2].partition("</div>")[0]
        assert answer.status_code == 422
        assert escape(why) in beside
        assert "Nothing was sent yet." in beside
        assert 'value="Booking form"' in page
        assert f"{BODY}</textarea>" in page
        assert page.partition('value="HIGH"')[2].partition(">")[0].endswith("checked")
        assert nothing_came_of_it(folder)

    def test_unpacks_no_archive(self, sam, path, folder):
        packed = bomb()

        assert sam.post(path, given(upload("bomb.zip", packed))).status_code == 303

        [file] = Attachment.objects.all()
        assert (file.name, file.kind, file.size) == ("bomb.zip", "application/zip", len(packed))
        assert [one.stat().st_size for one in folder.iterdir()] == [len(packed)]

    @pytest.mark.parametrize("name", ["../../etc/cron.txt", r"..\..\cron.txt", "/etc/cron.txt"])
    def test_takes_no_path_from_a_name(self, sam, path, folder, name):
        form = encode_multipart(BOUNDARY, given(upload("harmless.txt", b"* * * * * root id\n")))
        form = form.replace(b"harmless.txt", name.encode())  # the client would leave the path out

        assert sam.generic("POST", path, form, MULTIPART_CONTENT).status_code == 303

        [kept] = Attachment.objects.all()
        assert (kept.name, kept.key) == ("cron.txt", str(kept.pk))
        assert [one.name for one in folder.iterdir()] == [kept.key]

    def test_takes_no_more_than_five(self, sam, path, folder):
        answer = sam.post(path, given(*(upload(f"{n}.png", PNG) for n in range(6))))

        assert answer.status_code == 422
        assert "Send at most 5 files at once." in answer.content.decode()
        assert nothing_came_of_it(folder)

    @pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "htmx"])
    def test_looks_into_nothing_that_is_too_large_as_a_whole(self, sam, path, folder, headers):
        answer = sam.generic(
            "POST",
            path,
            Unreadable(),
            content_type="multipart/form-data; boundary=x",
            headers=headers,
            CONTENT_LENGTH=str(2 * 1024**3),
        )

        assert answer.status_code == 413
        assert "more than 60 MB at once. Nothing was sent." in answer.content.decode()
        assert nothing_came_of_it(folder)

    def test_keeps_no_file_if_something_else_is_wrong(self, sam, path, folder):
        answer = sam.post(path, given(upload("a.png", PNG), title=" "))

        assert answer.status_code == 422
        assert nothing_came_of_it(folder)

    def test_shows_in_the_form_why_the_verb_refused(self, cast, as_, sam, path, folder):
        form = given(upload("a.png", PNG))
        elsewhere = f"/connections/{cast.revampd_bluebird.pk}/tickets/new/"
        assert sam.post(elsewhere, given(key=form["key"])).status_code == 303

        answer = sam.post(path, form)

        page = answer.content.decode()
        assert answer.status_code == 422
        assert "Something went wrong with this form. Send it once more." in page
        assert f"{BODY}</textarea>" in page
        assert list(folder.iterdir()) == []

    def test_of_the_same_form_twice_makes_one_ticket_with_its_files_once(self, sam, path, folder):
        form = given()

        for _ in range(2):
            answer = sam.post(path, form | {"attachments": [upload("a.png", PNG)]})
            assert answer.status_code == 303

        assert Ticket.objects.count() == 1
        assert len(list(folder.iterdir())) == Attachment.objects.count() == 1
