"""The secret: the CS, temporary keys, secret answers, attempts. Nothing here can be turned back into a key."""

from django.db import models

from clave.holders.models import Holder


class Credential(models.Model):
    """A holder's CS: its Argon2id hash and that of the one before. `version` grows with each change.

    `hash` is empty when a stronger proof has ended the CS and none was set since.
    """

    holder = models.OneToOneField(Holder, on_delete=models.CASCADE, primary_key=True, related_name="credential")
    hash = models.CharField(max_length=160, blank=True)
    previous_hash = models.CharField(max_length=160, blank=True)
    version = models.PositiveIntegerField(default=1)
    changed_at = models.DateTimeField()


class TemporaryKey(models.Model):
    """A generated key: valid until `expires_at`, once, and only to set a new CS."""

    holder = models.OneToOneField(Holder, on_delete=models.CASCADE, primary_key=True, related_name="temporary_key")
    hash = models.CharField(max_length=160)
    # 16 bits under a key that is not in the database: says which hash to try, so that a try always costs one.
    tag = models.CharField(max_length=4)
    serial = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)


class SecretAnswer(models.Model):
    """The question a holder chose and the slow hash of the normalised answer."""

    holder = models.OneToOneField(Holder, on_delete=models.CASCADE, primary_key=True, related_name="secret_answer")
    question = models.CharField(max_length=20)
    hash = models.CharField(max_length=160)


class Attempts(models.Model):
    """Failures counted on one axis. `axis` is a keyed hash: the table tells nobody whose RUT was tried.

    `count` and `pending` belong to an account: failures, and tries not judged yet. `level` belongs to a wide axis, a
    network or the site: failures as of `last_at`, of which time takes some away.

    A row with a `holder` says that this holder signed in from the browser the axis names: a stranger's
    failures elsewhere do not stop it. It stands here so that one query answers both questions.
    """

    axis = models.CharField(max_length=64, primary_key=True)
    holder = models.ForeignKey(Holder, on_delete=models.CASCADE, null=True, related_name="known_browsers")
    count = models.PositiveIntegerField(default=0)
    pending = models.PositiveIntegerField(default=0)
    level = models.FloatField(default=0)
    last_at = models.DateTimeField()
    until = models.DateTimeField(null=True)
