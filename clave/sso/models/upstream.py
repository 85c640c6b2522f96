"""Upstream doors: who is who at another identity provider, and sign-ins under way there."""

from django.db import models

from clave.holders.models import Holder


class UpstreamIdentity(models.Model):
    """The link between a subject of an issuer and one holder, made once both were proved.

    OpenID Connect Core 1.0, section 5.7: only issuer and subject together identify somebody for good.
    """

    holder = models.ForeignKey(Holder, on_delete=models.CASCADE, related_name="upstream_identities")
    door = models.CharField(max_length=20)
    issuer = models.CharField(max_length=300)
    subject = models.CharField(max_length=255)
    linked_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["issuer", "subject"], name="upstream_subject"),
            models.UniqueConstraint(fields=["holder", "door"], name="upstream_door_of_holder"),
        ]


class UpstreamRequest(models.Model):
    """A sign-in that a browser has begun at a door. The row is deleted by the answer, so it serves once.

    `state` is the fingerprint of what was sent; nonce and PKCE verifier are derived from it and stored nowhere.
    """

    state = models.CharField(primary_key=True, max_length=64)
    door = models.CharField(max_length=20)
    browser = models.CharField(max_length=64)
    back = models.TextField()
    created_at = models.DateTimeField(db_index=True)
