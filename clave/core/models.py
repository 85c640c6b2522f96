"""Submissions: a form that changes something does it once, however often it arrives."""

from django.db import models


class Submission(models.Model):
    """A one-time submission key that has been used, and what came of it.

    `key` is the SHA-256 of the key in the form, `claim` names the post that works on it. `secret` (a key shown on
    screen) is encrypted under the form's key itself, which is not stored: only the browser that sent it can
    see it again.
    """

    key = models.CharField(max_length=64, primary_key=True)
    kind = models.CharField(max_length=40)
    claim = models.CharField(max_length=16, blank=True)
    facts = models.JSONField(default=dict)
    secret = models.TextField(blank=True)
    browser = models.CharField(max_length=32)
    created_at = models.DateTimeField(db_index=True)


class Heartbeat(models.Model):
    """When a worker was last seen alive."""

    name = models.CharField(max_length=40, primary_key=True)
    at = models.DateTimeField()


class SpentTicket(models.Model):
    """A captcha's ticket that was answered: each serves once. Live ones only; `purge_expired` deletes the others.

    `network` is a keyed hash (`captcha.price.network_of`).
    """

    key = models.CharField(max_length=32, primary_key=True)
    network = models.CharField(max_length=32)
    solved = models.BooleanField()
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        indexes = [models.Index(fields=["network", "expires_at"], name="core_spent_by_network")]


class CaptchaLoad(models.Model):
    """How much a network has lately asked of the captcha: a leaky bucket, empty at `empty_at` (Unix time, seconds)."""

    network = models.CharField(max_length=32, primary_key=True)
    empty_at = models.FloatField(db_index=True)
