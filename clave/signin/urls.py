"""Signing in and out, and my account."""

from django.urls import path

from clave.holders.profiles import COMPANY, FACILITATOR, MIGRANT
from clave.signin import views

urlpatterns = [
    path("ingresar", views.SignIn.as_view(cached_blank=True), name="signin"),
    path("ingresar/empresa", views.SignIn.as_view(config=COMPANY, cached_blank=True), name="company_signin"),
    path("ingresar/migrante", views.SignIn.as_view(config=MIGRANT, cached_blank=True), name="migrant_signin"),
    path(
        "ingresar/facilitador", views.SignIn.as_view(config=FACILITATOR, cached_blank=True), name="facilitator_signin"
    ),
    path("salir", views.SignOut.as_view(), name="signout"),
    path("mi-cuenta", views.account, name="account"),
    path("mi-cuenta/sesiones", views.account_sessions, name="account_sessions"),
    path("mi-cuenta/cerrar-otras", views.CloseOthers.as_view(), name="close_others"),
]
