"""Settings shared by all installations. Everything an operator may set comes from the environment."""

import os
import secrets
from pathlib import Path
from urllib.parse import urlsplit

from clave.config.settings import environment, profile
from clave.config.settings.doors import *  # noqa: F403
from clave.config.settings.environment import SETTINGS_ERRORS, loopback_and
from clave.config.settings.environment import by_line as _by_line
from clave.config.settings.environment import choice as _choice
from clave.config.settings.environment import flag as _flag
from clave.config.settings.environment import names as _list
from clave.config.settings.environment import number as _number
from clave.config.settings.environment import url as _url

ROOT = Path(__file__).resolve().parents[3]
PACKAGE = ROOT / "clave"


def _answers() -> dict[str, str]:
    try:
        return profile.read(os.environ)
    except profile.UnknownChoice as error:
        SETTINGS_ERRORS.append(str(error))
        return profile.read({})


CLAVE_HOME = Path(os.environ.get("CLAVE_HOME", ROOT / "var")).resolve()
try:
    CLAVE_HOME.mkdir(parents=True, exist_ok=True)
except OSError as error:
    SETTINGS_ERRORS.append(f"CLAVE_HOME={CLAVE_HOME}: {error.strerror}")
CLAVE_DEMO = _flag("CLAVE_DEMO")
CLAVE_PORT = environment.port()
CLAVE_URL = _url("CLAVE_URL", f"http://localhost:{CLAVE_PORT}").rstrip("/")
CLAVE_CAPTCHA = _choice("CLAVE_CAPTCHA", "image", "off")
CLAVE_NOW_OFFSET = _number("CLAVE_NOW_OFFSET", 0, -(10**10)) if CLAVE_DEMO else 0
CLAVE_INSPECTOR = _flag("CLAVE_INSPECTOR", "1")
CORES = len(os.sched_getaffinity(0))
CLAVE_WORKERS = _number("CLAVE_WORKERS", CORES, 1)
CLAVE_DRAIN_SECONDS = environment.seconds("CLAVE_DRAIN_SECONDS", 0 if CLAVE_DEMO else 5)
CLAVE_TRUSTED_PROXIES = _number("CLAVE_TRUSTED_PROXIES", 0)
CLAVE_DIRECT_TLS = _flag("CLAVE_DIRECT_TLS")
CLAVE_BUFFER_BODIES = _flag("CLAVE_BUFFER_BODIES", "1")
METRICS_ALLOW = loopback_and("METRICS_ALLOW")
CLAVE_HELP_LINE = os.environ.get("CLAVE_HELP_LINE", "800 80 10 30")
CLAVE_HELP_HOURS = os.environ.get("CLAVE_HELP_HOURS", "lunes a viernes, 9:00 a 18:00")
CLAVE_GUARD = True

ANSWERS = _answers()
SECRET_QUESTIONS = ANSWERS["SECRET_QUESTIONS"] == "on"  # noqa: S105 (a switch)
KEY_POLICY = ANSWERS["KEY_POLICY"]
KEY_DELIVERY = ANSWERS["KEY_DELIVERY"]
TEMPORARY_KEY_SECONDS = int(ANSWERS["TEMPORARY_KEY_SECONDS"])
NEW_EMAIL_AFTER_SERIAL = ANSWERS["NEW_EMAIL_AFTER_SERIAL"] == "on"
REGISTRATION_PROOF = ANSWERS["REGISTRATION_PROOF"]
SIGNIN_MESSAGES = ANSWERS["SIGNIN_MESSAGES"]
NIE_DIGITS = (6, 12)

DEBUG = _flag("CLAVE_DEBUG")
ALLOWED_HOSTS = _list("CLAVE_HOSTS")
if CLAVE_DEMO:
    ALLOWED_HOSTS += ["localhost", "127.0.0.1", "[::1]", urlsplit(CLAVE_URL).hostname or "localhost"]


def _secret_key() -> str:
    if key := os.environ.get("CLAVE_SECRET_KEY"):
        return key
    if not CLAVE_DEMO:
        return ""  # reported by the guard
    path = CLAVE_HOME / "secret_key"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(64))
    return path.read_text()


SECRET_KEY = _secret_key() or "unset"
SECRET_KEY_FALLBACKS = _list("CLAVE_SECRET_KEY_FALLBACKS")

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.staticfiles",
    "django_tasks",
    "django_tasks_db",
    "clave.web",
    "clave.web.captcha",
    "clave.holders",
    "clave.credentials",
    "clave.registries",
    "clave.notifications",
    "clave.audit",
    "clave.documents",
    "clave.signin",
    "clave.selfservice",
    "clave.training",
    "clave.attendance",
    "clave.rce",
    "clave.sso",
    "clave.otec_portal",
    "clave.statements",
    "clave.backoffice",
    "clave.privacy",
    "clave.operations",
]
if CLAVE_DEMO:
    INSTALLED_APPS.append("clave.sandbox")

MIDDLEWARE = [
    "clave.web.middleware.Shield",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "clave.web.middleware.ChosenLanguage",
    "django.middleware.csrf.CsrfViewMiddleware",
]

ROOT_URLCONF = "clave.config.urls"
WSGI_APPLICATION = "clave.config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "clave.web.context_processors.site",
            ],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
INSTALLED_APPS.append("django.forms")

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "America/Santiago"
LANGUAGE_CODE = "es"
LANGUAGES = [("es", "Español"), ("en", "English"), ("ht", "Kreyòl Ayisyen")]
LOCALE_PATHS = [PACKAGE / "web" / "locale"]
LANGUAGE_COOKIE_NAME = "idioma"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
USE_THOUSAND_SEPARATOR = False


def _vault() -> dict[str, object]:
    """Return the storage for documents: a bucket of an S3-compatible store if one is named, else CLAVE_HOME."""
    bucket = os.environ.get("VAULT_S3_BUCKET")
    if not bucket:
        options: dict[str, object] = {"location": CLAVE_HOME / "vault", "file_permissions_mode": 0o600}
        return {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": options}
    options = {
        "bucket_name": bucket,
        "endpoint_url": _url("VAULT_S3_ENDPOINT") or None,
        "access_key": os.environ.get("VAULT_S3_KEY"),
        "secret_key": os.environ.get("VAULT_S3_SECRET"),
        "region_name": os.environ.get("VAULT_S3_REGION") or None,
        "addressing_style": "path",
        "default_acl": None,
        "file_overwrite": False,
    }
    return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}


CLAMD_URL = _url("CLAMD_URL", "", ("tcp", "unix"))

STATIC_URL = "/static/"
STATIC_ROOT = CLAVE_HOME / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "vault": _vault(),
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_MAX_AGE = 365 * 24 * 3600

SESSION_ENGINE = "clave.signin.sessions"
SESSION_COOKIE_NAME = "sesion"
SESSION_COOKIE_AGE = 8 * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "clave.web.errors.csrf_failure"
# Production is behind TLS; a demo over plain HTTP on a laptop must still be able to set cookies.
_TLS = CLAVE_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = _TLS
if _TLS:
    CSRF_TRUSTED_ORIGINS = [CLAVE_URL]
    if CLAVE_TRUSTED_PROXIES:
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024
# A training body submits the results of all its participants in one form.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 3000
DATA_UPLOAD_MAX_NUMBER_FILES = 1
# Paths that accept uploads, with the maximum size of such a request in bytes.
CLAVE_UPLOADS = {
    r"/rts/cargar": 21 * 1024 * 1024,
    r"/verificar": 2 * 1024 * 1024,
    r"/empresa/facilitador/[0-9a-f]+/(declaracion|datos)": 2 * 1024 * 1024,
    r"/backoffice/sistemas/[\w-]+/logo": 2 * 1024 * 1024,
}
# Closing an attendance session takes precedence under load: the participant would lose the time.
CLAVE_URGENT_PATHS = ("/rce/Registro/CerrarSesion", "/asistencia/cerrar/", "/rce/solicitud/c105e")
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]
CLAVE_MAX_BODY = 2 * 1024 * 1024
SILENCED_SYSTEM_CHECKS: list[str] = []

# More than 1 GiB per sign-in must be a typing error, and no page would ever be served.
ARGON2_MEMORY_KIB = _number("ARGON2_MEMORY_KIB", 19456, 8, most=1024 * 1024)
ARGON2_TIME = _number("ARGON2_TIME", 2, 1)
ARGON2_PARALLELISM = _number("ARGON2_PARALLELISM", 1, 1)
HASHES_AT_ONCE = max(1, CORES // CLAVE_WORKERS)

RCE_SESSION_MINUTES = _by_line("RCE_SESSION_MINUTES", 170)
STATEMENT_PERCENT = _by_line("STATEMENT_PERCENT", 75, most=100)
INSTITUTION_P12 = os.environ.get("INSTITUTION_P12", "")
INSTITUTION_P12_PASSWORD = os.environ.get("INSTITUTION_P12_PASSWORD", "")
RCE_SIGNIN = {
    "rce": _choice("RCE_SIGNIN", "patient", "strict"),
    "rcetest": _choice("RCETEST_SIGNIN", "patient", "strict"),
}
RCE_RETURN_HOSTS = _choice("RCE_RETURN_HOSTS", "any", "registered")
RCE_PENDING_FACTOR = _number("RCE_PENDING_FACTOR", 1, 1)
RCE_ALL_CODES = _flag("RCE_ALL_CODES")


SSO_ACCESS_SECONDS = _number("SSO_ACCESS_SECONDS", 600, 60, most=3600)
SSO_REFRESH_DAYS = _number("SSO_REFRESH_DAYS", 30, 1, most=365)
SSO_REFRESH_GRACE_SECONDS = _number("SSO_REFRESH_GRACE_SECONDS", 30, 0, most=300)
# Clients whose people sign in at a page of their own (client_id: URL name) and never with the browser's session.
SSO_SIGN_IN_PAGES = {"claveunica-demo": "sandbox_claveunica_sign_in"} if CLAVE_DEMO else {}

# Six years: the limitation period for tax audits (Código Tributario, article 200).
ATTENDANCE_LEAST_DAYS = 6 * 365 + 2


def _retention() -> dict[str, int]:
    """Return the retention in days per data set; `RETENTION_DAYS=operator_actions=365,attendance=2200` sets some."""
    days = {
        "messages": 90,
        "attempts": 400,
        "operator_actions": 2 * 365,
        "petitions": 2 * 365,
        "facilitator_documents": 365,
        "attendance": ATTENDANCE_LEAST_DAYS,
    }
    for name, _, value in (part.partition("=") for part in _list("RETENTION_DAYS")):
        if name in days:
            days[name] = _number("RETENTION_DAYS", days[name], 1, value)
        else:
            SETTINGS_ERRORS.append(f"RETENTION_DAYS: {name}: use {', '.join(days)}")
    return days


RETENTION_DAYS = _retention()

TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": ["default"]}}

EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_HOST = os.environ.get("EMAIL_HOST", "localhost")
EMAIL_PORT = _number("EMAIL_PORT", 25, 1, most=65535)
EMAIL_HOST_USER = os.environ.get("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = os.environ.get("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = _flag("EMAIL_USE_TLS")
EMAIL_TIMEOUT = 5
DEMO_SENDER = "Clave SENCE <no-responder@clave.example.cl>"
DEFAULT_FROM_EMAIL = os.environ.get("CLAVE_MAIL_FROM", DEMO_SENDER)
SMS_GATEWAY_URL = _url("SMS_GATEWAY_URL")
SMS_GATEWAY_TOKEN = os.environ.get("SMS_GATEWAY_TOKEN", "")

REGISTRO_CIVIL_URL = _url("REGISTRO_CIVIL_URL")
REGISTRO_CIVIL_TOKEN = os.environ.get("REGISTRO_CIVIL_TOKEN", "")
SII_URL = _url("SII_URL")
SII_TOKEN = os.environ.get("SII_TOKEN", "")
REGISTRY_BUDGET_SECONDS = 1.2

LOGGING_CONFIG = "clave.lib.logs.configure"
LOGGING = {"level": environment.log_level()}
