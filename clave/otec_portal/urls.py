"""Training bodies: the RTS pages and the API (/api/v1)."""

from django.urls import path
from django.views.generic import RedirectView

from clave.otec_portal import imports, reports, tokens_and_hosts
from clave.otec_portal.api import entry

urlpatterns = [
    path("rts", tokens_and_hosts.Rts.as_view(), name="rts"),
    path("rts/", RedirectView.as_view(pattern_name="rts")),
    path("rts/ingresar", tokens_and_hosts.RtsSignIn.as_view(), name="rts_signin"),
    path("rts/sitios", tokens_and_hosts.Hosts.as_view(), name="rts_hosts"),
    path("rts/recibos", tokens_and_hosts.receipts, name="rts_receipts"),
    path("rts/<int:token>/revocar", tokens_and_hosts.Revoke.as_view(), name="rts_revoke"),
    path("rts/cursos", reports.courses, name="body_courses"),
    path("rts/cursos/<path:code>/asistencia.<slug:kind>", reports.export, name="body_export"),
    path("rts/cursos/<path:code>", reports.report, name="body_report"),
    path("rts/cargar", imports.Upload.as_view(), name="body_import"),
    path("rts/cargar/plantilla.<slug:kind>", imports.template, name="body_import_template"),
    path("rts/cargar/<run:job>", imports.page, name="body_import_page"),
    path("rts/revisar", reports.Preflight.as_view(), name="body_preflight"),
    path("api/v1/<path:rest>", entry.api_v1),
]
