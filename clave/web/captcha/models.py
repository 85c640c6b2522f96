"""Answered tickets, and how much each network has asked for."""

from django.db import models


class SpentTicket(models.Model):
    """A captcha's ticket that was answered: each serves once. Live ones only; `purge_expired` deletes the others.

    `network` is a keyed hash (`captcha.price.network_of`).
    """

    key = models.CharField(max_length=32, primary_key=True)
    network = models.CharField(max_length=32)
    solved = models.BooleanField()
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        indexes = [models.Index(fields=["network", "expires_at"], name="spent_ticket_by_network")]


class CaptchaLoad(models.Model):
    """How much a network has lately asked of the captcha: a leaky bucket, empty at `empty_at` (Unix time, seconds)."""

    network = models.CharField(max_length=32, primary_key=True)
    empty_at = models.FloatField(db_index=True)
