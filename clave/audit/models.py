"""What happened: append-only entries, sealed in batches."""

from typing import Any

from django.db import models


class OperatorOf(models.Func):
    """The operator in an entry's detail, as the index of each store knows it (migration 0004)."""

    arity = 1
    output_field = models.CharField()
    template = "(%(expressions)s ->> 'operator')"

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, Any]:
        """Write it in SQLite's words: its ->> came after the oldest version served."""
        return self.as_sql(compiler, connection, template="JSON_EXTRACT(%(expressions)s, '$.operator')", **context)


class Entry(models.Model):
    """One thing that happened. Never holds a key, an answer or a token; personal data only as the holder's id."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(db_index=True)
    action = models.CharField(max_length=40)
    outcome = models.CharField(max_length=40)
    subject = models.CharField(max_length=40, blank=True)
    address = models.CharField(max_length=45, blank=True)
    agent = models.CharField(max_length=200, blank=True)
    detail = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["subject", "id"], name="entry_of_subject")]


class Seal(models.Model):
    """The HMAC over a batch of entries and the seal before it. `entries` lists the ids in order."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    entries = models.JSONField()
    previous = models.CharField(max_length=64)
    mac = models.CharField(max_length=64)


class Sealed(models.Model):
    """Which seal holds an entry; a row apart, because an entry itself never changes."""

    entry = models.OneToOneField(Entry, on_delete=models.PROTECT, primary_key=True, related_name="sealed")
    seal = models.ForeignKey(Seal, on_delete=models.PROTECT)
