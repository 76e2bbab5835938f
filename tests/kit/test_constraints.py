"""Composite keys: the autodetector stays quiet, full_clean() speaks, PostgreSQL refuses."""

from io import StringIO

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError, models, transaction
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.serializer import serializer_factory
from django.db.migrations.state import ProjectState

from billing.models import BillingRequest, Invoice, InvoiceLine
from connections.models import Connection, Event, Membership
from revampd.kit.constraints import CompositeForeignKey
from revampd.kit.grants import is_kept
from tests.billing.acts import NOW, propose


def key(**changes) -> CompositeForeignKey:
    details = {
        "name": "line_of_invoice",
        "fields": ["connection", "invoice"],
        "to": "billing.Invoice",
        "to_fields": ["connection", "id"],
    }
    return CompositeForeignKey(**details | changes)


def our_keys() -> list[tuple[type[models.Model], CompositeForeignKey]]:
    return [
        (model, constraint)
        for model in apps.get_models()
        for constraint in model._meta.constraints
        if isinstance(constraint, CompositeForeignKey)
    ]


class TestDeconstruct:
    @pytest.mark.parametrize("deferred", [False, True])
    def test_makes_an_equal_one(self, deferred):
        _, args, kwargs = key(deferred=deferred).deconstruct()

        again = CompositeForeignKey(*args, **kwargs)
        assert again == key(deferred=deferred)
        assert hash(again) == hash(key(deferred=deferred))

    @pytest.mark.parametrize(
        "change",
        [
            {"name": "other"},
            {"fields": ["connection", "item"]},
            {"to": "billing.PlanVersion"},
            {"to_fields": ["id", "connection"]},
            {"deferred": True},
        ],
    )
    def test_tells_different_ones_apart(self, change):
        assert key() != key(**change)
        assert key() != "line_of_invoice"

    def test_can_be_written_into_a_migration(self):
        text, imports = serializer_factory(key()).serialize()

        scope: dict = {}
        exec("\n".join(imports), scope)  # noqa: S102 - a migration is run the same way
        assert eval(text, scope) == key()  # noqa: S307

    def test_keeps_the_autodetector_quiet(self):
        state = ProjectState.from_apps(apps)

        found = MigrationAutodetector(state.clone(), ProjectState.from_apps(apps))._detect_changes()
        assert found == {}

    @pytest.mark.django_db
    def test_leaves_nothing_to_migrate(self):
        said = StringIO()

        call_command("makemigrations", check=True, dry_run=True, stdout=said)
        assert said.getvalue().strip() == "No changes detected"


class TestValidate:
    def test_reports_a_row_of_another_connection(self, cast):
        request = propose(cast)
        request.provider = cast.contoso

        with pytest.raises(ValidationError, match="request_of_provider"):
            request.validate_constraints()

    def test_is_content_with_what_fits(self, cast):
        propose(cast).validate_constraints()

    def test_does_not_ask_about_nothing(self, cast):
        propose(cast, cast.growth)  # has no add-on and no charge
        cast.northwind_bluebird.validate_constraints()

    def test_leaves_out_excluded_fields(self, cast):
        request = propose(cast)
        request.provider = cast.contoso

        fields = {"provider", "plan_version", "revises"}
        request.validate_constraints(exclude=fields)

    def test_leaves_a_deferred_key_to_the_end_of_the_transaction(self):
        deferred = key(deferred=True)

        deferred.validate(InvoiceLine, InvoiceLine())


class TestDatabase:
    def test_refuses_what_does_not_belong_together(self, cast):
        theirs = Membership.objects.get(user=cast.ben)

        with pytest.raises(IntegrityError, match="sales_owner_of_provider"), transaction.atomic():
            Connection.objects.filter(pk=cast.northwind_bluebird.pk).update(sales_owner=theirs)

    def test_has_every_key_that_the_models_declare(self, db):
        with transaction.get_connection().cursor() as cursor:
            cursor.execute(
                "SELECT conname, condeferred, convalidated FROM pg_constraint WHERE contype = 'f'"
            )
            found = {name: (deferred, valid) for name, deferred, valid in cursor.fetchall()}

        assert our_keys()
        for _, constraint in our_keys():
            assert found[constraint.name] == (constraint.deferred, True)

    def test_has_a_real_key_beside_every_plain_one_without(self):
        """A ForeignKey that leaves the check to a composite key must be in one."""
        for model in apps.get_models():
            composite = {
                field for owner, one in our_keys() if owner is model for field in one.fields
            }
            for field in model._meta.local_fields:
                if isinstance(field, models.ForeignKey) and not field.db_constraint:
                    assert field.name in composite, f"{model.__name__}.{field.name}"


class TestIsKept:
    @pytest.mark.parametrize(
        ("model", "kept"),
        [
            (Event, True),
            (Invoice, True),
            (InvoiceLine, True),
            (BillingRequest, True),
            (Membership, False),
            (Connection, False),
        ],
    )
    def test_names_the_tables_that_only_grow(self, model, kept):
        assert is_kept(model) == kept

    def test_lets_only_named_columns_change(self, cast):
        propose(cast)

        BillingRequest.objects.update(reminded_at=NOW)
        with pytest.raises(Exception, match="permission denied"), transaction.atomic():
            BillingRequest.objects.update(note="")
