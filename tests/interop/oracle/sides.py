"""The two providers that are asked the same: a Clave of the demo, and one made of django-oidc-provider."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx

from clave.operations.launcher import free_port
from tests import installation

HERE = Path(__file__).parent
CLIENT_ID, SECRET, RETURN = "claveunica-demo", "secreto-de-claveunica-demo", "http://localhost:3000/callback"
OTHER_RETURN = "http://localhost:3000/auth/callback"
Form = dict[str, str | None]


class Side:
    """A provider, and what an application and its person do there."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = httpx.Client(base_url=url, timeout=30)

    def authorize(self, query: str) -> httpx.Response:
        """Send a person with a new browser; return the response that leaves the provider or ends there."""
        browser = httpx.Client(base_url=self.url, timeout=30)
        response = browser.get(f"/openid/authorize?{query}")
        while response.headers.get("Location", "").startswith("/"):
            response = browser.get(response.headers["Location"])
        if 'name="password"' in response.text:
            seal = response.text.split('csrfmiddlewaretoken" value="')[1].split('"')[0]
            typed = {"csrfmiddlewaretoken": seal, "rut": "44.444.444-4", "password": "testing"}
            response = browser.post(response.url, data=typed)
        return response

    def query(self, **changes: str | None) -> str:
        usual: Form = {"client_id": CLIENT_ID, "response_type": "code", "scope": "openid run name email"}
        usual |= {"redirect_uri": RETURN, "state": "abc"}
        return urlencode({name: value for name, value in {**usual, **changes}.items() if value is not None})

    def code(self, **changes: str | None) -> str:
        location = self.authorize(self.query(**changes)).headers["Location"]
        return dict(parse_qsl(urlsplit(location).query))["code"]

    def fields(self, **changes: str | None) -> dict[str, str]:
        """Return the token form with a new code; None leaves a field out."""
        usual: Form = {"client_id": CLIENT_ID, "client_secret": SECRET, "grant_type": "authorization_code"}
        usual |= {"redirect_uri": RETURN, "state": "abc"}
        if "code" not in changes and "grant_type" not in changes:
            usual["code"] = self.code()
        return {name: value for name, value in {**usual, **changes}.items() if value is not None}

    def token(self, **changes: str | None) -> httpx.Response:
        return self.http.post("/openid/token/", data=self.fields(**changes))

    def tokens(self, **changes: str | None) -> dict[str, Any]:
        return dict(self.token(**changes).json())

    def refresh(self, token: str, **changes: str | None) -> httpx.Response:
        return self.token(grant_type="refresh_token", refresh_token=token, **changes)

    def userinfo(self, method: str = "POST", scheme: str = "Bearer", **request: Any) -> httpx.Response:
        headers = {"Authorization": f"{scheme} {self.tokens()['access_token']}", **request.pop("headers", {})}
        return self.http.request(method, "/openid/userinfo/", headers=headers, **request)


@contextmanager
def clave(home: Path) -> Iterator[Side]:
    """Run a Clave of the demo on a free port."""
    with installation.running(home, CLAVE_LOG_LEVEL="ERROR") as live:
        yield Side(live.url)


@contextmanager
def oracle(environment: Path) -> Iterator[Side]:
    """Run the oracle on a free port, in an environment of its own."""
    port = free_port()
    command = [str(environment / "bin" / "python"), str(HERE / "server.py"), str(port), RETURN, OTHER_RETURN]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            installation.wait_for(f"http://127.0.0.1:{port}/openid/jwks")
            yield Side(f"http://127.0.0.1:{port}")
        finally:
            process.terminate()


def installed(environment: Path) -> Path:
    """Return an environment with the oracle's pinned packages, made if it is not there."""
    wanted = HERE / "requirements.txt"
    seal = environment / "requirements.txt"
    if not seal.exists() or seal.read_text() != wanted.read_text():
        subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
        pip = [str(environment / "bin" / "pip"), "install", "-q", "--disable-pip-version-check", "-r", str(wanted)]
        subprocess.run(pip, check=True)
        seal.write_text(wanted.read_text())
    return environment
