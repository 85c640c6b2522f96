"""Spent tickets, and the recent use by each network."""

from django.db import models


class SpentTicket(models.Model):
    """A captcha ticket that has been answered; each can be used once. `purge_expired` deletes rows after expiry.

    `network` is a keyed hash (`captcha.price.network_of`).
    """

    key = models.CharField(max_length=32, primary_key=True)
    network = models.CharField(max_length=32)
    solved = models.BooleanField()
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        indexes = [models.Index(fields=["network", "expires_at"], name="spent_ticket_by_network")]


class CaptchaLoad(models.Model):
    """A network's recent use of the captcha: a leaky bucket, empty at `empty_at` (Unix time, seconds)."""

    network = models.CharField(max_length=32, primary_key=True)
    empty_at = models.FloatField(db_index=True)
