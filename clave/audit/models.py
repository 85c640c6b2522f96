"""What happened: append-only entries, sealed in batches."""

from typing import Any

from django.db import models


class OperatorOf(models.Func):
    """The operator in an entry's detail, as the index of each store knows it (migration 0002)."""

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


class Unsealed(models.Model):
    """The id of an entry that no seal covers yet: the sealer's queue (decision 0020).

    A trigger adds the row in the statement that inserts the entry. No foreign key: every entry would pay for its check.
    """

    entry_id = models.BigIntegerField(primary_key=True)


class SealKind(models.TextChoices):
    """What a seal says: that entries were recorded, or an event in the life of the chain itself."""

    ENTRIES = "entries"
    KEY_CHANGED = "key_changed"
    KEY_LOST = "key_lost"
    RESTORED = "restored"


class Seal(models.Model):
    """One link of the chain: an HMAC over everything else in the row, its entries and the seal before it.

    `entries` lists the ids it covers, ascending; `key` is the id of the key it was made under, `note` what an event has
    to say. `version` 1 marks seals made before a seal covered more than its entries and the seal before.
    """

    id = models.BigAutoField(primary_key=True)
    version = models.PositiveSmallIntegerField(default=1)
    kind = models.CharField(max_length=12, choices=SealKind.choices, default=SealKind.ENTRIES)
    key = models.CharField(max_length=16, blank=True)
    at = models.DateTimeField()
    entries = models.JSONField()
    note = models.JSONField(default=dict)
    previous = models.CharField(max_length=64)
    mac = models.CharField(max_length=64)
