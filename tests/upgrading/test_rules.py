"""Every migration since the first release keeps the rule, and the rule can tell."""

import pgtrigger
import pytest
from django.contrib.postgres import operations as concurrent
from django.db import connection, migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.models import Q
from pgtrigger.migrations import AddTrigger

from billing.models import Invoice

from .rules import ALLOWED, BASELINE, DECLARED, problems, problems_since_release


def migration(*operations) -> migrations.Migration:
    made = migrations.Migration("0099_made", "billing")
    made.operations = list(operations)
    return made


def field(**options) -> migrations.AddField:
    return migrations.AddField("invoice", "extra", models.IntegerField(**options))


REFUSING = pgtrigger.Protect(name="kept", operation=pgtrigger.Delete).compile(Invoice)
STATEMENT = migrations.RunSQL("ALTER TABLE billing_invoice DROP COLUMN total")
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
    (STATEMENT, "no rule can read it"),
    (migrations.RunPython(migrations.RunPython.noop), "no rule can read it"),
    (AddTrigger("invoice", REFUSING), "no rule can read it"),
    (migrations.SeparateDatabaseAndState([STATEMENT]), "no rule can read it"),
    (
        migrations.SeparateDatabaseAndState([migrations.RemoveField("invoice", "total")]),
        "old code still reads it",
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

        assert list(problems(migration(CREATED, index, AddTrigger("extra", REFUSING)))) == []


class TestOurs:
    def test_keep_the_rules_since_the_first_release(self, db):
        assert problems_since_release(MigrationLoader(connection).disk_migrations) == {}

    def test_would_be_told_of_one_that_does_not(self, db):
        known = MigrationLoader(connection).disk_migrations
        planted = {("billing", "0099_made"): migration(field(null=True), STATEMENT)}

        assert problems_since_release({**known, **planted}).keys() == planted.keys()

    def test_are_believed_about_what_somebody_read_and_nothing_else(self, monkeypatch):
        monkeypatch.setitem(DECLARED, ("billing", "0099_made"), "a column nobody reads")

        assert list(problems(migration(STATEMENT))) == []
        assert len(list(problems(migration(STATEMENT, field())))) == 1

    def test_know_where_they_begin(self, db):
        known = set(MigrationLoader(connection).disk_migrations)

        assert {*BASELINE.items(), *ALLOWED, *DECLARED} - known == set()
