"""Notices to clients that a session has ended."""

from django.db import models

from clave.sso.models.clients import Client


class LogoutNotice(models.Model):
    """A logout token to send (OpenID Connect Back-Channel Logout 1.0), until the client has taken it or time is up."""

    client = models.ForeignKey(Client, on_delete=models.CASCADE)
    subject = models.CharField(max_length=32)
    sid = models.CharField(max_length=32)
    created_at = models.DateTimeField(db_index=True)
    next_try_at = models.DateTimeField(null=True, db_index=True)
    tries = models.PositiveSmallIntegerField(default=0)
    delivered_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["client", "sid"], name="one_notice_per_session")]
