"""What every installation shares. Everything an operator may set comes from the environment."""

import os
import secrets
from pathlib import Path
from typing import Any

from clave.settings import profile

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "clave"


def _on(name: str, default: str = "0") -> bool:
    return os.environ.get(name, default) == "1"


def _list(name: str) -> list[str]:
    return [part.strip() for part in os.environ.get(name, "").split(",") if part.strip()]


def _by_line(name: str, default: int) -> dict[int, int]:
    """Read a number for every line of training, `170`, or one for some of them, `1=120,3=170`."""
    given = dict(part.rpartition("=")[::2] for part in _list(name))
    return {line: int(given.get(str(line), given.get("", default))) for line in (1, 3, 6)}


CLAVE_HOME = Path(os.environ.get("CLAVE_HOME", ROOT / "var")).resolve()
CLAVE_HOME.mkdir(parents=True, exist_ok=True)
CLAVE_DEMO = _on("CLAVE_DEMO")
CLAVE_PORT = int(os.environ.get("PORT", "8000"))
CLAVE_URL = os.environ.get("CLAVE_URL", f"http://localhost:{CLAVE_PORT}").rstrip("/")
CLAVE_CAPTCHA = os.environ.get("CLAVE_CAPTCHA", "image")
CLAVE_NOW_OFFSET = int(os.environ.get("CLAVE_NOW_OFFSET", "0")) if CLAVE_DEMO else 0
CLAVE_INSPECTOR = _on("CLAVE_INSPECTOR", "1")
CORES = len(os.sched_getaffinity(0))
CLAVE_WORKERS = int(os.environ.get("CLAVE_WORKERS", CORES))
CLAVE_TRUSTED_PROXIES = int(os.environ.get("CLAVE_TRUSTED_PROXIES", "0"))
CLAVE_HELP_LINE = os.environ.get("CLAVE_HELP_LINE", "800 80 10 30")
CLAVE_HELP_HOURS = os.environ.get("CLAVE_HELP_HOURS", "lunes a viernes, 9:00 a 18:00")
CLAVE_GUARD = True

ANSWERS = profile.read(os.environ)
SECRET_QUESTIONS = ANSWERS["SECRET_QUESTIONS"] == "on"  # noqa: S105 (a switch)
KEY_POLICY = ANSWERS["KEY_POLICY"]
KEY_DELIVERY = ANSWERS["KEY_DELIVERY"]
TEMPORARY_KEY_SECONDS = int(ANSWERS["TEMPORARY_KEY_SECONDS"])
NEW_EMAIL_AFTER_SERIAL = ANSWERS["NEW_EMAIL_AFTER_SERIAL"] == "on"
REGISTRATION_PROOF = ANSWERS["REGISTRATION_PROOF"]
SIGNIN_MESSAGES = ANSWERS["SIGNIN_MESSAGES"]
NIE_DIGITS = (6, 12)

DEBUG = _on("CLAVE_DEBUG")
ALLOWED_HOSTS = _list("CLAVE_HOSTS")
if CLAVE_DEMO:
    ALLOWED_HOSTS += ["localhost", "127.0.0.1", "[::1]"]


def _secret_key() -> str:
    if key := os.environ.get("CLAVE_SECRET_KEY"):
        return key
    if not CLAVE_DEMO:
        return ""  # the guard names it
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
    "clave.core",
    "clave.holders",
    "clave.keys",
    "clave.registries",
    "clave.courier",
    "clave.audit",
    "clave.vault",
    "clave.signin",
    "clave.flows",
    "clave.training",
    "clave.attendance",
    "clave.statements",
    "clave.backoffice",
    "clave.privacy",
    "clave.theme",
]
if CLAVE_DEMO:
    INSTALLED_APPS.append("clave.sandbox")

MIDDLEWARE = [
    "clave.core.middleware.Shield",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "clave.core.middleware.ChosenLanguage",
    "django.middleware.csrf.CsrfViewMiddleware",
]

ROOT_URLCONF = "clave.urls"
WSGI_APPLICATION = "clave.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "clave.theme.context.site",
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
LOCALE_PATHS = [PACKAGE / "theme" / "locale"]
LANGUAGE_COOKIE_NAME = "idioma"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
USE_THOUSAND_SEPARATOR = False


def _vault() -> dict[str, Any]:
    """Return where documents lie: in a bucket of an S3-compatible store if one is named, else in CLAVE_HOME."""
    bucket = os.environ.get("VAULT_S3_BUCKET")
    if not bucket:
        options: dict[str, Any] = {"location": CLAVE_HOME / "vault", "file_permissions_mode": 0o600}
        return {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": options}
    options = {
        "bucket_name": bucket,
        "endpoint_url": os.environ.get("VAULT_S3_ENDPOINT") or None,
        "access_key": os.environ.get("VAULT_S3_KEY"),
        "secret_key": os.environ.get("VAULT_S3_SECRET"),
        "region_name": os.environ.get("VAULT_S3_REGION") or None,
        "addressing_style": "path",
        "default_acl": None,
        "file_overwrite": False,
    }
    return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}


CLAMD_URL = os.environ.get("CLAMD_URL", "")

STATIC_URL = "/static/"
STATIC_ROOT = CLAVE_HOME / "static"
STATICFILES_DIRS = [PACKAGE / "theme" / "static"]
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
CSRF_FAILURE_VIEW = "clave.core.errors.csrf_failure"
# Behind TLS in production; a plain-http demo on a laptop must be able to keep its cookies.
_TLS = CLAVE_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = _TLS
if _TLS:
    CSRF_TRUSTED_ORIGINS = [CLAVE_URL]
    if CLAVE_TRUSTED_PROXIES:
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024
# A training body states the result of each participant in one form.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 3000
DATA_UPLOAD_MAX_NUMBER_FILES = 1
# Where a file may be brought, and how many bytes such a request may have.
CLAVE_UPLOADS = {
    r"/rts/cargar": 21 * 1024 * 1024,
    r"/verificar": 2 * 1024 * 1024,
    r"/empresa/facilitador/[0-9a-f]+/(declaracion|datos)": 2 * 1024 * 1024,
}
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]
CLAVE_MAX_BODY = 2 * 1024 * 1024
SILENCED_SYSTEM_CHECKS: list[str] = []

ARGON2_MEMORY_KIB = int(os.environ.get("ARGON2_MEMORY_KIB", "19456"))
ARGON2_TIME = int(os.environ.get("ARGON2_TIME", "2"))
ARGON2_PARALLELISM = int(os.environ.get("ARGON2_PARALLELISM", "1"))
HASHES_AT_ONCE = max(1, CORES // CLAVE_WORKERS)

RCE_SESSION_MINUTES = _by_line("RCE_SESSION_MINUTES", 170)
STATEMENT_PERCENT = _by_line("STATEMENT_PERCENT", 75)
INSTITUTION_P12 = os.environ.get("INSTITUTION_P12", "")
INSTITUTION_P12_PASSWORD = os.environ.get("INSTITUTION_P12_PASSWORD", "")
RCE_SIGNIN = {"rce": os.environ.get("RCE_SIGNIN", "patient"), "rcetest": os.environ.get("RCETEST_SIGNIN", "patient")}
RCE_RETURN_HOSTS = os.environ.get("RCE_RETURN_HOSTS", "any")
RCE_ALL_CODES = _on("RCE_ALL_CODES")


def _retention() -> dict[str, int]:
    """Return for how many days what is kept; `RETENTION_DAYS=deeds=365,attendance=2200` changes some."""
    days = {
        "messages": 90,
        "attempts": 400,
        "deeds": 2 * 365,
        "petitions": 2 * 365,
        "facilitator_documents": 365,
        # Six years: as long as the tax office may look back (Código Tributario, article 200).
        "attendance": 6 * 365 + 2,
    }
    given = {name: int(value) for name, _, value in (part.partition("=") for part in _list("RETENTION_DAYS"))}
    if unknown := set(given) - set(days):
        raise ValueError(f"RETENTION_DAYS: {', '.join(sorted(unknown))}: use {', '.join(days)}")
    return {**days, **given}


RETENTION_DAYS = _retention()

TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": ["default"]}}

EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_HOST = os.environ.get("EMAIL_HOST", "localhost")
EMAIL_PORT = int(os.environ.get("EMAIL_PORT", "25"))
EMAIL_HOST_USER = os.environ.get("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = os.environ.get("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = _on("EMAIL_USE_TLS")
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = os.environ.get("CLAVE_MAIL_FROM", "Clave SENCE <no-responder@clave.example.cl>")
SMS_GATEWAY_URL = os.environ.get("SMS_GATEWAY_URL", "")
SMS_GATEWAY_TOKEN = os.environ.get("SMS_GATEWAY_TOKEN", "")

REGISTRO_CIVIL_URL = os.environ.get("REGISTRO_CIVIL_URL", "")
REGISTRO_CIVIL_TOKEN = os.environ.get("REGISTRO_CIVIL_TOKEN", "")
SII_URL = os.environ.get("SII_URL", "")
SII_TOKEN = os.environ.get("SII_TOKEN", "")
REGISTRY_BUDGET_SECONDS = 1.2

LOGGING_CONFIG = "clave.core.logs.configure"
LOGGING = {"level": os.environ.get("CLAVE_LOG_LEVEL", "INFO")}
