"""Rules that the database itself keeps: composite keys and append-only tables."""

from collections.abc import Sequence
from typing import Any

import pgtrigger
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS, models, router
from django.db.backends.ddl_references import Columns, Statement, Table


class CompositeForeignKey(models.BaseConstraint):
    """A foreign key over several columns, such as (connection, request).

    It holds what a plain key cannot say: that both rows belong to the same connection. The plain
    ForeignKey stays beside it for the ORM, with `db_constraint=False`. `to` is "app.Model";
    `fields` and `to_fields` are in the same order, and `to_fields` must be unique in the target.
    A row with a NULL in `fields` is not checked (MATCH SIMPLE). A `deferred` key is checked at the
    end of the transaction: the row that it points at comes later.
    """

    def __init__(
        self,
        *,
        name: str,
        fields: Sequence[str],
        to: str,
        to_fields: Sequence[str],
        deferred: bool = False,
    ) -> None:
        super().__init__(name=name)
        self.fields, self.to, self.to_fields = tuple(fields), to, tuple(to_fields)
        self.deferred = deferred

    def constraint_sql(self, model: Any, schema_editor: Any) -> Any:
        return self.create_sql(model, schema_editor)

    def create_sql(self, model: Any, schema_editor: Any) -> Any:
        # The target's unique key may come later in the same migration, so keys come at its end,
        # as Django's own do.
        schema_editor.deferred_sql.append(self._statement(model, schema_editor))

    def _statement(self, model: Any, schema_editor: Any) -> Statement:
        target = model._meta.apps.get_model(self.to)
        quote = schema_editor.quote_name
        return Statement(
            "ALTER TABLE %(table)s ADD CONSTRAINT %(name)s FOREIGN KEY (%(columns)s)"
            " REFERENCES %(to_table)s (%(to_columns)s) DEFERRABLE INITIALLY %(moment)s",
            table=Table(model._meta.db_table, quote),
            name=quote(self.name),
            columns=Columns(model._meta.db_table, self._columns(model, self.fields), quote),
            to_table=Table(target._meta.db_table, quote),
            to_columns=Columns(target._meta.db_table, self._columns(target, self.to_fields), quote),
            moment="DEFERRED" if self.deferred else "IMMEDIATE",
        )

    def remove_sql(self, model: Any, schema_editor: Any) -> Any:
        return Statement(
            "ALTER TABLE %(table)s DROP CONSTRAINT %(name)s",
            table=Table(model._meta.db_table, schema_editor.quote_name),
            name=schema_editor.quote_name(self.name),
        )

    def validate(
        self,
        model: Any,
        instance: models.Model,
        exclude: Any = None,
        using: str = DEFAULT_DB_ALIAS,
    ) -> None:
        if self.deferred or (exclude and set(self.fields) & set(exclude)):
            return
        attnames = [model._meta.get_field(field).attname for field in self.fields]
        values = [getattr(instance, attname) for attname in attnames]
        if any(value is None for value in values):
            return
        target = apps.get_model(self.to)
        wanted = dict(zip(self.to_fields, values, strict=True))
        if not target._base_manager.using(using or router.db_for_read(target)).filter(**wanted):
            raise ValidationError(
                self.get_violation_error_message(), code=self.violation_error_code
            )

    def deconstruct(self) -> Any:
        path, _, _ = super().deconstruct()
        details = {"fields": self.fields, "to": self.to, "to_fields": self.to_fields}
        moment = {"deferred": True} if self.deferred else {}
        return path, (), {"name": self.name, **details, **moment}

    def __eq__(self, other: object) -> bool:
        if isinstance(other, CompositeForeignKey):
            return bool(self.deconstruct() == other.deconstruct())
        return NotImplemented

    def __hash__(self) -> int:
        return hash((self.name, self.fields, self.to, self.to_fields, self.deferred))

    @staticmethod
    def _columns(model: Any, fields: Sequence[str]) -> list[str]:
        return [model._meta.get_field(field).column for field in fields]


def no_truncate() -> pgtrigger.Trigger:
    """A trigger that refuses to empty the table (`pgtrigger.Protect` cannot)."""
    return pgtrigger.Trigger(
        name="no_truncate",
        level=pgtrigger.Statement,
        when=pgtrigger.Before,
        operation=pgtrigger.Truncate,
        func="RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;",
    )


class AppendOnly(models.Model):
    """A table whose rows only ever grow: triggers refuse, and the application's role may not.

    `mutable` names the columns that may change all the same (a notification's `read_at`); the
    grants of `manage.py migrate` allow the application to update exactly these.
    """

    mutable: tuple[str, ...] = ()

    class Meta:
        abstract = True
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            no_truncate(),
        ]
