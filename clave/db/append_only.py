"""Append-only tables, enforced by database triggers."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def append_only(app: str, message: str, *tables: str) -> migrations.RunPython:
    """Return the migration step that creates triggers on `tables`; `message` is the error they raise."""

    def forbid(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
        if editor.connection.vendor == "postgresql":
            editor.execute(
                f"CREATE OR REPLACE FUNCTION {app}_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
                f"$$ BEGIN RAISE EXCEPTION '{message}'; END $$"
            )
        for table in tables:
            for statement in _statements(editor.connection.vendor, app, table, message):
                editor.execute(statement)

    return migrations.RunPython(forbid, migrations.RunPython.noop)


def _statements(vendor: str, app: str, table: str, message: str) -> list[str]:
    if vendor == "postgresql":
        run = f"EXECUTE FUNCTION {app}_is_append_only()"
        return [
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW {run}",
            f"CREATE TRIGGER no_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT {run}",
        ]
    return [
        f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} BEGIN SELECT RAISE(ABORT, '{message}'); END"
        for verb in ("UPDATE", "DELETE")
    ]
