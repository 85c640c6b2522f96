"""A Django application written for ClaveÚnica, through django-clave-unica."""

import hashlib
import os
from urllib.parse import urlencode, urlsplit

import django
import requests
from django.conf import settings
from django.contrib.auth import logout as forget
from django.core.management import call_command
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import include, path

ISSUER = os.environ["ISSUER"]
SITE = "{0.scheme}://{0.netloc}".format(urlsplit(ISSUER))
METADATA = requests.get(ISSUER + "/.well-known/openid-configuration", timeout=10).json()
settings.configure(
    SECRET_KEY=os.urandom(32).hex(),
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "clave_unica_auth",
    ],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}},
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    CLAVE_UNICA={
        "CLIENT_ID": os.environ["CLIENT_ID"],
        "CLIENT_SECRET": os.environ["CLIENT_SECRET"],
        "REDIRECT_URI": os.environ["REDIRECT_URI"],
        "URL_LOGIN": METADATA["authorization_endpoint"],
        "TOKEN_URI": METADATA["token_endpoint"],
        "USERINFO_URI": METADATA["userinfo_endpoint"],
        "URL_LOGOUT": f"{SITE}/api/v1/accounts/app/logout",
        "PATH_SUCCESS_LOGIN": "/me",
    },
)
django.setup()

from clave_unica_auth.lib.utils import oauth2_claveunica  # noqa: E402
from clave_unica_auth.models import Login  # noqa: E402


def home(request):
    return HttpResponse('<a href="/claveunica/login/">Ingresar</a>')


def me(request):
    if not request.user.is_authenticated:
        return JsonResponse({"error": "not signed in"}, status=401)
    login = Login.objects.filter(user=request.user, completed=True).latest("id")
    person = request.user.person
    return JsonResponse(
        {
            "id_token": None,  # the library does not look at it
            "person": {"run": str(person), "first_name": request.user.first_name, "last_name": request.user.last_name},
            "userinfo": oauth2_claveunica.request_info_user(METADATA["userinfo_endpoint"], login.access_token),
            "access_token": hashlib.sha256(login.access_token.encode()).hexdigest()[:16],
            "lengths": {"code": len(login.authorization_code), "access_token": len(login.access_token)},
        }
    )


def logout(request):
    forget(request)
    query = urlencode({"redirect": os.environ["POST_LOGOUT_REDIRECT_URI"]})
    return redirect(f"{settings.CLAVE_UNICA['URL_LOGOUT']}?{query}")


urlpatterns = [
    path("", home),
    path("me", me),
    path("logout", logout),
    path("claveunica/", include("clave_unica_auth.urls")),
]

if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    call_command("runserver", "127.0.0.1:" + os.environ["PORT"], use_reloader=False)
