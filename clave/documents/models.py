"""Documents that people bring: where they lie, and whether somebody may read them."""

import uuid

from django.db import models


class State(models.TextChoices):
    """What the scanner said. Only a clean document can be read."""

    CLEAN = "clean"
    QUARANTINE = "quarantine"
    INFECTED = "infected"


class Document(models.Model):
    """One document: the file itself lies encrypted in the store under a random name.

    `original` is the name it came with, for showing; `size` in bytes, `digest` the SHA-256 of what is kept. A document
    that no use case has `taken` within a day is thrown away.
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
