"""Requests of learning platforms while their participants sign in."""

from django.db import models

from clave.lib.crypto import random_id
from clave.training.models import Token


class Environment(models.TextChoices):
    """The two environments of the protocol; the value is the first segment of the URL."""

    PRODUCTION = "rce", "producción"
    TEST = "rcetest", "prueba"


class PendingRequest(models.Model):
    """A learning platform's request while its participant signs in here, and later the response to it.

    `fields` are the documented parameters without the token. `browser` is a hash of a secret given only to the browser
    that delivered the request: no other browser may continue it. Deleted after a day.
    """

    id = models.CharField(max_length=32, primary_key=True, default=random_id)
    environment = models.CharField(max_length=8, choices=Environment.choices)
    closing = models.BooleanField()
    fields = models.JSONField()
    token = models.ForeignKey(Token, on_delete=models.CASCADE)
    course = models.CharField(max_length=160, blank=True)
    browser = models.CharField(max_length=32, blank=True)
    failures = models.PositiveSmallIntegerField(default=0)
    proved_at = models.DateTimeField(null=True)
    # The version of the participant's account at that time (`Holder.version`).
    proved_version = models.PositiveIntegerField(default=0)
    answer = models.JSONField(null=True)
    created_at = models.DateTimeField(db_index=True)
