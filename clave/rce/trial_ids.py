"""IdSesionSence of the test environment. It stores nothing, so the id itself encodes the time of opening."""

from datetime import UTC, datetime

from clave.lib.crypto import is_keyed_hash, keyed_hash

_PREFIX = "test-"
_MAC_LENGTH = 32


def make(run: str, code: str, opened_at: datetime) -> str:
    """Return an id for a session opened at this second by this person in this action; 46 characters."""
    seconds = f"{int(opened_at.timestamp()):x}"
    return f"{_PREFIX}{seconds}-{keyed_hash('test-session', run, code, seconds)[:_MAC_LENGTH]}"


def opened_at(text: str, run: str, code: str) -> datetime | None:
    """Return when the session with this id was opened; None if it is not a test id of this person and action."""
    seconds, dash, mac = text.removeprefix(_PREFIX).partition("-")
    if not text.startswith(_PREFIX) or not dash or len(seconds) != 8 or not mac.isascii():
        return None
    if not is_keyed_hash(mac, "test-session", run, code, seconds, length=_MAC_LENGTH):
        return None
    return datetime.fromtimestamp(int(seconds, 16), UTC)
