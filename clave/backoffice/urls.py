"""The pages of the back office."""

from django.urls import path
from django.views.generic import RedirectView

from clave.backoffice import (
    api_token_pages,
    client_actions,
    client_pages,
    contact_proposals,
    desk_pages,
    operator_pages,
    review_pages,
    signin_pages,
    supervision_pages,
)
from clave.backoffice.client_api import entry

urlpatterns = [
    path("backoffice", RedirectView.as_view(pattern_name="backoffice")),
    path("backoffice/", desk_pages.Search.as_view(), name="backoffice"),
    path("backoffice/ingresar", signin_pages.SignIn.as_view(), name="backoffice_signin"),
    path("backoffice/ingresar/llave", signin_pages.PasskeySignIn.as_view(), name="backoffice_passkey"),
    path("backoffice/salir", signin_pages.sign_out, name="backoffice_signout"),
    path("backoffice/invitacion", signin_pages.Invitation.as_view(), name="backoffice_invitation"),
    path(
        "backoffice/invitacion/<run:run>/codigo", signin_pages.ConfirmCode.as_view(), name="backoffice_invitation_code"
    ),
    path("backoffice/mi-acceso", signin_pages.MyAccess.as_view(), name="backoffice_access"),
    path("backoffice/mi-acceso/<int:passkey>/quitar", signin_pages.remove_passkey, name="backoffice_passkey_remove"),
    path("backoffice/titular/<uuid:holder>", desk_pages.Account.as_view(), name="backoffice_holder"),
    path("backoffice/titular/<uuid:holder>/motivo", desk_pages.GiveReason.as_view(), name="backoffice_reason"),
    path("backoffice/titular/<uuid:holder>/contacto-completo", desk_pages.Reveal.as_view(), name="backoffice_reveal"),
    path("backoffice/titular/<uuid:holder>/desbloquear", desk_pages.Unlock.as_view(), name="backoffice_unlock"),
    path("backoffice/titular/<uuid:holder>/clave", desk_pages.SendKey.as_view(), name="backoffice_send_key"),
    path(
        "backoffice/titular/<uuid:holder>/contacto",
        contact_proposals.ProposeContact.as_view(),
        name="backoffice_contact",
    ),
    path(
        "backoffice/titular/<uuid:holder>/pregunta",
        contact_proposals.StartQuestion.as_view(),
        name="backoffice_question",
    ),
    path(
        "backoffice/titular/<uuid:holder>/cambio/<int:change>",
        contact_proposals.DecideContact.as_view(),
        name="backoffice_change",
    ),
    path("backoffice/titular/<uuid:holder>/revisado", desk_pages.Reviewed.as_view(), name="backoffice_reviewed"),
    path("backoffice/cambios", contact_proposals.contact_changes, name="backoffice_changes"),
    path("backoffice/solicitudes", review_pages.requests, name="backoffice_requests"),
    path("backoffice/solicitudes/<int:pk>", review_pages.Request.as_view(), name="backoffice_request"),
    path("backoffice/solicitudes/<int:pk>/<slug:name>", review_pages.document, name="backoffice_document"),
    path("backoffice/anulaciones/<int:pk>", review_pages.Annulment.as_view(), name="backoffice_annulment"),
    path("backoffice/auditoria", supervision_pages.Trail.as_view(), name="backoffice_trail"),
    path("backoffice/auditoria/revisar", supervision_pages.verify, name="backoffice_verify"),
    path("backoffice/operadores", operator_pages.Operators.as_view(), name="backoffice_operators"),
    path("backoffice/operadores/<int:pk>", operator_pages.change_operator, name="backoffice_operator"),
    path("backoffice/operadores/propuestas/<int:pk>", operator_pages.Decide.as_view(), name="backoffice_proposal"),
    path("backoffice/sistemas", client_pages.listing, name="backoffice_clients"),
    path("backoffice/sistemas/nuevo", client_pages.NewClient.as_view(), name="backoffice_client_new"),
    path("backoffice/sistemas/tokens", api_token_pages.ApiTokens.as_view(), name="backoffice_api_tokens"),
    path(
        "backoffice/sistemas/tokens/<int:pk>/revocar",
        api_token_pages.RevokeApiToken.as_view(),
        name="backoffice_api_token_revoke",
    ),
    path("backoffice/sistemas/<slug:client_id>", client_pages.client_page, name="backoffice_client"),
    path("backoffice/sistemas/<slug:client_id>.json", client_pages.settings_file, name="backoffice_client_file"),
    path(
        "backoffice/sistemas/<slug:client_id>/cambiar",
        client_pages.ChangeClient.as_view(),
        name="backoffice_client_change",
    ),
    path(
        "backoffice/sistemas/<slug:client_id>/secreto",
        client_actions.RotateSecret.as_view(),
        name="backoffice_client_secret",
    ),
    path(
        "backoffice/sistemas/<slug:client_id>/secreto-anterior",
        client_actions.EndFormerSecret.as_view(),
        name="backoffice_client_former",
    ),
    path(
        "backoffice/sistemas/<slug:client_id>/suspender",
        client_actions.Suspend.as_view(),
        name="backoffice_client_suspend",
    ),
    path(
        "backoffice/sistemas/<slug:client_id>/reactivar",
        client_actions.Resume.as_view(),
        name="backoffice_client_resume",
    ),
    path(
        "backoffice/sistemas/<slug:client_id>/comprobar",
        client_actions.CheckClient.as_view(),
        name="backoffice_client_check",
    ),
    path("backoffice/sistemas/<slug:client_id>/logo", client_actions.SetLogo.as_view(), name="backoffice_client_logo"),
    path(
        "backoffice/sistemas/<slug:client_id>/logo/quitar",
        client_actions.RemoveLogo.as_view(),
        name="backoffice_client_logo_remove",
    ),
    path("api/clients/v1/<path:rest>", entry.clients_v1),
    path("backoffice/trabajo", supervision_pages.workload, name="backoffice_workload"),
]
