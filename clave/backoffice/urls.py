"""The rooms of the back office."""

from django.urls import path

from clave.backoffice import contact, desk, entrance, operators, oversight, review

urlpatterns = [
    path("", desk.Search.as_view(), name="backoffice"),
    path("ingresar", entrance.SignIn.as_view(), name="backoffice_signin"),
    path("ingresar/llave", entrance.PasskeySignIn.as_view(), name="backoffice_passkey"),
    path("salir", entrance.sign_out, name="backoffice_signout"),
    path("invitacion", entrance.Invitation.as_view(), name="backoffice_invitation"),
    path("invitacion/<run:run>/codigo", entrance.ConfirmCode.as_view(), name="backoffice_invitation_code"),
    path("mi-acceso", entrance.MyAccess.as_view(), name="backoffice_access"),
    path("mi-acceso/<int:passkey>/quitar", entrance.remove_passkey, name="backoffice_passkey_remove"),
    path("titular/<uuid:holder>", desk.Account.as_view(), name="backoffice_holder"),
    path("titular/<uuid:holder>/motivo", desk.GiveReason.as_view(), name="backoffice_reason"),
    path("titular/<uuid:holder>/contacto-completo", desk.Reveal.as_view(), name="backoffice_reveal"),
    path("titular/<uuid:holder>/desbloquear", desk.Unlock.as_view(), name="backoffice_unlock"),
    path("titular/<uuid:holder>/clave", desk.SendKey.as_view(), name="backoffice_send_key"),
    path("titular/<uuid:holder>/contacto", contact.ProposeContact.as_view(), name="backoffice_contact"),
    path("titular/<uuid:holder>/pregunta", contact.StartQuestion.as_view(), name="backoffice_question"),
    path("titular/<uuid:holder>/cambio/<int:change>", contact.DecideContact.as_view(), name="backoffice_change"),
    path("titular/<uuid:holder>/revisado", desk.Reviewed.as_view(), name="backoffice_reviewed"),
    path("cambios", contact.contact_changes, name="backoffice_changes"),
    path("solicitudes", review.requests, name="backoffice_requests"),
    path("solicitudes/<int:pk>", review.Request.as_view(), name="backoffice_request"),
    path("solicitudes/<int:pk>/<slug:name>", review.document, name="backoffice_document"),
    path("anulaciones/<int:pk>", review.Annulment.as_view(), name="backoffice_annulment"),
    path("auditoria", oversight.Trail.as_view(), name="backoffice_trail"),
    path("auditoria/revisar", oversight.verify, name="backoffice_verify"),
    path("operadores", operators.Operators.as_view(), name="backoffice_operators"),
    path("operadores/<int:pk>", operators.change_operator, name="backoffice_operator"),
    path("operadores/propuestas/<int:pk>", operators.Decide.as_view(), name="backoffice_proposal"),
    path("trabajo", oversight.workload, name="backoffice_workload"),
]
