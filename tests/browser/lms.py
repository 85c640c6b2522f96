"""A learning platform of another site: it shows a form that posts to Clave, and decides by fields as plugins do."""

import threading
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

from tests.wire.platform import GOOD


class Lms(ThreadingHTTPServer):
    """Listens on `localhost`, while Clave is visited as 127.0.0.1: another site, to a browser's cookies too."""

    def __init__(self, clave: str) -> None:
        super().__init__(("127.0.0.1", 0), Pages)
        self.clave, self.session = clave, ""
        self.changes: dict[str, str] = {}
        self.received: list[tuple[str, dict[str, str], str]] = []
        self.url = f"http://localhost:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def form(self) -> str:
        endpoint = "CerrarSesion" if self.session else "IniciarSesion"
        back = {"UrlRetoma": f"{self.url}/volver?id=7&sec=2", "UrlError": f"{self.url}/error?id=7"}
        sent = {**GOOD, **back, **self.changes, **({"IdSesionSence": self.session} if self.session else {})}
        inputs = "".join(f'<input type="hidden" name="{name}" value="{escape(text)}">' for name, text in sent.items())
        return f'<form method="post" action="{self.clave}/rce/Registro/{endpoint}">{inputs}<button>{endpoint}</button></form>'

    def decide(self, fields: dict[str, str]) -> str:
        """GlosaError first, then IdSesionSence: by their presence, as the public plugins do."""
        if "GlosaError" in fields:
            return f"error {int(fields['GlosaError'])}"
        self.session = fields.get("IdSesionSence", "")
        return "sesión abierta" if self.session else "sesión cerrada"


class Pages(BaseHTTPRequestHandler):
    server: Lms

    def answer(self, body: str) -> None:
        page = f"<!doctype html><html lang=es><title>Aula</title><main>{body}</main></html>".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(page)

    def do_GET(self) -> None:
        self.answer(self.server.form())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        fields = {name: values[0] for name, values in parse_qs(body, keep_blank_values=True).items()}
        self.server.received.append((self.path, fields, self.headers.get("Origin", "")))
        self.answer(f"<p>{self.server.decide(fields)}</p>{self.server.form()}")

    def log_message(self, *_: object) -> None:
        """Stay silent."""
