"""Everybody's registry, SMS gateway and mail server, which outlive what is killed and count what they are given."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any

from aiosmtpd.controller import Controller

from clave.operations.launcher import free_port

ANYBODY = {
    "nombres": "Persona",
    "apellido_paterno": "De",
    "apellido_materno": "Prueba",
    "sexo": "F",
    "fecha_nacimiento": "1990-01-01",
    "fallecido": False,
}


class Outside:
    """What has arrived: (destination, first words) with the ids of the messages."""

    def __init__(self) -> None:
        self.http_port, self.smtp_port = free_port(), free_port()
        self.mail_hangs = False
        self._arrived: dict[tuple[str, str], list[str]] = {}
        self._lock = Lock()

    def keep(self, destination: str, words: str, message_id: str) -> None:
        with self._lock:
            self._arrived.setdefault((destination, words), []).append(message_id)

    def arrived(self) -> dict[tuple[str, str], list[str]]:
        with self._lock:
            return {what: list(ids) for what, ids in self._arrived.items()}

    @property
    def environ(self) -> dict[str, str]:
        base = f"http://127.0.0.1:{self.http_port}"
        return {
            "REGISTRO_CIVIL_URL": base,
            "SMS_GATEWAY_URL": f"{base}/sms",
            "EMAIL_HOST": "127.0.0.1",
            "EMAIL_PORT": str(self.smtp_port),
        }

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.mail_hangs:
            while self.mail_hangs:
                await asyncio.sleep(0.05)
            return "451 4.3.0 not now"
        mail = message_from_bytes(envelope.content, policy=policy.default)
        for destination in envelope.rcpt_tos:
            self.keep(destination, str(mail["Subject"]), str(mail["Message-ID"]))
        return "250 OK"


@contextmanager
def running() -> Iterator[Outside]:
    """Run them while the block runs."""
    outside = Outside()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            self._answer(ANYBODY)

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            outside.keep(body["to"], "SMS", str(self.headers["Idempotency-Key"]))
            self._answer({"accepted": True})

        def _answer(self, content: Any) -> None:
            data = json.dumps(content).encode()
            try:
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)
            except OSError:  # who asked was killed
                self.close_connection = True

    server = ThreadingHTTPServer(("127.0.0.1", outside.http_port), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    mail = Controller(outside, hostname="127.0.0.1", port=outside.smtp_port)
    mail.start()
    try:
        yield outside
    finally:
        outside.mail_hangs = False
        mail.stop()
        server.shutdown()
        server.server_close()
