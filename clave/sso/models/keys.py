"""The keys that sign tokens."""

from django.db import models

from clave.lib.crypto import EncryptedTextField


class Algorithm(models.TextChoices):
    """Signature algorithms (RFC 7518, section 3.1)."""

    ES256 = "ES256", "ES256"
    RS256 = "RS256", "RS256"


class SigningKey(models.Model):
    """A key pair: published at once, used from `signs_from` until the next one's, then published until `expires_at`.

    `private` is the JWK (RFC 7517) with the private part, encrypted at rest. `expires_at` is empty until a successor
    is made. `serial` counts the keys of an algorithm, so that several processes make only one next key.
    """

    kid = models.CharField(max_length=43, primary_key=True)
    algorithm = models.CharField(max_length=5, choices=Algorithm.choices)
    serial = models.PositiveIntegerField()
    private = EncryptedTextField()
    created_at = models.DateTimeField()
    signs_from = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["algorithm", "serial"], name="one_next_key")]
        indexes = [models.Index(fields=["algorithm", "signs_from"], name="key_in_use")]
