"""How long a process waits for PostgreSQL: the server's own limits, and one for a server that keeps silent."""

from typing import Any

from psycopg import Connection, OperationalError
from psycopg.abc import PQGen

# Seconds, by what the process does (`CLAVE_ROLE`): a page is waited for, a migration or an import is not.
STATEMENT_SECONDS = {"web": 4}
LOCK_SECONDS = {"web": 3}
DEFAULT_STATEMENT_SECONDS, DEFAULT_LOCK_SECONDS = 0, 30
_MARGIN = 0.5  # what the server refuses by itself costs no connection, so it goes first


class BoundedConnection(Connection[Any]):
    """A connection that is given up when the server says nothing for `limit` seconds.

    `statement_timeout` is the server's: one that is frozen, or behind a network that swallows packets, does not keep
    it. TCP's own limits do not help either where the kernel at the other end still acknowledges.
    """

    limit: float

    def wait(self, gen: PQGen[Any], interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait for what was sent to be answered. Raises `OperationalError`."""
        try:
            return super().wait(gen, interval, self.limit if timeout is None else timeout)
        except OperationalError as error:
            if timeout is None and type(error).__name__ == "_WaitTimeout":
                self.pgconn.finish()  # what it is doing is not known, so nobody can use it any more
                raise OperationalError("the database does not answer") from None
            raise


def bounded(seconds: int) -> type[Connection[Any]]:
    """Return the class of connections on which a statement may take so many seconds; 0: any time."""
    return type("BoundedConnection", (BoundedConnection,), {"limit": seconds + _MARGIN}) if seconds else Connection


def server_limits(statement_seconds: int, lock_seconds: int) -> str:
    """Return libpq's `options` with the limits that the server keeps for each connection."""
    limits = {
        "statement_timeout": statement_seconds,
        "lock_timeout": lock_seconds,
        "idle_in_transaction_session_timeout": 2 * statement_seconds or 600,
    }
    return " ".join(f"-c {name}={seconds * 1000}" for name, seconds in limits.items())
