"""What flows must remember beyond one visit."""

from django.db import models

from clave.core.secrets import EncryptedTextField


class Waiting(models.Model):
    """Somebody who wants to be told when a registry answers again."""

    registry = models.CharField(max_length=20)
    email = EncryptedTextField()
    language = models.CharField(max_length=5, default="es")
    created_at = models.DateTimeField(db_index=True)
