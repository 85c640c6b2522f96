"""The table of contents of the site."""

from typing import Any

from django.conf import settings
from django.urls import URLPattern, include, path, register_converter
from django.views.generic import RedirectView

from clave.attendance import block, otec, programs
from clave.attendance import pages as participant
from clave.attendance import views as attendance
from clave.core import pages
from clave.core.captcha import views as captcha
from clave.flows.change import views as change
from clave.flows.confirmations import views as confirmations
from clave.flows.facilitator import views as facilitator
from clave.flows.recover import views as recover
from clave.flows.register import views as register
from clave.flows.representatives import views as representatives
from clave.flows.update import views as update
from clave.holders.doors import COMPANY, FACILITATOR, MIGRANT, PERSON, Door
from clave.privacy import views as privacy
from clave.signin import views as signin
from clave.statements import views as statements
from clave.theme import views as theme
from clave.theme.metrics import metrics
from clave.training import imports
from clave.training import views as rts


class Run:
    """A wizard's run, or the reference of something done: lower-case hexadecimal."""

    regex = "[0-9a-f]{16,64}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(Run, "run")


def ways_of(door: Door) -> list[URLPattern]:
    """Return the addresses of a profile's flows: register, recover, change, update, as far as it can do them itself."""
    steps: dict[str, list[tuple[str, Any]]] = {
        "register": [("registrarse", register.Register)],
        "recover": [
            ("recuperar", recover.Start),
            ("pregunta", recover.Answer),
            ("representante", recover.RepresentativeStep),
            ("cedula", recover.Card),
            ("nacimiento", recover.Birth),
            ("correo", recover.Contact),
            ("aviso", recover.Notify),
        ],
        "change": [("cambiar", change.Start), ("clave", change.NewKey)],
        "update": [("actualizar", update.Start), ("pregunta", update.Question), ("datos", update.Edit)],
    }
    found = []
    for flow in (name for name in door.pages if name in steps):
        (first, start), *rest = steps[flow]
        base = f"{door.room}/{first}"
        begin = update.start_for_company if (flow, door) == ("update", COMPANY) else start.as_view(door=door)
        found.append(path(base, begin, name=door.page(flow)))
        for address, view in rest:
            name = door.page(f"{flow}_{view.name}")
            found.append(path(f"{base}/<run:run>/{address}", view.as_view(door=door), name=name))
    return found


urlpatterns = [
    # What is asked most comes first: each address before it would be tried in vain.
    path("ingresar", signin.SignIn.as_view(cached_blank=True), name="signin"),
    path("ingresar/empresa", signin.SignIn.as_view(door=COMPANY, cached_blank=True), name="company_signin"),
    path("ingresar/migrante", signin.SignIn.as_view(door=MIGRANT, cached_blank=True), name="migrant_signin"),
    path("ingresar/facilitador", signin.SignIn.as_view(door=FACILITATOR, cached_blank=True), name="facilitator_signin"),
    # Attendance: the protocol of the learning platforms
    path("rce/Registro/IniciarSesion", attendance.mark, {"environment": "rce", "closing": False}, name="rce_open"),
    path("rce/Registro/CerrarSesion", attendance.mark, {"environment": "rce", "closing": True}, name="rce_close"),
    path("rcetest/Registro/IniciarSesion", attendance.mark, {"environment": "rcetest", "closing": False}),
    path("rcetest/Registro/CerrarSesion", attendance.mark, {"environment": "rcetest", "closing": True}),
    path("rce/solicitud/<run:exchange>", attendance.exchange_page, name="rce_exchange"),
    # Everywhere
    path("", theme.plain("theme/home.html"), name="home"),
    path("ayuda", theme.plain("theme/help.html"), name="help"),
    path("idioma/<slug:code>", theme.choose_language, name="language"),
    path("captcha/nuevo", captcha.refresh, name="captcha_new"),
    path("captcha/<slug:text>.png", captcha.image, name="captcha_image"),
    path("captcha/<slug:text>.wav", captcha.audio, name="captcha_audio"),
    path("captcha/<slug:text>.json", captcha.challenge, name="captcha_challenge"),
    path("captcha/<slug:text>/pagado", captcha.exchange, name="captcha_exchange"),
    path("listo/<run:reference>", pages.done, name="done"),
    # What a person comes to do, by profile
    *ways_of(PERSON),
    path("persona/actualizar/fecha-y-correo", update.StartByBirth.as_view(), name="update_by_birth"),
    *ways_of(COMPANY),
    *ways_of(MIGRANT),
    path(
        "migrante/actualizar/fecha-y-correo",
        update.StartByBirth.as_view(door=MIGRANT),
        name="migrant_update_by_birth",
    ),
    *ways_of(FACILITATOR),
    path("empresa/facilitador", facilitator.Start.as_view(), name="facilitator_request"),
    path("empresa/facilitador/estado", facilitator.State.as_view(), name="facilitator_state"),
    path("empresa/facilitador/recuperar", facilitator.Key.as_view(), name="facilitator_key"),
    path(
        "empresa/facilitador/<run:run>/declaracion",
        facilitator.Affidavit.as_view(),
        name="facilitator_request_affidavit",
    ),
    path("empresa/facilitador/<run:run>/plantilla.docx", facilitator.letter, name="facilitator_request_letter"),
    path("empresa/facilitador/<run:run>/datos", facilitator.Data.as_view(), name="facilitator_request_data"),
    # What the help desk began and the holder ends
    path("empresa/confirmar", confirmations.CardProof.as_view(), name="confirm"),
    path("confirmar", confirmations.follow_link, {"step": "contact"}, name="confirm_link"),
    path("rechazar", confirmations.follow_link, {"step": "reject"}, name="reject_link"),
    path("confirmar/<run:run>/contacto", confirmations.ContactStep.as_view(), name="confirm_contact"),
    path("confirmar/<run:run>/rechazo", confirmations.RejectStep.as_view(), name="confirm_reject"),
    path("confirmar/<run:run>/pregunta", confirmations.QuestionStep.as_view(), name="confirm_question"),
    # Who has signed in
    path("salir", signin.SignOut.as_view(), name="signout"),
    path("mi-cuenta", signin.account, name="account"),
    path("mi-cuenta/sesiones", signin.account_sessions, name="account_sessions"),
    path("mi-cuenta/representantes", representatives.Representatives.as_view(), name="representatives"),
    path("mi-cuenta/representantes/<int:person>/quitar", representatives.remove, name="representative_remove"),
    path("mi-cuenta/cerrar-otras", signin.CloseOthers.as_view(), name="close_others"),
    # The addresses that old guides and plugins print
    path("Account", RedirectView.as_view(pattern_name="home")),
    path("Account/", RedirectView.as_view(pattern_name="home")),
    path("Account/Registrar", theme.plain("theme/choose_register.html"), name="choose_register"),
    path("Account/RecuperarClave", theme.plain("theme/choose_recover.html"), name="choose_recover"),
    path("Account/CambiarClave", theme.plain("theme/choose_change.html"), name="choose_change"),
    path("Account/ActualizarDatos", theme.plain("theme/choose_update.html"), name="choose_update"),
    path("Account/GenerarNuevaCusPj", recover.Start.as_view(door=COMPANY, title=recover.NEW_COMPANY_KEY)),
    # What a learning platform places in its pages
    path("asistencia/bloque/<str:packed>", block.block, name="attendance_block"),
    path("asistencia/bloque/<str:packed>/marca", block.begin, name="attendance_block_begin"),
    # Training bodies
    path("rts", rts.Rts.as_view(), name="rts"),
    path("rts/", RedirectView.as_view(pattern_name="rts")),
    path("rts/ingresar", rts.RtsSignIn.as_view(), name="rts_signin"),
    path("rts/sitios", rts.Hosts.as_view(), name="rts_hosts"),
    path("rts/recibos", rts.receipts, name="rts_receipts"),
    path("rts/<int:token>/revocar", rts.Revoke.as_view(), name="rts_revoke"),
    path("rts/declaraciones", statements.body_statements, name="body_statements"),
    path("rts/declaraciones/<path:code>", statements.IssueForBody.as_view(), name="body_statement"),
    path("rts/cursos", otec.courses, name="body_courses"),
    path("rts/cursos/<path:code>/asistencia.<slug:kind>", otec.export, name="body_export"),
    path("rts/cursos/<path:code>", otec.report, name="body_report"),
    path("rts/cargar", imports.Upload.as_view(), name="body_import"),
    path("rts/cargar/plantilla.<slug:kind>", imports.template, name="body_import_template"),
    path("rts/cargar/<run:bring>", imports.page, name="body_import_page"),
    path("rts/revisar", otec.Preflight.as_view(), name="body_preflight"),
    path("api/v1/<path:rest>", programs.api_v1),
    # The participant's own pages
    path("asistencia/cerrar/<run:public>", participant.CloseHere.as_view(), name="attendance_close"),
    path("mi-cuenta/cursos", participant.courses, name="my_courses"),
    path("mi-cuenta/cursos/avisos", participant.Warnings.as_view(), name="attendance_warnings"),
    path("mi-cuenta/declaraciones/<path:code>", statements.Issue.as_view(), name="statement_issue"),
    path("declaracion/<str:folio>", statements.statement, name="statement"),
    path("declaracion/<str:folio>/pdf", statements.paper, name="statement_paper"),
    path("verificar", statements.Verify.as_view(), name="verify"),
    path("verificar/<str:folio>", statements.verify_folio, name="verify_folio"),
    # Ley 21.719
    path("mi-cuenta/mis-datos", privacy.held, name="privacy"),
    path("mi-cuenta/mis-datos/pedir", privacy.Ask.as_view(), name="privacy_ask"),
    path("mi-cuenta/mis-datos.<slug:kind>", privacy.download, name="privacy_download"),
    path("backoffice/datos", privacy.petitions, name="backoffice_petitions"),
    path("backoffice/datos/<int:pk>", privacy.Decide.as_view(), name="backoffice_petition"),
    # The people at the help desk
    path("backoffice", RedirectView.as_view(pattern_name="backoffice")),
    path("backoffice/", include("clave.backoffice.urls")),
    # Operations
    path("healthz", theme.healthz),
    path("readyz", theme.readyz),
    path("metrics", metrics),
]
if settings.CLAVE_DEMO:
    urlpatterns.append(path("sandbox/", include("clave.sandbox.urls")))

handler400 = "clave.core.errors.bad_request"
handler403 = "clave.core.errors.forbidden"
handler404 = "clave.core.errors.not_found"
handler500 = "clave.core.errors.server_error"
