"""Behind `deploy/nginx/clave.conf` who is slow never gets to a worker, and everybody has their own address."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest

from clave.web import gate
from tests import installation, nginx
from tests.installation import until

pytestmark = [pytest.mark.needs("nginx"), pytest.mark.storeless]

HOST = "clave.example.cl"
FORM = "application/x-www-form-urlencoded"
FORGED = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "http", "Forwarded": "for=203.0.113.9"}
FORGED |= {"X-Real-IP": "203.0.113.9"}


def anybody() -> ssl.SSLContext:
    """Whoever's certificate it is."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def visitor(port: int, address: str = "127.0.0.1") -> httpx.Client:
    transport = httpx.HTTPTransport(verify=anybody(), local_address=address)
    headers = {"Host": HOST, "Referer": f"https://{HOST}/"}
    return httpx.Client(base_url=f"https://127.0.0.1:{port}", headers=headers, transport=transport, timeout=10)


def begin_form(port: int, address: str, body: str = "rut=1", length: int = 900) -> ssl.SSLSocket:
    """Send the head of a form and a part of its body."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=20, source_address=(address, 0))
    slow = anybody().wrap_socket(connection, server_hostname=HOST)
    head = f"POST /ingresar HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: {FORM}\r\nContent-Length: {length}\r\n"
    slow.sendall((head + "".join(f"{name}: {value}\r\n" for name, value in FORGED.items()) + f"\r\n{body}").encode())
    return slow


class Worker:
    """A server in the place of Clave's: what reaches it, headers and body."""

    def __init__(self) -> None:
        self.reached: list[tuple[dict[str, str], bytes]] = []
        reached = self.reached

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                reached.append((dict(self.headers.items()), body))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *words: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        Thread(target=self.server.serve_forever, daemon=True).start()


@contextmanager
def behind_nginx(folder: Path) -> Iterator[tuple[Worker, int]]:
    worker = Worker()
    try:
        with nginx.running(folder / "nginx", worker.port, folder) as port:
            yield worker, port
    finally:
        worker.server.shutdown()
        worker.server.server_close()


@pytest.mark.abuse(42)
def test_a_body_reaches_a_worker_when_all_of_it_is_there(tmp_path: Path) -> None:
    with behind_nginx(tmp_path) as (worker, port):
        slow, abandoned = begin_form(port, "127.0.0.7", "rut=1", 9), begin_form(port, "127.0.0.8")
        abandoned.close()
        visitor(port).post("/", data={"a": "1"}).raise_for_status()
        assert [body for _, body in worker.reached] == [b"a=1"], "it came later, and is there first"
        slow.sendall(b"&x=2")
        assert slow.recv(12) == b"HTTP/1.1 200"
        headers, body = worker.reached[1]
        assert body == b"rut=1&x=2" and len(worker.reached) == 2, "half a form is no form"
        assert headers["X-Forwarded-For"] == "127.0.0.7" and headers["X-Forwarded-Proto"] == "https"
        assert headers["Host"] == HOST and not {"Forwarded", "X-Real-IP"} & set(headers)


@pytest.mark.abuse(42)
def test_as_much_is_taken_as_clave_itself_would(tmp_path: Path, settings: Any) -> None:
    most = {"/": settings.CLAVE_MAX_BODY, **settings.CLAVE_UPLOADS}
    with behind_nginx(tmp_path) as (_, port), visitor(port) as client:
        for pattern, limit in most.items():
            path = pattern.replace("[0-9a-f]+", "0a").replace("(declaracion|datos)", "datos")
            assert client.post(path, content=b"x" * limit).status_code == 200, path
            assert client.post(path, content=b"x" * (limit + 1)).status_code == 413, path


def test_files_with_a_hash_are_kept_for_ever(tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web/clave.0123456789ab.css").write_text("p{}")
    (tmp_path / "web/clave.css").write_text("p{}")
    with behind_nginx(tmp_path) as (_, port), visitor(port) as client:
        file = client.get("/static/web/clave.0123456789ab.css")
        assert file.text == "p{}" and "immutable" in file.headers["Cache-Control"]
        assert file.headers["Content-Type"] == "text/css"
        assert client.get("/static/web/clave.css").status_code == 501, "that one the worker was asked for"


def test_while_clave_is_away_nginx_says_when_to_come_back(tmp_path: Path) -> None:
    with behind_nginx(tmp_path) as (worker, port), visitor(port) as client:
        worker.server.shutdown()
        worker.server.server_close()
        answer = client.get("/")
        assert answer.status_code == 503 and answer.headers["Retry-After"] == "5"
        assert "no responde en este momento" in answer.text and answer.headers["Cache-Control"] == "no-store"


@pytest.mark.abuse(42)
def test_clave_leaves_receiving_bodies_to_nginx(tmp_path: Path) -> None:
    """More forms are sent slowly than may be inside and wait: without nginx eight of them would stop this worker."""
    how_many = gate.INSIDE + gate.WAITING + 20
    with ExitStack() as stack:
        live = stack.enter_context(
            installation.running(
                tmp_path / "home", CLAVE_BUFFER_BODIES="0", CLAVE_TRUSTED_PROXIES="1", CLAVE_URL=f"https://{HOST}"
            )
        )
        port = stack.enter_context(nginx.running(tmp_path / "nginx", live.port, tmp_path / "home/static"))
        slow = [stack.enter_context(begin_form(port, f"127.0.0.{2 + number % 5}")) for number in range(how_many)]
        client = stack.enter_context(visitor(port, "127.0.0.77"))
        for _ in range(20):
            assert client.get("/").status_code == 200
        page = client.get("/backoffice/ingresar", headers=FORGED)
        token = page.text.split('csrfmiddlewaretoken" value="')[1].split('"')[0]
        typed = {"csrfmiddlewaretoken": token, "email": "a@b.cl", "password": "wrong", "code": "000000"}
        cookies = {"Cookie": "; ".join(f"{name}={value}" for name, value in page.cookies.items())}
        answer = client.post("/backoffice/ingresar", data=typed, headers={**FORGED, **cookies})
        assert "no son correctos" in answer.text, "the form was taken: nginx said that it came over TLS"
        assert ("127.0.0.77",) in live.query("SELECT address FROM audit_entry WHERE action = 'operator.signin'")
        until(lambda: slow[0].recv(1) == b"", 15)
