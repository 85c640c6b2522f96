"""The API does what its OpenAPI description says, whatever schemathesis makes of that: every phase, every check."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
import schemathesis
from django.db import connections
from schemathesis import engine
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events

from clave.backoffice import api_tokens
from clave.backoffice.models import Operator
from clave.config.wsgi import application
from clave.lib.request_context import SYSTEM
from clave.sandbox.courses import TOKEN

PHASES = {"EXAMPLES", "COVERAGE", "FUZZING", "STATEFUL_TESTING"}
CONFIG = """
seed = 20261124
headers = {{ Authorization = "Bearer {token}" }}

[cache]
enabled = false

[generation]
max-examples = 25
database = "none"

[checks.positive_data_acceptance]
# 400 is for what no schema can say: a check digit, an end before its start, a year that cannot be.
expected-statuses = ["2xx", "400", "401", "404", "409", "429"]
"""


class Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Say nothing of each request."""


@contextmanager
def served() -> Iterator[str]:
    """Serve the whole application, gate and all, to this machine; pytest-django's own server starts before `fresh`."""
    server = make_server("127.0.0.1", 0, application, handler_class=Quiet)

    def serve() -> None:
        server.serve_forever(poll_interval=0.05)
        connections.close_all()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def failures_in(recorder: Any, phase: Any) -> dict[str, str]:
    """Return what failed in a scenario: which check of which operation, and how to do it again."""
    found = {}
    for case, checks in recorder.checks.items():
        for check in checks:
            if check.failure_info is not None:
                again = recorder.cases[case].value.as_curl_command()
                found[f"{phase} {recorder.label} {check.name}"] = f"{check.failure_info.failure}\n{again}"
    return found


@pytest.mark.abuse(78)
@pytest.mark.slow
def test_the_api_is_as_described_in_every_phase(committed: None) -> None:
    try_every_phase("/api/v1/openapi.json", TOKEN)


@pytest.mark.abuse(78)
@pytest.mark.slow
def test_the_clients_api_is_as_described_in_every_phase(committed: None) -> None:
    boss = Operator.objects.get(email="supervisor@mesa.example.cl")
    try_every_phase("/api/clients/v1/openapi.json", api_tokens.issue(boss, "programa", SYSTEM))


def try_every_phase(description: str, token: str) -> None:
    failures: dict[str, str] = {}
    phases: dict[str, Status] = {}
    with served() as url:
        config = SchemathesisConfig.from_str(CONFIG.format(token=token))
        schema = schemathesis.openapi.from_url(url + description, config=config)
        for event in engine.from_schema(schema).execute():
            if isinstance(event, events.ScenarioFinished):
                failures |= failures_in(event.recorder, event.phase)
            elif isinstance(event, events.PhaseFinished):
                phases[event.phase.name.name] = event.status
            elif isinstance(event, (events.NonFatalError, events.FatalError)):
                failures[repr(event)[:80]] = repr(event)
    told = "\n\n".join(f"{title}\n{text}" for title, text in failures.items())
    assert not failures, f"{len(failures)} failures\n\n{told}"
    # A phase with nothing to try is skipped, which must not pass for a success.
    assert {name: phases[name] for name in PHASES} == dict.fromkeys(PHASES, Status.SUCCESS)
