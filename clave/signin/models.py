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

    @classmethod
    def get_session_store_class(cls) -> type:
        from clave.signin.sessions import SessionStore

        return SessionStore
