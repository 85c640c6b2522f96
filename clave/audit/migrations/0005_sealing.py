"""Seals say what they are and under which key; a queue of unsealed entries replaces a row for each sealed one.

Seals made before stay as they are (version 1). The queue begins with what was not sealed yet.
"""

from typing import Any

from django.db import migrations, models

from clave.core.append_only import append_only

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
WAITING = (
    "INSERT INTO audit_unsealed (entry_id) SELECT id FROM audit_entry "
    "WHERE NOT EXISTS (SELECT 1 FROM audit_sealed WHERE audit_sealed.entry_id = audit_entry.id)"
)


def fill_queue(apps: Any, editor: Any) -> None:
    editor.execute(WAITING)
    for statement in QUEUE[editor.connection.vendor]:
        editor.execute(statement)


def protect_seals_again(apps: Any, editor: Any) -> None:
    """On SQLite Django adds a column by making the table anew, without its triggers."""
    if editor.connection.vendor == "sqlite":
        for verb in ("update", "delete"):
            editor.execute(f"DROP TRIGGER IF EXISTS audit_seal_no_{verb}")
        append_only("audit", "the audit trail is append-only", "audit_seal").code(apps, editor)


class Migration(migrations.Migration):
    dependencies = [("audit", "0004_operator")]

    operations = [
        migrations.CreateModel(
            name="Unsealed",
            fields=[("entry_id", models.BigIntegerField(primary_key=True, serialize=False))],
        ),
        migrations.RunPython(fill_queue, migrations.RunPython.noop),
        migrations.AddField("seal", "version", models.PositiveSmallIntegerField(default=1)),
        migrations.AddField(
            "seal",
            "kind",
            models.CharField(
                choices=[
                    ("entries", "Entries"),
                    ("key_changed", "Key Changed"),
                    ("key_lost", "Key Lost"),
                    ("restored", "Restored"),
                ],
                default="entries",
                max_length=12,
            ),
        ),
        migrations.AddField("seal", "key", models.CharField(blank=True, max_length=16)),
        migrations.AddField("seal", "note", models.JSONField(default=dict)),
        migrations.DeleteModel("Sealed"),
        migrations.RunPython(protect_seals_again, migrations.RunPython.noop),
    ]
