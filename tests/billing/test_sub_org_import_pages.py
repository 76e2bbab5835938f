"""The pages of an import: what a file would do, why not, once confirmed how far it is."""

from html import unescape
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing import importing
from billing.models import SubOrgImport
from connections.models import Organization
from revampd.kit.sheets import MAX_ROWS

from .partners import HEADER, clinics, file_of, sub_orgs, take_tier

URL = "/organizations/northwind-agency/sub-orgs/import/"
GOOD = "Acme,ada@example.com,,"


@pytest.fixture
def maya(cast, as_):
    return as_(cast.maya)


def upload(browser, content: bytes) -> Any:
    return browser.post(URL, {"file": SimpleUploadedFile("sub-orgs.csv", content)})


def confirm(browser, page: Any, **changes: str) -> Any:
    shown = {"digest": page.context["digest"], "key": page.context["key"]}
    return browser.post(f"{URL}confirmation/", shown | changes, follow=True)


class TestUpload:
    def test_shows_who_would_be_invited_and_invites_nobody(self, cast, maya):
        take_tier(cast, 50)

        page = upload(maya, clinics(12))

        assert page.status_code == 200
        assert "12 Sub-Orgs to invite" in page.text
        assert "These are the first 10." in page.text
        assert "owner-10@example.com" in page.text
        assert "owner-11@example.com" not in page.text
        assert len(sub_orgs(cast)) == 1

    @pytest.mark.parametrize(
        ("content", "sentence"),
        [
            (file_of(GOOD).replace(b"A", b"\xc4"), "Line 2 is not UTF-8."),
            (file_of("Acme,,", header="name,sales_owner"), "Missing columns: email."),
            (file_of(GOOD, "=1+1,b@example.com,,"), "Line 3, name: A name cannot begin with “=”"),
            (file_of(GOOD, GOOD), "Line 3, name: “Acme” stands on line 2 already."),
            (b"", "The file is empty."),
            (file_of(), "no rows"),
            (b"%PDF-1.7\n" + bytes(range(128, 200)), "not UTF-8"),
            (clinics(MAX_ROWS + 1), "10,000"),
        ],
    )
    def test_says_what_is_wrong_and_keeps_nothing(self, cast, maya, content, sentence):
        take_tier(cast, None)

        page = upload(maya, content)

        assert page.status_code == 422
        assert sentence in unescape(page.text)
        assert "digest" not in page.context
        assert not SubOrgImport.objects.exists()
        assert len(sub_orgs(cast)) == 1

    def test_names_the_first_fifty_mistakes_and_counts_the_rest(self, cast, maya):
        take_tier(cast, None)

        page = upload(maya, file_of(*("Acme,,," for _ in range(60))))

        assert page.text.count("<li>Line ") == 50
        assert "and 10 more" in page.text

    def test_offers_a_larger_tier_where_there_are_too_few_seats(self, cast, maya):
        take_tier(cast, 10)

        page = upload(maya, clinics(10))

        assert page.status_code == 409
        assert "Starter allows 10 Sub-Orgs, and you have 1; these are 10 more." in page.text
        assert f"/connections/{cast.revampd_northwind.pk}/plan/" in page.text
        assert "digest" not in page.context


class TestConfirmation:
    def test_begins_once_however_often_it_is_sent(self, cast, maya):
        take_tier(cast, 50)
        page = upload(maya, clinics(3))

        told = confirm(maya, page)
        confirm(maya, page)

        assert "The invitations go out now, 3 of them." in told.text
        assert SubOrgImport.objects.get().total == 3

    @pytest.mark.parametrize(
        ("changes", "status"),
        [({"digest": "0" * 64}, 409), ({"digest": ""}, 409), ({"key": "x"}, 422)],
    )
    def test_takes_no_file_that_was_not_shown(self, cast, maya, changes, status):
        take_tier(cast, 50)

        answer = confirm(maya, upload(maya, clinics(3)), **changes)

        assert answer.status_code == status
        assert "pload" in answer.text
        assert not SubOrgImport.objects.exists()

    def test_looks_again_at_what_came_between(self, cast, maya):
        take_tier(cast, 50)
        page = upload(maya, clinics(3))
        confirm(maya, upload(maya, file_of("Clinic 2,late@example.com,,")))

        answer = confirm(maya, page)

        assert answer.status_code == 422
        assert "Clinic 2" in answer.text
        assert SubOrgImport.objects.get().total == 1


class TestTenThousand:
    def test_are_checked_confirmed_and_shown_on_their_way(self, cast, maya):
        take_tier(cast, None)
        upload(maya, clinics(5))
        with CaptureQueriesContext(connection) as few:
            upload(maya, clinics(5))
        with CaptureQueriesContext(connection) as many:
            page = upload(maya, clinics(MAX_ROWS))
        told = confirm(maya, page)

        assert len(many) == len(few)
        assert "10,000 Sub-Orgs to invite" in page.text
        assert "10,000 of them" in told.text

        path, own = told.redirect_chain[-1][0], SubOrgImport.objects.get()
        assert "0 of 10,000" in maya.get(path).text
        importing._next_rows(own)
        progress = maya.get(path, headers={"HX-Request": "true"}).text
        assert f"{importing.CHUNK} of 10,000" in progress
        assert f'<progress max="10000" value="{importing.CHUNK}"' in progress
        assert Organization.objects.filter(name="Clinic 1").exists()
        assert HEADER not in progress
