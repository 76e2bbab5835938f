"""What each role of the staff may do: every page and action of the admin, with every role."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.urls import reverse

from revampd.staff.roles import ROLES, set_up
from tests.staff.addresses import Address, addresses
from tests.staff.duties import ACTIONS, LETTERS, PAGES
from tests.staff.people import staff
from tests.staff.rows import add_rows
from tests.staff.test_viewing import fingerprint
from tests.test_access import values

__all__ = ["values"]


@pytest.fixture
def rows(cast, values) -> dict[str, Any]:
    """What stands in the addresses of our own pages; there is a row of everything."""
    return add_rows(cast)


def expected(address: Address, role: str) -> int:
    """What a GET is answered."""
    if not address.allows(role, post=False):
        return 403
    return 302 if address.kind == "confirm-usage-import" else 200


class TestTable:
    def test_names_every_page_of_ours(self, rows):
        stock = {"list", "add", "change", "delete", "history"}
        kinds = {address.kind for address in addresses(rows)} - stock

        assert kinds == set(PAGES)

    def test_has_a_row_of_every_model(self, rows):
        empty = [
            model._meta.label for model in admin.site._registry if not model._base_manager.exists()
        ]

        assert empty == []

    def test_names_every_action(self):
        own = {
            model._meta.label_lower: {getattr(one, "__name__", one) for one in pages.actions or ()}
            for model, pages in admin.site._registry.items()
        }
        foreign = {"account.emailaddress"}

        offered = {label: names for label, names in own.items() if names and label not in foreign}
        assert offered == {label: names for label, (_, names) in ACTIONS.items()}


@pytest.mark.parametrize("role", ["Support", "Finance", "Administrator", ""])
class TestRole:
    def test_opens_its_pages_and_no_other(self, rows, as_, role):
        browser = as_(staff(role) if role else staff())

        answers = {address: browser.get(address.path).status_code for address in addresses(rows)}

        # What is an act and no page answers GET with 405, whoever asks; a preview without a file
        # leads back. Everything else is there or forbidden: no page of a row is missing.
        wrong = {
            address: code
            for address, code in answers.items()
            if code != 405 and code != expected(address, role)
        }
        assert wrong == {}

    def test_changes_nothing_that_is_not_its_own(self, rows, as_, role):
        browser = as_(staff(role) if role else staff())
        closed = [one for one in addresses(rows) if not one.allows(role, post=True)]
        before = fingerprint()

        posted = {
            one.path: browser.post(one.path, {"post": "yes", "sure": "True"}).status_code
            for one in closed
            if one.kind not in ("list", "history")
        }

        assert {path: code for path, code in posted.items() if code != 403} == {}
        assert fingerprint() == before

    def test_is_offered_its_actions_and_no_other(self, rows, rf, role):
        request = rf.get("/")
        request.user = staff(role) if role else staff()

        offered = {
            model._meta.label_lower: set(own.get_actions(request))
            for model, own in admin.site._registry.items()
            if own.has_view_permission(request)
        }

        for label, names in offered.items():
            who, actions = ACTIONS.get(label, ("", set()))
            expected = actions if LETTERS[role] in who else set()
            assert names == expected, label

    def test_cannot_slip_an_action_in(self, rows, as_, role):
        browser = as_(staff(role) if role else staff())
        before = fingerprint()

        for label, (who, actions) in ACTIONS.items():
            if LETTERS[role] in who:
                continue
            app, model = label.split(".")
            row = next(m for m in admin.site._registry if m._meta.label_lower == label)
            chosen = [str(one.pk) for one in row._base_manager.all()[:1]]
            for action in actions:
                data = {"action": action, "_selected_action": chosen}
                browser.post(reverse(f"admin:{app}_{model}_changelist"), data)

        assert fingerprint() == before


class TestGroups:
    def test_are_there_and_come_back_as_the_table_says(self, db):
        support = Group.objects.get(name="Support")
        permissions = set(support.permissions.all())
        support.permissions.clear()

        set_up()

        assert {group.name for group in Group.objects.all()} == {role.name for role in ROLES}
        assert set(support.permissions.all()) == permissions != set()

    def test_never_delete(self, db):
        for group in Group.objects.all():
            assert not group.permissions.filter(codename__startswith="delete_").exists()
