"""Signing in by ClaveÚnica and by Clave Tributaria, with the simulated ones: people and entities, link and unlink."""

import json

import pytest
from pytest_django import Settings

from clave.audit.models import Entry
from clave.holders.models import Holder
from clave.lib.clock import Stopped
from clave.sandbox import services
from clave.sso.models import UpstreamIdentity, UpstreamRequest
from clave.sso.upstream import client
from tests import firms
from tests.sso.doors import AUSTRAL, CAMILA, KEY, by_door, link_camila, linked
from tests.story import REGISTRATION, Visitor
from tests.wire.platform import Answer, Platform

pytestmark = [pytest.mark.usefixtures("doors"), pytest.mark.slow]
# What a registration asks for besides the RUT, which the door has confirmed.
TYPED = {name: text for name, text in REGISTRATION.items() if name != "rut"}


def test_the_sign_in_pages_offer_the_door_of_their_profile_only(visitor: Visitor) -> None:
    page = visitor.open("/ingresar?volver=/mi-cuenta/cursos")
    assert page.shows("Ingresar con ClaveÚnica") and "Clave Tributaria" not in page.text
    assert "/ingresar/con/claveunica?volver=%2Fmi-cuenta%2Fcursos" in page.html
    page = visitor.open("/ingresar/empresa")
    assert page.shows("Ingresar con Clave Tributaria") and "Ingresar con ClaveÚnica" not in page.text
    assert "Ingresar con Clave" not in visitor.open("/ingresar/migrante").text


def test_a_door_that_is_not_configured_is_nowhere(visitor: Visitor, settings: Settings) -> None:
    settings.CLAVEUNICA_ISSUER = ""
    assert "ClaveÚnica</a>" not in visitor.open("/ingresar").html
    for path in ("claveunica", "claveunica/respuesta", "otra", f"claveunica/{'0' * 16}/vincular"):
        assert visitor.open(f"/ingresar/con/{path}").status == 404


def test_after_linking_once_with_the_key_the_door_alone_signs_in(visitor: Visitor) -> None:
    assert link_camila(visitor).shows("Mi cuenta", "Camila Rojas Soto")
    assert linked() == [(CAMILA, "claveunica")] and not UpstreamRequest.objects.exists()
    other = Visitor("198.51.100.9")
    page = by_door(other, CAMILA, back="/mi-cuenta/cursos")
    assert page.shows("Excel intermedio") and page.url.endswith("/mi-cuenta/cursos")
    assert (other.client.session["door"], other.client.session["amr"]) == ("claveunica", [])
    entries = Entry.objects.filter(action__in=("signin", "door.linked")).order_by("pk")
    told = [(entry.action, entry.outcome, entry.detail.get("door")) for entry in entries]
    assert told == [("door.linked", "ok", "claveunica"), ("signin", "ok", None), ("signin", "ok", "claveunica")]


def test_linking_asks_for_the_right_key_and_for_a_captcha_after_a_wrong_one(visitor: Visitor) -> None:
    by_door(visitor, CAMILA)
    assert visitor.send(key="MALA123456").shows("Hay un problema", "Letras de la imagen")
    assert not linked()
    assert visitor.send(key=KEY).shows("Mi cuenta") and linked() == [(CAMILA, "claveunica")]


def test_a_company_enters_by_its_own_door(visitor: Visitor) -> None:
    page = by_door(visitor, AUSTRAL, "tributaria", back="/rts")
    assert page.shows("Vincular Clave Tributaria", "76.543.210-3", "RUT del representante legal")
    assert visitor.send(representative=firms.ROSA, key="CA739105").shows("Registro de tokens (RTS)")
    assert linked() == [(AUSTRAL, "tributaria")]
    assert by_door(Visitor("198.51.100.9"), AUSTRAL, "tributaria").shows("Mi cuenta", "Capacita Austral SpA")


def test_who_has_no_clave_sence_makes_one_with_the_run_that_the_door_confirmed(visitor: Visitor) -> None:
    page = by_door(visitor, "44444444-4")
    assert page.shows("Registrarse como Persona Natural", "ClaveÚnica confirmó su RUT")
    assert page.fields["rut"] == "44.444.444-4"
    assert visitor.send(**TYPED).shows("Su cuenta fue creada")
    assert linked() == [("44444444-4", "claveunica")]
    assert by_door(Visitor("198.51.100.9"), "44444444-4").shows("Mi cuenta", "Persona De Prueba Cuatro")


def test_the_door_stands_for_the_identity_card_where_registering_demands_one(
    visitor: Visitor, settings: Settings
) -> None:
    settings.REGISTRATION_PROOF = "id_card"
    assert "serial" in visitor.open("/persona/registrarse").fields
    assert "serial" not in by_door(visitor, "44444444-4").fields
    assert visitor.send(**TYPED).shows("Su cuenta fue creada")
    assert Holder.objects.get(identifier="44444444-4").card_checked_at is None, "nobody has seen the card"


def test_an_entity_without_an_account_registers_and_its_representative_still_shows_a_card(
    visitor: Visitor, settings: Settings
) -> None:
    settings.REGISTRATION_PROOF = "id_card"
    page = by_door(visitor, "78000111-9", "tributaria")
    assert page.shows("Registrar una Persona Jurídica") and page.fields["rut"] == "78.000.111-9"
    typed = {name: text for name, text in firms.NEW.items() if name != "rut"}
    assert visitor.send(**typed, serial="1").shows("no corresponde a una cédula vigente") and not linked()
    typed = {**typed, "serial": "444555666"}
    assert visitor.send(**typed).shows("fue creada") and linked() == [("78000111-9", "tributaria")]
    assert Holder.objects.get(identifier="78000111-9").card_checked_at


def test_the_account_shows_the_link_and_removes_it_after_the_key(visitor: Visitor) -> None:
    link_camila(visitor)
    assert visitor.open("/mi-cuenta").shows("Otras formas de ingresar")
    assert visitor.open("/mi-cuenta/puertas").shows("ClaveÚnica", "Vinculada desde el")
    assert visitor.open("/mi-cuenta/puertas/claveunica/quitar").shows("Quitar el vínculo con ClaveÚnica")
    assert visitor.send(key="MALA123456").shows("La Clave SENCE no es correcta") and linked()
    assert visitor.send(key=KEY).shows("ClaveÚnica ya no está vinculada", "No está vinculada.") and not linked()
    assert Entry.objects.filter(action="door.unlinked", outcome="ok", detail__door="claveunica").count() == 1
    assert by_door(Visitor("198.51.100.9"), CAMILA).shows("Escriba una sola vez la Clave SENCE")


def test_linking_from_the_account_comes_back_to_it(visitor: Visitor) -> None:
    visitor.sign_in(CAMILA, KEY)
    assert "claveunica?volver=/mi-cuenta/puertas" in visitor.open("/mi-cuenta/puertas").html
    by_door(visitor, CAMILA, back="/mi-cuenta/puertas")
    assert visitor.send(key=KEY).shows("Otras formas de ingresar", "Vinculada desde el")


def test_what_is_linked_is_among_the_data_held(visitor: Visitor) -> None:
    link_camila(visitor)
    held = json.loads(visitor.client.get("/mi-cuenta/mis-datos.json").content)
    (link,) = held["otras formas de ingresar"]
    assert link["identificador"] == UpstreamIdentity.objects.get().subject
    assert visitor.open("/mi-cuenta/mis-datos").shows("Otras formas de ingresar", "Identificador")


def test_leaving_offers_to_leave_the_door_too(visitor: Visitor) -> None:
    link_camila(visitor)
    other = Visitor("198.51.100.9")
    by_door(other, CAMILA)
    page = other.post("/salir", {"csrfmiddlewaretoken": other.client.cookies["csrftoken"].value})
    assert page.shows("Salir también de ClaveÚnica")
    assert "/sandbox/claveunica/api/v1/accounts/app/logout?redirect=http" in page.html
    assert other.open("/sandbox/claveunica/api/v1/accounts/app/logout?redirect=http://evil.example/").url == "/"


def test_attendance_asks_for_the_key_of_who_came_by_a_door(visitor: Visitor) -> None:
    link_camila(visitor)
    other = Visitor("198.51.100.9")
    by_door(other, CAMILA)
    platform = Platform(other)
    assert platform.post("IniciarSesion").shows("Clave SENCE") and "key" in other.page.html
    assert platform.sign("MALA123456").shows("Hay un problema")
    assert Answer(platform.sign()).verdict == "opened"


def test_who_lacks_minimum_data_is_sent_to_the_update(visitor: Visitor) -> None:
    link_camila(visitor)
    Holder.objects.filter(identifier=CAMILA).update(street="")
    assert by_door(Visitor("198.51.100.9"), CAMILA).shows("Faltan datos mínimos", "su dirección")


def test_a_temporary_key_is_changed_before_it_can_link(visitor: Visitor) -> None:
    from clave.credentials import service as credentials

    key, _expires = credentials.issue_temporary(Holder.objects.get(identifier=CAMILA))
    by_door(visitor, CAMILA)
    assert visitor.send(key=key).shows("Elija su clave nueva") and not linked()


def test_who_cancels_at_the_door_finds_the_ordinary_sign_in(visitor: Visitor) -> None:
    page = visitor.open("/ingresar/con/claveunica")
    assert visitor.send(rut=CAMILA, password="otra").shows("La clave no es correcta")
    cancelled = page.html.split('class="acciones"')[1].split('href="')[1].split('"')[0].replace("&amp;", "&")
    page = visitor.open(cancelled)
    assert page.shows("No pudo ingresar con ClaveÚnica", "no terminó de ingresar", "Ingresar con mi Clave SENCE")
    assert page.status == 403


@pytest.mark.parametrize("how", ["down", "nonsense", "slow"])
def test_a_door_that_is_down_leaves_the_ordinary_sign_in(visitor: Visitor, settings: Settings, how: str) -> None:
    services.set_behaviour("claveunica", how)
    settings.DOOR_BUDGET_SECONDS = 0.3
    page = visitor.open("/ingresar/con/claveunica?volver=/mi-cuenta/cursos")
    assert page.status == 503 and page.shows("ClaveÚnica no responde", "Ingresar con mi Clave SENCE")
    assert "/ingresar?volver=%2Fmi-cuenta%2Fcursos" in page.html
    services.set_behaviour("claveunica", "ok")
    settings.DOOR_BUDGET_SECONDS = 60.0
    client.issuer_of.cache_clear()
    assert visitor.open("/ingresar/con/claveunica").shows("ClaveÚnica simulada")
    services.set_behaviour("claveunica", how)
    settings.DOOR_BUDGET_SECONDS = 0.3
    page = visitor.send(rut=CAMILA, password="testing")
    assert page.status == 503 and page.shows("ClaveÚnica no responde")


def test_the_protocol_of_the_guide_has_fixed_endpoints_and_no_parameters_of_its_own(
    visitor: Visitor, settings: Settings
) -> None:
    settings.CLAVEUNICA_PROTOCOL = "guide"
    to = visitor.client.get("/ingresar/con/claveunica").headers["Location"]
    endpoint, query = to.split("?")
    assert endpoint == f"{settings.CLAVEUNICA_ISSUER}/authorize/"
    names = [part.split("=")[0] for part in query.split("&")]
    assert names == ["response_type", "client_id", "redirect_uri", "scope", "state"]
    visitor.open(f"/sandbox/claveunica/openid/authorize/?{query}")
    assert visitor.send(rut=CAMILA, password="testing").shows("Vincular ClaveÚnica")


def test_what_was_begun_and_never_ended_is_let_go(visitor: Visitor, clock: Stopped) -> None:
    for _ in range(3):
        visitor.client.get("/ingresar/con/claveunica")
    assert UpstreamRequest.objects.count() == 3
    clock.move(minutes=11)
    visitor.client.get("/ingresar/con/claveunica")
    assert UpstreamRequest.objects.count() == 1
