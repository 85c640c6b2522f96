"""Secrets of holders: CS, temporary keys, secret answers, failed attempts. Nothing here reveals a key."""

from django.db import models

from clave.holders.models import Holder


class Credential(models.Model):
    """A holder's CS: its Argon2id hash and the previous one. `version` increases with each change.

    `hash` is empty if a stronger proof has revoked the CS and no new one has been set.
    """

    holder = models.OneToOneField(Holder, on_delete=models.CASCADE, primary_key=True, related_name="credential")
    hash = models.CharField(max_length=160, blank=True)
    previous_hash = models.CharField(max_length=160, blank=True)
    version = models.PositiveIntegerField(default=1)
    changed_at = models.DateTimeField()


class TemporaryKey(models.Model):
    """A generated key: single use, valid until `expires_at`, and only for setting a new CS."""

    holder = models.OneToOneField(Holder, on_delete=models.CASCADE, primary_key=True, related_name="temporary_key")
    hash = models.CharField(max_length=160)
    # 16 bits of HMAC (its key is not in the database): selects which hash to try, so that each attempt costs one hash.
    tag = models.CharField(max_length=4)
    serial = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)


class SecretAnswer(models.Model):
    """The secret question a holder chose, and the slow hash of the normalised answer."""

    holder = models.OneToOneField(Holder, on_delete=models.CASCADE, primary_key=True, related_name="secret_answer")
    question = models.CharField(max_length=20)
    hash = models.CharField(max_length=160)


class Attempts(models.Model):
    """Failures counted on one axis. `axis` is a keyed hash, so the table does not reveal whose RUT was tried.

    `count` and `pending` belong to account axes: failures, and attempts not decided yet. `level` belongs to wide axes
    (a network or the whole site): failures as of `last_at`, leaking over time.

    A row with a `holder` records that this holder has signed in from the browser the axis names, so failures by
    strangers elsewhere do not block it. It lives in this table so that a single query answers both questions.
    """

    axis = models.CharField(max_length=64, primary_key=True)
    holder = models.ForeignKey(Holder, on_delete=models.CASCADE, null=True, related_name="known_browsers")
    count = models.PositiveIntegerField(default=0)
    pending = models.PositiveIntegerField(default=0)
    level = models.FloatField(default=0)
    last_at = models.DateTimeField()
    until = models.DateTimeField(null=True)
