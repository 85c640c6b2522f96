"""The audit trail: append-only entries, sealed in batches."""

from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.sql.compiler import SQLCompiler


class OperatorOf(models.Func):
    """The operator in an entry's detail, in the form each database's index uses (migration 0002)."""

    arity = 1
    output_field = models.CharField()
    template = "(%(expressions)s ->> 'operator')"

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> tuple[str, tuple[str | int, ...]]:
        """Use JSON_EXTRACT: the ->> operator is newer than the oldest SQLite version supported."""
        return self.as_sql(compiler, connection, template="JSON_EXTRACT(%(expressions)s, '$.operator')", **context)


class Entry(models.Model):
    """One audited event. Never holds a key, an answer or a token; personal data only as the holder's id."""

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
    """The id of an entry not yet covered by a seal: the sealer's queue (decision 0020).

    A trigger inserts the row in the same statement as the entry. There is no foreign key: every insert would pay for
    its check.
    """

    entry_id = models.BigIntegerField(primary_key=True)


class SealKind(models.TextChoices):
    """What a seal attests: that entries were recorded, or an event in the life of the chain itself."""

    ENTRIES = "entries"
    KEY_CHANGED = "key_changed"
    KEY_LOST = "key_lost"
    RESTORED = "restored"


class Seal(models.Model):
    """One link of the chain: an HMAC over the rest of the row, its entries and the previous seal.

    `entries` lists the covered ids in ascending order; `key` is the id of the key it was made under; `note` holds an
    event's data. `version` 1 marks older seals, whose HMAC covers only their entries and the previous seal.
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
