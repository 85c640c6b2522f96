"""What people do, told once each, for the test that every action is recorded."""

from datetime import timedelta

from clave.attendance import sessions
from clave.attendance.models import SessionStart
from clave.backoffice import models as desk_models
from clave.backoffice import operator_accounts
from clave.holders.models import Holder
from clave.lib import clock as clave_clock
from clave.lib.request_context import SYSTEM
from clave.privacy import retention
from clave.privacy import service as privacy
from clave.privacy.models import Petition
from clave.registries import registro_civil
from clave.sandbox import services
from clave.selfservice.facilitators import service as facilitator
from clave.selfservice.models import FacilitatorRequest
from clave.selfservice.register.tasks import verify_pending
from clave.sso import clients, signing_keys
from clave.sso.models import Client
from clave.training.models import Action, Enrolment, Token
from tests import files, firms, test_facilitators
from tests.desk import Desk, colleague
from tests.sso import application
from tests.sso.doors import link_camila
from tests.story import Visitor, found
from tests.wire.platform import Platform
from tests.wire.test_api import NEW as NEW_ACTION
from tests.wire.test_api import Server
from tests.wire.test_roster_review import roster

CAMILA, KEY = "11111111-1", "KM482915"
AUSTRAL, ROSA, AUSTRAL_KEY = "76543210-3", "33333333-3", "CA739105"


def token(visitor: Visitor) -> dict[str, str]:
    return {"csrfmiddlewaretoken": visitor.client.cookies["csrftoken"].value}


def registering() -> None:
    services.set_behaviour("registro_civil", "down")
    Visitor().register()
    services.set_behaviour("registro_civil", "ok")
    registro_civil._registry.cache_clear()
    verify_pending.call()


def recovering_and_changing() -> None:
    visitor = Visitor()
    visitor.change_key(CAMILA, "AA000000", "NW604827")
    visitor.change_key(CAMILA, KEY, "NW604827")
    firms.begin(visitor, "77222333-1")
    visitor.send(representative="22222222-2")
    visitor.send(serial="987654321")
    visitor.send(right="no", email="nuevo@example.cl")
    services.set_behaviour("sii", "down")
    firms.begin(visitor, "77222333-1")
    page = visitor.send(representative="22222222-2")
    visitor.open(found(r'href="([^"]+/aviso)"', page.html)[1])
    visitor.send(email="aviso@example.cl")
    services.set_behaviour("sii", "ok")


def updating() -> None:
    visitor = Visitor()
    visitor.open("/persona/actualizar/fecha-y-correo")
    visitor.send(rut=CAMILA, birth_date="01-01-1980", email="x@example.cl")
    visitor.open("/persona/actualizar")
    visitor.send(rut=CAMILA, key=KEY)
    visitor.send(question="mascota", answer="Copito")
    visitor.send(street="Otra")


def signing_in_and_out() -> None:
    visitor = Visitor()
    visitor.sign_in(CAMILA, KEY)
    visitor.post("/mi-cuenta/cerrar-otras", token(visitor))
    visitor.post("/salir", token(visitor))


def entering_by_a_door() -> None:
    visitor = Visitor()
    link_camila(visitor)
    visitor.open("/mi-cuenta/puertas/claveunica/quitar")
    visitor.send(key=KEY)


def representing() -> None:
    from clave.registries import sii

    sii._registry.cache_clear()
    visitor = Visitor()
    firms.sign_in(visitor, "77222333-1", "22222222-2", "MS204986")
    visitor.open("/mi-cuenta/representantes")
    visitor.send(
        representative=ROSA,
        representative_name="Rosa",
        representative_mobile="87654321",
        representative_email="r@example.cl",
    )
    person = Holder.objects.get(identifier="77222333-1").representatives.get(run=ROSA)
    visitor.post(f"/mi-cuenta/representantes/{person.pk}/quitar", token(visitor))


def asking_for_facilitators() -> None:
    visitor = Visitor()
    for number, document in enumerate(("AB1111", "AB2222")):
        test_facilitators.ask(visitor, document=document)
        asked = FacilitatorRequest.objects.order_by("-pk")[0]
        if number:
            facilitator.reject(asked, "No se lee", "1", SYSTEM)
        else:
            facilitator.approve(asked, "1", SYSTEM)


def marking() -> None:
    platform = Platform()
    opened = platform.open()
    platform.close(opened.fields["IdSesionSence"])
    enrolment = Enrolment.objects.get(run=CAMILA, action__code="6700001")
    live = Token.objects.filter(otec=enrolment.action.otec, revoked_at=None).first()
    assert live
    sessions.open_session(enrolment, live, "x", "")
    platform.post("IniciarSesion", IdSesionAlumno="otra")
    platform.sign()
    platform.visitor.post(platform.visitor.page.url, {"anterior": "abandonar"})
    opening = SessionStart.objects.first()
    assert opening
    sessions.correct(opening, 60, "corrección", "op")


def training() -> None:
    body = Visitor()
    firms.sign_in(body, AUSTRAL, ROSA, AUSTRAL_KEY)
    body.open("/rts")
    body.send(label="uno")
    body.open("/rts")
    made = Token.objects.order_by("-pk")[0]
    body.post(f"/rts/{made.pk}/revocar", token(body))
    body.open("/rts/sitios")
    body.send(hosts="aula.example.cl")
    body.post("/rts/recibos", {**token(body), "recibos": "si"})
    body.client.get("/rts/cursos/6700001/asistencia.csv")
    server = Server()
    server.call("put", "actions/7000001", NEW_ACTION)
    server.call("post", "actions/7000001/enrolments", {"runs": [CAMILA]})
    server.call("post", "actions/7000001/enrolments/remove", {"runs": [CAMILA]})
    server.call("post", "review", roster())
    from clave.training.course_import import COLUMNS, EXAMPLE

    table = files.brought((";".join(COLUMNS) + "\n" + ";".join(EXAMPLE) + "\n").encode(), "cursos.csv")
    body.open("/rts/cargar")
    page = body.send(table=table)
    from clave.training.tasks import work_on_imports

    work_on_imports.call()
    body.post(page.url, token(body))
    work_on_imports.call()


def stating() -> None:
    from clave.statements import service as statements
    from clave.statements.models import Statement

    Action.objects.filter(code="6700002").update(ends=clave_clock.today() - timedelta(days=2))
    action = Action.objects.get(code="6700002")
    company = Holder.objects.get(identifier=AUSTRAL)
    statements.issue_for_otec(action, {CAMILA: statements.PASSED}, company, "33.333.333-3", SYSTEM)
    issued = Statement.objects.get()
    statements.request_annulment(issued, "Está mal", company, SYSTEM)
    statements.decide(issued, True, "De acuerdo", SYSTEM, "1")


def helping() -> None:
    agent, boss = Desk("agente"), Desk("supervisor", "198.51.100.201")
    agent.search(CAMILA)
    for desk in (agent, boss):
        desk.account(AUSTRAL)
        desk.act(AUSTRAL, "contacto-completo")
        desk.act(AUSTRAL, "desbloquear")
    agent.act(AUSTRAL, "contacto", email="otra@example.cl")
    agent.act(AUSTRAL, "clave")
    boss.decide(AUSTRAL, "no")
    boss.act(AUSTRAL, "pregunta")
    boss.act(AUSTRAL, "clave")
    agent.act(AUSTRAL, "contacto", email="otra@example.cl")
    second = Desk("supervisor2", "198.51.100.202")
    second.account(AUSTRAL)
    second.decide(AUSTRAL)
    reviewer = colleague("revisora", "supervisor")
    reviewer.account(AUSTRAL)
    reviewer.act(AUSTRAL, "revisado")
    test_facilitators.ask(Visitor(), document="AB3333")
    asked = FacilitatorRequest.objects.order_by("-pk")[0]
    reviewer.client.get(f"/backoffice/solicitudes/{asked.pk}/identity")
    reviewer.open(f"/backoffice/solicitudes/{asked.pk}")
    reviewer.send(decision="no", reason="No se lee")


def confirming() -> None:
    agent, visitor = Desk("agente"), Visitor()
    for decision in ("contacto", "rechazo"):
        agent.account(AUSTRAL)
        agent.act(AUSTRAL, "contacto", email=f"{decision}@example.cl")
        visitor.open("/empresa/confirmar")
        page = visitor.send(rut=AUSTRAL, representative=ROSA, serial="123456789")
        visitor.open(page.url.replace("/contacto", f"/{decision}"))
        visitor.send()
    visitor.open("/empresa/confirmar")
    visitor.send(rut=AUSTRAL, representative=ROSA, serial="123456789")
    visitor.send(question="mascota", answer="Canelo Grande")


def watching() -> None:
    boss, second = Desk("supervisor"), Desk("supervisor2", "198.51.100.201")
    boss.open("/backoffice/auditoria")
    boss.client.post("/backoffice/auditoria", boss.fill(exportar="csv"))
    boss.post("/backoffice/auditoria/revisar", token(boss))
    for decision in ("no", "si"):
        boss.open("/backoffice/operadores")
        boss.send(name="Otra", email="otra@mesa.example.cl", role="agente")
        second.agree("otra@mesa.example.cl", decision)
    other = desk_models.Operator.objects.get(email="agente@mesa.example.cl")
    boss.press(f"/backoffice/operadores/{other.pk}", rol="auditor")
    second.agree(other.email)
    boss.press(f"/backoffice/operadores/{other.pk}", activo="no")
    boss.open("/backoffice/mi-acceso")
    boss.send(label="x", answer="{}", code="000000")
    boss.press("/backoffice/salir")
    code = operator_accounts.invite("nueva@mesa.example.cl", "Nueva", "agente", None, SYSTEM)
    import pyotp

    new = operator_accounts.accept_invitation("nueva@mesa.example.cl", code, "arboles sobre la colina", SYSTEM)
    operator_accounts.confirm(new, pyotp.TOTP(new.totp_secret).at(clave_clock.now()), SYSTEM)


def caring_for_clients() -> None:
    boss = Desk("supervisor")
    boss.open("/backoffice/sistemas/nuevo")
    boss.send(name="Aula", redirect_uris="https://aula.example.cl/volver")
    address = f"/backoffice/sistemas/{Client.objects.get(name='Aula').client_id}"
    boss.open(f"{address}/cambiar")
    boss.send(name="Otra aula")
    for step in ("secreto", "secreto-anterior", "suspender", "reactivar", "logo/quitar"):
        boss.open(f"{address}/{step}")
        boss.send()
    boss.open(f"{address}/comprobar")
    boss.send(url="https://otro.example.cl/")
    boss.open("/backoffice/sistemas/tokens")
    boss.send(label="programa")
    boss.open(f"/backoffice/sistemas/tokens/{desk_models.ApiToken.objects.get().pk}/revocar")
    boss.send()


def caring() -> None:
    visitor = Visitor()
    visitor.sign_in("22222222-2", "TR618204")
    visitor.client.get("/mi-cuenta/mis-datos.json")
    visitor.open("/mi-cuenta/mis-datos/pedir")
    visitor.send(right="deletion", key="TR618204")
    privacy.grant(Petition.objects.get(), "", "1", SYSTEM)
    test_facilitators.ask(Visitor(), document="AB4444")
    FacilitatorRequest.objects.update(state="rejected", decided_at=clave_clock.now() - timedelta(days=400))
    retention.purge_expired()


def signing_on_elsewhere() -> None:
    app = application.Application()
    camila = application.signed_in()
    page = camila.open(app.url())
    camila.client.post(page.url, {"rechazar": "1"})
    code = app.code(camila, scope="openid email offline_access")
    refresh_token = app.exchange(code).json()["refresh_token"]
    app.exchange(code)
    app.post("revoke", {"token": refresh_token})
    camila.open("/mi-cuenta/sistemas")
    camila.post(f"/mi-cuenta/sistemas/{app.client_id}/quitar", token(camila))
    clients.rotate_secret(app.client, SYSTEM)
    signing_keys.rotate()


def keeping_the_machine() -> None:
    from django.core.management import call_command
    from django.test import override_settings

    call_command("rekey")
    with override_settings(SECRET_KEY="another secret key, the first one was lost " * 2):
        call_command("declare_lost_key", reason="perdida", operator="op")
    with override_settings(SECRET_KEY_FALLBACKS=["another secret key, the first one was lost " * 2]):
        call_command("declare_restore", reason="copia", operator="op")
