"""Capacity of a web process, and timeouts for stopping it. All times are in seconds."""

from collections.abc import Mapping

from clave.config.settings import environment

# An idle keep-alive connection costs next to nothing; a request takes a thread, and web/gate.py decides how many are
# served concurrently.
CONNECTIONS, THREADS = 4000, 264
HEADER_SECONDS = 10.0  # to receive a request's headers
HAND_OVER_SECONDS = 4.0  # during which a keep-alive connection may still send one more request
LINGER_SECONDS = 0.3  # the same for connections accepted just now
FINISH_SECONDS = 8.0  # to finish the requests in progress


def drain_seconds(environ: Mapping[str, str]) -> float:
    """Return how long `/readyz` returns 503 before new requests are refused: time for a load balancer to notice."""
    default = 0 if environ.get("CLAVE_DEMO") == "1" else 5
    return environment.seconds("CLAVE_DRAIN_SECONDS", default, environ.get("CLAVE_DRAIN_SECONDS", ""))


def stop_timeout(environ: Mapping[str, str]) -> float:
    """Return the timeout after which a stopping web process is killed: all its phases plus two seconds."""
    return max(drain_seconds(environ) + LINGER_SECONDS, HAND_OVER_SECONDS) + FINISH_SECONDS + 2
