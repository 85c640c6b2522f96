"""Sign-on for other systems, and through others."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("clave.sso.upstream.urls")),
]
