"""Timeouts for PostgreSQL: the server's own, and one on our side for a server that does not respond."""

from psycopg import Connection, OperationalError
from psycopg.abc import RV, PQGen
from psycopg.rows import TupleRow

# Seconds, by `CLAVE_ROLE`: somebody waits for a page, but not for a migration or an import.
STATEMENT_SECONDS = {"web": 4}
LOCK_SECONDS = {"web": 3}
DEFAULT_STATEMENT_SECONDS, DEFAULT_LOCK_SECONDS = 0, 30
_MARGIN = 0.5  # the server's own timeout should fire first, because it does not cost the connection


class BoundedConnection(Connection[TupleRow]):
    """A connection that is closed if the server does not respond for `limit` seconds.

    `statement_timeout` is enforced by the server, so it does not help if the server is frozen or the network drops
    packets. TCP timeouts do not help either as long as the peer's kernel still acknowledges.
    """

    limit: float

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """Wait for the server's response. Raises `OperationalError`."""
        try:
            return super().wait(gen, interval, self.limit if timeout is None else timeout)
        except OperationalError as error:
            if timeout is None and type(error).__name__ == "_WaitTimeout":
                self.pgconn.finish()  # its state is unknown, so it cannot be reused
                raise OperationalError("the database does not answer") from None
            raise


def bounded(seconds: int) -> type[Connection[TupleRow]]:
    """Return a connection class that limits statements to `seconds`; 0 means no limit."""
    return type("BoundedConnection", (BoundedConnection,), {"limit": seconds + _MARGIN}) if seconds else Connection


def server_limits(statement_seconds: int, lock_seconds: int) -> str:
    """Return libpq's `options` with the timeouts that the server enforces for each connection."""
    limits = {
        "statement_timeout": statement_seconds,
        "lock_timeout": lock_seconds,
        "idle_in_transaction_session_timeout": 2 * statement_seconds or 600,
    }
    return " ".join(f"-c {name}={seconds * 1000}" for name, seconds in limits.items())
