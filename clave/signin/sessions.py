"""Session engine: Django's database sessions, with the holder in a separate column."""

import secrets
from dataclasses import dataclass
from typing import Any, cast

from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.core import signing
from django.utils import timezone

from clave.db.hot_queries import Lookup
from clave.holders.models import Holder
from clave.lib import clock
from clave.lib.request_context import RequestContext
from clave.signin.models import Session

_BY_KEY = Lookup(lambda key: Session.objects.filter(session_key=key), "key")


@dataclass(frozen=True)
class Authentication:
    """How a holder signed in: through which door, and with which methods (`amr` values, RFC 8176, section 2)."""

    door: str = "clave"
    methods: tuple[str, ...] = ("pwd",)


TYPED_KEY = Authentication()


class SessionStore(DatabaseStore):
    """The session store (`SESSION_ENGINE`)."""

    _stored: dict[str, object] | None = None

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def _get_session_from_db(self) -> Session | None:
        """Return the session's row unless expired, as Django does, but with a query compiled only once."""
        row = _BY_KEY.one(self.session_key) if self.session_key else None
        if row is not None and row.expire_date > timezone.now():
            return row
        self._session_key = None
        return None

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        row = cast(Session, super().create_model_instance(data))
        row.holder_id = data.get("holder")
        row.address = data.get("address", "")
        row.agent = data.get("agent", "")
        row.created_at = clock.now()
        row.sid = data.get("sid", "")
        return row

    def encode(self, session_dict: dict[str, object]) -> str:
        """Sign the data as Django does, but without compression: it is too short to be worth it."""
        return signing.dumps(session_dict, salt=self.key_salt, serializer=self.serializer)

    def create(self) -> None:
        """Insert a session under a new random key. With 128 random bits there is no need to check for collisions."""
        self._session_key = secrets.token_hex(16)
        self._stored = dict(self.items())
        self.create_model_instance(self._stored).save(force_insert=True)
        self.modified = True

    def begin(self, holder: Holder, context: RequestContext, authentication: Authentication = TYPED_KEY) -> None:
        """Start the session of a holder who has signed in; the browser's previous session is deleted."""
        same_holder = self.session_key and self.get("holder") == str(holder.pk)
        sid = (same_holder and self.get("sid")) or secrets.token_hex(16)
        if self.session_key:
            self.flush()
        self.update(
            {
                "holder": str(holder.pk),
                "account_version": holder.version,
                "address": context.address,
                "agent": context.agent,
                "sid": sid,
                "auth_time": clock.now().timestamp(),
                "door": authentication.door,
                "amr": list(authentication.methods),
            }
        )
        self.create()

    def save(self, must_create: bool = False) -> None:
        """Save the session unless it is unchanged."""
        if must_create or self.session_key is None or dict(self.items()) != self._stored:
            super().save(must_create)
