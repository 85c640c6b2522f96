"""URLs of the clients' API, separate from the site's because they are loaded with the API."""

from django.urls import path

from clave.backoffice.client_api.endpoints import api

urlpatterns = [path("api/clients/v1/", api.urls)]
