"""Indexes for the supervisors' filters, on PostgreSQL: by operator, only where there is one, and by the start of an action."""

from typing import Any

from django.db import migrations

STATEMENTS = (
    "CREATE INDEX entry_of_operator ON audit_entry ((detail -> 'operator'), id DESC) WHERE detail ? 'operator'",
    "CREATE INDEX entry_of_action ON audit_entry (action varchar_pattern_ops, id DESC)",
)


def index(apps: Any, editor: Any) -> None:
    if editor.connection.vendor == "postgresql":
        for statement in STATEMENTS:
            editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_append_only")]

    operations = [migrations.RunPython(index, migrations.RunPython.noop)]
