"""The back office's pages about systems: who may do what, secrets shown once, logos, tokens for programs."""

import io
import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from clave.audit.models import Entry
from clave.backoffice.models import ApiToken, Operator
from clave.lib.clock import Stopped
from clave.sso import clients
from clave.sso.models import Client
from tests.desk import Desk
from tests.sso.application import Application, signed_in
from tests.story import Visitor, found

ADDRESS = "https://sur.example.cl/volver"


@pytest.fixture
def boss(demo: None) -> Desk:
    return Desk("supervisor")


@pytest.fixture
def app(demo: None) -> Application:
    return Application()


def secret_on(desk: Desk) -> str:
    return found(r'<p class="destacado"><code>([^<]+)</code>', desk.page.html)[1]


def register(desk: Desk, **typed: str) -> Client:
    desk.open("/backoffice/sistemas/nuevo")
    desk.send(**{"name": "Aula Sur", "redirect_uris": ADDRESS, **typed})
    return Client.objects.get(name=typed.get("name", "Aula Sur"))


def picture(width: int = 64, height: int = 64, kind: str = "PNG", noise: bool = False) -> bytes:
    image = Image.effect_noise((width, height), 99) if noise else Image.new("RGBA", (width, height), "#006FB3")
    out = io.BytesIO()
    image.convert("RGB").save(out, kind)
    return out.getvalue()


def bring(desk: Desk, client_id: str, content: bytes, name: str = "logo.png") -> None:
    desk.open(f"/backoffice/sistemas/{client_id}/logo")
    desk.send(logo=SimpleUploadedFile(name, content, "image/png"))


def test_a_supervisor_registers_a_system_and_sees_its_secret_once(boss: Desk) -> None:
    client = register(boss, contact="ana@sur.example.cl", post_logout_redirect_uris="https://sur.example.cl/adios\n")
    assert boss.page.shows("Sistema registrado", client.client_id, "no se vuelve a mostrar")
    secret = secret_on(boss)
    assert clients.has_secret(client, secret)
    assert client.scopes == ["openid", "profile", "run", "email"] and client.profiles == []
    page = boss.open(f"/backoffice/sistemas/{client.client_id}")
    assert page.shows("Aula Sur", ADDRESS, "ana@sur.example.cl", "Creado el") and secret not in page.html
    entry = Entry.objects.filter(action="sso.client_created").latest("pk")
    assert entry.detail["operator"] == str(boss.operator.pk) and entry.detail["client"] == client.client_id
    assert secret not in json.dumps(list(Entry.objects.values_list("detail", flat=True)))


def test_sending_the_form_twice_registers_one_system_with_one_secret(boss: Desk) -> None:
    boss.open("/backoffice/sistemas/nuevo")
    form = boss.fill(name="Aula Sur", redirect_uris=ADDRESS)
    boss.post("/backoffice/sistemas/nuevo", form)
    secret = secret_on(boss)
    boss.post("/backoffice/sistemas/nuevo", form)
    assert secret_on(boss) == secret and Client.objects.get(name="Aula Sur").secrets.count() == 1


def test_what_is_wrong_is_said_beside_its_field_and_what_was_typed_stays(boss: Desk) -> None:
    boss.open("/backoffice/sistemas/nuevo")
    page = boss.send(name="Aula Sur", redirect_uris="https://*.example.cl/", jwks="{", sector="dos palabras")
    assert page.status == 400 and page.shows("No es un conjunto de claves")
    page = boss.send(name="Aula Sur", redirect_uris="https://*.example.cl/", jwks="", sector="dos palabras")
    assert page.status == 400 and page.shows("no lleva espacios, asteriscos", "El sector se escribe")
    assert page.html.count('class="campo con-error"') == 2 and "https://*.example.cl/" in page.html
    assert not Client.objects.filter(name="Aula Sur").exists()


def test_settings_are_changed_as_they_are_shown(boss: Desk, app: Application) -> None:
    boss.open(f"/backoffice/sistemas/{app.client_id}/cambiar")
    page = boss.send(name="Otra Aula", profile_PJ="on", is_resource_server="on")
    assert page.shows("Los cambios quedaron guardados", "Otra Aula")
    client = Client.objects.get(client_id=app.client_id)
    assert client.profiles == ["PJ"] and client.is_resource_server
    assert client.redirect_uris == app.client.redirect_uris and client.scopes == app.client.scopes
    detail = Entry.objects.filter(action="sso.client_changed").latest("pk").detail
    assert detail["fields"] == "is_resource_server name profiles" and detail["operator"] == str(boss.operator.pk)


def test_a_secret_is_rotated_with_both_valid_and_the_former_is_ended(boss: Desk, app: Application) -> None:
    boss.open(f"/backoffice/sistemas/{app.client_id}/secreto")
    boss.send()
    assert boss.page.shows("sirve por 7 días más")
    new = secret_on(boss)
    assert clients.has_secret(app.client, new) and clients.has_secret(app.client, app.secret)
    assert boss.open(f"/backoffice/sistemas/{app.client_id}").shows("sirve hasta el", "Terminar el secreto anterior")
    boss.open(f"/backoffice/sistemas/{app.client_id}/secreto-anterior")
    assert boss.send().shows("El secreto anterior ya no sirve")
    assert clients.has_secret(app.client, new) and not clients.has_secret(app.client, app.secret)


def test_a_secret_that_became_known_is_replaced_at_once(boss: Desk, app: Application) -> None:
    boss.open(f"/backoffice/sistemas/{app.client_id}/secreto")
    assert boss.send(at_once="on").shows("Los secretos anteriores ya no sirven")
    assert not clients.has_secret(app.client, app.secret)


def test_two_supervisors_who_suspend_at_once_do_not_undo_each_other(boss: Desk, app: Application) -> None:
    other = Desk("supervisor2", "198.51.100.201")
    for desk in (boss, other):
        desk.open(f"/backoffice/sistemas/{app.client_id}/suspender")
    for desk in (boss, other):
        assert desk.send().shows("El sistema quedó suspendido", "nadie puede entrar")
    assert not Client.objects.get(client_id=app.client_id).active
    boss.open(f"/backoffice/sistemas/{app.client_id}/reactivar")
    assert boss.send().shows("El sistema quedó activo")


def test_an_auditor_reads_and_changes_nothing(demo: None, app: Application) -> None:
    auditor = Desk("auditor")
    assert auditor.open("/backoffice/sistemas").shows("Aula Virtual")
    page = auditor.open(f"/backoffice/sistemas/{app.client_id}")
    assert page.shows("Aula Virtual") and "/cambiar" not in page.html
    for path in ("nuevo", "tokens", *(f"{app.client_id}/{each}" for each in ("cambiar", "secreto", "suspender"))):
        assert auditor.open(f"/backoffice/sistemas/{path}").status == 403, path


def test_systems_are_found_by_what_is_known_of_them(boss: Desk, app: Application) -> None:
    register(boss, home_url="https://sur.example.cl/")
    for text in ("sur", "SUR.example", Client.objects.get(name="Aula Sur").client_id):
        page = boss.open(f"/backoffice/sistemas?q={text}")
        assert page.shows("Aula Sur") and "Aula Virtual" not in page.text
    assert boss.open("/backoffice/sistemas?q=nada+de+eso").shows("No hay sistemas con ese dato")
    assert boss.open("/backoffice/sistemas?q=%00&pagina=x").status == 200


def test_the_settings_are_exported_without_any_secret(boss: Desk, app: Application) -> None:
    answer = boss.client.get(f"/backoffice/sistemas/{app.client_id}.json")
    told = json.loads(answer.content)
    assert told["client_id"] == app.client_id and told["redirect_uris"] == app.client.redirect_uris
    assert "attachment" in answer.headers["Content-Disposition"] and app.secret not in answer.content.decode()


def test_a_logo_is_shown_where_consent_is_asked_and_kept_by_browsers(boss: Desk, app: Application) -> None:
    bring(boss, app.client_id, picture())
    assert boss.page.shows("El logo quedó guardado")
    camila = signed_in()
    page = camila.open(app.url())
    address = found(r'<img class="logo" src="([^"]+)"', page.html)[1]
    answer = Visitor().client.get(address)
    assert answer.headers["Content-Type"] == "image/png" and "immutable" in answer.headers["Cache-Control"]
    assert Image.open(io.BytesIO(answer.content)).size == (64, 64)
    bring(boss, app.client_id, picture(32, 32))
    assert Visitor().client.get(address).status_code == 404, "another version has another address"
    boss.open(f"/backoffice/sistemas/{app.client_id}/logo/quitar")
    assert boss.send().shows("El logo quedó quitado")
    assert 'class="logo"' not in camila.open(app.url()).html


@pytest.mark.abuse(32)
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "El archivo está vacío"),
        (picture(257, 10), "mide más de 256 por 256"),
        (picture(64, 64, "JPEG"), "debe ser una imagen PNG"),
        (picture(256, 256, noise=True) + b"\0" * 40_000, "pesa más de 64 kB"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "no es una imagen"),
        (picture()[:60], "está dañado"),
    ],
)
def test_what_is_no_small_png_is_no_logo(boss: Desk, app: Application, content: bytes, words: str) -> None:
    bring(boss, app.client_id, content)
    assert boss.page.status == 400 and boss.page.shows(words)
    assert Client.objects.get(client_id=app.client_id).logo_version == ""


@pytest.mark.abuse(32)
def test_a_logo_is_written_anew_so_that_only_the_picture_remains(boss: Desk, app: Application) -> None:
    bring(boss, app.client_id, picture() + b"<script>alert(1)</script>")
    client = Client.objects.get(client_id=app.client_id)
    stored = Visitor().client.get(f"/sso/logo/{client.client_id}/{client.logo_version}.png").content
    assert stored.startswith(b"\x89PNG") and b"script" not in stored


def test_a_token_for_programs_is_shown_once_kept_hashed_and_revoked(boss: Desk, clock: Stopped) -> None:
    boss.open("/backoffice/sistemas/tokens")
    boss.send(label="Despliegue")
    assert boss.page.shows("Token creado", "no lo vuelve a mostrar")
    text = secret_on(boss)
    token = ApiToken.objects.get()
    assert text not in repr(vars(token)) and token.hint == text[-4:]
    program = Visitor(HTTP_AUTHORIZATION=f"Bearer {text}").client
    assert program.get("/api/clients/v1/clients").status_code == 200
    clock.move(minutes=1)
    page = boss.open("/backoffice/sistemas/tokens")
    assert page.shows("Despliegue", "Supervisor de prueba") and text not in page.html
    other = Desk("supervisor2", "198.51.100.201")
    other.open(f"/backoffice/sistemas/tokens/{token.pk}/revocar")
    assert other.send().shows("El token quedó revocado", "Revocado el")
    assert program.get("/api/clients/v1/clients").status_code == 401
    actions = Entry.objects.filter(action__startswith="operator.api_token").order_by("pk")
    assert [each.action for each in actions] == ["operator.api_token", "operator.api_token_revoked"]


@pytest.mark.parametrize("change", [{"active": False}, {"role": "agente"}])
def test_a_token_ends_with_its_operators_power(boss: Desk, change: dict[str, object]) -> None:
    boss.open("/backoffice/sistemas/tokens")
    boss.send(label="Despliegue")
    program = Visitor(HTTP_AUTHORIZATION=f"Bearer {secret_on(boss)}").client
    Operator.objects.filter(email=boss.email).update(**change)
    assert program.get("/api/clients/v1/clients").status_code == 401


def test_a_token_expires_after_a_year(boss: Desk, clock: Stopped) -> None:
    boss.open("/backoffice/sistemas/tokens")
    boss.send(label="Despliegue")
    program = Visitor(HTTP_AUTHORIZATION=f"Bearer {secret_on(boss)}").client
    clock.move(days=365)
    assert program.get("/api/clients/v1/clients").status_code == 401
