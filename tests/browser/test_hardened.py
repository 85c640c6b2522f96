"""An installation that follows today's standards wherever the guides depart from them, with a shared cache."""

import os
import time
from collections.abc import Iterator

import httpx
import psycopg
import pytest

from tests import installation, redis
from tests.browser.reader import Reader

pytestmark = pytest.mark.needs("redis")
LONG, LONGER = "caballo grapadora pila", "otra frase bien larga"


@pytest.fixture(scope="module")
def cache() -> Iterator[redis.Cache]:
    with redis.running() as server:
        yield server


@pytest.fixture(scope="module")
def live(cache: redis.Cache, tmp_path_factory: pytest.TempPathFactory) -> Iterator[installation.LiveInstallation]:
    url = os.environ.get("DATABASE_URL", "")
    if url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("DROP DATABASE IF EXISTS clave_hardened WITH (FORCE)")
            connection.execute("CREATE DATABASE clave_hardened")
        url = url.rsplit("/", 1)[0] + "/clave_hardened"
    home = tmp_path_factory.mktemp("hardened")
    with installation.running(home, url, CLAVE_PROFILE="hardened", CACHE_URL=cache.url) as running:
        yield running


def readiness(live: installation.LiveInstallation, **wanted: bool) -> dict[str, object]:
    """Ask until the answer is as wanted: the worker reports itself a moment after the start."""
    deadline = time.monotonic() + 20
    while True:
        answer: dict[str, object] = httpx.get(f"{live.url}/readyz", timeout=20).json()
        if all(answer[name] is value for name, value in wanted.items()) or time.monotonic() > deadline:
            return answer


def test_no_secret_question_is_asked_and_the_key_is_a_phrase(reader: Reader) -> None:
    reader.open("/persona/registrarse").is_accessible("90-registro-reforzado")
    assert reader.page.locator("[name=question], [name=answer]").count() == 0
    reader.choose(region="13", comuna="13101").type(
        rut="44444444-4", serial="444555666", street="Pasaje Los Aromos", street_number="45",
        email="cuatro@example.cl", mobile="8765 4321", new_key="QZ571938", new_key_again="QZ571938",
    )  # fmt: skip
    reader.read_letters().press("Crear Cuenta").sees("La clave debe tener de 15 a 64 caracteres.")
    reader.type(new_key=LONG, new_key_again=LONG).read_letters().press("Crear Cuenta").sees("Su cuenta fue creada")
    reader.open("/ingresar").type(rut="44444444-4", key=LONG).press("Ingresar").sees("Persona De Prueba Cuatro")


def test_recovery_is_by_card_alone_and_a_new_mail_is_not_taken(reader: Reader) -> None:
    reader.open("/persona/recuperar").type(rut="22222222-2").read_letters().press("Validar")
    reader.sees("Número de serie").type(serial="987654321").press("Validar").is_accessible("91-recuperar-reforzado")
    assert reader.page.locator("[name=email]").count() == 0
    reader.page.get_by_label("Sí", exact=True).check()
    reader.read_letters().press("Recuperar Clave").sees("Su clave va en camino", "10 minutos")
    key = reader.key_for("diego.munoz@example.cl")
    reader.open("/persona/cambiar").type(rut="22222222-2", key=key).read_letters().press("Validar")
    reader.type(new_key=LONGER, new_key_again=LONGER).press("Cambiar Clave").sees("Su clave fue cambiada")


def test_without_its_cache_the_house_says_so_and_goes_on_serving(
    live: installation.LiveInstallation, cache: redis.Cache, reader: Reader
) -> None:
    assert readiness(live, worker=True, cache=True)["status"] == "ok"
    cache.die()
    assert readiness(live, cache=False)["status"] == "unavailable"
    reader.open("/ingresar").type(rut="11111111-1", key="KM482915").press("Ingresar").sees("Camila Rojas Soto")
