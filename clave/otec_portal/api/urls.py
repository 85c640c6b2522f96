"""URLs of the API, separate from the site's because they are loaded with the API."""

from django.urls import path

from clave.otec_portal.api.endpoints import api

urlpatterns = [path("api/v1/", api.urls)]
