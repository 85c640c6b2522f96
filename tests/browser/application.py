"""A relying application of another site: it sends people to Clave, takes the answer, and knows who they are."""

import base64
import hashlib
import json
import secrets
import threading
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx

from tests.installation import LiveInstallation

Fields = dict[str, str]


class RelyingApplication(ThreadingHTTPServer):
    """Listens on `localhost`, while Clave is visited as 127.0.0.1: another site, to a browser's cookies too."""

    def __init__(self, site: LiveInstallation, name: str = "Aula Virtual", *, frontchannel: bool = False) -> None:
        super().__init__(("127.0.0.1", 0), Pages)
        self.site, self.name = site, name
        self.url = f"http://localhost:{self.server_port}"
        self.changes: Fields = {}
        self.told_by_frame: list[Fields] = []
        self.tokens: dict[str, Any] = {}
        self._state, self._verifier = "", ""
        registered = ["--redirect-uri", f"{self.url}/volver", "--post-logout-redirect-uri", f"{self.url}/adios"]
        if frontchannel:
            registered += ["--frontchannel-logout-uri", f"{self.url}/aviso"]
        words = ["sso_client", "create", "--name", name, *registered, "--json"]
        made = json.loads(site.shell(f"from django.core.management import call_command; call_command(*{words!r})"))
        self.client_id, self._secret = made["client_id"], made["client_secret"]
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.shutdown()
        self.server_close()

    def authorize_url(self) -> str:
        self._state, self._verifier = secrets.token_urlsafe(8), secrets.token_urlsafe(40)
        digest = hashlib.sha256(self._verifier.encode()).digest()
        fields = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": f"{self.url}/volver",
            "scope": "openid profile email run",
            "state": self._state,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        return f"{self.site.url}/sso/authorize?{urlencode(fields | self.changes)}"

    def logout_url(self) -> str:
        fields = {"id_token_hint": self.tokens["id_token"], "post_logout_redirect_uri": f"{self.url}/adios"}
        return f"{self.site.url}/sso/logout?{urlencode(fields)}"

    def signed_in(self, answer: Fields) -> str:
        """Take what the browser came back with; return what the person is told."""
        if answer.get("state") != self._state:
            return "no pedimos esta respuesta"
        if "error" in answer:
            return f"sin ingresar: {answer['error']}"
        fields = {"grant_type": "authorization_code", "code": answer["code"], "code_verifier": self._verifier}
        fields |= {"redirect_uri": f"{self.url}/volver", "client_id": self.client_id, "client_secret": self._secret}
        self.tokens = httpx.post(f"{self.site.url}/sso/token", data=fields).raise_for_status().json()
        authorization = {"Authorization": f"Bearer {self.tokens['access_token']}"}
        who = httpx.get(f"{self.site.url}/sso/userinfo", headers=authorization).raise_for_status().json()
        return f"Hola, {who['name']} ({who['run']})"

    def is_still_signed_in(self) -> bool:
        authorization = {"Authorization": f"Bearer {self.tokens['access_token']}"}
        return httpx.get(f"{self.site.url}/sso/userinfo", headers=authorization).status_code == 200


class Pages(BaseHTTPRequestHandler):
    server: RelyingApplication

    def do_GET(self) -> None:
        path, query = urlsplit(self.path).path, dict(parse_qsl(urlsplit(self.path).query))
        if path == "/volver":
            self._show(self.server.signed_in(query))
        elif path == "/adios":
            self._show("Hasta luego")
        elif path == "/aviso":
            self.server.told_by_frame.append(query)
            self._show("")
        elif path == "/":
            self._show(f'<a href="{escape(self.server.authorize_url())}">Ingresar con Clave SENCE</a>')
        else:
            self.send_error(404)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self._show(self.server.signed_in(dict(parse_qsl(body))) + " por formulario")

    def _show(self, body: str) -> None:
        name = self.server.name
        page = f"<!doctype html><html lang=es><title>{name}</title><main>{body}</main></html>".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_: object) -> None:
        """Stay silent."""
