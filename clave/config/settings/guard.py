"""Start-up checks: production refuses to start with insecure settings, naming each, and warns of unwise ones."""

import ipaddress
from email.utils import parseaddr
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.serialization import pkcs12
from django.conf import settings
from django.http.request import validate_host

from clave.config.settings.environment import SETTINGS_ERRORS, end_if

# (memory in KiB, passes) of Argon2id: any of these, or more. Source: OWASP Password Storage Cheat Sheet.
ARGON2_LEAST = ((47104, 1), (19456, 2), (12288, 3), (9216, 4), (7168, 5))


def insecure() -> list[str]:
    """Return one sentence per setting that is not acceptable in production."""
    problems = _insecure_keys()
    if settings.DEBUG:
        problems.append("CLAVE_DEBUG: must be off")
    if settings.CLAVE_CAPTCHA == "off":
        problems.append("CLAVE_CAPTCHA: may be off only with CLAVE_DEMO=1")
    if "clave.sandbox" in settings.INSTALLED_APPS:
        problems.append("CLAVE_DEMO: the sandbox and its demo data must not be installed")
    if (settings.CLAVE_HOME / "demo-data").exists():
        problems.append("CLAVE_HOME: this folder holds demo data; use another one")
    problems += [f"{name}: missing" for name in ("REGISTRO_CIVIL_URL", "SII_URL") if not getattr(settings, name)]
    in_memory = str(settings.CACHES["default"]["BACKEND"]).endswith("LocMemCache")
    if in_memory and settings.CLAVE_WORKERS > 1:
        problems.append("CACHE_URL: an in-memory cache cannot be shared by more than one worker")
    configured = settings.ARGON2_MEMORY_KIB, settings.ARGON2_TIME
    if not any(configured[0] >= memory and configured[1] >= passes for memory, passes in ARGON2_LEAST):
        problems.append("ARGON2_MEMORY_KIB, ARGON2_TIME: too cheap to protect stolen hashes; use 19456 and 2 or more")
    if settings.RETENTION_DAYS["attendance"] < settings.ATTENDANCE_LEAST_DAYS:
        problems.append(f"RETENTION_DAYS: attendance must be kept for {settings.ATTENDANCE_LEAST_DAYS} days or more")
    return problems + _insecure_doors() + _insecure_network()


def _insecure_doors() -> list[str]:
    """Return what is wrong with the issuers at which holders may sign in."""
    problems = []
    for name in ("CLAVEUNICA", "CLAVE_TRIBUTARIA"):
        issuer = getattr(settings, f"{name}_ISSUER")
        if not issuer:
            continue
        if not issuer.startswith("https://"):
            problems.append(f"{name}_ISSUER: must begin with https://")
        needed = (f"{name}_CLIENT_ID", f"{name}_CLIENT_SECRET")
        problems += [f"{each}: missing" for each in needed if not getattr(settings, each)]
    return problems


def _insecure_keys() -> list[str]:
    """Return what is wrong with the secret key and the former ones.

    A key that cannot be written in a comma-separated list could not be moved to the fallbacks at the next rotation.
    """
    problems = []
    key, former = settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS
    if _is_weak(key):
        problems.append("CLAVE_SECRET_KEY: missing or weak; set 50 or more random characters")
    elif "," in key or key != key.strip():
        problems.append("CLAVE_SECRET_KEY: must have no comma in it and no space around it, or no fallback can name it")
    if any(_is_weak(fallback) for fallback in former):
        problems.append(
            "CLAVE_SECRET_KEY_FALLBACKS: one of them is no secret key: each has 50 or more random characters"
        )
    if key in former:
        problems.append("CLAVE_SECRET_KEY_FALLBACKS: names CLAVE_SECRET_KEY itself; name the other one of the change")
    return problems


def _is_weak(key: str) -> bool:
    return len(key) < 50 or len(set(key)) < 10 or key.startswith(("django-insecure", "only-for-tests"))


def _insecure_network() -> list[str]:
    """Return what is wrong with how clients reach the site and how they are identified."""
    problems = []
    behind_tls = settings.CLAVE_URL.startswith("https://")
    if not behind_tls:
        problems.append("CLAVE_URL: must be the public https:// address")
    if not settings.ALLOWED_HOSTS or "*" in settings.ALLOWED_HOSTS:
        problems.append("CLAVE_HOSTS: name the hosts this site answers to, without *")
    elif behind_tls and not validate_host(urlsplit(settings.CLAVE_URL).hostname or "", settings.ALLOWED_HOSTS):
        problems.append("CLAVE_HOSTS: must name the host of CLAVE_URL, or every page is refused")
    if behind_tls and not settings.CLAVE_TRUSTED_PROXIES and not settings.CLAVE_DIRECT_TLS:
        problems.append(
            "CLAVE_TRUSTED_PROXIES: say how many proxies stand in front, or everybody has the proxy's address and is "
            "locked out together (CLAVE_DIRECT_TLS=1 if whatever ends TLS leaves clients their own addresses)"
        )
    if not settings.CLAVE_BUFFER_BODIES and not settings.CLAVE_TRUSTED_PROXIES:
        problems.append("CLAVE_BUFFER_BODIES: may be off only behind a proxy of yours that receives bodies whole")
    # No private network is wider than 10.0.0.0/8 or fc00::/7; two halves would cover everybody, too.
    if any(network.prefixlen < (8 if network.version == 4 else 7) for network in settings.METRICS_ALLOW):
        problems.append("METRICS_ALLOW: lets strangers read the figures; name the networks of your monitoring")
    return problems


def questionable() -> list[str]:
    """Return one sentence per setting that production accepts but the operator should know about."""
    problems = []
    if not settings.SMS_GATEWAY_URL:
        problems.append("SMS_GATEWAY_URL: missing; no SMS can be sent")
    if settings.DEFAULT_FROM_EMAIL == settings.DEMO_SENDER:
        problems.append(
            f"CLAVE_MAIL_FROM: missing; messages say that they come from {parseaddr(settings.DEMO_SENDER)[1]}"
        )
    if not settings.INSTITUTION_P12:
        problems.append(
            "INSTITUTION_P12: missing; sworn statements are signed with a certificate nobody else vouches for"
        )
    elif not _opens(Path(settings.INSTITUTION_P12), settings.INSTITUTION_P12_PASSWORD):
        # Not an error: machines without a worker may lack the file.
        problems.append(
            "INSTITUTION_P12: no PKCS #12 file that its password opens; no sworn statement can be signed here"
        )
    if not settings.CLAMD_URL:
        problems.append("CLAMD_URL: missing; uploaded documents are not scanned for viruses")
    if settings.EMAIL_HOST_PASSWORD and not settings.EMAIL_USE_TLS and not _is_local(settings.EMAIL_HOST):
        problems.append("EMAIL_USE_TLS: off; messages and the mail server's password travel in the clear")
    for name in ("REGISTRO_CIVIL_URL", "SII_URL", "SMS_GATEWAY_URL"):
        parts = urlsplit(getattr(settings, name))
        if parts.scheme == "http" and not _is_local(parts.hostname or ""):
            problems.append(f"{name}: is http://; personal data and the token travel in the clear")
    if settings.CLAVE_HOME.stat().st_mode & 0o007:
        problems.append("CLAVE_HOME: other users of this machine may read it; take their access away (chmod o-rwx)")
    return problems


def _opens(file: Path, password: str) -> bool:
    try:
        return pkcs12.load_pkcs12(file.read_bytes(), password.encode() or None).key is not None
    except (OSError, ValueError):
        return False


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def warnings() -> list[str]:
    """Return the warnings for a production start; none in a demo or a test."""
    return [] if settings.CLAVE_DEMO or not settings.CLAVE_GUARD else questionable()


def refuse_insecure() -> None:
    """Exit, naming every problem, if a setting is invalid or, in production, insecure."""
    problems = list(dict.fromkeys(SETTINGS_ERRORS))
    if not problems and settings.CLAVE_GUARD and not settings.CLAVE_DEMO:
        problems = insecure()
    end_if(problems)
