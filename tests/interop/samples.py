"""Installs the sample applications into a cache outside of the repository's files, and runs them."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from clave.operations.launcher import free_port
from tests.interop.clients import Client
from tests.interop.provider import Provider

START_SECONDS = 300


class InteropError(Exception):
    """What a client could not do."""


def cache() -> Path:
    """Return the folder for everything fetched: CLAVE_INTEROP, or `interop` beside the installation's state."""
    home = Path(os.environ.get("CLAVE_HOME") or Path(__file__).parents[2] / "var")
    return Path(os.environ.get("CLAVE_INTEROP") or home / "interop").resolve()


def installed(client: Client) -> Path:
    """Copy a sample into the cache and install what it needs, unless that is done; return its folder."""
    folder = cache() / client.name
    done = folder / f".installed-{_fingerprint(client.folder)}"
    if not done.exists():
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(client.folder, folder)
        for words in client.install:
            command = [word.format(python=sys.executable) for word in words]
            ran = subprocess.run(command, cwd=folder, capture_output=True, text=True)
            if ran.returncode:
                raise InteropError(f"{' '.join(words)}: {(ran.stderr or ran.stdout).strip()[-400:]}")
        done.touch()
    return folder


def _fingerprint(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts):
        digest.update(f"{path.relative_to(folder)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


@contextmanager
def running(client: Client, provider: Provider) -> Iterator[str]:
    """Run the sample of a client registered with the provider; yield the application's address."""
    folder = installed(client)
    issuer = discovered_issuer(provider, client)
    # A browser keeps cookies by host name, without the port: the application must not be where the provider is.
    host = "127.0.0.1" if urlsplit(issuer).hostname == "localhost" else "localhost"
    port = free_port()
    url = f"http://{host}:{port}"
    answering = f"http://{host}:{free_port()}" if client.broker else url
    redirect_uri, signed_out = answering + client.redirect_path, answering + (client.broker or "/")
    registered = provider.register(client, redirect_uri, signed_out)
    environ = {
        **os.environ,
        "ISSUER": issuer,
        "CLIENT_ID": registered["client_id"],
        "CLIENT_SECRET": registered["client_secret"],
        "REDIRECT_URI": redirect_uri,
        "POST_LOGOUT_REDIRECT_URI": url + "/",
        "PORT": str(port),
    }
    command = [word.format(python=sys.executable) for word in client.start]
    with (folder / "output.txt").open("w") as output:
        # A group of its own, because some start further processes.
        process = subprocess.Popen(
            command, cwd=folder, env=environ, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        _wait_for(url, process)
        _wait_for(answering, process)
        yield url
    finally:
        _stop(process)


def discovered_issuer(provider: Provider, client: Client) -> str:
    """Return the issuer that discovery names (OpenID Connect Discovery 1.0, section 3)."""
    path = "/openid" if client.dialect == "claveunica" else ""
    document = httpx.get(f"{provider.url}{path}/.well-known/openid-configuration").raise_for_status().json()
    return str(document["issuer"])


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until the application answers, whatever it does."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise InteropError(f"ended with {process.returncode} while starting")
        try:
            if httpx.get(url, timeout=5).status_code < 500:
                return
        except httpx.HTTPError:
            time.sleep(0.2)
    raise InteropError(f"did not answer within {START_SECONDS} s")


def _stop(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(10)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue
