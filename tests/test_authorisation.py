"""Every address against everybody who may ask: nobody, each profile, each role of the back office (abuse case 38)."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import get_resolver

from clave.backoffice import api_tokens
from clave.backoffice.models import ApiToken, Operator
from clave.credentials import service as credentials
from clave.holders.models import Holder
from clave.lib import clock
from clave.lib.request_context import SYSTEM
from clave.privacy.models import Petition
from clave.selfservice.facilitators import service as facilitator
from clave.selfservice.models import FacilitatorRequest
from clave.sso.models import Client, ClientLogo
from tests.desk import Desk
from tests.firms import sign_in as company_sign_in
from tests.story import Visitor
from tests.test_facilitators import ask
from tests.test_migrants import sign_in as migrant_sign_in

OPERATORS = ("agente", "revisor", "supervisor", "auditor")
PROFILES = ("persona", "otec", "empresa", "migrante", "facilitador")
EVERYBODY = ("nadie", *PROFILES, *OPERATORS)
SIGN_IN, NO, YES = "to the sign-in page", "no", "yes"

# Who gets in. Everybody else is sent to the sign-in page; an operator of another role is told no.
ALLOWED: dict[str, tuple[str, ...]] = {
    "mi-cuenta": PROFILES,
    "mi-cuenta/sesiones": PROFILES,
    "mi-cuenta/sistemas": PROFILES,
    "mi-cuenta/mis-datos": PROFILES,
    "mi-cuenta/mis-datos/pedir": PROFILES,
    "mi-cuenta/mis-datos.<slug:kind>": PROFILES,
    "mi-cuenta/puertas": PROFILES,
    "mi-cuenta/puertas/<slug:slug>/quitar": PROFILES,
    "mi-cuenta/representantes": ("otec", "empresa"),
    "mi-cuenta/representantes/<int:person>/quitar": ("otec", "empresa"),
    "empresa/actualizar": ("otec", "empresa"),
    "mi-cuenta/cursos": ("persona",),
    "mi-cuenta/declaraciones/<path:code>": ("persona",),
    **dict.fromkeys(
        [
            "rts",
            "rts/sitios",
            "rts/recibos",
            "rts/<int:token>/revocar",
            "rts/declaraciones",
            "rts/declaraciones/<path:code>",
            "rts/cursos",
            "rts/cursos/<path:code>",
            "rts/cursos/<path:code>/asistencia.<slug:kind>",
            "rts/cargar",
            "rts/cargar/<run:job>",
            "rts/revisar",
        ],
        ("otec",),
    ),
    "backoffice/": ("agente", "revisor", "supervisor"),
    "backoffice/salir": OPERATORS,
    "backoffice/mi-acceso": OPERATORS,
    "backoffice/mi-acceso/<int:passkey>/quitar": OPERATORS,
    **dict.fromkeys(
        [
            "backoffice/titular/<uuid:holder>",
            "backoffice/titular/<uuid:holder>/motivo",
            "backoffice/titular/<uuid:holder>/contacto-completo",
            "backoffice/titular/<uuid:holder>/desbloquear",
            "backoffice/titular/<uuid:holder>/clave",
            "backoffice/cambios",
            "backoffice/titular/<uuid:holder>/contacto",
            "backoffice/titular/<uuid:holder>/pregunta",
            "backoffice/titular/<uuid:holder>/cambio/<int:change>",
            "backoffice/titular/<uuid:holder>/revisado",
        ],
        ("agente", "supervisor"),
    ),
    **dict.fromkeys(
        [
            "backoffice/solicitudes",
            "backoffice/solicitudes/<int:pk>",
            "backoffice/solicitudes/<int:pk>/<slug:name>",
            "backoffice/anulaciones/<int:pk>",
        ],
        ("revisor", "supervisor"),
    ),
    "backoffice/auditoria": ("supervisor", "auditor"),
    "backoffice/auditoria/revisar": ("supervisor", "auditor"),
    "backoffice/sistemas": ("supervisor", "auditor"),
    "backoffice/sistemas/<slug:client_id>": ("supervisor", "auditor"),
    "backoffice/sistemas/<slug:client_id>.json": ("supervisor", "auditor"),
    **dict.fromkeys(
        [
            "backoffice/operadores",
            "backoffice/operadores/<int:pk>",
            "backoffice/operadores/propuestas/<int:pk>",
            "backoffice/sistemas/nuevo",
            "backoffice/sistemas/tokens",
            "backoffice/sistemas/tokens/<int:pk>/revocar",
            "backoffice/sistemas/<slug:client_id>/cambiar",
            "backoffice/sistemas/<slug:client_id>/secreto",
            "backoffice/sistemas/<slug:client_id>/secreto-anterior",
            "backoffice/sistemas/<slug:client_id>/suspender",
            "backoffice/sistemas/<slug:client_id>/reactivar",
            "backoffice/sistemas/<slug:client_id>/comprobar",
            "backoffice/sistemas/<slug:client_id>/logo",
            "backoffice/sistemas/<slug:client_id>/logo/quitar",
            "backoffice/trabajo",
            "backoffice/datos",
            "backoffice/datos/<int:pk>",
        ],
        ("supervisor",),
    ),
}
# What belongs to one person, body or browser: to everybody else it is as if it did not exist.
NOBODYS = re.compile(
    r"<run:run>|listo/|rce/solicitud/|sso/solicitud/|asistencia/(bloque|cerrar)/|declaracion/|captcha/<|verificar/<|idioma/|ingresar/con/"
)
# Open to all: each has been thought about, and is named here.
OPEN = {
    "", "ayuda", "captcha/nuevo", "persona/registrarse", "persona/recuperar", "persona/cambiar", "persona/actualizar",
    "persona/actualizar/fecha-y-correo", "empresa/registrarse", "empresa/recuperar", "empresa/cambiar",
    "migrante/registrarse", "migrante/recuperar", "migrante/cambiar", "migrante/actualizar",
    "migrante/actualizar/fecha-y-correo", "facilitador/recuperar", "facilitador/cambiar", "empresa/facilitador",
    "empresa/facilitador/estado", "empresa/facilitador/recuperar", "empresa/confirmar", "confirmar", "rechazar", "ingresar", "ingresar/empresa",
    "ingresar/migrante", "ingresar/facilitador", "Account", "Account/", "Account/Registrar", "Account/RecuperarClave",
    "Account/CambiarClave", "Account/ActualizarDatos", "Account/GenerarNuevaCusPj", "rce/Registro/IniciarSesion",
    "rce/Registro/CerrarSesion", "rcetest/Registro/IniciarSesion", "rcetest/Registro/CerrarSesion", "rts/",
    "rts/ingresar", "rts/cargar/plantilla.<slug:kind>", "verificar", "backoffice", "backoffice/ingresar", "backoffice/invitacion",
    "healthz", "readyz", "integrar", "sso/logo/<slug:client_id>/<slug:version>.png",
}  # fmt: skip
# They only lead on to the page before them.
LEAD_ON = {
    "salir", "mi-cuenta/cerrar-otras", "mi-cuenta/cursos/avisos", "backoffice/ingresar/llave", "sso/logout/confirmar",
    "mi-cuenta/sistemas/<slug:client_id>/quitar",
}  # fmt: skip
# A token or the address one asks from opens it, not a session.
BY_TOKEN = {"api/v1/<path:rest>", "api/clients/v1/<path:rest>", "metrics"}
# What relying applications ask, or send a browser to ask: each request is judged by what it brings, whoever is signed in
# (tests/sso/), so without anything everybody is told the same.
BY_CLIENTS = {
    "sso/authorize", "sso/token", "sso/userinfo", "sso/introspect", "sso/revoke", "sso/par", "sso/jwks", "sso/logout",
    ".well-known/openid-configuration", ".well-known/oauth-authorization-server",
    r"^openid/\.well-known/openid-configuration/?$", "^openid/jwks/?$", "accounts/login/", "^openid/authorize/?$", "^openid/token/?$",
    "^openid/userinfo/?$", "^api/v1/accounts/app/logout/?$",
}  # fmt: skip
SAMPLES = {
    "int": "1", "uuid": "00000000-0000-4000-8000-000000000000", "run": "0" * 32, "slug": "csv", "str": "1-2026",
    "path": "6700002",
}  # fmt: skip


def patterns() -> Iterator[str]:
    def walk(found: Any, prefix: str) -> Iterator[str]:
        for each in found:
            if hasattr(each, "url_patterns"):
                yield from walk(each.url_patterns, prefix + str(each.pattern))
            else:
                yield prefix + str(each.pattern)

    return (each for each in walk(get_resolver().url_patterns, "") if not each.startswith("sandbox/"))


def enter(who: str) -> Visitor:
    visitor = Visitor(f"198.51.100.{EVERYBODY.index(who) + 10}")
    if who in OPERATORS:
        return Desk(who)
    if who == "persona":
        visitor.sign_in("11111111-1", "KM482915")
    elif who == "otec":
        company_sign_in(visitor, "76543210-3", "33333333-3", "CA739105")
    elif who == "empresa":
        company_sign_in(visitor, "77222333-1", "22222222-2", "MS204986")
    elif who == "migrante":
        migrant_sign_in(visitor, "900123456", "HT254817")
    elif who == "facilitador":
        visitor.open("/ingresar/facilitador")
        visitor.send(document_kind="PAS", document="AB123456", key="NW604827")
    if who in PROFILES:
        assert visitor.page.url == "/mi-cuenta", who
    return visitor


def verdict(visitor: Visitor, path: str) -> str:
    answer = visitor.client.get("/" + path.removeprefix("^").removesuffix("/?$"))
    to = answer.headers.get("Location", "")
    if answer.status_code == 302 and re.match(r"/(backoffice/|rts/)?ingresar", to):
        return SIGN_IN
    return NO if answer.status_code in (400, 401, 403, 404) else YES


def test_every_address_is_in_exactly_one_table(db: None) -> None:
    tables = [set(ALLOWED), OPEN, LEAD_ON, BY_TOKEN, BY_CLIENTS, {each for each in patterns() if NOBODYS.search(each)}]
    for each in patterns():
        assert sum(each in table for table in tables) == 1, each
    assert set().union(*tables) == set(patterns())


@pytest.mark.abuse(38)
@pytest.mark.slow
def test_everybody_gets_in_where_the_tables_say_and_nowhere_else(demo: None, visitor: Visitor) -> None:
    ask(visitor)
    asked = FacilitatorRequest.objects.get()
    credentials.import_key(facilitator.approve(asked, "1", SYSTEM), "NW604827")
    camila = Holder.objects.get(identifier="11111111-1")
    austral = Holder.objects.get(identifier="76543210-3")
    client = Client.objects.create(
        name="Aula",
        client_id="csv",
        redirect_uris=["https://app.example.cl/"],
        logo_version="csv",
        created_at=clock.now(),
    )
    ClientLogo.objects.create(client=client, png=b"")
    boss = Operator.objects.get(email="supervisor@mesa.example.cl")
    api_tokens.issue(boss, "programa", SYSTEM)
    petition = Petition.objects.create(holder=camila, right="correction", words="x", created_at=camila.created_at)
    wrong, told = [], dict[str, str]()
    for who in EVERYBODY:
        person = enter(who)
        for pattern in patterns():
            path = re.sub(r"<(\w+):\w+>", lambda match: SAMPLES[match[1]], pattern)
            # What is there is asked for, so that a no is one to the person and not to the thing.
            path = path.replace(SAMPLES["uuid"], str(austral.pk)).replace(
                "solicitudes/1/csv", f"solicitudes/{asked.pk}/identity"
            )
            path = path.replace("solicitudes/1", f"solicitudes/{asked.pk}").replace("datos/1", f"datos/{petition.pk}")
            path = path.replace("tokens/1", f"tokens/{ApiToken.objects.get().pk}")
            if pattern.startswith("mi-cuenta/mis-datos."):
                path = "mi-cuenta/mis-datos.json"
            found = verdict(person, path)
            if pattern in ALLOWED:
                fits = _fits(who, pattern, found)
            elif NOBODYS.search(pattern):
                fits = found == NO or pattern == "idioma/<slug:code>"
            elif pattern in BY_CLIENTS:
                fits = found == told.setdefault(pattern, found)
            elif pattern in BY_TOKEN:
                fits = found == NO
            else:
                fits = found == YES or pattern in LEAD_ON
            if not fits:
                wrong.append((who, pattern, found))
    assert wrong == []


def _fits(who: str, pattern: str, found: str) -> bool:
    """An operator's no is a no; who is not signed in as what it takes is sent to the sign-in page."""
    if who in ALLOWED[pattern]:
        # Of what only exists in another state (an annulment asked for, a course that is over) the answer may be no.
        return found == YES or (found == NO and pattern in MAY_BE_ABSENT)
    if who == "empresa" and pattern.startswith("rts"):
        return found == NO
    return found == (NO if who in OPERATORS and pattern.startswith("backoffice") else SIGN_IN)


MAY_BE_ABSENT = {
    "mi-cuenta/puertas/<slug:slug>/quitar",
    "backoffice/operadores/propuestas/<int:pk>",
    "backoffice/anulaciones/<int:pk>",
    "mi-cuenta/declaraciones/<path:code>",
    "rts/declaraciones/<path:code>",
    "rts/cargar/<run:job>",
}
