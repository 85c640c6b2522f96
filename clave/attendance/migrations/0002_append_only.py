"""Marks are facts: the database itself refuses to change or delete them (abuse case 30)."""

from django.db import migrations

from clave.db.append_only import append_only


class Migration(migrations.Migration):
    dependencies = [("attendance", "0001_initial")]
    operations = [
        append_only(
            "attendance",
            "a mark of attendance is never changed or deleted",
            "attendance_sessionstart",
            "attendance_sessionend",
            "attendance_correction",
        )
    ]
