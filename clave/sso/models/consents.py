"""What a holder lets a client know."""

from django.db import models

from clave.holders.models import Holder
from clave.sso.models.clients import Client


class Consent(models.Model):
    """A holder's standing consent: the client may know what `scopes` and `claims` name until `expires_at`."""

    holder = models.ForeignKey(Holder, on_delete=models.CASCADE, related_name="consents")
    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="consents")
    scopes = models.JSONField(default=list)
    claims = models.JSONField(default=list, blank=True)
    given_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["holder", "client"], name="one_consent_per_client")]


class Subject(models.Model):
    """The random name under which a sector of clients knows a holder (`sub`); the sector is empty for the public one.

    It is stored rather than computed, so that it survives a change of the secret key.
    """

    holder = models.ForeignKey(Holder, on_delete=models.CASCADE, related_name="subjects")
    sector = models.CharField(max_length=200, blank=True)
    value = models.CharField(max_length=32, unique=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["holder", "sector"], name="one_subject_per_sector")]
