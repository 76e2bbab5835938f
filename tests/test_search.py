"""One search over what a person may see, as a page and as a palette, and nothing beyond it."""

import re
from dataclasses import dataclass
from typing import Any

import pytest
from django.utils import timezone

from billing.models import BillingRequest, Invoice
from billing.models.proposals import Proposal
from connections.models import Connection, Membership, Organization, User
from revampd.search import connected, find, places
from tests.billing.deals import MARKUP, many_invoices, propose, run
from tests.cast import Cast, between, connect, person, plan
from tests.factories import customers

NORTHWIND = ("maya", "noah", "dana", "vera", "dora")
BLUEBIRD = ("ben", "bella", "sam", "theo")
NOUNS = ("connections", "invoices", "requests", "tickets", "people")
ODD = (
    *("\0", "a\0b", " ", "\t\n", "x" * 5000, "word " * 1000, "'", '"', "\\", "%", "_", "''':*"),
    *("a & b | !c <-> d", "a:*", "(", "!!", "<script>", "🦜", "🦜 clinic", "½ ² ①", "ＧＲＯＷＴＨ"),
    *("1" * 31, "$" + "9" * 30, "-5", "1e5", "NaN", "0", "INV-", "INV-0", "INV-" + "9" * 20),
    *("R-", "R-GGGGGG", "R-1a2b3c", "00000000-0000-4000-8000-000000000000", "é" * 200),
)


def titles(text: str, by: User) -> dict[str, list[str]]:
    """What is found, noun by noun."""
    return {
        group.noun.key: [hit.title for hit in group.hits] for group in connected(find(text, by=by))
    }


def totals(text: str, by: User) -> dict[str, int]:
    return {group.noun.key: group.total for group in find(text, by=by)}


@dataclass
class Twins:
    """A neighbour's customer that is called, sold and billed the same as Bluebird."""

    organization: Organization
    connection: Connection
    request: BillingRequest
    invoice: Invoice
    owner: User
    own: BillingRequest  # Bluebird's, for the same
    own_invoice: Invoice

    @property
    def marks(self) -> list[str]:
        """What of the neighbour's a page would give away."""
        return [str(self.connection.pk), str(self.request.pk), self.request.reference,
                self.organization.slug, self.owner.email, "Contoso", "Fabrikam"]  # fmt: skip


@pytest.fixture
def twins(cast: Cast) -> Twins:
    own = run(cast)
    owner = person("Ben.two")
    User.objects.filter(pk=owner.pk).update(name="Ben Tester")
    organization = connect(cast.contoso, "Bluebird Clinic", owner, by=cast.oscar)
    connection, now = between(cast.contoso, organization), timezone.now()
    growth = plan(cast.contoso, cast.oscar, "Growth", 149_00)
    theirs = BillingRequest.propose(Proposal(growth), connection=connection, by=cast.oscar, at=now)
    theirs.approve(by=owner, seal=theirs.seal, at=now)
    return Twins(organization, connection, theirs, connection.invoices.get(), owner,
                 own, cast.northwind_bluebird.invoices.get())  # fmt: skip


def texts(twins: Twins) -> list[str]:
    """What both have, and what only the neighbour has."""
    return [
        *("bluebird clinic", "ben tester", "growth", "INV-1", "149", "b", "c", "example"),
        *("contoso", "oscar", twins.owner.email, twins.request.reference),
        *(str(row.pk) for row in (twins.request, twins.connection, twins.invoice)),
    ]


def given_away(answer: Any, text: str, twins: Twins) -> list[str]:
    """What of the neighbour's an answer shows, apart from what one typed oneself."""
    assert answer.status_code == 200
    typed, shown = text.lower(), answer.text.lower()
    return [mark for mark in twins.marks if mark.lower() in shown and mark.lower() != typed]


class TestFind:
    @pytest.mark.parametrize("text", ["bluebird", "BLUE", "clinic blue", "clin", "  blue  "])
    def test_knows_connections_by_the_beginnings_of_their_words(self, cast, text):
        assert titles(text, cast.vera)["connections"] == ["Bluebird Clinic"]

    @pytest.mark.parametrize("text", ["bird", "blue agency", "bluebirdclinic"])
    def test_finds_no_middles_and_nothing_in_part(self, cast, text):
        assert titles(text, cast.vera)["connections"] == []

    def test_goes_by_the_other_side(self, cast):
        assert titles("northwind", cast.theo)["connections"] == ["Northwind Agency"]
        assert titles("northwind", cast.vera)["connections"] == []

    def test_puts_a_name_that_begins_so_first(self, cast):
        connect(cast.northwind, "Animal Clinic", person("Ann"), by=cast.maya)
        connect(cast.northwind, "Clinic of Springfield", person("Sue"), by=cast.maya)

        found = titles("clinic", cast.vera)["connections"]

        assert found == ["Clinic of Springfield", "Animal Clinic", "Bluebird Clinic"]

    @pytest.mark.parametrize(
        "name", ["O'Neil & Sons", "smith.example.com", "A/B Testing", "Müller-Lüdenscheidt"]
    )
    def test_takes_names_apart_as_people_do(self, cast, name):
        connect(cast.northwind, name, person("Ann"), by=cast.maya)

        for word in re.findall(r"\w+", name):
            assert name in titles(word.upper(), cast.vera)["connections"], word
        assert titles(name, cast.vera)["connections"] == [name]

    @pytest.mark.parametrize("text", ["1", "#1", "INV-1", "inv 1", "INV-00001", "Inv1"])
    @pytest.mark.parametrize("name", ["vera", "theo"])
    def test_knows_an_invoice_by_its_number(self, cast, twins, name, text):
        found = totals(text, getattr(cast, name))

        assert found["invoices"] == 1

    @pytest.mark.parametrize("text", ["149", "$149", "149.00", "$149.00", "$ 149"])
    @pytest.mark.parametrize("name", ["vera", "theo"])
    def test_knows_invoices_and_requests_by_their_amount(self, cast, twins, name, text):
        found = totals(text, getattr(cast, name))

        assert (found["invoices"], found["requests"]) == (1, 1)

    def test_counts_the_whole_price_of_a_request(self, cast):
        propose(cast)
        propose(cast, cast.phone_numbers, quantity=8)

        assert titles("$20", cast.theo)["requests"] == ["Phone number"]
        assert titles("2.50", cast.theo)["requests"] == []

    @pytest.mark.parametrize("name", ["vera", "theo"])
    def test_knows_a_request_by_item_reference_and_id(self, cast, twins, name):
        for text in ("grow", twins.own.reference, twins.own.reference[2:], str(twins.own.pk)):
            assert titles(text, getattr(cast, name))["requests"] == ["Growth"], text

    def test_knows_a_connection_and_an_invoice_by_their_ids(self, cast, twins):
        by_connection = titles(str(cast.northwind_bluebird.pk), cast.theo)
        by_invoice = titles(str(twins.own_invoice.pk).upper(), cast.theo)

        assert by_connection["connections"] == ["Northwind Agency"]
        assert by_connection["invoices"] == by_invoice["invoices"] == ["INV-00001"]

    def test_lists_the_invoices_of_a_customer_unless_too_many_have_the_name(self, cast, twins):
        few = totals("bluebird", cast.vera)
        Organization.objects.filter(bought__in=customers(cast.northwind, 20)).update(
            name="Bluebird"
        )

        assert few["invoices"] == 1
        assert totals("bluebird", cast.vera)["connections"] == 21
        assert totals("bluebird", cast.vera)["invoices"] == 0

    def test_finds_nothing_for_nothing(self, cast, django_assert_num_queries):
        by = cast.vera
        assert by.belongs_to

        with django_assert_num_queries(0):
            assert totals("", by) == dict.fromkeys(NOUNS, 0)


class TestPeople:
    def test_are_colleagues_and_members_of_customers(self, cast):
        assert titles("tester", cast.vera)["people"] == [
            f"{name} Tester" for name in ("Bella", "Ben", "Dana", "Dora", "Dora")
        ]
        assert titles("ben@example.com", cast.vera)["people"] == ["Ben Tester"]

    def test_of_a_provider_are_those_who_look_after_one(self, cast):
        members = Membership.objects
        dana, noah = members.get(user=cast.dana), members.get(user=cast.noah)
        cast.northwind_bluebird.assign_owners(sales=noah, support=dana, by=cast.maya)

        people = connected(find("tester", by=cast.theo))[-1]
        theirs = [hit for hit in people.hits if "Northwind" in hit.detail]

        assert people.total == 7  # five of Bluebird, two who look after it
        assert [(hit.title, hit.url, hit.aside) for hit in theirs] == [
            (name, f"/connections/{cast.northwind_bluebird.pk}/", "")
            for name in ("Dana Tester", "Noah Tester")
        ]
        assert titles("maya", cast.theo)["people"] == []

    def test_of_a_provider_are_not_found_by_their_address(self, cast):
        dana = Membership.objects.get(user=cast.dana)
        cast.northwind_bluebird.assign_owners(sales=None, support=dana, by=cast.maya)

        assert titles("dana", cast.theo)["people"] == ["Dana Tester"]
        assert titles("dana@example.com", cast.theo)["people"] == []

    def test_of_another_connection_of_the_same_provider_are_nobodys_business(self, cast):
        other = connect(cast.northwind, "Redwood", person("Rose"), by=cast.maya)
        dana = Membership.objects.get(user=cast.dana)
        between(cast.northwind, other).assign_owners(sales=None, support=dana, by=cast.maya)

        assert titles("rose", cast.theo)["people"] == titles("dana", cast.theo)["people"] == []
        assert titles("rose", cast.vera)["people"] == ["Rose Tester"]


class TestNothingLeaks:
    """Equal names, numbers and amounts at a neighbour's: in hits, numbers, page and palette."""

    @pytest.mark.parametrize("name", [*NORTHWIND, *BLUEBIRD])
    def test_into_pages_of_any_role(self, cast, as_, twins, name):
        browser = as_(getattr(cast, name))

        for text in texts(twins):
            for path in ("/search/", "/search/palette/"):
                assert given_away(browser.get(path, {"q": text}), text, twins) == [], text

    @pytest.mark.parametrize("noun", NOUNS)
    @pytest.mark.parametrize("name", ["vera", "theo"])
    def test_into_all_of_a_noun(self, cast, as_, twins, name, noun):
        browser = as_(getattr(cast, name))

        for text in texts(twins):
            answer = browser.get("/search/", {"q": text, "in": noun})
            assert given_away(answer, text, twins) == [], text

    @pytest.mark.parametrize("name", [*NORTHWIND, *BLUEBIRD])
    def test_into_the_numbers(self, cast, twins, name):
        by = getattr(cast, name)
        before = [totals(text, by) for text in texts(twins)]

        for number in range(3):
            twin = person(f"Ben.{number}")
            User.objects.filter(pk=twin.pk).update(name="Ben Tester")
            twins.organization.admit(twin, role="OWNER", by=None)
            customer = connect(cast.contoso, "Bluebird Clinic", twin, by=cast.oscar)
            BillingRequest.propose(
                Proposal(twins.request.plan_version),
                connection=between(cast.contoso, customer),
                by=cast.oscar,
                at=timezone.now(),
            )
        many_invoices(twins.request, 3)

        assert [totals(text, by) for text in texts(twins)] == before

    def test_to_whoever_belongs_nowhere(self, cast, as_, twins):
        for text in [*texts(twins), "revampd", "northwind"]:
            assert set(totals(text, cast.zed).values()) == {0}, text
            assert 'class="hit"' not in as_(cast.zed).get("/search/", {"q": text}).text

    def test_to_the_neighbour(self, cast, twins):
        found = totals("bluebird clinic", cast.oscar), totals("INV-1", cast.oscar)

        assert (found[0]["connections"], found[1]["invoices"]) == (1, 1)
        for text in (twins.own.reference, str(twins.own.pk), str(twins.own_invoice.pk), "maya"):
            assert set(totals(text, cast.oscar).values()) == {0}, text


class TestPlaces:
    def pages(self, text: str, by: User) -> list[tuple[str, str]]:
        return [(hit.title, hit.detail) for hit in places(text, by=by)]

    @pytest.mark.parametrize("text", ["wallet blue", "bluebird wal", "Wallet, Bluebird Clinic"])
    def test_are_menu_entries_of_connections(self, cast, text):
        [wallet] = places(text, by=cast.vera)

        assert (wallet.title, wallet.detail) == ("Wallet", "Bluebird Clinic")
        assert wallet.url == f"/connections/{cast.northwind_bluebird.pk}/wallet/"

    def test_are_those_that_one_has(self, cast):
        assert sorted(self.pages("payment", cast.theo)) == [
            ("Payment methods", "Northwind Agency"),
            ("Payment methods", "Revampd"),
        ]
        assert self.pages("payment bluebird", cast.maya) == []
        assert ("Catalog", "Northwind Agency") in self.pages("cat", cast.vera)
        assert self.pages("catalog", cast.theo) == []

    def test_of_a_neighbour_are_not_offered(self, cast, twins):
        assert self.pages("wallet contoso", cast.maya) == []
        assert len(self.pages("wallet bluebird", cast.maya)) == 1

    def test_are_offered_before_anything_is_typed(self, cast):
        assert ("Connections", "") in self.pages("", cast.theo)
        assert ("Notifications", "") in self.pages("", cast.zed)


class TestPage:
    def test_groups_what_it_finds_with_numbers(self, cast, as_, twins):
        page = as_(cast.theo).get("/search/?q=growth").text

        assert 'aria-labelledby="requests-title"' in page
        assert f"/connections/{cast.northwind_bluebird.pk}/requests/{twins.own.pk}/" in page
        assert "invoices-title" not in page

    def test_leads_to_all_of_a_noun_page_by_page(self, cast, as_):
        many_invoices(run(cast), 30)
        browser = as_(cast.theo)

        first = browser.get("/search/?q=149").text
        rest = browser.get("/search/?q=149&in=invoices&page=2").text

        assert "All 31 invoices" in first
        assert 'href="?q=149&amp;in=invoices"' in first
        assert "26–31 of 31 invoices" in rest
        assert rest.count('class="hit"') == 6
        assert browser.get("/search/?q=149&in=invoices&page=99").text.count('class="hit"') == 6

    def test_says_when_there_is_nothing(self, cast, as_):
        browser = as_(cast.theo)

        assert "What are you looking for?" in browser.get("/search/").text
        assert "Nothing found" in browser.get("/search/?q=nobody").text
        assert "Nothing found" in browser.get("/search/?q=nobody&in=people&page=x").text

    def test_shows_what_was_typed_as_text(self, cast, as_):
        connect(cast.northwind, MARKUP, person("Ann"), by=cast.maya)

        for path in ("/search/", "/search/palette/"):
            page = as_(cast.vera).get(path, {"q": MARKUP}).text

            assert MARKUP not in page
            assert "&lt;script&gt;" in page

    @pytest.mark.parametrize("path", ["/search/", "/search/palette/"])
    def test_answers_everything_that_can_be_typed(self, cast, as_, twins, path):
        browser = as_(cast.vera)

        for text in ODD:
            for noun in ("", "invoices"):
                answer = browser.get(path, {"q": text, "in": noun, "page": text[:9]})
                assert answer.status_code == 200, text

    def test_has_a_button_on_every_page(self, cast, as_):
        for path in ("/connections/", "/search/", f"/connections/{cast.northwind_bluebird.pk}/"):
            page = as_(cast.theo).get(path).text

            assert 'href="/search/" data-palette' in page
            assert page.count('id="palette"') == 1

    def test_is_only_shown(self, cast, as_):
        assert as_(cast.theo).post("/search/", {"q": "growth"}).status_code == 405
        assert as_(cast.theo).post("/search/palette/", {"q": "growth"}).status_code == 405


def test_fixture_is_what_it_says(cast, twins):
    """The neighbour has the same name, number, amount, item and owner's name."""
    assert twins.connection.customer.name == cast.bluebird.name
    assert twins.invoice.code == twins.own_invoice.code
    assert twins.invoice.total == twins.own_invoice.total
    assert twins.request.item_name == twins.own.item_name
    twins.owner.refresh_from_db()
    assert twins.owner.name == cast.ben.name
