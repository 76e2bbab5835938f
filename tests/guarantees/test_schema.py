"""The migrations leave behind what the models declare: no rule is lost on the way."""

import pytest
from django.apps import apps
from django.db import connection
from django.db.models import UniqueConstraint

OURS = [
    model
    for model in apps.get_models()
    if model._meta.app_label in {"billing", "connections", "notifications", "payouts", "revampd"}
]


@pytest.mark.django_db
@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.label)
def test_every_declared_constraint_index_and_trigger_is_there(model):
    table = model._meta.db_table
    with connection.cursor() as cursor:
        there = set(connection.introspection.get_constraints(cursor, table))
        cursor.execute(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal",
            [table],
        )
        triggers = {name for (name,) in cursor.fetchall()}

    declared = {rule.name for rule in [*model._meta.constraints, *model._meta.indexes]}
    assert declared - there == set()
    assert {trigger.get_pgid(model) for trigger in _triggers(model)} - triggers == set()


@pytest.mark.django_db
@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.label)
def test_what_is_declared_unique_is_unique(model):
    with connection.cursor() as cursor:
        there = connection.introspection.get_constraints(cursor, model._meta.db_table)

    for rule in model._meta.constraints:
        if isinstance(rule, UniqueConstraint):
            assert there[rule.name]["unique"], rule.name


def _triggers(model):
    return getattr(model._meta, "triggers", [])
