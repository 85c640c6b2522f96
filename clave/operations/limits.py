"""How much a web process takes on, and how long it and the launcher wait when it stops. All times are seconds."""

from collections.abc import Mapping

from clave.config.settings import environment

# A connection that is kept open holds nothing but itself; a request holds a thread, and how many of those are served
# at once web/gate.py decides.
CONNECTIONS, THREADS = 4000, 264
HEADER_SECONDS = 10.0  # until the head of a request must be there
HAND_OVER_SECONDS = 4.0  # a connection that is kept open may bring one more request meanwhile
LINGER_SECONDS = 0.3  # the same for connections accepted a moment ago
FINISH_SECONDS = 8.0  # for the requests inside


def drain_seconds(environ: Mapping[str, str]) -> float:
    """Return how long `/readyz` says 503 before new visitors are refused: time for a balancer to notice."""
    default = 0 if environ.get("CLAVE_DEMO") == "1" else 5
    return environment.seconds("CLAVE_DRAIN_SECONDS", default, environ.get("CLAVE_DRAIN_SECONDS", ""))


def longest_stop(environ: Mapping[str, str]) -> float:
    """Return when a web process that was asked to stop is killed: it has had all its time and two seconds more."""
    return max(drain_seconds(environ) + LINGER_SECONDS, HAND_OVER_SECONDS) + FINISH_SECONDS + 2
