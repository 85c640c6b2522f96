"""One machine, one file: SQLite in CLAVE_HOME."""

import os

import dj_database_url

from clave.settings.base import *  # noqa: F403
from clave.settings.base import CLAVE_HOME
from clave.settings.environment import SETTINGS_ERRORS

_own = f"sqlite:///{CLAVE_HOME / 'clave.sqlite3'}"
_url = os.environ.get("DATABASE_URL") or _own
if not _url.startswith("sqlite://"):
    SETTINGS_ERRORS.append("DATABASE_URL: must begin with postgresql:// or sqlite://")
    _url = _own
DATABASES = {
    "default": {
        **dj_database_url.parse(_url),
        "OPTIONS": {
            # A write transaction takes its lock at once, so that two of them wait instead of failing.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            # FULL, not NORMAL: in WAL mode NORMAL may lose the last commits when power fails.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; "
            "PRAGMA cache_size=-8000;",
        },
        "CONN_MAX_AGE": None,
    }
}
CACHES: dict[str, dict[str, object]]
if url := os.environ.get("CACHE_URL"):
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": url}}
else:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
            "LOCATION": CLAVE_HOME / "cache",
            "OPTIONS": {"MAX_ENTRIES": 2000},
        }
    }
