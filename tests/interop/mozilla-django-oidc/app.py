"""A Django application that relies on Clave through mozilla-django-oidc."""

import hashlib
import os
from urllib.parse import urlencode

import django
import jwt
import requests
from django.conf import settings
from django.core.management import call_command
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import include, path

METADATA = requests.get(os.environ["ISSUER"] + "/.well-known/openid-configuration", timeout=10).json()
settings.configure(
    SECRET_KEY=os.urandom(32).hex(),
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "mozilla_django_oidc",
    ],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}},
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "mozilla_django_oidc.middleware.SessionRefresh",
    ],
    AUTHENTICATION_BACKENDS=["mozilla_django_oidc.auth.OIDCAuthenticationBackend"],
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    LOGIN_REDIRECT_URL="/me",
    LOGIN_REDIRECT_URL_FAILURE="/failed",
    LOGOUT_REDIRECT_URL="/",
    OIDC_RP_CLIENT_ID=os.environ["CLIENT_ID"],
    OIDC_RP_CLIENT_SECRET=os.environ["CLIENT_SECRET"],
    OIDC_RP_SIGN_ALGO="ES256",
    OIDC_RP_SCOPES="openid profile email",
    OIDC_USE_PKCE=True,
    OIDC_STORE_ACCESS_TOKEN=True,
    OIDC_STORE_ID_TOKEN=True,
    OIDC_EXEMPT_URLS=["/", "/logout"],
    OIDC_OP_AUTHORIZATION_ENDPOINT=METADATA["authorization_endpoint"],
    OIDC_OP_TOKEN_ENDPOINT=METADATA["token_endpoint"],
    OIDC_OP_USER_ENDPOINT=METADATA["userinfo_endpoint"],
    OIDC_OP_JWKS_ENDPOINT=METADATA["jwks_uri"],
    OIDC_OP_LOGOUT_URL_METHOD=f"{__name__}.provider_logout",
    ALLOW_LOGOUT_GET_METHOD=True,
)
django.setup()

from mozilla_django_oidc.auth import OIDCAuthenticationBackend  # noqa: E402
from mozilla_django_oidc.views import OIDCLogoutView  # noqa: E402


def home(request):
    return HttpResponse('<a href="/oidc/authenticate/">Ingresar</a>')


def me(request):
    if not request.user.is_authenticated:
        return JsonResponse({"error": "not signed in"}, status=401)
    id_token, access_token = request.session["oidc_id_token"], request.session["oidc_access_token"]
    return JsonResponse(
        {
            "id_token": jwt.decode(id_token, options={"verify_signature": False}),
            "kid": jwt.get_unverified_header(id_token)["kid"],
            "userinfo": OIDCAuthenticationBackend().get_userinfo(access_token, id_token, None),
            "access_token": hashlib.sha256(access_token.encode()).hexdigest()[:16],
        }
    )


def refresh(request):
    """Let the library's middleware think that the id token has expired: it asks anew with prompt=none."""
    request.session["oidc_id_token_expiration"] = 0
    return redirect("/me")


def provider_logout(request):
    query = {
        "id_token_hint": request.session["oidc_id_token"],
        "post_logout_redirect_uri": os.environ["POST_LOGOUT_REDIRECT_URI"],
    }
    return f"{METADATA['end_session_endpoint']}?{urlencode(query)}"


urlpatterns = [
    path("", home),
    path("me", me),
    path("refresh", refresh),
    path("logout", OIDCLogoutView.as_view()),
    path("oidc/", include("mozilla_django_oidc.urls")),
]

if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    call_command("runserver", "127.0.0.1:" + os.environ["PORT"], use_reloader=False)
