"""IdSesionSence of the test environment: it records nothing, so the id itself carries the moment of opening."""

import hmac
from datetime import UTC, datetime

from clave.core.secrets import keyed_hash

_PREFIX = "test-"


def make(run: str, code: str, opened_at: datetime) -> str:
    """Return an id for a session opened at this second by this person in this action; 46 characters."""
    seconds = f"{int(opened_at.timestamp()):x}"
    return f"{_PREFIX}{seconds}-{keyed_hash('test-session', run, code, seconds)[:32]}"


def opened_at(text: str, run: str, code: str) -> datetime | None:
    """Return when the session with this id was opened; None if it is no test id of this person and action."""
    seconds, dash, mac = text.removeprefix(_PREFIX).partition("-")
    if not text.startswith(_PREFIX) or not dash or len(seconds) != 8 or not mac.isascii():
        return None
    if not hmac.compare_digest(mac, keyed_hash("test-session", run, code, seconds)[:32]):
        return None
    return datetime.fromtimestamp(int(seconds, 16), UTC)
