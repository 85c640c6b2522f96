"""Sessions by holder, so that people can see and end their own."""

from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models

from clave.holders.models import Holder


class Session(AbstractBaseSession):
    """A browser's session. `holder` is empty while nobody is signed in (a wizard's state lives here too)."""

    holder = models.ForeignKey(Holder, on_delete=models.CASCADE, null=True, related_name="sessions")
    address = models.CharField(max_length=45, blank=True)
    agent = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(null=True)
    # Identifies the session to relying applications (OpenID Connect Back-Channel Logout 1.0, section 2.1). It survives
    # signing in again as the same holder, which changes the key.
    sid = models.CharField(max_length=32, blank=True, db_index=True)

    @classmethod
    def get_session_store_class(cls) -> type:
        from clave.signin.sessions import SessionStore

        return SessionStore
