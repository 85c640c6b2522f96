"""What came of a holder's authorization: a code, then a family of tokens."""

from django.db import models

from clave.holders.models import Holder
from clave.lib.crypto import random_id
from clave.sso.models.clients import Client


class PendingAuthorization(models.Model):
    """An authorization request that waits: pushed by the client (RFC 9126), or for its holder to sign in or consent.

    Only `browser` may resume it, once it is known: an authorization request belongs to the browser that brought it.
    It is answered once.
    """

    id = models.CharField(max_length=32, primary_key=True, default=random_id)
    client = models.ForeignKey(Client, on_delete=models.CASCADE)
    parameters = models.JSONField()
    browser = models.CharField(max_length=32, blank=True)
    created_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(db_index=True)


class Grant(models.Model):
    """One authorization: who signed in how, what the client may know, and the state of its code and tokens.

    Tokens name their grant and carry a signature, so none is stored: an access token is valid while `access_epoch` is
    the one it was issued in, a refresh token while `generation` is its own. `generation` is 0 if there are none.
    """

    id = models.CharField(max_length=32, primary_key=True, default=random_id)
    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="grants")
    holder = models.ForeignKey(Holder, on_delete=models.CASCADE, related_name="grants")
    subject = models.CharField(max_length=32)
    # Ends with the holder's browser session (`Session.sid`) unless the client may act offline.
    sid = models.CharField(max_length=32, db_index=True)
    account_version = models.PositiveIntegerField()
    scopes = models.CharField(max_length=400)
    # Names of the claims asked for one by one, by where they go: `id_token`, `userinfo`.
    claims = models.JSONField(default=dict, blank=True)
    nonce = models.CharField(max_length=512, blank=True)
    auth_time = models.DateTimeField()
    acr = models.CharField(max_length=60)
    amr = models.JSONField(default=list, blank=True)
    redirect_uri = models.CharField(max_length=500)
    code_challenge = models.CharField(max_length=43, blank=True)
    code_hash = models.CharField(max_length=64, unique=True)
    code_expires_at = models.DateTimeField()
    code_used_at = models.DateTimeField(null=True)
    dpop_key = models.CharField(max_length=43, blank=True)
    access_epoch = models.PositiveIntegerField(default=0)
    generation = models.PositiveIntegerField(default=0)
    rotated_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    revoked_at = models.DateTimeField(null=True)
    session_ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["holder", "-created_at"], name="grants_of_holder"),
            # What is looked for every few seconds, and every hour, among all that there has been.
            models.Index(fields=["sid"], condition=models.Q(session_ended_at=None), name="grants_in_session"),
            models.Index(fields=["code_expires_at"], condition=models.Q(code_used_at=None), name="unused_codes"),
        ]

    @property
    def scope_list(self) -> list[str]:
        return self.scopes.split()

    @property
    def is_offline(self) -> bool:
        """Return whether it outlives the browser's session (OpenID Connect Core 1.0, section 11)."""
        return "offline_access" in self.scope_list


class UsedAssertion(models.Model):
    """A one-time proof already seen: a DPoP proof (RFC 9449) or a client's assertion (RFC 7523), by its `jti`."""

    hash = models.CharField(max_length=64, primary_key=True)
    expires_at = models.DateTimeField(db_index=True)
