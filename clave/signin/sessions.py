"""Django's database sessions with the holder in a column of its own."""

import secrets
from typing import Any, cast

from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

from clave.core import clock
from clave.core.prepared import insert
from clave.signin.models import Session


class SessionStore(DatabaseStore):
    """Session engine (`SESSION_ENGINE`)."""

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        row = cast(Session, super().create_model_instance(data))
        row.holder_id = data.get("holder")
        row.address = data.get("address", "")
        row.agent = data.get("agent", "")
        row.created_at = clock.now()
        return row

    def create(self) -> None:
        """Insert a session under a new random key, without asking first whether 190 random bits are taken."""
        self._session_key = secrets.token_hex(16)
        # One statement needs no transaction around it.
        insert(self.create_model_instance(dict(self.items())))
        self.modified = True
