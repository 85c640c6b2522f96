"""A production start refuses insecure settings and names each one."""

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


def insecure() -> list[str]:
    """Return one sentence per setting that must not go to production; empty when all is well."""
    found = []
    key = settings.SECRET_KEY
    if len(key) < 50 or len(set(key)) < 10 or key.startswith(("django-insecure", "only-for-tests")):
        found.append("CLAVE_SECRET_KEY: missing or weak; set 50 or more random characters")
    if settings.DEBUG:
        found.append("CLAVE_DEBUG: must be off")
    if settings.CLAVE_CAPTCHA != "image":
        found.append("CLAVE_CAPTCHA: may be off only with CLAVE_DEMO=1")
    if "clave.sandbox" in settings.INSTALLED_APPS:
        found.append("CLAVE_DEMO: the sandbox and its demo data must not be installed")
    if (settings.CLAVE_HOME / "demo-data").exists():
        found.append("CLAVE_HOME: this folder holds demo data; use another one")
    if not settings.ALLOWED_HOSTS or "*" in settings.ALLOWED_HOSTS:
        found.append("CLAVE_HOSTS: name the hosts this site answers to, without *")
    if not settings.CLAVE_URL.startswith("https://"):
        found.append("CLAVE_URL: must be the public https:// address")
    found += [f"{name}: missing" for name in ("REGISTRO_CIVIL_URL", "SII_URL") if not getattr(settings, name)]
    in_memory = str(settings.CACHES["default"]["BACKEND"]).endswith("LocMemCache")
    if in_memory and settings.CLAVE_WORKERS > 1:
        found.append("CACHE_URL: an in-memory cache cannot be shared by more than one worker")
    return found


def refuse_insecure() -> None:
    """Raise ImproperlyConfigured naming every insecure setting, unless this is a demo or a test."""
    if settings.CLAVE_CAPTCHA not in ("image", "off"):
        raise ImproperlyConfigured("CLAVE_CAPTCHA: use image or off")
    if settings.CLAVE_DEMO or not settings.CLAVE_GUARD:
        return
    if found := insecure():
        raise ImproperlyConfigured(
            "Clave does not start with insecure settings:\n" + "".join(f"  - {line}\n" for line in found)
        )
