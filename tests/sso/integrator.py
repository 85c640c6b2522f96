"""An integrator's application for the checker to visit: right, or wrong in one way that its name says."""

import base64
import hashlib
import json
import secrets
import threading
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from django.conf import settings
from django.db import connections

from clave.sso.models import Client
from clave.web.own_site import http_client
from tests.sso.application import Application

Fields = dict[str, str]


class Integrator(ThreadingHTTPServer):
    """A server on this machine. `fault` says what it does wrong, if anything."""

    def __init__(self, fault: str = "", **fields: Any) -> None:
        super().__init__(("127.0.0.1", 0), Pages)
        self.fault = fault
        self.url = f"http://127.0.0.1:{self.server_port}"
        addresses = {"redirect_uris": [f"{self.url}/callback"], "post_logout_redirect_uris": [f"{self.url}/"]}
        self.app = Application(**{**addresses, **fields})
        self.sessions: dict[str, Fields] = {}
        self.asked: list[str] = []
        self.tokens: Fields = {}
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def client(self) -> Client:
        return self.app.client

    def close(self) -> None:
        self.shutdown()
        self.server_close()

    def login_url(self, session: Fields) -> str:
        session["state"] = {"fixed_state": "x" * 40, "short_state": secrets.token_hex(4)}.get(
            self.fault, secrets.token_urlsafe(32)
        )
        session["verifier"] = secrets.token_urlsafe(40)
        digest = base64.urlsafe_b64encode(hashlib.sha256(session["verifier"].encode()).digest()).rstrip(b"=").decode()
        fields = {
            "response_type": "code",
            "client_id": self.app.client_id,
            "redirect_uri": self.client.redirect_uris[0],
            "scope": "openid run unregistered" if self.fault == "wrong_scope" else "openid profile run",
            "state": session["state"],
            "code_challenge": digest,
            "code_challenge_method": "S256",
        }
        return f"{settings.CLAVE_URL}/sso/authorize?{urlencode(fields)}"

    def redeem(self, code: str, session: Fields) -> Fields:
        """Exchange a code as this application's server does, and close what this thread opened."""
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.client.redirect_uris[0],
            "code_verifier": session["verifier"],
        }
        try:
            with http_client() as http:
                answer = http.post("/sso/token", data=fields, auth=(self.app.client_id, self.app.secret))
        finally:
            connections.close_all()
        return dict(answer.json())


class Pages(BaseHTTPRequestHandler):
    """The application's pages: home, sign-in, callback, sign-out."""

    server: Integrator

    def log_message(self, *_: Any) -> None:
        """Say nothing of each request."""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self.server.asked.append(parts.path)
        cookie = SimpleCookie(self.headers.get("Cookie", ""))
        self.key = cookie["sesion"].value if "sesion" in cookie else secrets.token_hex(8)
        session = self.server.sessions.setdefault(self.key, {})
        pages = {"/": self.home, "/ingresar": self.login, "/callback": self.callback, "/salir": self.logout}
        pages.get(parts.path, self.home)(session, dict(parse_qsl(parts.query)))

    def home(self, session: Fields, sent: Fields) -> None:
        words = "Entrar" if self.server.fault == "nameless_button" else "Ingresar con Clave SENCE"
        page = f'<a href="/ingresar">{words}</a>'
        if self.server.fault == "frame":
            page += f'<iframe src="{self.server.login_url({})}"></iframe>'
        if self.server.fault == "secret_in_page":
            page += f"<script>const secreto = '{self.server.app.secret}'</script>"
        if session.get("sub"):
            page = '<p>Hola</p><a href="/salir">Cerrar sesión</a>'
        self.show(page)

    def login(self, session: Fields, sent: Fields) -> None:
        self.lead(self.server.login_url(session))

    def callback(self, session: Fields, sent: Fields) -> None:
        fault = self.server.fault
        if fault == "leads_nowhere":
            return self.lead("http://[")
        if fault == "elsewhere":
            return self.lead("http://169.254.169.254/latest/meta-data")
        if "error" in sent:
            return self.show("No se pudo", 500 if fault == "fails_when_refused" else 400)
        state = session.get("state", "") if fault == "state_is_kept" else session.pop("state", "")
        if fault != "state_is_ignored" and (not state or sent.get("state") != state):
            return self.show("No se pudo", 400)
        if fault == "never_redeems":
            return self.show(json.dumps(sent))
        told = self.server.redeem(sent["code"], session if "verifier" in session else {"verifier": "x" * 50})
        if "id_token" not in told:
            return self.show("No se pudo", 400)
        session |= {"sub": "x", "id_token": told["id_token"]}
        if fault == "token_in_address":
            return self.lead(f"/?token={told['access_token']}")
        return self.lead("/")

    def logout(self, session: Fields, sent: Fields) -> None:
        id_token = session.pop("id_token", "")
        session.clear()
        if self.server.fault == "only_leaves_itself":
            return self.lead("/")
        back = self.server.client.post_logout_redirect_uris[0]
        fields = {"id_token_hint": id_token, "post_logout_redirect_uri": back}
        return self.lead(f"{settings.CLAVE_URL}/sso/logout?{urlencode(fields)}")

    def show(self, page: str, status: int = 200) -> None:
        body = f"<!doctype html><title>x</title>{page}".encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Set-Cookie", f"sesion={self.key}; HttpOnly; Path=/")
        self.end_headers()
        self.wfile.write(body)

    def lead(self, to: str) -> None:
        self.send_response(302)
        self.send_header("Location", to)
        self.send_header("Content-Length", "0")
        self.send_header("Set-Cookie", f"sesion={self.key}; HttpOnly; Path=/")
        self.end_headers()
