"""What a migration may do while the code of the last release still runs beside it.

An upgrade migrates first and restarts processes after it, one by one: for minutes the old code
works on the new schema. So a migration adds; what it makes needless goes a release later. And no
statement may hold up a large table: an index is built concurrently, a rule is added without a look
at what is there (NOT VALID) and validated apart.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.contrib.postgres import operations as concurrent
from django.db import migrations, models
from django.db.models.constraints import UniqueConstraint
from pgtrigger.migrations import AddTrigger

# The newest migration of each app that the first release begins with; older ones ran on nothing.
BASELINE = {
    "billing": "0013_staff",
    "connections": "0007_lists_of_customers",
    "notifications": "0003_centre",
    "payouts": "0004_disputes",
    "revampd": "0001_initial",
    "tickets": "0001_initial",
}
# Migrations that may do more, each with the reason why it harms nobody.
ALLOWED: dict[tuple[str, str], str] = {
    (
        "billing",
        "0014_payout_returns",
    ): "a field changes its choices alone, of which no table knows",
}
# Migrations whose statements, Python or new triggers were read by somebody, who says here why old
# code and busy tables survive them. Their other operations keep the rule.
DECLARED: dict[tuple[str, str], str] = {
    ("payouts", "0005_returns"): "its trigger forbids less: what was paid may come back",
}

GONE = (migrations.RemoveField, migrations.DeleteModel)
RENAMED = (migrations.RenameField, migrations.RenameModel, migrations.AlterModelTable)
UNSEEN = (migrations.RunSQL, migrations.RunPython, AddTrigger)


def problems_since_release(
    known: Mapping[tuple[str, str], migrations.Migration],
) -> dict[tuple[str, str], list[str]]:
    """What is wrong with each migration since the first release that has problems."""
    since = {
        (app, name): list(problems(made))
        for (app, name), made in known.items()
        if app in BASELINE and name > BASELINE[app] and (app, name) not in ALLOWED
    }
    return {key: sentences for key, sentences in since.items() if sentences}


def problems(migration: migrations.Migration) -> Iterator[str]:
    """A sentence for each operation that old code, or a busy table, would not survive."""
    new = {
        operation.name_lower
        for operation in migration.operations
        if isinstance(operation, migrations.CreateModel)
    }
    is_declared = (migration.app_label, migration.name) in DECLARED
    for operation in _all(migration.operations):
        if is_declared and isinstance(operation, UNSEEN):
            continue
        model = getattr(operation, "model_name_lower", None) or getattr(operation, "name_lower", "")
        if model not in new:
            yield from (f"{operation.describe()}: {what}" for what in _problems(operation))


def _all(operations: Sequence[Any]) -> Iterator[Any]:
    """Also those that are kept apart from the state of the models."""
    for operation in operations:
        if isinstance(operation, migrations.SeparateDatabaseAndState):
            yield from _all(operation.database_operations)
        else:
            yield operation


def _problems(operation: Any) -> Iterator[str]:
    if isinstance(operation, GONE):
        yield "old code still reads it; remove it in the release after the one that stops using it"
    elif isinstance(operation, RENAMED):
        yield "old code knows it by its old name; add a new one, and remove the old one later"
    elif isinstance(operation, UNSEEN):
        yield "no rule can read it; list the migration in DECLARED with the reason why it only adds"
    elif isinstance(operation, migrations.AddField):
        yield from _added(operation.field)
    elif isinstance(operation, migrations.AlterField):
        yield from _altered(operation.field)
    elif isinstance(operation, concurrent.AddIndexConcurrently):
        return
    elif isinstance(operation, migrations.AddIndex):
        yield "it holds up writing while it is built; use AddIndexConcurrently"
    elif isinstance(operation, concurrent.AddConstraintNotValid):
        return
    elif isinstance(operation, migrations.AddConstraint):
        if isinstance(operation.constraint, UniqueConstraint):
            yield "it holds up writing while its index is built; build it concurrently first"
        else:
            yield "it reads the whole table under a lock; use AddConstraintNotValid, then validate"


def _added(field: "models.Field[Any, Any]") -> Iterator[str]:
    has_db_default = field.db_default is not models.NOT_PROVIDED
    if not (field.null or has_db_default or field.many_to_many):
        yield "old code inserts rows without it; make it null, or give it a db_default"
    if field.unique or (field.remote_field and getattr(field, "db_index", False)):
        yield "its index holds up writing; add it without one (db_index=False), then concurrently"


def _altered(field: "models.Field[Any, Any]") -> Iterator[str]:
    if not field.null and field.db_default is models.NOT_PROVIDED and not field.many_to_many:
        yield (
            "if its type or its NULL changes, the table is rewritten or read under a lock; list "
            "the migration in ALLOWED with the reason if it does not"
        )
