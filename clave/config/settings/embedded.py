"""One machine, one file: SQLite in CLAVE_HOME."""

import os
from pathlib import Path

import dj_database_url

from clave.config.settings.base import *  # noqa: F403
from clave.config.settings.base import CLAVE_HOME
from clave.config.settings.environment import SETTINGS_ERRORS, cache_url


def _store() -> "dj_database_url.DBConfig":
    """Return where the store is: in the file that `DATABASE_URL` names, or else in CLAVE_HOME."""
    own = dj_database_url.parse(f"sqlite:///{CLAVE_HOME / 'clave.sqlite3'}")
    url = os.environ.get("DATABASE_URL")
    if not url:
        return own
    try:
        given = dj_database_url.parse(url) if url.startswith("sqlite://") else {}
    except ValueError:
        given = {}
    file = str(given.get("NAME", ""))
    if not given:
        SETTINGS_ERRORS.append("DATABASE_URL: must begin with postgresql:// or sqlite://")
    elif file == ":memory:":  # each process would have a store of its own
        SETTINGS_ERRORS.append("DATABASE_URL: must name a file: sqlite:////folder/clave.sqlite3")
    elif not Path(file).parent.is_dir():
        SETTINGS_ERRORS.append("DATABASE_URL: the folder of this file does not exist")
    else:
        return given
    return own


DATABASES = {
    "default": {
        **_store(),
        "OPTIONS": {
            # A write transaction takes its lock at once, so that two of them wait instead of failing.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            # FULL, not NORMAL: in WAL mode NORMAL may lose the last commits when power fails.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; "
            "PRAGMA cache_size=-2000;",  # KiB for each thread; the system caches the file for all
        },
        "CONN_MAX_AGE": None,
    }
}
CACHES: dict[str, dict[str, object]]
if url := cache_url():
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": url}}
else:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
            "LOCATION": CLAVE_HOME / "cache",
            "OPTIONS": {"MAX_ENTRIES": 2000},
        }
    }
