"""Looking as somebody else: seen, recorded, over in time; and it changes nothing at all."""

from datetime import timedelta
from uuid import UUID

import pytest
import time_machine
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.urls import URLResolver, get_resolver, reverse
from django.urls.converters import UUIDConverter
from django.utils import timezone

from billing.models import BillingRequest
from connections.access import party_view
from connections.models import Event, User, Viewing
from connections.tasks import end_viewings
from connections.viewing import KEY, refuse_acts
from revampd.kit.errors import Invalid, NotAllowed
from tests.staff.people import staff
from tests.test_access import PAGES, values

__all__ = ["values"]

# The session of whoever looks is their own, and the visit keeps it.
OWN = {"django_session", "django_migrations"}


def looking(as_, person: User, by: User | None = None):
    """A browser in which somebody of Support looks as `person`."""
    browser = as_(by or staff("Support"))
    path = reverse("admin:view-as", args=[person.pk])
    answer = browser.post(path, {"reason": "Ticket 4711"})
    assert (answer.status_code, answer["Location"]) == (302, "/")
    return browser


def fingerprint() -> dict[str, str]:
    """What every table holds."""
    tables = sorted(set(connection.introspection.table_names()) - OWN)
    with connection.cursor() as cursor:
        found = {}
        for table in tables:
            cursor.execute(
                "SELECT count(*), md5(string_agg(held::text, chr(10) ORDER BY held::text))"
                f' FROM "{table}" held'
            )
            found[table] = str(cursor.fetchone())
    return found


def every_address(values) -> list[str]:
    """Every URL of the site: ours, those of the admin with a row, and those of the accounts."""
    found = {page.path(values) for page in PAGES.values()}
    for model, pages in admin.site._registry.items():
        row = model._base_manager.first()
        for pattern in filter(lambda one: one.name, pages.get_urls()):
            # A row of the page's own where there is one; what is refused is never looked up.
            names = pattern.pattern.converters
            stand_in = {name: UUID(int=1) if is_uuid(one) else 1 for name, one in names.items()}
            key = {"object_id": quote(row.pk) if row else 1} if "object_id" in names else {}
            found.add(reverse(f"admin:{pattern.name}", kwargs=stand_in | key))
    found |= {f"/{route}" for route in simple_routes()}
    return sorted(found)


def is_uuid(converter: object) -> bool:
    return isinstance(converter, UUIDConverter)


def simple_routes(resolver: URLResolver | None = None, before: str = "") -> list[str]:
    """Those of others that need nothing in their address."""
    found = []
    for entry in (resolver or get_resolver()).url_patterns:
        route = before + str(entry.pattern)
        if isinstance(entry, URLResolver):
            found += simple_routes(entry, route)
        elif route.startswith(("accounts/", "admin/")) and not set("<(^") & set(route):
            found.append(route)
    return found


@pytest.mark.parametrize("name", ["ben", "maya"])
class TestNothingChanges:
    def test_by_any_post_of_the_site(self, cast, values, as_, name):
        person = getattr(cast, name)
        browser = looking(as_, person)
        before = fingerprint()
        addresses = every_address(values)
        assert len(addresses) > 400

        answers = {
            path: browser.post(path).status_code
            for path in addresses
            if path != reverse("connections:end-viewing")
        }

        assert {path: code for path, code in answers.items() if code != 403} == {}
        assert fingerprint() == before

    @pytest.mark.parametrize("method", ["put", "patch", "delete"])
    def test_by_other_methods(self, cast, as_, name, method):
        browser = looking(as_, getattr(cast, name))
        before = fingerprint()

        assert getattr(browser, method)("/").status_code == 403
        assert fingerprint() == before

    def test_by_any_look(self, cast, values, as_, name):
        """Not even that a message was read."""
        browser = looking(as_, getattr(cast, name))
        before = fingerprint()

        for page in PAGES.values():
            answer = browser.get(page.path(values))
            assert answer.status_code < 500, page.route
            assert answer.status_code != 302 or "login" not in answer["Location"], page.route

        assert fingerprint() == before


class TestReading:
    def test_marks_nothing_as_read(self, cast, values, as_):
        unread = cast.ben.notifications.filter(read_at=None)
        before = unread.count()
        browser = looking(as_, cast.ben)

        for notification in unread[:3]:
            browser.get(reverse("notifications:open", args=[notification.pk]))

        assert unread.count() == before > 0

    def test_shows_what_they_see_and_says_so_on_every_page(self, cast, values, as_):
        browser = looking(as_, cast.ben)

        invoices = f"/connections/{values['connection_id']}/invoices/"
        for path in ("/", invoices, "/nowhere/", "/admin/"):
            page = browser.get(path, follow=True)
            assert "You see what Ben Tester sees." in page.text, path
            assert reverse("connections:end-viewing") in page.text, path

    def test_leaves_the_person_s_own_account_closed(self, cast, as_):
        browser = looking(as_, cast.ben)

        for page in ("email/", "2fa/", "sessions/", "password/change/"):
            assert browser.get(f"/accounts/{page}").status_code == 403

    def test_stays_oneself_in_the_admin(self, cast, as_):
        browser = looking(as_, cast.ben)

        assert browser.get(reverse("admin:tickets_ticket_changelist")).status_code == 200

    def test_is_refused_by_the_door_too(self, cast, rf):
        request = rf.post("/")
        request.user = cast.ben
        request.viewing = Viewing(person=cast.ben)

        with pytest.raises(NotAllowed):
            refuse_acts(request)
        with pytest.raises(NotAllowed):
            party_view(lambda *_: None)(request, cast.northwind_bluebird.pk)


class TestBeginning:
    def test_is_recorded_with_its_reason_where_the_person_belongs(self, cast, as_):
        by = staff("Support")
        looking(as_, cast.dora, by)

        events = Event.objects.filter(code="viewing.begun")
        assert {event.organization for event in events} == {cast.northwind, cast.bluebird}
        assert {(event.actor, event.facts["reason"]) for event in events} == {(by, "Ticket 4711")}

    def test_needs_a_reason(self, cast, as_):
        path = reverse("admin:view-as", args=[cast.ben.pk])

        browser = as_(staff("Support"))
        for reason in ("", "  "):
            assert browser.post(path, {"reason": reason}).status_code == 422
        assert not Viewing.objects.exists()

    @pytest.mark.parametrize("roles", [(), ("Finance",)])
    def test_is_for_those_whose_role_allows_it(self, cast, as_, roles):
        by = staff(*roles)
        path = reverse("admin:view-as", args=[cast.ben.pk])

        assert as_(by).post(path, {"reason": "Curious"}).status_code == 403
        with pytest.raises(NotAllowed):
            Viewing.begin(cast.ben, reason="Curious", by=by, at=timezone.now())

    def test_is_never_as_staff_or_as_nobody_s_member(self, cast):
        by, now = staff("Support"), timezone.now()

        for person in (cast.rhea, staff("Administrator"), cast.zed, by):
            with pytest.raises(NotAllowed):
                Viewing.begin(person, reason="Curious", by=by, at=now)
        with pytest.raises(Invalid):
            Viewing.begin(cast.ben, reason=" ", by=by, at=now)

    def test_of_another_ends_the_one_before(self, cast, as_):
        by, now = staff("Support"), timezone.now()
        first = Viewing.begin(cast.ben, reason="One", by=by, at=now)
        second = Viewing.begin(cast.maya, reason="Two", by=by, at=now)

        assert list(Viewing.objects.open()) == [second]
        assert Event.objects.filter(code="viewing.ended", subject_id=str(first.pk)).exists()


class TestEnd:
    def test_makes_one_oneself_and_is_recorded(self, cast, as_):
        browser = looking(as_, cast.ben)

        answer = browser.post(reverse("connections:end-viewing"))

        assert answer["Location"] == reverse("admin:connections_user_change", args=[cast.ben.pk])
        assert KEY not in browser.session
        assert reverse("connections:end-viewing") not in browser.get("/admin/").text
        assert Viewing.objects.get().ended_at
        assert Event.objects.filter(code="viewing.ended").count() == 1

    def test_comes_by_itself_and_does_nothing_in_between(self, cast, as_):
        browser = looking(as_, cast.ben)

        with later():
            answer = browser.get("/", follow=True)

        assert answer.redirect_chain[0][0] == "/admin/"
        assert "You no longer look as Ben Tester" in answer.text
        viewing = Viewing.objects.get()
        assert viewing.ended_at == viewing.until

    def test_turns_a_late_act_away(self, cast, values, as_):
        browser = looking(as_, cast.ben)
        path = f"/connections/{values['connection_id']}/requests/{values['request_id']}/rejection/"

        with later():
            assert browser.post(path)["Location"] == "/admin/"
        assert BillingRequest.objects.get(pk=values["request_id"]).is_pending

    def test_is_written_down_also_if_nobody_comes_back(self, cast, as_):
        looking(as_, cast.ben)
        assert end_viewings() == 0

        with later():
            assert (end_viewings(), end_viewings()) == (1, 0)
        assert Event.objects.filter(code="viewing.ended").count() == 1

    def test_comes_at_once_when_the_role_is_taken_away(self, cast, as_):
        by = staff("Support")
        browser = looking(as_, cast.ben, by)
        by.groups.clear()

        assert browser.get("/")["Location"] == "/admin/"

    def test_without_a_beginning_is_no_harm(self, cast, as_):
        assert as_(cast.ben).post(reverse("connections:end-viewing")).status_code == 303


class TestRow:
    def test_is_kept_as_it_is(self, cast):
        viewing = Viewing.begin(cast.ben, reason="One", by=staff("Support"), at=timezone.now())
        viewing.end(at=timezone.now())

        for change in ({"ended_at": None}, {"reason": "Another"}):
            with pytest.raises(DatabaseError), transaction.atomic():
                Viewing.objects.filter(pk=viewing.pk).update(**change)
        with pytest.raises(DatabaseError), transaction.atomic():
            viewing.delete()

    def test_is_of_another_and_has_a_reason(self, cast):
        now = timezone.now()
        fields = {"staff": cast.rhea, "started_at": now, "until": now + timedelta(minutes=1)}

        for wrong in ({"person": cast.rhea, "reason": "x"}, {"person": cast.ben, "reason": ""}):
            with pytest.raises(IntegrityError), transaction.atomic():
                Viewing.objects.create(**fields | wrong)


def later(*, minutes: int = 31):
    """So much time has passed."""
    return time_machine.travel(timezone.now() + timedelta(minutes=minutes), tick=True)
