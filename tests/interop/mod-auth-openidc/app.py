"""The application behind Apache: it shows who Apache says has signed in. Apache has checked the id token."""

import base64
import hashlib
import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote

LEAVE = "/oidc/callback?logout=" + quote(os.environ["POST_LOGOUT_REDIRECT_URI"], safe="")


class Pages(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path in ("/me", "/refresh"):
            self.answer(200, "application/json", json.dumps(self.told()))
        elif self.path == "/logout":
            self.answer(302, "text/plain", "", LEAVE)
        else:
            self.answer(200, "text/html", '<a href="/me">Ingresar</a>')

    def told(self):
        header, claims = (decoded(part) for part in self.headers["OIDC_id_token"].split(".")[:2])
        return {
            "id_token": claims,
            "kid": header["kid"],
            "userinfo": json.loads(self.headers["OIDC_userinfo_json"]),
            "access_token": hashlib.sha256(self.headers["OIDC_access_token"].encode()).hexdigest()[:16],
        }

    def answer(self, status, kind, text, location=""):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(text.encode())


def decoded(part):
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Pages).serve_forever()
