"""A provider made of django-oidc-provider, in the oracle's environment: `python server.py PORT REDIRECT_URI…`.

Its one person is ClaveÚnica's test person 44.444.444-4, its one client has the credentials of `claveunica-demo`.
"""

import sys
from wsgiref.simple_server import WSGIRequestHandler, make_server

import django
from django.conf import settings
from django.core.management import call_command

CLIENT_ID, SECRET = "claveunica-demo", "secreto-de-claveunica-demo"


class Quiet(WSGIRequestHandler):
    """A request handler that writes no log."""

    def log_message(self, *words: object) -> None:
        """Say nothing."""


def configure(port: int) -> None:
    settings.configure(
        SECRET_KEY="the-oracle-keeps-no-secrets",
        ALLOWED_HOSTS=["127.0.0.1"],
        ROOT_URLCONF="urls",
        LOGIN_URL="/accounts/login/",
        SITE_URL=f"http://127.0.0.1:{port}",
        USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "oidc_provider",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
            }
        ],
        OIDC_USERINFO="claims.userinfo",
        OIDC_EXTRA_SCOPE_CLAIMS="claims.ClaveUnicaClaims",
    )
    django.setup()


def fill(redirect_uris: list[str]) -> None:
    from django.contrib.auth.models import User
    from oidc_provider.models import Client, ResponseType

    call_command("migrate", verbosity=0)
    call_command("creatersakey", verbosity=0)
    User.objects.create_user("44444444-4", email="44444444@claveunica-demo.example.cl", password="testing")
    client = Client(name="Aplicación", client_id=CLIENT_ID, client_secret=SECRET, require_consent=False)
    client.redirect_uris, client.jwt_alg = redirect_uris, "RS256"
    client.save()
    client.response_types.set(ResponseType.objects.filter(value="code"))


def main() -> None:
    port = int(sys.argv[1])
    configure(port)
    fill(sys.argv[2:])
    from django.core.wsgi import get_wsgi_application

    make_server("127.0.0.1", port, get_wsgi_application(), handler_class=Quiet).serve_forever()


if __name__ == "__main__":
    main()
