"""What the application's database role may do: read and write, but not rewrite the record.

The triggers of append-only tables refuse too; but a role that could switch triggers off, or owns
the table, would get past them. This one cannot: `pgtrigger.ignore` works for the owner alone.
"""

from collections.abc import Iterable

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from revampd.kit.constraints import AppendOnly

# pgtrigger asks this function whether to skip a trigger, and takes any role's word for it.
IGNORE = sql.SQL("""
    CREATE OR REPLACE FUNCTION public._pgtrigger_should_ignore(trigger_name NAME)
    RETURNS BOOLEAN AS $$
        BEGIN
            IF current_user <> {} THEN
                RETURN FALSE;
            END IF;
            RETURN trigger_name = ANY (
                NULLIF(current_setting('pgtrigger.ignore', TRUE), '')::text[]
            );
        END;
    $$ LANGUAGE plpgsql
""")


def is_kept(model: type[models.Model]) -> bool:
    """Whether rows of this table stay: only the columns named in `mutable` may change."""
    return issubclass(model, AppendOnly) or hasattr(model, "mutable")


def grant(owner: BaseDatabaseWrapper, role: str, tables: Iterable[type[models.Model]]) -> None:
    """Give `role` its rights on `tables`, over the owner's connection. Can be run again."""
    name = sql.Identifier(role)
    statements = [
        sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(name),
        sql.SQL("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {}").format(name),
        sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {}").format(name),
    ]
    for model in tables:
        statements += _rights(model, name)
    statements.append(IGNORE.format(sql.Literal(owner.settings_dict["USER"])))
    with owner.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _rights(model: type[models.Model], role: sql.Identifier) -> list[sql.Composed]:
    table = sql.Identifier(model._meta.db_table)
    if not is_kept(model):
        return [sql.SQL("GRANT INSERT, UPDATE, DELETE ON {} TO {}").format(table, role)]
    rights = [
        sql.SQL("REVOKE ALL ON {} FROM {}").format(table, role),
        sql.SQL("GRANT SELECT, INSERT ON {} TO {}").format(table, role),
    ]
    mutable: tuple[str, ...] = getattr(model, "mutable", ())
    if mutable:
        names = [str(model._meta.get_field(field).column) for field in mutable]  # type: ignore[union-attr]
        columns = sql.SQL(", ").join([sql.Identifier(name) for name in names])
        rights.append(sql.SQL("GRANT UPDATE ({}) ON {} TO {}").format(columns, table, role))
    return rights
