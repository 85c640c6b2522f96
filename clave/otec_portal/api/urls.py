"""The addresses of the API, apart from the site's: loaded with the API itself."""

from django.urls import path

from clave.otec_portal.api.endpoints import api

urlpatterns = [path("api/v1/", api.urls)]
