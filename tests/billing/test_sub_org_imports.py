"""Files of Sub-Orgs: every bad row is named, nobody is half-invited, the rest goes on by itself."""

import time
from uuid import uuid4

import pytest
from django.utils import timezone

from billing import importing
from billing.importing import go_on
from billing.models import SubOrgImport, SubOrgImportRow
from billing.seats import NoSeatLeft, NoTier, Seats, invite
from billing.sub_org_files import Comparison, SubOrgFile
from connections.models import Connection, Event, Membership, Organization
from notifications.draining import drain_events
from notifications.models import Delivery, Notification
from revampd.kit.errors import Invalid
from revampd.kit.sheets import MAX_BYTES, MAX_ROWS, BadRows
from tests.connections.test_races import at_once

from .partners import HEADER, clinics, confirm, file_of, sub_orgs, take_tier

GOOD = "Acme,ada@example.com,,"


def problems(cast, *rows: str) -> list[str]:
    return [str(one) for one in Comparison(SubOrgFile(file_of(*rows)), cast.northwind).problems]


class TestReading:
    def test_takes_name_owner_and_who_looks_after_it(self):
        [row] = SubOrgFile(file_of("Acme,Ada@Example.com,Noah@example.com,")).sub_orgs

        assert (row.line, row.name, row.email) == (2, "Acme", "ada@example.com")
        assert (row.sales_owner, row.support_owner) == ("noah@example.com", "")

    @pytest.mark.parametrize(
        "content",
        [
            file_of("Acme,ada@example.com", header="name,email"),
            file_of("ada@example.com,,Acme", header="Email,Support_Owner,NAME"),
            b"\xef\xbb\xbf" + file_of(GOOD),
            file_of("", GOOD, ""),
        ],
    )
    def test_takes_the_columns_in_any_order_and_the_owners_if_they_are_there(self, content):
        [row] = SubOrgFile(content).sub_orgs

        assert (row.name, row.email, row.sales_owner) == ("Acme", "ada@example.com", "")

    @pytest.mark.parametrize(
        ("content", "sentence"),
        [
            (b"", "Missing columns: name, email. The first line has to be name,email"),
            (file_of(GOOD).replace(b"A", b"\xc4"), "Line 2 is not UTF-8. Save the file as"),
            ("name,email\nÄrzte,a@example.com".encode("utf-16"), "Line 1 is not UTF-8."),
            (file_of("Ac\0me,ada@example.com,,"), "Line 2 is not text."),
            (file_of(GOOD, header="name,sales_owner"), "Missing columns: email."),
            (file_of(GOOD, header=f"{HEADER},plan"), "Unknown columns: “plan”."),
            (file_of(GOOD, header=f"{HEADER},name"), "Columns that stand there twice: name."),
            (file_of(GOOD, header="name;email"), "Unknown columns: “name;email”."),
            (file_of(), "The file has no rows below its header."),
            (file_of('"Acme,ada@example.com,,'), "Line 2 cannot be read"),
            (b"x" * (MAX_BYTES + 1), "The file is larger than 2 MB."),
            (clinics(MAX_ROWS + 1), "Import at most 10,000 rows at once."),
        ],
    )
    def test_refuses_what_is_no_such_file(self, content, sentence):
        with pytest.raises(Invalid) as refusal:
            SubOrgFile(content)

        assert refusal.value.field == "file"
        assert sentence in refusal.value.sentence


class TestProblems:
    @pytest.mark.parametrize(
        ("row", "problem"),
        [
            (",b@example.com,,", "Line 3, name: Enter a name."),
            ("B" * 121 + ",b@example.com,,", "Line 3, name: Keep it to 120 characters"),
            ("=1+1,b@example.com,,", "Line 3, name: A name cannot begin with “=”"),
            ("+B,b@example.com,,", "Line 3, name: A name cannot begin with “+”"),
            ("-B,b@example.com,,", "Line 3, name: A name cannot begin with “-”"),
            ("@B,b@example.com,,", "Line 3, name: A name cannot begin with “@”"),
            ('"\t=B",b@example.com,,', "Line 3, name: A name cannot begin with “=”"),
            ('"B\r\nC",b@example.com,,', "Line 3, name: Write it on one line, without tabs."),
            ("B,,,", "Line 3, email: Enter an e-mail address like"),
            ("B,b.example.com,,", "Line 3, email: Enter an e-mail address like"),
            ("B,=cmd()@example.com,,", "Line 3, email: Enter an e-mail address like"),
            (f"B,{'b' * 250}@example.com,,", "Line 3, email: "),
            ("B,b@example.com,noah,", "Line 3, sales_owner: Enter an e-mail address"),
            ("B,b@example.com,ben@example.com,", "ben@example.com is no member of Northwind"),
            ("B,b@example.com,,oscar@example.com", "Line 3, support_owner: oscar@example.com is"),
            ("B,b@example.com", "Line 3: has 2 fields instead of 4."),
            ("ACME,b@example.com,,", "Line 3, name: “ACME” stands on line 2 already."),
            ("bluebird clinic,b@example.com,,", "is one of your Sub-Orgs already."),
        ],
    )
    def test_name_the_line_the_column_and_what_is_wrong(self, cast, row, problem):
        found = problems(cast, GOOD, row)

        assert len(found) == 1
        assert problem in found[0]

    def test_are_all_named_in_the_order_of_the_lines(self, cast):
        found = problems(cast, ",x,,", GOOD, "Bluebird Clinic,a@example.com,x@example.com,", GOOD)

        assert [one.partition(":")[0] for one in found] == [
            *("Line 2, name", "Line 2, email"),
            *("Line 4, name", "Line 4, sales_owner", "Line 5, name"),
        ]

    def test_are_none_if_one_person_owns_several(self, cast):
        assert problems(cast, GOOD, "Blue Bay,ada@example.com,,") == []

    def test_are_none_of_other_partners(self, cast):
        assert problems(cast, "Fabrikam,ada@example.com,,") == []

    def test_tell_of_what_another_file_is_inviting(self, cast):
        take_tier(cast, None)
        confirm(cast, file_of(GOOD))

        assert problems(cast, GOOD) == ["Line 2, name: “Acme” is being invited by another file."]


class TestConfirm:
    def test_takes_the_seats_and_invites_nobody_yet(self, cast):
        take_tier(cast, 10)

        begun = confirm(cast, clinics(3))

        assert (begun.total, begun.left, begun.is_under_way) == (3, 3, True)
        assert len(sub_orgs(cast)) == 1
        assert Seats.of(cast.northwind, timezone.now()).taken == 4
        event = Event.objects.about(begun).get()
        assert (event.code, event.facts, event.actor) == (
            "import.confirmed",
            {"number": 3},
            cast.maya,
        )

    @pytest.mark.parametrize("bad", ["=1,b@example.com,,", "Acme,b@example.com,,"])
    def test_takes_nothing_of_a_file_with_a_bad_row(self, cast, bad):
        take_tier(cast, 10)

        with pytest.raises(BadRows):
            confirm(cast, file_of(GOOD, bad, "Blue Bay,c@example.com,,"))

        assert not SubOrgImport.objects.exists()
        assert not SubOrgImportRow.objects.exists()

    def test_takes_nothing_beyond_the_tier(self, cast):
        take_tier(cast, 10)

        with pytest.raises(NoSeatLeft) as refusal:
            confirm(cast, clinics(10))

        sentence = "Starter allows 10 Sub-Orgs, and you have 1; these are 10 more."
        assert refusal.value.sentence == sentence
        assert not SubOrgImportRow.objects.exists()
        assert confirm(cast, clinics(9)).total == 9

    def test_needs_a_tier(self, cast):
        with pytest.raises(NoTier):
            confirm(cast, clinics(1))

    def test_happens_once_however_often_the_form_is_sent(self, cast):
        take_tier(cast, None)
        key = uuid4()

        first, second = (confirm(cast, clinics(2), key=key) for _ in range(2))

        assert first == second
        assert SubOrgImportRow.objects.count() == 2

    def test_takes_ten_thousand_rows_in_seconds(self, cast):
        take_tier(cast, None)
        began = time.monotonic()

        begun = confirm(cast, clinics(MAX_ROWS))

        assert begun.rows.count() == MAX_ROWS
        assert time.monotonic() - began < 10


class TestGoOn:
    def test_invites_everybody_as_the_form_does(self, cast):
        take_tier(cast, 10)
        begun = confirm(
            cast, file_of("Acme,ada@example.com,noah@example.com,dana@example.com", "B,b@x.io,,")
        )

        assert go_on() == 2

        begun.refresh_from_db()
        assert (begun.invited, begun.refused, begun.is_under_way) == (2, 0, False)
        acme = Connection.objects.get(customer__name="Acme", provider=cast.northwind)
        owners = Membership.objects.get(user=cast.noah), Membership.objects.get(user=cast.dana)
        assert (acme.sales_owner, acme.support_owner) == owners
        assert acme.invitations.get().email == "ada@example.com"
        assert acme.invitations.get().invited_by == cast.maya
        assert set(acme.customer.bought.values_list("state", flat=True)) == {"INVITED"}
        assert set(begun.rows.values_list("state", flat=True)) == {"INVITED"}

    def test_mails_every_owner_and_tells_the_partner_at_its_end(self, cast):
        take_tier(cast, 10)
        begun = confirm(cast, clinics(3))
        go_on()
        drain_events()

        mailed = Delivery.objects.filter(event__code="invitation.sent", address__startswith="owner")
        assert mailed.count() == 3
        told = Notification.objects.filter(event__code="import.finished")
        assert {one.recipient for one in told} == {cast.maya}
        assert begun.pk.hex in told.get().event.subject_id.replace("-", "")

    def test_works_through_many_chunks_and_finds_nothing_more_afterwards(self, cast, monkeypatch):
        monkeypatch.setattr(importing, "CHUNK", 4)
        take_tier(cast, None)
        confirm(cast, clinics(10))
        confirm(cast, clinics(3, first=50))

        assert go_on() == 13
        assert go_on() == 0
        assert len(sub_orgs(cast)) == 14

    def test_stops_for_other_tasks_and_goes_on_later(self, cast, monkeypatch):
        monkeypatch.setattr(importing, "CHUNK", 2)
        monkeypatch.setattr(importing, "TURN", 0)
        take_tier(cast, None)
        begun = confirm(cast, clinics(3))
        assert go_on() == 0
        monkeypatch.undo()

        assert go_on() == 3
        begun.refresh_from_db()
        assert not begun.is_under_way

    def test_says_at_the_row_what_has_come_between_and_frees_its_seat(self, cast):
        take_tier(cast, 4)
        begun = confirm(cast, file_of(GOOD, "B,b@x.io,dana@example.com,", "C,c@x.io,,"))
        Membership.objects.get(user=cast.dana).end(by=cast.maya)
        Organization.objects.filter(pk=cast.bluebird.pk).update(name="ACME")

        assert go_on() == 3

        begun.refresh_from_db()
        refused = dict(begun.rows.refused().values_list("name", "problem"))
        assert refused == {
            "Acme": "“Acme” is one of your Sub-Orgs already.",
            "B": "dana@example.com is no member of Northwind Agency any more.",
        }
        assert (begun.invited, begun.refused, begun.is_under_way) == (1, 2, False)
        assert Seats.of(cast.northwind, timezone.now()).taken == 2
        assert not Organization.objects.filter(name="B").exists()

    def test_is_not_stopped_by_a_row_that_breaks(self, cast, monkeypatch):
        take_tier(cast, 4)
        begun = confirm(cast, clinics(3))
        invited = importing._Invitations._invite

        def break_second(self, row):
            sent = invited(self, row)
            if row.line == 3:
                raise RuntimeError
            return sent

        monkeypatch.setattr(importing._Invitations, "_invite", break_second)
        go_on()

        begun.refresh_from_db()
        assert (begun.invited, begun.refused) == (2, 1)
        assert "Something went wrong" in begun.rows.refused().get().problem
        assert not Organization.objects.filter(name="Clinic 2").exists()


@pytest.mark.timeout(180)
class TestRaces:
    def test_let_five_hundred_in_beside_twenty_who_invite_by_hand(self, committed_cast):
        cast = committed_cast
        take_tier(cast, 506)
        begun = confirm(cast, clinics(500))

        def by_hand(number: int):
            return lambda: invite(
                partner=cast.northwind,
                name=f"Practice {number}",
                email=f"p{number}@example.com",
                by=cast.maya,
                at=timezone.now(),
            )

        outcomes = at_once(go_on, go_on, *(by_hand(number) for number in range(20)))
        go_on()

        begun.refresh_from_db()
        assert (begun.invited, begun.refused, begun.is_under_way) == (500, 0, False)
        refused = [one for one in outcomes if isinstance(one, NoSeatLeft)]
        assert len(refused) == 15
        assert len(sub_orgs(cast)) == 506
        assert Connection.objects.filter(provider=cast.northwind).count() == 506
        assert len({one.customer.name for one in sub_orgs(cast)}) == 506

    def test_confirm_one_of_two_files_that_do_not_fit_together(self, committed_cast):
        cast = committed_cast
        take_tier(cast, 600)

        outcomes = at_once(
            *(lambda n=n: confirm(cast, clinics(500, first=1 + n * 1000)) for n in range(4))
        )

        assert sum(isinstance(one, SubOrgImport) for one in outcomes) == 1
        assert sum(isinstance(one, NoSeatLeft) for one in outcomes) == 3
        assert SubOrgImportRow.objects.count() == 500
