"""The database itself refuses to change or delete what was recorded."""

from django.db import migrations

from clave.core.append_only import append_only


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]
    operations = [append_only("audit", "the audit trail is append-only", "audit_entry", "audit_seal", "audit_sealed")]
