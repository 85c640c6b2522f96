"""Uploaded documents: where they are stored, and whether they may be read."""

import uuid

from django.db import models


class State(models.TextChoices):
    """Result of the virus scan. Only clean documents can be read."""

    CLEAN = "clean"
    QUARANTINE = "quarantine"
    INFECTED = "infected"


class Document(models.Model):
    """One document: the file itself is in the vault, encrypted, under a random name.

    `original` is the uploaded file name, for display; `size` in bytes; `digest` is the SHA-256 of the stored content.
    A document not `taken` by a use case within a day is deleted.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100)
    original = models.CharField(max_length=120)
    kind = models.CharField(max_length=4)
    size = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    state = models.CharField(max_length=10, choices=State.choices)
    taken = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_index=True)

    @property
    def is_readable(self) -> bool:
        return self.state == State.CLEAN
