"""HTTP client for state registries: timeouts, one retry, circuit breaker, every call audited without its content."""

import json
import time

import httpx
import pybreaker
import structlog
from django.conf import settings
from tenacity import RetryError, Retrying, retry_if_exception_type, stop_after_attempt, wait_random

from clave.audit import service as audit
from clave.lib import trust
from clave.lib.request_context import RequestContext

log = structlog.get_logger(__name__)
# After this many consecutive failures calls fail immediately; after the pause one trial call is let through.
FAILURES, PAUSE = 5, 20
PER_TRY = 0.5
MAX_ANSWER = 64 * 1024


class RegistryDown(Exception):
    """The registry did not respond in time, sent an invalid response, or its circuit is open."""


class Registry:
    """A registry with a JSON API over HTTP, one instance per registry and process. Holds connections and circuit."""

    def __init__(self, name: str, url: str, token: str) -> None:
        self.name = name
        self.client = httpx.Client(
            base_url=url,
            headers={"Accept": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})},
            timeout=httpx.Timeout(PER_TRY),
            follow_redirects=False,
            verify=trust.authorities(),
        )
        self.breaker = pybreaker.CircuitBreaker(fail_max=FAILURES, reset_timeout=PAUSE)

    def call(
        self, context: RequestContext, method: str, path: str, payload: dict[str, str] | None = None
    ) -> tuple[int, object]:
        """Return (status, JSON). Raises `RegistryDown` within `REGISTRY_BUDGET_SECONDS`."""
        outcome = "ok"
        try:
            return self.breaker.call(self._with_retry, method, path, payload)
        except pybreaker.CircuitBreakerError as error:
            outcome = "circuit_open"
            raise RegistryDown(outcome) from error
        except (httpx.HTTPError, RetryError, ValueError) as error:
            outcome = "down"
            log.warning("registry.down", registry=self.name, error=type(error).__name__)
            raise RegistryDown(outcome) from error
        finally:
            audit.record("registry.called", context, outcome=outcome, registry=self.name)

    def _with_retry(self, method: str, path: str, payload: dict[str, str] | None) -> tuple[int, object]:
        deadline = time.monotonic() + settings.REGISTRY_BUDGET_SECONDS
        for attempt in Retrying(
            stop=stop_after_attempt(2),
            wait=wait_random(0.02, 0.12),
            retry=retry_if_exception_type(httpx.HTTPError),
            reraise=True,
        ):
            with attempt:
                return self._once(method, path, payload, deadline)
        raise RegistryDown  # pragma: no cover - Retrying either returns or raises

    def _once(self, method: str, path: str, payload: dict[str, str] | None, deadline: float) -> tuple[int, object]:
        """Make one call. httpx bounds each read; the deadline also bounds a server that sends byte by byte."""
        body = bytearray()
        with self.client.stream(method, path, json=payload) as response:
            for chunk in response.iter_bytes():
                body += chunk
                if time.monotonic() > deadline or len(body) > MAX_ANSWER:
                    raise httpx.ReadTimeout("too slow or too long")
            if response.status_code not in (200, 404):
                raise httpx.HTTPStatusError("unexpected status", request=response.request, response=response)
        return response.status_code, json.loads(body)
