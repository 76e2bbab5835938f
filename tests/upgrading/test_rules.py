"""Every migration since the first release keeps the rule, and the rule can tell."""

import pytest
from django.contrib.postgres import operations as concurrent
from django.db import connection, migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.models import Q

from .rules import ALLOWED, BASELINE, problems


def migration(*operations) -> migrations.Migration:
    made = migrations.Migration("0099_made", "billing")
    made.operations = list(operations)
    return made


def field(**options) -> migrations.AddField:
    return migrations.AddField("invoice", "extra", models.IntegerField(**options))


CREATED = migrations.CreateModel("Extra", [("id", models.BigAutoField(primary_key=True))])
RULE = models.CheckConstraint(condition=Q(total__gte=0), name="rule")
INDEX = models.Index(fields=["total"], name="some_index")
HARMFUL = [
    (migrations.RemoveField("invoice", "total"), "old code still reads it"),
    (migrations.DeleteModel("Invoice"), "old code still reads it"),
    (migrations.RenameField("invoice", "total", "sum"), "by its old name"),
    (migrations.RenameModel("Invoice", "Bill"), "by its old name"),
    (field(), "inserts rows without it"),
    (field(default=0), "inserts rows without it"),
    (field(null=True, unique=True), "its index holds up writing"),
    (migrations.AlterField("invoice", "total", models.IntegerField()), "rewritten or read"),
    (migrations.AddIndex("invoice", INDEX), "AddIndexConcurrently"),
    (migrations.AddConstraint("invoice", RULE), "AddConstraintNotValid"),
    (
        migrations.AddConstraint("invoice", models.UniqueConstraint(fields=["total"], name="once")),
        "build it concurrently first",
    ),
]
HARMLESS = [
    CREATED,
    field(null=True),
    field(db_default=0),
    concurrent.AddIndexConcurrently("invoice", INDEX),
    concurrent.AddConstraintNotValid("invoice", RULE),
    concurrent.ValidateConstraint("invoice", "rule"),
    migrations.AlterField("invoice", "total", models.IntegerField(null=True)),
]


class TestRules:
    @pytest.mark.parametrize(("operation", "words"), HARMFUL)
    def test_find_what_old_code_would_not_survive(self, operation, words):
        [sentence] = problems(migration(operation))

        assert words in sentence

    @pytest.mark.parametrize("operation", HARMLESS)
    def test_let_through_what_only_adds(self, operation):
        assert list(problems(migration(operation))) == []

    def test_let_a_new_table_be_whatever_it_likes(self):
        index = migrations.AddIndex("extra", models.Index(fields=["id"], name="extra_id"))

        assert list(problems(migration(CREATED, index))) == []


class TestOurs:
    def test_keep_the_rules_since_the_first_release(self, db):
        loader = MigrationLoader(connection)
        since = {
            key: made
            for key, made in loader.disk_migrations.items()
            if key[0] in BASELINE and key[1] > BASELINE[key[0]] and key not in ALLOWED
        }
        found = {key: list(problems(made)) for key, made in since.items()}

        assert {key: sentences for key, sentences in found.items() if sentences} == {}

    def test_know_where_they_begin(self, db):
        known = set(MigrationLoader(connection).disk_migrations)

        assert {*BASELINE.items(), *ALLOWED} - known == set()
