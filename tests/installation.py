"""A whole Clave for browser tests and measurements: granian, worker and edge as processes of their own."""

import json
import os
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
from django.test import override_settings

from clave.operations.launcher import free_port, full_environ
from clave.operations.process_group import ProcessGroup, start_child


class LiveInstallation:
    """A running installation: its address, its store, its mailbox."""

    def __init__(self, home: Path, database_url: str, port: int, installation: ProcessGroup) -> None:
        self.home, self.database_url, self.port, self.installation = home, database_url, port, installation
        self.url = f"http://127.0.0.1:{port}"

    def launch(self) -> None:
        """Start the launcher, as `script/server` does."""
        self.launcher = start_child([sys.executable, "-m", "clave.operations.launcher"], self.installation.environ)

    def shell(self, code: str) -> str:
        """Run code in the application's shell; return what it prints."""
        words = [sys.executable, "manage.py", "shell", "-v", "0", "-c", code]
        return subprocess.run(words, env=self.installation.environ, capture_output=True, text=True, check=True).stdout

    def move_clock(self, seconds: float) -> None:
        """Let the whole demo live so many seconds ahead."""
        self.shell(f"from clave.sandbox import inspector; inspector.move_clock({seconds})")

    def stop(self) -> int:
        """Stop everything; return the launcher's exit code."""
        if self.launcher.poll() is None:
            self.launcher.terminate()
        return self.launcher.wait(40)

    def pids(self, words: str) -> list[int]:
        """Return the launcher's processes with these words on their command line."""
        return [pid for pid in children(self.launcher.pid) if words in command_line(pid)]

    def web_pids(self) -> list[int]:
        return self.pids("clave.operations.web")

    def query(self, sql: str) -> list[Any]:
        """Read from the store as its operator could."""
        if self.database_url:
            with psycopg.connect(self.database_url) as connection:
                return connection.execute(sql).fetchall()
        with sqlite3.connect(self.home / "clave.sqlite3", timeout=20) as connection:
            return connection.execute(sql).fetchall()

    def letters(self, ticket: str) -> str:
        """Return the letters of a captcha, which follow from its ticket and the installation's secret key."""
        from clave.web.captcha.tickets import letters_of  # here, for measurements run without Django's settings

        secret = self.installation.environ.get("CLAVE_SECRET_KEY") or (self.home / "secret_key").read_text()
        with override_settings(SECRET_KEY=secret):
            return letters_of(ticket.split("-")[0])

    def messages(self) -> list[dict[str, Any]]:
        files = sorted((self.home / "mailbox").glob("[0-9]*.json"), reverse=True)
        return [json.loads(file.read_text(encoding="utf-8")) for file in files]

    def message(self, destination: str, words: str, without: str = "nothing like it") -> dict[str, Any]:
        """Wait until the worker has delivered a message with these words, and without those, to this destination."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            for message in self.messages():
                text = message.get("subject", "") + message["text"]
                if message["to"] == destination and words in text and without not in text:
                    return message
            # Looking without a pause would take the time from the worker that is to deliver it.
            time.sleep(0.05)
        raise AssertionError(f"nothing about «{words}» for {destination}: {self.messages()}")

    @contextmanager
    def receiving_slow_forms(self, how_many: int) -> Iterator[None]:
        """Meanwhile so many visitors send a form and do not get to its end: too many for another form."""
        head = f"POST /ingresar HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nContent-Length: 900\r\n"
        head += "Content-Type: application/x-www-form-urlencoded\r\n\r\nrut=1"
        with ExitStack() as stack:
            for _ in range(how_many):
                slow = stack.enter_context(socket.create_connection(("127.0.0.1", self.port)))
                slow.sendall(head.encode())
            deadline = time.monotonic() + 20
            while httpx.post(f"{self.url}/ingresar", data={"rut": "1"}, timeout=10).status_code != 503:
                assert time.monotonic() < deadline
            yield

    def empty(self) -> None:
        """Begin again, as the inspector's button does: an empty store with the demo's holders, an empty mailbox."""
        with httpx.Client(base_url=self.url, timeout=30) as client:
            page = client.get("/sandbox/inspector").text
            token = page.split('csrfmiddlewaretoken" value="')[1].split('"')[0]
            typed = {"csrfmiddlewaretoken": token, "de-nuevo": "1"}
            assert client.post("/sandbox/inspector", data=typed).status_code == 302


@contextmanager
def running(home: Path, database_url: str = "", workers: int = 1, **environ: str) -> Iterator[LiveInstallation]:
    """Run an installation on a free port until the block ends."""
    port = free_port()
    base = {name: value for name, value in os.environ.items() if not name.startswith(("CLAVE", "DJANGO", "DATABASE"))}
    settings = {
        "CLAVE_HOME": str(home),
        "CLAVE_DEMO": "1",
        "CLAVE_WORKERS": str(workers),
        "PORT": str(port),
        "CLAVE_LOG_LEVEL": "WARNING",
        **({"DATABASE_URL": database_url} if database_url else {}),
        **environ,
    }
    live = LiveInstallation(home, database_url, port, ProcessGroup(full_environ({**base, **settings})))
    live.launch()
    try:
        wait_for(f"{live.url}/healthz")
        yield live
    finally:
        live.stop()


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]


def command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8").replace("\0", " ")
    except OSError:
        return ""


def until(true: Callable[[], Any], seconds: float = 30) -> None:
    """Wait until something that happens in other threads or processes is so."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def wait_for(url: str, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            httpx.get(url, timeout=2).raise_for_status()
            return
        except httpx.HTTPError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
