"""The usage of a connection as its two sides see it, and as its provider enters it."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from billing.cycle import bill_due
from billing.models import UsageRecord
from tests.billing.acts import agree
from tests.billing.deals import HTMX, MARKUP, queries
from tests.billing.usage.counting import TRANSFER, enter, file_of, many_rows, metered
from tests.pages import text

NAMES = ("usage", "enter-usage", "import-usage", "confirm-usage-import")


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def running(cast, now):
    """Bluebird has run a plan that charges by number for 40 days, billed until today."""
    agree(cast, metered(cast), at=now - timedelta(days=40))
    bill_due(at=now)
    return cast.northwind_bluebird


def url(connection, name: str = "usage") -> str:
    return reverse(f"billing:{name}", args=[connection.pk])


def csv(content: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("usage.csv", content, "text/csv")


class TestList:
    @pytest.mark.parametrize("name", ["maya", "vera", "dana", "ben", "sam", "theo"])
    def test_is_seen_by_both_sides(self, cast, as_, now, running, name):
        enter(cast, 3, on=now.date(), at=now, key="B-1041")

        page = text(as_(getattr(cast, name)).get(url(running)))

        for part in ("3 bookings", "$6.00", "Noah Tester", "B-1041", "the next"):
            assert part in page

    def test_leads_to_the_invoice_that_charged_it(self, cast, as_, now, running):
        enter(cast, 3, on=now.date() - timedelta(days=20), at=now)
        bill_due(at=now + timedelta(days=31))
        invoice = running.invoices.newest_first().first()

        page = text(as_(cast.ben).get(url(running)))
        invoice_url = reverse("billing:invoice", args=[running.pk, invoice.number])
        assert invoice_url in page
        assert f"{url(running)}?invoice={invoice.number}" in text(as_(cast.ben).get(invoice_url))

    def test_narrows_down_in_the_address(self, cast, as_, now, running):
        enter(cast, 3, on=now.date() - timedelta(days=20), at=now, key="old")
        bill_due(at=now + timedelta(days=31))
        enter(cast, 4, on=now.date(), at=now, key="new", measure=TRANSFER)
        invoice = running.invoices.newest_first().first()
        browser = as_(cast.ben)

        def shown(**query: object) -> list[str]:
            rows = browser.get(url(running), query).context["rows"]
            return [row.key for row in rows]

        assert shown() == ["new", "old"]
        assert shown(sort="day") == ["old", "new"]
        assert shown(billed="no") == ["new"]
        assert shown(billed="yes") == ["old"]
        assert shown(measure="TRANSFER") == ["new"]
        assert shown(invoice=invoice.number) == ["old"]
        assert shown(invoice=9_999) == []

    @pytest.mark.parametrize(
        "query", ["measure=x", "billed=x", "invoice=x", "invoice=-1", "sort=x", "page=99"]
    )
    def test_takes_any_address(self, cast, as_, now, running, query):
        enter(cast, on=now.date(), at=now)

        assert as_(cast.ben).get(f"{url(running)}?{query}").status_code == 200

    def test_sums_up_what_it_shows(self, cast, as_, now, running):
        for number in range(30):
            enter(cast, 2, on=now.date(), at=now, key=f"B-{number}")
        enter(cast, 4, on=now.date(), at=now, key="T-1", measure=TRANSFER)

        page = as_(cast.ben).get(url(running))

        assert len(page.context["rows"]) == 25
        assert str(page.context["cost"]) == "$123.00"
        assert "60 bookings" in text(page)

    def test_costs_the_same_with_many_rows(self, cast, as_, now, running):
        enter(cast, on=now.date(), at=now)
        few = queries(as_(cast.ben), url(running))
        for number in range(40):
            enter(cast, 2, on=now.date(), at=now, key=f"K-{number}")

        assert queries(as_(cast.ben), url(running)) <= few + 1 <= 12

    def test_shows_no_usage_of_others(self, cast, as_, now, running):
        enter(cast, on=now.date(), at=now, key="secret-key")

        assert "secret-key" not in text(as_(cast.maya).get(url(cast.revampd_northwind)))


class TestPlanPage:
    def plan_url(self, connection) -> str:
        return reverse("billing:plan", args=[connection.pk])

    def test_shows_what_is_not_billed_yet(self, cast, as_, now, running):
        enter(cast, 3, on=now.date(), at=now)

        page = text(as_(cast.ben).get(self.plan_url(running)))

        assert "3 bookings" in page
        assert url(running) in page

    def test_offers_entering_to_who_may(self, cast, as_, running):
        assert url(running, "enter-usage") in text(as_(cast.noah).get(self.plan_url(running)))
        assert url(running, "enter-usage") not in text(as_(cast.vera).get(self.plan_url(running)))

    def test_leaves_it_out_for_a_plan_without_fees(self, cast, as_):
        agree(cast, at=timezone.now())

        page = text(as_(cast.ben).get(self.plan_url(cast.northwind_bluebird)))

        assert url(cast.northwind_bluebird) not in page


class TestEnter:
    def data(self, day, **other: object) -> dict[str, object]:
        return {"key": "k", "measure": "BOOKING", "used_on": str(day), "quantity": "3"} | other

    @pytest.mark.parametrize("headers", [{}, HTMX])
    def test_enters_it_once_however_often_it_is_sent(self, cast, as_, now, running, headers):
        browser, data = as_(cast.noah), self.data(now.date())

        answers = [browser.post(url(running, "enter-usage"), data, headers=headers) for _ in "12"]

        if headers:
            assert {answer["HX-Redirect"] for answer in answers} == {url(running)}
        else:
            assert {answer.status_code for answer in answers} == {303}
        assert UsageRecord.objects.get().quantity == 3

    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            ({"quantity": "0"}, "quantity"),
            ({"quantity": "1e3"}, "quantity"),
            ({"quantity": "99999"}, "quantity"),
            ({"used_on": "2026-02-30"}, "used_on"),
            ({"used_on": "2099-01-01"}, "used_on"),
            ({"measure": "booking"}, "measure"),
            ({"key": "a\0"}, "key"),
        ],
    )
    def test_refuses_beside_the_field(self, cast, as_, now, running, wrong, field):
        answer = as_(cast.noah).post(url(running, "enter-usage"), self.data(now.date(), **wrong))

        assert answer.status_code == 422
        assert field in answer.context["form"].errors
        assert not UsageRecord.objects.exists()

    def test_says_that_the_key_stands_for_something_else(self, cast, as_, now, running):
        enter(cast, 5, on=now.date(), at=now, key="k")

        answer = as_(cast.noah).post(url(running, "enter-usage"), self.data(now.date()))

        assert answer.status_code == 409
        assert "this differs in the number" in text(answer)


class TestImport:
    def test_shows_what_it_comes_to_before_it_counts(self, cast, as_, now, running):
        browser = as_(cast.noah)
        content = file_of(f"booking,{now.date()},3,B-1", f"transfer,{now.date()},2,T-1")

        page = browser.post(url(running, "import-usage"), {"file": csv(content)})

        assert page.status_code == 200
        assert "$7.50" in text(page)
        assert not UsageRecord.objects.exists()
        digest = page.context["digest"]
        done = browser.post(url(running, "confirm-usage-import"), {"digest": digest})
        assert (done.status_code, done["Location"]) == (303, url(running))
        assert UsageRecord.objects.count() == 2

    def test_confirmed_twice_enters_it_once(self, cast, as_, now, running):
        browser = as_(cast.noah)
        page = browser.post(url(running, "import-usage"), {"file": csv(many_rows(3, now.date()))})
        data = {"digest": page.context["digest"]}

        answers = [browser.post(url(running, "confirm-usage-import"), data) for _ in "12"]

        assert [answer.status_code for answer in answers] == [303, 303]
        assert UsageRecord.objects.count() == 3

    def test_names_bad_rows_and_offers_no_confirmation(self, cast, as_, now, running):
        content = file_of(f"booking,{now.date()},3,B-1", f"{MARKUP},{now.date()},2,T-1")

        page = as_(cast.noah).post(url(running, "import-usage"), {"file": csv(content)})

        assert page.status_code == 422
        assert "Line 3, measure: Enter booking or transfer." in text(page)
        assert "digest" not in page.context
        assert MARKUP not in text(page)

    @pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"a,b\r\n1,2\r\n", b"x" * 2_100_000])
    def test_refuses_what_is_no_such_file(self, cast, as_, running, content):
        page = as_(cast.noah).post(url(running, "import-usage"), {"file": csv(content)})

        assert page.status_code == 422
        assert page.context["form"].errors["file"]

    @pytest.mark.parametrize("digest", ["", "0" * 64, "x\0y"])
    def test_enters_nothing_that_was_not_uploaded(self, cast, as_, running, digest):
        answer = as_(cast.noah).post(url(running, "confirm-usage-import"), {"digest": digest})

        assert answer.status_code == 409
        assert "The file is no longer here." in text(answer)

    def test_enters_nothing_that_somebody_else_uploaded(self, cast, as_, now, running):
        content = many_rows(1, now.date())
        page = as_(cast.noah).post(url(running, "import-usage"), {"file": csv(content)})

        digest = page.context["digest"]
        answer = as_(cast.maya).post(url(running, "confirm-usage-import"), {"digest": digest})

        assert answer.status_code == 409
        assert not UsageRecord.objects.exists()

    def test_names_what_became_wrong_after_the_preview(self, cast, as_, now, running):
        browser = as_(cast.noah)
        content = many_rows(2, now.date())
        page = browser.post(url(running, "import-usage"), {"file": csv(content)})
        enter(cast, 9, on=now.date(), at=now, key="K-1")

        data = {"digest": page.context["digest"]}
        answer = browser.post(url(running, "confirm-usage-import"), data)

        assert answer.status_code == 422
        assert "Line 3, key: The key “K-1” was used before" in text(answer)
        assert UsageRecord.objects.count() == 1


class TestDoor:
    @pytest.mark.parametrize("name", NAMES)
    def test_is_not_there_for_strangers(self, cast, as_, running, name):
        for stranger in (cast.oscar, cast.fay, cast.zed):
            assert as_(stranger).post(url(running, name)).status_code == 404

    @pytest.mark.parametrize("name", NAMES[1:])
    def test_lets_only_who_bills_there_enter(self, cast, as_, running, name):
        for person in (cast.vera, cast.dana, cast.ben, cast.bella):
            assert as_(person).post(url(running, name)).status_code == 403
