"""The index of an operator's entries on both stores, over the expression that the supervisors' filter asks for."""

from typing import Any

from django.db import migrations

OPERATOR = {"postgresql": "detail ->> 'operator'", "sqlite": "JSON_EXTRACT(detail, '$.operator')"}


def index(apps: Any, editor: Any) -> None:
    operator = OPERATOR[editor.connection.vendor]
    editor.execute("DROP INDEX IF EXISTS entry_of_operator")
    editor.execute(
        f"CREATE INDEX entry_of_operator ON audit_entry (({operator}), id DESC) WHERE ({operator}) IS NOT NULL"
    )


class Migration(migrations.Migration):
    dependencies = [("audit", "0003_search")]

    operations = [migrations.RunPython(index, migrations.RunPython.noop)]
