"""An application behind Keycloak. It trusts its own Keycloak's answers without checking them: it is not what is tried."""

import base64
import json
import os
import secrets
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

BROKER, SITE = os.environ["BROKER"], os.environ["POST_LOGOUT_REDIRECT_URI"].rstrip("/")
PROTOCOL = BROKER + "/protocol/openid-connect"
SESSIONS: dict[str, dict] = {}


class Pages(BaseHTTPRequestHandler):
    def do_GET(self):
        url = urlsplit(self.path)
        session = SESSIONS.get((self.headers["Cookie"] or "").removeprefix("app="))
        if url.path == "/login":
            query = {"client_id": "app", "redirect_uri": SITE + "/callback", "response_type": "code"}
            query |= {"scope": "openid", "kc_idp_hint": "clave"}
            self.answer(302, location=f"{PROTOCOL}/auth?" + urlencode(query))
        elif url.path == "/callback":
            form = {"grant_type": "authorization_code", "code": parse_qs(url.query)["code"][0]}
            form |= {"client_id": "app", "client_secret": "app", "redirect_uri": SITE + "/callback"}
            name = secrets.token_urlsafe()
            SESSIONS[name] = ask(f"{PROTOCOL}/token", urlencode(form).encode())
            self.answer(302, location="/me", cookie=f"app={name}; HttpOnly; Path=/")
        elif url.path == "/me" and session:
            self.answer(200, json.dumps(told(session["access_token"])))
        elif url.path == "/logout" and session:
            SESSIONS.clear()
            query = {"id_token_hint": session["id_token"], "post_logout_redirect_uri": SITE + "/"}
            self.answer(302, location=f"{PROTOCOL}/logout?" + urlencode(query))
        else:
            self.answer(200, '<a href="/login">Ingresar</a>')

    def answer(self, status, text="", **headers):
        self.send_response(status)
        self.send_header("Content-Type", "text/html")
        for name, value in headers.items():
            self.send_header("Set-Cookie" if name == "cookie" else name, value)
        self.end_headers()
        self.wfile.write(text.encode())


def told(access_token):
    """Return what Keycloak got from Clave: the token that it keeps, and whom it made of it."""
    bearer = {"Authorization": "Bearer " + access_token}
    kept = ask(f"{BROKER}/broker/clave/token", **bearer)
    header, claims = (decoded(part) for part in kept["id_token"].split(".")[:2])
    return {"id_token": claims, "kid": header["kid"], "keycloak": ask(f"{PROTOCOL}/userinfo", **bearer)}


def ask(url, form=None, **headers):
    with urllib.request.urlopen(urllib.request.Request(url, form, {"Accept": "application/json", **headers})) as answer:
        return json.load(answer)


def decoded(part):
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Pages).serve_forever()
