"""Root URL configuration: each app has its own `urls.py`."""

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path, register_converter

from clave.web.converters import HexConverter

register_converter(HexConverter, "run")

urlpatterns: list[URLPattern | URLResolver] = [
    # Most requested first: every URL pattern before a match costs time.
    path("", include("clave.signin.urls")),
    path("", include("clave.rce.urls")),
    path("", include("clave.sso.urls")),
    path("", include("clave.web.urls")),
    path("", include("clave.selfservice.urls")),
    path("", include("clave.attendance.urls")),
    path("", include("clave.statements.urls")),
    path("", include("clave.otec_portal.urls")),
    path("", include("clave.privacy.urls")),
    path("", include("clave.backoffice.urls")),
    path("", include("clave.operations.urls")),
]
if settings.CLAVE_DEMO:
    urlpatterns.append(path("sandbox/", include("clave.sandbox.urls")))

handler400 = "clave.web.errors.bad_request"
handler403 = "clave.web.errors.forbidden"
handler404 = "clave.web.errors.not_found"
handler500 = "clave.web.errors.server_error"
