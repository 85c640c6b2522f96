"""Requests of learning platforms while their participants sign in."""

from django.db import models

from clave.lib.crypto import random_id
from clave.training.models import Token


class Environment(models.TextChoices):
    """The two doors of the protocol; the value is the first part of the address."""

    PRODUCTION = "rce", "producción"
    TEST = "rcetest", "prueba"


class PendingRequest(models.Model):
    """One request of a learning platform while its participant signs in here, and then what was answered.

    `fields` are the documented parameters without the token. `browser` is a hash of what only the browser that
    brought it was given: no other one may go on with it. Thrown away after a day.
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
    # The participant's account as it was then (`Holder.version`).
    proved_version = models.PositiveIntegerField(default=0)
    answer = models.JSONField(null=True)
    created_at = models.DateTimeField(db_index=True)
