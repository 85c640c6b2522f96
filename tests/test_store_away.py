"""While the store is away a visitor is told so, soon, and that it comes back: 503, never 500, never a wait without end."""

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import psycopg
import psycopg_pool
import pytest
from django.contrib.sessions.exceptions import SessionInterrupted
from django.db import DatabaseError, DataError, IntegrityError, InterfaceError, OperationalError, ProgrammingError
from django.db.transaction import TransactionManagementError
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from pytest_django import Settings

from clave.web import errors
from tests import installation, postgres

ROOT = Path(__file__).parents[1]
AWAY = [
    OperationalError("the connection is lost"),
    InterfaceError("connection already closed"),
    TransactionManagementError("the transaction is broken"),
    psycopg.OperationalError("the connection is lost"),
    psycopg_pool.PoolTimeout("no connection within 2 s"),
    TimeoutError("the same form is still being worked on"),
    ConnectionResetError(),
    OSError(errno.ENOSPC, "No space left on device"),
]
FAULTS = [DataError(), IntegrityError(), ProgrammingError(), DatabaseError(), ValueError(), OSError(errno.ENOENT, "x")]


class Failing:
    """A middleware above all views that fails."""

    error: Exception

    def __init__(self, get_response: object) -> None:
        """Nothing is passed on."""

    def __call__(self, request: HttpRequest) -> HttpResponse:
        raise self.error


@pytest.mark.abuse(75)
@pytest.mark.parametrize("error", AWAY + FAULTS, ids=lambda error: type(error).__name__)
def test_what_passes_is_503_and_what_does_not_is_500(
    error: Exception, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Failing, "error", error, raising=False)
    settings.MIDDLEWARE = ["tests.test_store_away.Failing"]
    answer = Client(raise_request_exception=False).get("/ingresar")
    assert answer.status_code == (503 if error in AWAY else 500)
    assert answer.headers.get("Retry-After") == ("5" if error in AWAY else None)
    assert f"HTTP-{answer.status_code}" in answer.content.decode()


@pytest.mark.abuse(75)
def test_a_session_that_cannot_be_saved_is_503_and_one_that_was_ended_is_400() -> None:
    """Django makes the same of both: a lost connection while the session is saved became a 400."""
    for cause, status in ((OperationalError("server closed the connection"), 503), (DatabaseError("no row"), 400)):
        try:
            try:
                raise cause
            except DatabaseError:
                raise SessionInterrupted("deleted")  # noqa: B904 - as Django does
        except SessionInterrupted as interrupted:
            assert errors.bad_request(RequestFactory().get("/"), interrupted).status_code == status


def limits(**environ: str) -> dict[str, str]:
    """Return what PostgreSQL says of a connection's limits."""
    names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
    code = "import sys; from django.db import connection as c; k = c.cursor();"
    code += f"sys.stdout.write(' '.join(k.execute(f'SHOW {{n}}').fetchone()[0] for n in {names}))"
    words = [sys.executable, "manage.py", "shell", "-v", "0", "-c", code]
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("CLAVE", "DJANGO"))}
    done = subprocess.run(words, env={**mine, "CLAVE_DEMO": "1", **environ}, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return dict(zip(names, done.stdout.split(), strict=True))


@contextmanager
def frozen(url: str) -> Iterator[None]:
    """Stop every process of a PostgreSQL, as a machine out of memory or a stuck disk would, until the block ends."""
    with psycopg.connect(url) as connection:
        backend = connection.execute("SELECT pg_backend_pid()").fetchone()
        assert backend
        server = _parent(Path(f"/proc/{backend[0]}"))
    _send(signal.SIGSTOP, [server])  # first, so that it begets no more
    processes = [int(folder.name) for folder in Path("/proc").glob("[0-9]*") if _parent(folder) == server]
    _send(signal.SIGSTOP, processes)
    processes.append(server)
    try:
        yield
    finally:
        _send(signal.SIGCONT, processes)


def _send(what: signal.Signals, processes: list[int]) -> None:
    for pid in processes:
        with suppress(ProcessLookupError):  # a backend that has just ended
            os.kill(pid, what)


def _parent(folder: Path) -> int:
    try:
        return int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


@pytest.mark.abuse(75)
@pytest.mark.needs("postgres")
@pytest.mark.slow
@pytest.mark.storeless
def test_a_frozen_database_holds_no_request_longer_than_a_page_is_waited_for(tmp_path: Path) -> None:
    with postgres.running("-c fsync=off") as url:
        with installation.running(tmp_path, url) as live, httpx.Client(base_url=live.url, timeout=8) as visitor:
            page = visitor.get("/ingresar").text
            token = page.split('csrfmiddlewaretoken" value="')[1].split('"')[0]
            typed = {"csrfmiddlewaretoken": token, "rut": "11111111-1", "key": "KM482915"}
            assert visitor.post("/ingresar", data=typed).status_code == 302
            with frozen(url):
                for _ in range(3):  # more than connections are kept ready: the last ones find none
                    answer = visitor.get("/mi-cuenta")
                    assert answer.status_code == 503 and answer.headers["Retry-After"]
                assert visitor.get("/ingresar").status_code == 200, "a page that asks nothing is shown"
            again = [visitor.get("/mi-cuenta").status_code for _ in range(20)]
            assert again[-1] == 200 and set(again) <= {200, 503}
        home = str(tmp_path / "other")
        web = limits(DATABASE_URL=url, CLAVE_ROLE="web", CLAVE_HOME=home)
        assert web == {"statement_timeout": "4s", "lock_timeout": "3s", "idle_in_transaction_session_timeout": "8s"}
        command = limits(DATABASE_URL=url, CLAVE_HOME=home)
        assert command["statement_timeout"] == "0" and command["lock_timeout"] == "30s"
        assert limits(DATABASE_URL=url, CLAVE_HOME=home, CLAVE_STATEMENT_SECONDS="9")["statement_timeout"] == "9s"
