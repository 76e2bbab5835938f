"""The shape of the house: what no linter knows."""

import ast
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.db import models

from connections.kinds import KINDS

ROOT = Path(__file__).resolve().parent.parent
APPS = ("billing", "connections", "notifications", "payouts", "tickets", "revampd")
SOURCES = [
    path for app in APPS for path in (ROOT / app).rglob("*.py") if "migrations" not in path.parts
]
OURS = [model for model in apps.get_models() if model._meta.app_label in APPS]


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


class TestModels:
    @pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
    def test_never_delete_along(self, model):
        cascades = [
            field.name
            for field in model._meta.get_fields()
            if isinstance(field, models.ForeignKey)
            and field.remote_field.on_delete is not models.PROTECT
        ]

        assert cascades == []

    @pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
    def test_never_hold_money_in_floats_or_decimals(self, model):
        inexact = [
            field.name
            for field in model._meta.get_fields()
            if isinstance(field, models.FloatField | models.DecimalField)
        ]

        assert inexact == []

    @pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
    def test_have_no_order_of_their_own_and_no_save_of_their_own(self, model):
        assert list(model._meta.ordering) == []
        assert "save" not in vars(model)

    @pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
    def test_are_in_the_admin(self, model):
        assert admin.site.is_registered(model)


class TestSources:
    @pytest.mark.parametrize("path", SOURCES, ids=relative)
    def test_import_at_the_top_only(self, path):
        tree = ast.parse(path.read_text())
        inside = [
            f"{relative(path)}:{inner.lineno}"
            for outer in ast.walk(tree)
            if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef)
            for inner in ast.walk(outer)
            if isinstance(inner, ast.Import | ast.ImportFrom)
        ]

        assert inside == []

    @pytest.mark.parametrize("path", SOURCES, ids=relative)
    def test_have_a_noun_for_a_name(self, path):
        assert path.stem not in {"utils", "helpers", "services", "misc", "common"}

    def test_send_tasks_from_the_doorbell_alone(self):
        senders = [
            relative(path)
            for path in SOURCES
            if any(call in path.read_text() for call in (".delay(", ".apply_async(", "send_task("))
        ]

        assert senders == ["revampd/kit/doorbell.py"]

    def test_invite_sub_orgs_where_their_seats_are_counted_alone(self):
        inviting = [relative(path) for path in SOURCES if ".send_to_customer(" in path.read_text()]

        assert sorted(inviting) == [
            "billing/importing.py",  # whose seats are taken at the confirmation
            "billing/seats.py",
            "connections/admin/organizations.py",  # a Partner takes no seat
            "revampd/demo/stage.py",  # likewise
        ]

    def test_ask_the_clock_of_the_product_wherever_people_look(self):
        pages = {"views", "forms", "templatetags"}
        asking = [
            relative(path)
            for path in SOURCES
            if pages & {*path.parts, path.stem}
            and path.stem != "webhooks"  # machines call there, in real time
            and ("timezone.now" in path.read_text() or "localdate()" in path.read_text())
        ]

        assert asking == []

    def test_write_no_signal_receivers_of_django(self):
        receivers = [relative(path) for path in SOURCES if "django.dispatch" in path.read_text()]

        assert receivers == []


class TestKinds:
    def test_have_codes_of_noun_and_participle(self):
        assert [code for code in KINDS if code.count(".") != 1 and code != "unknown"] == []

    def test_are_followed_by_the_composition_alone(self):
        followers = [path for paths in settings.FOLLOWERS.values() for path in paths]

        assert set(settings.FOLLOWERS) <= set(KINDS)
        assert [path for path in followers if not path.startswith("revampd.")] == []

    def test_have_a_category_if_anybody_is_told(self):
        assert [k.code for k in KINDS.values() if k.is_told and k.category is None] == []


class TestRepository:
    def test_keeps_its_documents_short(self):
        lengths = {
            name: len((ROOT / name).read_text().splitlines())
            for name in ("README.md", "ARCHITECTURE.md", "STYLE.md")
        }

        assert {name: n for name, n in lengths.items() if n >= 80} == {}
