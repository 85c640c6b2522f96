"""External services of a demo or a test, as real servers: registries and SMS gateway over HTTP, mail over SMTP.

Started by `manage.py sandbox_services`. Received messages are written to files in `CLAVE_HOME/mailbox`. The behaviour
of each service (ok, slow, down, nonsense) is read from `CLAVE_HOME/behaviour.json` on every request.
"""

import json
import time
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol

from aiosmtpd.controller import Controller
from django.conf import settings

from clave.sandbox.people import COMPANIES, PEOPLE

BEHAVIOURS = ("ok", "slow", "down", "nonsense")
SERVICES = ("registro_civil", "sii", "sms", "smtp")
SLOW_SECONDS = 10


def mailbox() -> Path:
    folder = Path(settings.CLAVE_HOME) / "mailbox"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _file() -> Path:
    return Path(settings.CLAVE_HOME) / "behaviour.json"


def behaviours() -> dict[str, str]:
    """Return the current behaviour of each service."""
    configured = json.loads(_file().read_text()) if _file().exists() else {}
    return {name: configured.get(name, "ok") for name in SERVICES}


def set_behaviour(name: str, how: str) -> None:
    """Set a service's behaviour."""
    if name not in SERVICES or how not in BEHAVIOURS:
        raise ValueError(f"{name}: {how}")
    _file().write_text(json.dumps({**behaviours(), name: how}))


def _store(kind: str, content: dict[str, object]) -> None:
    # Names sort by time. Written to a temporary name and renamed, so that readers never see a partial message.
    name = f"{time.time_ns()}-{kind}.json"
    part = mailbox() / f".{name}"
    part.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    part.rename(mailbox() / name)


def messages() -> list[dict[str, Any]]:
    """Return the received messages, newest first."""
    files = sorted(mailbox().glob("[0-9]*.json"), reverse=True)
    return [json.loads(file.read_text(encoding="utf-8")) for file in files]


class Edge(BaseHTTPRequestHandler):
    """Registro Civil under /registro-civil/, the SII under /sii/, the SMS gateway at /sms."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: the URLs contain RUNs."""

    def do_GET(self) -> None:
        self._handle()

    def do_POST(self) -> None:
        self._handle()

    def _handle(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else {}
        name = self.path.split("/")[1].replace("-", "_")
        if name not in SERVICES:
            self._answer(404, {"error": "not found"})
            return
        how = behaviours()[name]
        if how == "slow":
            time.sleep(SLOW_SECONDS)
        if how == "down":
            self._answer(503, {"error": "down"})
        elif how == "nonsense":
            self._answer(200, ["?"])
        else:
            {"sms": self._sms, "sii": self._sii}.get(name, self._registry)(body)

    def _sms(self, body: dict[str, str]) -> None:
        _store("sms", {"kind": "sms", "id": self.headers.get("Idempotency-Key"), "at": time.time(), **body})
        self._answer(202, {"accepted": True})

    def _registry(self, body: dict[str, str]) -> None:
        if self.path == "/registro-civil/cedulas/verificar":
            person = PEOPLE.get(str(body.get("run")))
            valid = bool(person and person["serie"] and person["serie"] == body.get("serie"))
            self._answer(200, {"vigente": valid})
        elif person := PEOPLE.get(self.path.removeprefix("/registro-civil/personas/")):
            self._answer(200, {name: value for name, value in person.items() if name != "serie"})
        else:
            self._answer(404, {"error": "not found"})

    def _sii(self, body: dict[str, str]) -> None:
        if self.path == "/sii/representantes/verificar":
            company = COMPANIES.get(str(body.get("rut_empresa")))
            self._answer(200, {"representa": bool(company and body.get("run") in company["representantes"])})
        elif company := COMPANIES.get(self.path.removeprefix("/sii/contribuyentes/")):
            self._answer(200, {"razon_social": company["razon_social"], "vigente": company["vigente"]})
        else:
            self._answer(404, {"error": "not found"})

    def _answer(self, status: int, content: object) -> None:
        data = json.dumps(content).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True


class Envelope(Protocol):
    """A received mail, as aiosmtpd hands it over."""

    content: bytes
    rcpt_tos: list[str]


class Mail:
    """aiosmtpd handler that stores received mail."""

    async def handle_DATA(self, server: object, session: object, envelope: Envelope) -> str:
        if behaviours()["smtp"] != "ok":
            return "451 not now"
        mail = message_from_bytes(envelope.content, policy=policy.default)
        parts = {part.get_content_type(): part.get_content() for part in mail.walk() if not part.is_multipart()}
        _store(
            "email",
            {
                "kind": "email",
                "id": mail["Message-ID"],
                "at": time.time(),
                "to": ", ".join(envelope.rcpt_tos),
                "from": mail["From"],
                "subject": mail["Subject"],
                "text": parts.get("text/plain", ""),
                "html": parts.get("text/html", ""),
            },
        )
        return "250 OK"


def serve(http_port: int, smtp_port: int) -> ThreadingHTTPServer:
    """Start both servers on the loopback address; the caller runs `serve_forever` on the returned one."""
    Controller(Mail(), hostname="127.0.0.1", port=smtp_port).start()
    ThreadingHTTPServer.daemon_threads = True
    return ThreadingHTTPServer(("127.0.0.1", http_port), Edge)
