"""Self-service flows, for each profile under its own URLs."""

from typing import Any

from django.urls import URLPattern, path

from clave.holders.profiles import COMPANY, FACILITATOR, MIGRANT, PERSON, ProfileConfig
from clave.selfservice.change import views as change
from clave.selfservice.confirmations import views as confirmations
from clave.selfservice.facilitators import views as facilitators
from clave.selfservice.recover import views as recover
from clave.selfservice.register import views as register
from clave.selfservice.representatives import views as representatives
from clave.selfservice.update import views as update


def profile_urlpatterns(config: ProfileConfig) -> list[URLPattern]:
    """Return the URL patterns of a profile's flows: those of register, recover, change and update it has."""
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
    patterns = []
    for flow in (name for name in config.pages if name in steps):
        (first, start), *rest = steps[flow]
        base = f"{config.path_prefix}/{first}"
        begin = update.start_for_company if (flow, config) == ("update", COMPANY) else start.as_view(config=config)
        patterns.append(path(base, begin, name=config.page(flow)))
        for address, view in rest:
            name = config.page(f"{flow}_{view.name}")
            patterns.append(path(f"{base}/<run:run>/{address}", view.as_view(config=config), name=name))
    return patterns


urlpatterns = [
    *profile_urlpatterns(PERSON),
    path("persona/actualizar/fecha-y-correo", update.StartByBirth.as_view(), name="update_by_birth"),
    *profile_urlpatterns(COMPANY),
    path("Account/GenerarNuevaCusPj", recover.Start.as_view(config=COMPANY, title=recover.NEW_COMPANY_KEY)),
    path("mi-cuenta/representantes", representatives.Representatives.as_view(), name="representatives"),
    path("mi-cuenta/representantes/<int:person>/quitar", representatives.remove, name="representative_remove"),
    *profile_urlpatterns(MIGRANT),
    path(
        "migrante/actualizar/fecha-y-correo",
        update.StartByBirth.as_view(config=MIGRANT),
        name="migrant_update_by_birth",
    ),
    *profile_urlpatterns(FACILITATOR),
    path("empresa/facilitador", facilitators.Start.as_view(), name="facilitator_request"),
    path("empresa/facilitador/estado", facilitators.State.as_view(), name="facilitator_state"),
    path("empresa/facilitador/recuperar", facilitators.Key.as_view(), name="facilitator_key"),
    path(
        "empresa/facilitador/<run:run>/declaracion",
        facilitators.Affidavit.as_view(),
        name="facilitator_request_affidavit",
    ),
    path("empresa/facilitador/<run:run>/plantilla.docx", facilitators.letter, name="facilitator_request_letter"),
    path("empresa/facilitador/<run:run>/datos", facilitators.Data.as_view(), name="facilitator_request_data"),
    # Confirmation by the holder of changes started by the help desk
    path("empresa/confirmar", confirmations.CardProof.as_view(), name="confirm"),
    path("confirmar", confirmations.follow_link, {"step": "contact"}, name="confirm_link"),
    path("rechazar", confirmations.follow_link, {"step": "reject"}, name="reject_link"),
    path("confirmar/<run:run>/contacto", confirmations.ContactStep.as_view(), name="confirm_contact"),
    path("confirmar/<run:run>/rechazo", confirmations.RejectStep.as_view(), name="confirm_reject"),
    path("confirmar/<run:run>/pregunta", confirmations.QuestionStep.as_view(), name="confirm_question"),
]
