"""The outbox."""

import uuid

from django.db import models

from clave.lib.crypto import EncryptedTextField


class State(models.TextChoices):
    PENDING = "pending"
    SENT = "sent"
    DEAD = "dead"


class Message(models.Model):
    """One message to one destination. `id` is also its Message-ID and idempotency key.

    Destination and content are encrypted, and cleared once the message has been sent: it may contain a key.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    channel = models.CharField(max_length=5)
    template = models.CharField(max_length=40)
    # The daily quota it counts against; empty for messages about the holder's own actions, which always go out.
    quota = models.CharField(max_length=12, blank=True)
    language = models.CharField(max_length=5, default="es")
    holder = models.CharField(max_length=40, blank=True, db_index=True)
    destination = EncryptedTextField()
    destination_hash = models.CharField(max_length=64)
    context = EncryptedTextField(blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.PENDING)
    tries = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    next_try_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=120, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["next_try_at"], name="message_due", condition=models.Q(state="pending")),
            models.Index(fields=["destination_hash", "created_at"], name="message_per_destination"),
            models.Index(fields=["created_at"], name="message_by_age"),
        ]
