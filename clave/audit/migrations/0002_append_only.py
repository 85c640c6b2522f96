"""What the database itself does: it refuses to change what was recorded, queues it for sealing, and indexes it."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from clave.db.append_only import append_only

QUEUE = {
    "postgresql": (
        "CREATE FUNCTION audit_entry_is_unsealed() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN INSERT INTO audit_unsealed (entry_id) VALUES (NEW.id); RETURN NULL; END $$",
        "CREATE TRIGGER is_unsealed AFTER INSERT ON audit_entry "
        "FOR EACH ROW EXECUTE FUNCTION audit_entry_is_unsealed()",
    ),
    "sqlite": (
        "CREATE TRIGGER audit_entry_is_unsealed AFTER INSERT ON audit_entry "
        "BEGIN INSERT INTO audit_unsealed (entry_id) VALUES (NEW.id); END",
    ),
}
OPERATOR = {"postgresql": "detail ->> 'operator'", "sqlite": "JSON_EXTRACT(detail, '$.operator')"}
BY_ACTION = {
    # By the start of an action's name; SQLite reads few enough entries without it.
    "postgresql": ("CREATE INDEX entry_of_action ON audit_entry (action varchar_pattern_ops, id DESC)",),
    "sqlite": (),
}


def queue_and_index(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    vendor = editor.connection.vendor
    operator = OPERATOR[vendor]
    by_operator = f"CREATE INDEX entry_of_operator ON audit_entry (({operator}), id DESC) WHERE ({operator}) IS NOT NULL"
    for statement in (*QUEUE[vendor], by_operator, *BY_ACTION[vendor]):
        editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]
    operations = [
        append_only("audit", "the audit trail is append-only", "audit_entry", "audit_seal"),
        migrations.RunPython(queue_and_index, migrations.RunPython.noop),
    ]
