"""Sign-in and the account pages. Signing out also ends sign-on elsewhere: `clave/sso/urls.py`."""

from django.urls import path

from clave.holders.profiles import COMPANY, FACILITATOR, MIGRANT
from clave.signin import account, sign_in

urlpatterns = [
    path("ingresar", sign_in.SignIn.as_view(cached_blank=True), name="signin"),
    path("ingresar/empresa", sign_in.SignIn.as_view(config=COMPANY, cached_blank=True), name="company_signin"),
    path("ingresar/migrante", sign_in.SignIn.as_view(config=MIGRANT, cached_blank=True), name="migrant_signin"),
    path(
        "ingresar/facilitador", sign_in.SignIn.as_view(config=FACILITATOR, cached_blank=True), name="facilitator_signin"
    ),
    path("mi-cuenta", account.account, name="account"),
    path("mi-cuenta/sesiones", account.account_sessions, name="account_sessions"),
    path("mi-cuenta/cerrar-otras", account.CloseOthers.as_view(), name="close_others"),
]
