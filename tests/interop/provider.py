"""The provider that the clients sign in with: a whole Clave with its demo holders."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from playwright.sync_api import Page

from tests import installation
from tests.interop.clients import Client

HOLDER = {"rut": "11111111-1", "key": "KM482915"}


class Provider(Protocol):
    """What the story needs of a provider."""

    url: str

    def register(self, client: Client, redirect_uri: str, signed_out: str) -> dict[str, str]:
        """Register a client; return its `client_id` and `client_secret`."""

    def rotate_keys(self) -> None:
        """From now on sign with new keys."""

    def sign_in(self, page: Page) -> None:
        """Sign in as the demo's holder on the page shown and consent."""


class Clave:
    """Clave, told what to do by its management commands."""

    def __init__(self, live: installation.LiveInstallation) -> None:
        self.live, self.url = live, live.url

    def manage(self, *words: str) -> str:
        command = [sys.executable, "manage.py", *words]
        done = subprocess.run(command, env=self.live.installation.environ, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{words[0]}: {done.stderr.strip()[-500:]}")
        return done.stdout

    def register(self, client: Client, redirect_uri: str, signed_out: str) -> dict[str, str]:
        words = ["--name", client.name, "--redirect-uri", redirect_uri, "--post-logout-redirect-uri", signed_out]
        words += ["--dialect", client.dialect] if client.dialect != "oidc" else []
        words += ["--id-token-alg", client.algorithm]
        words += [] if client.pkce else ["--no-pkce"]
        created: dict[str, str] = json.loads(self.manage("sso_client", "create", *words, "--json"))
        return created

    def rotate_keys(self) -> None:
        self.manage("rotate_keys", "--at-once")

    def sign_in(self, page: Page) -> None:
        fill_in(page)


def fill_in(page: Page) -> None:
    """Fill in the sign-in page and, the first time or if the application wants it, consent."""
    for name, text in HOLDER.items():
        page.locator(f"[name={name}]").fill(text)
    with page.expect_navigation():
        page.get_by_role("button", name="Ingresar", exact=True).click()
    consent = page.get_by_role("button", name="Permitir y entrar", exact=True)
    if consent.count():
        with page.expect_navigation():
            consent.click()


@contextmanager
def running(home: Path) -> Iterator[Clave]:
    """Run a Clave on a free port."""
    with installation.running(home) as live:
        yield Clave(live)
