"""Who is slow, silent or too many holds nobody else up."""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from io import BytesIO
from typing import Any

import httpx
import pytest
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.wsgi import get_wsgi_application

from clave.operations import launcher
from clave.rce import service
from clave.rce.models import PendingRequest
from clave.web import bodies, gate
from clave.web.errors import RETRY_SECONDS
from tests import installation
from tests.installation import until
from tests.wire.platform import Platform

CLOSE = "/rce/Registro/CerrarSesion"
FORM = {"CONTENT_TYPE": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[installation.LiveInstallation]:
    """A site with a single worker, so that what holds it up holds up everything."""
    with installation.running(tmp_path_factory.mktemp("gate")) as running:
        yield running


class Asked:
    """One request to a gate, and what came of it."""

    def __init__(self, to: gate.Gate, path: str = "/", body: Any = b"", length: int = -1, **environ: str) -> None:
        self.status = ""
        self.headers: dict[str, str] = {}
        self.input = body if hasattr(body, "read") else BytesIO(body)
        said = len(body) if length < 0 else length
        whole = {"REQUEST_METHOD": "POST" if said else "GET", "PATH_INFO": path, "wsgi.input": self.input}
        whole |= {"CONTENT_LENGTH": str(said), "SERVER_NAME": "localhost", "SERVER_PORT": "80", "QUERY_STRING": ""}
        whole |= {"wsgi.url_scheme": "http", "REMOTE_ADDR": "203.0.113.5", "HTTP_HOST": "localhost", **FORM, **environ}
        self.text = b"".join(to(whole, self._start)).decode()

    def _start(self, status: str, headers: list[tuple[str, str]]) -> None:
        self.status, self.headers = status, dict(headers)


class Plain:
    """What an application answers, as the gate sees it."""

    streaming = False

    def __init__(self, content: bytes) -> None:
        self.content = content

    def close(self) -> None:
        """Nothing is held."""


class Busy:
    """An application that is not done before it is told so."""

    def __init__(self) -> None:
        self.done, self.inside, self.most = threading.Event(), 0, 0
        self.lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start: Any) -> Plain:
        if environ["PATH_INFO"] == "/busy":
            with self.lock:
                self.inside += 1
                self.most = max(self.most, self.inside)
            assert self.done.wait(30)
            with self.lock:
                self.inside -= 1
        start("200 OK", [])
        return Plain(b"done")


@pytest.mark.abuse(41)
def test_whoever_comes_when_too_many_wait_is_told_so_at_once() -> None:
    busy = Busy()
    entrance = gate.Gate(busy)
    all_places = gate.INSIDE + gate.WAITING
    answers: list[Asked] = []
    crowd = [threading.Thread(target=lambda: answers.append(Asked(entrance, "/busy"))) for _ in range(all_places)]
    for one in crowd:
        one.start()
    try:
        until(lambda: entrance._room.waiting == gate.WAITING and busy.inside == gate.INSIDE)
        late = Asked(entrance, "/")
        assert late.status == "503 Service Unavailable" and late.headers["Retry-After"] == str(RETRY_SECONDS)
        assert "Hay muchas personas en este momento" in late.text and "HTTP-503" in late.text
        assert late.headers["Cache-Control"] == "no-store" and "Set-Cookie" not in late.headers
        assert late.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert "Many people" in Asked(entrance, "/", HTTP_COOKIE="idioma=en").text
        assert Asked(entrance, "/healthz").text == "done", "a busy worker is not a broken one"
    finally:
        busy.done.set()
        for one in crowd:
            one.join()
    assert [each.text for each in answers] == ["done"] * all_places and busy.most == gate.INSIDE
    assert Asked(entrance, "/").text == "done", "every place was given back"


@pytest.mark.abuse(77)
@pytest.mark.parametrize(
    ("path", "urgent"),
    [
        ("/rce/Registro/CerrarSesion", True),
        ("/asistencia/cerrar/0123456789abcdef0123456789abcdef", True),
        (f"/rce/solicitud/{service.CLOSING_ID_PREFIX}0123456789abcdef0123456789a", True),
        ("/rce/Registro/IniciarSesion", False),
        ("/rce/solicitud/0123456789abcdef0123456789abcdef", False),
        ("/ingresar", False),
        ("/", False),
    ],
)
def test_what_closes_attendance_is_known_by_its_address(
    path: str, urgent: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []
    entrance = gate.Gate(Busy())

    def enter(urgent: bool) -> bool:
        asked.append(urgent)
        return False

    monkeypatch.setattr(entrance._room, "enter", enter)
    assert Asked(entrance, path).status.startswith("503") and asked == [urgent]


@pytest.mark.abuse(77)
def test_the_request_that_closes_a_session_has_an_address_that_says_so(demo: None) -> None:
    lms = Platform()
    opened = lms.open()
    lms.close(opened.fields["IdSesionSence"])
    assert PendingRequest.objects.get(closing=True).pk.startswith(service.CLOSING_ID_PREFIX)
    assert not PendingRequest.objects.get(closing=False).pk.startswith(service.CLOSING_ID_PREFIX)


@pytest.mark.abuse(77)
def test_files_and_the_health_check_never_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staticfiles_storage, "hashed_files", {"a.css": "a.123.css"}, raising=False)
    entrance = gate.Gate(Busy())
    monkeypatch.setattr(entrance._room, "enter", lambda urgent: False)
    for path in ("/static/a.123.css", "/healthz"):
        assert Asked(entrance, path).text == "done"
        assert Asked(entrance, path, b"x=1").status.startswith("503"), "only to look"
    assert Asked(entrance, "/static/nothing.css").status.startswith("503"), "who asks for no file waits as for a page"


@pytest.mark.abuse(42)
def test_a_body_cut_off_is_not_taken_for_the_whole() -> None:
    reached: list[bytes] = []

    def application(environ: dict[str, Any], start: Any) -> Plain:
        reached.append(environ["wsgi.input"].read())
        start("200 OK", [])
        return Plain(b"")

    entrance = gate.Gate(application)
    for length in (100, 100_000):
        cut = Asked(entrance, "/ingresar", b"rut=1", length=length)
        assert cut.status == "400 Bad Request" and not reached
    for whole in (b"rut=1", b"x" * 70_000, b"x" * 1_000_000):
        assert Asked(entrance, "/ingresar", whole).status == "200 OK" and reached.pop() == whole


@pytest.mark.abuse(42)
def test_what_is_too_long_is_refused_unread(demo: None) -> None:
    entrance = gate.Gate(get_wsgi_application())
    long = Asked(entrance, "/ingresar", b"x" * 3_000_000)
    assert long.status.startswith("413") and long.input.tell() == 0
    assert Asked(entrance, "/ingresar", b"rut=" + b"1" * 1_000_000).status.startswith("400")


class Slow:
    """A body that does not come until it is told to."""

    def __init__(self) -> None:
        self.begun, self.done = threading.Event(), threading.Event()

    def read(self, size: int) -> bytes:
        self.begun.set()
        assert self.done.wait(30)
        return b"rut=1"[:size]


@pytest.mark.abuse(42)
def test_one_address_cannot_take_every_place_for_bodies() -> None:
    entrance, slow = gate.Gate(Busy()), [Slow() for _ in range(bodies.OF_ONE)]
    crowd = [threading.Thread(target=Asked, args=(entrance, "/ingresar", body, 5)) for body in slow]
    for one in crowd:
        one.start()
    try:
        assert all(body.begun.wait(30) for body in slow)
        assert Asked(entrance, "/ingresar", b"rut=1").status.startswith("503")
        assert Asked(entrance, "/ingresar", b"rut=1", REMOTE_ADDR="203.0.113.6").text == "done"
    finally:
        for body in slow:
            body.done.set()
        for one in crowd:
            one.join()
    assert Asked(entrance, "/ingresar", b"rut=1").text == "done"


@pytest.mark.abuse(77)
def test_one_address_cannot_take_the_precedence_of_all_who_close_attendance(monkeypatch: pytest.MonkeyPatch) -> None:
    entrance = gate.Gate(Busy())
    nested: list[bool] = []

    def enter(urgent: bool) -> bool:
        # While this one waits, more come: from the same address, and at last from another.
        nested.append(urgent)
        if len(nested) <= gate.URGENT_OF_ONE:
            Asked(entrance, CLOSE)
        elif len(nested) == gate.URGENT_OF_ONE + 1:
            Asked(entrance, CLOSE, REMOTE_ADDR="203.0.113.6")
        return False

    monkeypatch.setattr(entrance._room, "enter", enter)
    Asked(entrance, CLOSE)
    assert nested == [True] * gate.URGENT_OF_ONE + [False, True]


@pytest.mark.abuse(78)
@pytest.mark.parametrize(
    "charset", ["charset=zlib", "charset=rot13", " CHARSET = undefined", "charset*=utf-8''idna", "charset=utf-8"]
)
def test_a_charset_that_is_none_is_no_fault_of_ours(demo: None, charset: str) -> None:
    entrance = gate.Gate(get_wsgi_application())
    for query, status in (("x=1", "200"), ("&".join("a" * 3001), "400")):
        answer = Asked(entrance, "/ingresar", CONTENT_TYPE=f"text/html; {charset}", QUERY_STRING=query)
        assert answer.status.startswith(status) and answer.headers, (charset, query)


def test_a_place_is_given_back_by_who_fails() -> None:
    def application(environ: dict[str, Any], start: Any) -> Plain:
        raise RuntimeError

    class Broken:
        def read(self, size: int) -> bytes:
            raise OSError

    entrance = gate.Gate(application)
    for body, error in ((b"", RuntimeError), (Broken(), OSError)):
        for _ in range(3 * (gate.INSIDE + gate.WAITING + bodies.AT_ONCE)):
            with pytest.raises(error):
                Asked(entrance, body=body, length=0 if body == b"" else 9)


def test_the_server_has_threads_for_all_who_may_wait() -> None:
    assert gate.INSIDE + gate.WAITING + gate.RESERVE + bodies.AT_ONCE < launcher.THREADS < launcher.CONNECTIONS


@pytest.mark.abuse(42)
@pytest.mark.slow
@pytest.mark.storeless
def test_forms_sent_slowly_hold_nobody_up(site: installation.LiveInstallation) -> None:
    with httpx.Client(base_url=site.url, timeout=10) as visitor:

        def post() -> int:
            return visitor.post("/ingresar", data={"rut": "11111111-1"}).status_code

        assert post() == 403, "no token came with it"
        with site.receiving_slow_forms(bodies.AT_ONCE + 30):
            assert post() == 503
            for _ in range(20):
                assert visitor.get("/").status_code == 200
        until(lambda: post() == 403)


@pytest.mark.abuse(42)
@pytest.mark.slow
@pytest.mark.storeless
def test_silent_and_idle_connections_keep_nobody_out(site: installation.LiveInstallation) -> None:
    ask = f"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:{site.port}\r\n\r\n".encode()
    with ExitStack() as stack:
        for _ in range(300):
            stack.enter_context(socket.create_connection(("127.0.0.1", site.port)))
        for _ in range(300):
            kept = stack.enter_context(socket.create_connection(("127.0.0.1", site.port), timeout=10))
            kept.sendall(ask)
            assert kept.recv(12) == b"HTTP/1.1 200"
        with httpx.Client(base_url=site.url, timeout=10) as visitor:
            assert visitor.get("/").status_code == 200


@pytest.mark.slow
@pytest.mark.storeless
def test_pages_heads_and_files_come_whole_through_the_gate(site: installation.LiveInstallation) -> None:
    with httpx.Client(base_url=site.url, timeout=10) as visitor:
        page = visitor.get("/")
        head = visitor.head("/")
        assert head.status_code == 200 and head.content == b""
        assert head.headers["Content-Length"] == page.headers["Content-Length"] == str(len(page.content))
        style = page.text.split('rel="stylesheet" href="')[1].split('"')[0]
        assert visitor.get(style).headers["Content-Type"].startswith("text/css")
        assert visitor.get("/nothing").status_code == 404
