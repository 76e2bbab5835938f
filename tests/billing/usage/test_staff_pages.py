"""Usage in the admin: read, and entered for any connection by the same verbs."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from billing.models import UsageRecord
from connections.models import Event
from tests.billing.acts import agree
from tests.billing.usage.counting import HEADER, enter, file_of, metered
from tests.pages import text


@pytest.fixture
def today(cast):
    now = timezone.now()
    agree(cast, metered(cast), at=now)
    return cast.northwind_bluebird.day_of(now)


@pytest.fixture
def staff(cast, as_):
    cast.rhea.is_superuser = True
    cast.rhea.save(update_fields=["is_superuser"])
    return as_(cast.rhea)


def upload(staff, *rows: str):
    content = file_of(*rows, header=f"connection,{HEADER}")
    file = SimpleUploadedFile("usage.csv", content, "text/csv")
    return staff.post(reverse("admin:import-usage"), {"file": file})


class TestList:
    def test_shows_entries_and_leads_to_the_forms(self, cast, staff, today):
        enter(cast, 3, on=today, at=timezone.now(), key="B-1041")

        page = text(staff.get(reverse("admin:billing_usagerecord_changelist")))

        for part in ("B-1041", reverse("admin:enter-usage"), reverse("admin:import-usage")):
            assert part in page


class TestEnter:
    def data(self, cast, today, **other: object) -> dict[str, object]:
        given = {"connection": cast.northwind_bluebird.pk, "used_on": today, "quantity": 3}
        return {**given, "measure": "BOOKING", "key": "k", **other}

    def test_enters_it_as_staff(self, cast, staff, today):
        staff.post(reverse("admin:enter-usage"), self.data(cast, today))

        assert UsageRecord.objects.get().entered_by == cast.rhea
        assert Event.objects.get(code="usage.recorded").actor == cast.rhea

    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            ({"connection": "none"}, "connection"),
            ({"connection": "00000000-0000-4000-8000-000000000000"}, "connection"),
            ({"quantity": "0"}, "quantity"),
            ({"used_on": "2099-01-01"}, "used_on"),
        ],
    )
    def test_refuses_beside_the_field(self, cast, staff, today, wrong, field):
        page = staff.post(reverse("admin:enter-usage"), self.data(cast, today, **wrong))

        assert page.status_code == 422
        assert field in page.context["form"].errors
        assert not UsageRecord.objects.exists()

    def test_says_that_the_key_stands_for_something_else(self, cast, staff, today):
        enter(cast, 5, on=today, at=timezone.now(), key="k")

        page = staff.post(reverse("admin:enter-usage"), self.data(cast, today))

        assert "this differs in the number" in text(page)


class TestImport:
    def test_shows_what_it_comes_to_before_it_counts(self, cast, staff, today):
        page = upload(staff, f"{cast.northwind_bluebird.pk},booking,{today},3,B-1")

        assert "$6.00" in text(page)
        assert not UsageRecord.objects.exists()
        digest = page.context["digest"]
        staff.post(reverse("admin:confirm-usage-import"), {"digest": digest})
        assert UsageRecord.objects.get().key == "B-1"

    def test_names_bad_rows(self, cast, staff, today):
        page = upload(
            staff,
            f"{cast.northwind_bluebird.pk},booking,{today},3,B-1",
            f"{cast.contoso_fabrikam.pk},booking,{today},3,B-1",
        )

        assert page.status_code == 422
        assert "Line 3, day: No plan runs on this connection" in text(page)
        assert not UsageRecord.objects.exists()

    @pytest.mark.parametrize("digest", ["", "0" * 64])
    def test_enters_nothing_that_was_not_uploaded(self, staff, today, digest):
        page = staff.post(reverse("admin:confirm-usage-import"), {"digest": digest}, follow=True)

        assert "The file is no longer here." in text(page)


class TestDoor:
    @pytest.mark.parametrize("name", ["enter-usage", "import-usage", "confirm-usage-import"])
    def test_is_closed_to_staff_without_the_permission(self, cast, as_, name):
        cast.rhea.is_superuser = False
        cast.rhea.save(update_fields=["is_superuser"])

        assert as_(cast.rhea).post(reverse(f"admin:{name}")).status_code == 403
        assert as_(cast.maya).post(reverse(f"admin:{name}")).status_code == 302
