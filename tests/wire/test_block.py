"""The block that a platform places in its course page."""

from typing import Any

import pytest
from django.test import Client

from clave.lib.clock import Stopped
from clave.sandbox.courses import CAMILA
from tests.story import Page
from tests.wire.platform import GOOD, Answer, Platform
from tests.wire.test_api import Server

ASKED = {name: text for name, text in GOOD.items() if name not in ("RutOtec", "Token")}


@pytest.fixture
def address(demo: None) -> str:
    status, answer = Server().call("post", "blocks", ASKED)
    assert status == 200
    return str(answer["url"]).split("8000")[-1]


def see(address: str) -> Page:
    """Look at the block as a frame does: without any cookie."""
    return Page(Client().get(address))


def test_the_block_shows_progress_and_opens_and_closes_a_session(address: str, clock: Stopped) -> None:
    page = see(address)
    assert page.shows(
        "Asistencia SENCE", "0 %", "Tiempo acreditado en SENCE: 0 hora(s) y 0 minuto(s)", "Enlaces útiles"
    )
    assert page.shows("Click aquí para abrir sesión en SENCE") and "Refresh" not in page.response.headers
    platform = Platform()
    platform.visitor.post(f"{address}/marca", {})
    opened = Answer(platform.sign())
    assert opened.verdict == "opened" and opened.fields["IdSesionAlumno"] == "moodle-42"
    clock.move(minutes=72)
    page = see(address)
    assert page.shows("Lleva 1 h 12 min", "le quedan 1 h 38 min", "cierre antes de las", "Cerrar sesión")
    assert "reloj verde" in page.html and page.response.headers["Refresh"] == "60"
    clock.move(minutes=70)
    assert "reloj ambar" in see(address).html
    clock.move(minutes=19)
    page = see(address)
    assert "reloj rojo" in page.html and page.shows("le quedan pocos minutos")
    platform.visitor.post(f"{address}/marca", {"IdSesionSence": opened.fields["IdSesionSence"]})
    assert Answer(platform.sign()).verdict == "closed"
    assert see(address).shows("2 hora(s) y 41 minuto(s)", "6 %", "está acreditada")


def test_a_lost_mark_is_told(address: str, clock: Stopped) -> None:
    Platform().open()
    clock.move(minutes=171)
    assert see(address).shows("no se acreditó: la sesión no se cerró a tiempo", "Click aquí para abrir")


@pytest.mark.abuse(18)
def test_only_the_platforms_own_site_may_frame_it_and_it_holds_no_secret(address: str) -> None:
    page = see(address)
    headers = page.response.headers
    assert "frame-ancestors https://aula.example.cl;" in headers["Content-Security-Policy"]
    assert "X-Frame-Options" not in headers
    for secret in (CAMILA, "11.111.111-1", "Camila", GOOD["Token"], "camila.rojas"):
        assert secret not in page.html and secret not in address
    other = Client().get("/rce/solicitud/" + "0" * 32)
    assert (
        other.headers["X-Frame-Options"] == "DENY"
        and "frame-ancestors 'none'" in other.headers["Content-Security-Policy"]
    )


@pytest.mark.parametrize("spoil", [lambda a: a[:-3] + "xxx", lambda a: a[:-40], lambda _: "/asistencia/bloque/x"])
def test_an_address_that_was_tampered_with_is_worth_nothing(address: str, spoil: Any) -> None:
    assert see(spoil(address)).status == 404
    assert Client().post(spoil(address) + "/marca", {}).status_code == 404


def test_the_address_is_good_for_half_a_day(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    now = time.time()
    monkeypatch.setattr("cryptography.fernet.time.time", lambda: now + 12 * 3600 + 5)
    assert see(address).status == 404


def test_who_is_not_enrolled_is_told_so(demo: None) -> None:
    _status, answer = Server().call("post", "blocks", {**ASKED, "RunAlumno": "33333333-3"})
    assert see(str(answer["url"]).split("8000")[-1]).shows("No está inscrito en este curso")
