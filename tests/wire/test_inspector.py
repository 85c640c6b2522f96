"""The protocol inspector: what a developer sees and can make happen."""

import pytest
from pytest_django import Settings

from clave.attendance.models import SessionStart
from clave.holders.models import Holder
from clave.lib import clock as clave_clock
from clave.sandbox import inspector
from clave.sandbox.courses import TOKEN
from tests.story import Visitor
from tests.wire.platform import Answer, Platform


@pytest.fixture
def developer(demo: None) -> Visitor:
    visitor = Visitor()
    visitor.open("/sandbox/inspector")
    return visitor


def press(visitor: Visitor, **data: str) -> None:
    token = visitor.client.cookies["csrftoken"].value
    visitor.post("/sandbox/inspector", {"csrfmiddlewaretoken": token, **data})


def test_each_exchange_shows_what_came_what_decided_and_what_was_answered(developer: Visitor) -> None:
    assert developer.page.shows("Todavía no hay intercambios", "Para copiar")
    platform = Platform()
    platform.ask("IniciarSesion", CodigoCurso="6700005")
    platform.post("IniciarSesion")
    page = developer.open("/sandbox/inspector")
    assert page.shows("action_is_under_way", "GlosaError=310", "esperando", "CodigoCurso=6700005")
    Answer(platform.sign())
    page = developer.open("/sandbox/inspector")
    assert page.shows("all checks passed → opened") and "esperando" not in page.text
    assert "KM482915" not in page.html and "Token=…0001" in page.html


def test_what_is_kept_of_the_exchanges_does_not_grow_for_ever(
    developer: Visitor, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspector, "MOST_BYTES", 4_000)
    platform = Platform()
    for number in range(30):
        platform.ask("IniciarSesion", CodigoCurso="6700005", IdSesionAlumno=f"vez-{number}-")
    sizes = [file.stat().st_size for file in settings.CLAVE_HOME.glob("inspector*.jsonl")]
    assert len(sizes) <= 2 and max(sizes) < 6_000
    assert developer.open("/sandbox/inspector").shows("vez-29-", "vez-28-")


def test_a_code_can_be_wished_for_as_often_as_one_likes(developer: Visitor) -> None:
    press(developer, token=TOKEN, codigo="305", veces="2")
    platform = Platform()
    assert [platform.ask("IniciarSesion").verdict for _ in range(2)] == ["error 305"] * 2
    assert platform.post("IniciarSesion").shows("Escriba su Clave SENCE")
    press(developer, token=TOKEN, codigo="999", veces="2")
    assert platform.post("IniciarSesion").shows("Escriba su Clave SENCE")


def test_the_clock_can_be_moved_and_put_right(developer: Visitor) -> None:
    opened = Platform().open()
    before = clave_clock.now()
    press(developer, minutos="60")
    press(developer, minutos="60")
    assert 7190 < (clave_clock.now() - before).total_seconds() < 7260
    assert Platform().close(opened.fields["IdSesionSence"]).page.shows("2 horas y 0 minutos")
    press(developer, minutos="0")
    assert abs((clave_clock.now() - before).total_seconds()) < 60 and inspector.moved() == 0
    press(developer, minutos="mucho")
    assert inspector.moved() == 0


def test_one_can_start_over(developer: Visitor) -> None:
    Platform().open()
    developer.register()
    press(developer, **{"de-nuevo": "1"})
    assert not SessionStart.objects.exists() and not Holder.objects.filter(identifier="44444444-4").exists()
    assert Platform().open().verdict == "opened"
