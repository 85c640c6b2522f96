"""Holders' own data, and the help desk's answers to their requests (Ley 21.719)."""

from django.urls import path

from clave.privacy import views

urlpatterns = [
    path("mi-cuenta/mis-datos", views.held, name="privacy"),
    path("mi-cuenta/mis-datos/pedir", views.Ask.as_view(), name="privacy_ask"),
    path("mi-cuenta/mis-datos.<slug:kind>", views.download, name="privacy_download"),
    path("backoffice/datos", views.petitions, name="backoffice_petitions"),
    path("backoffice/datos/<int:pk>", views.Decide.as_view(), name="backoffice_petition"),
]
