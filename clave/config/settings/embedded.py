"""A single machine: SQLite in CLAVE_HOME."""

import os
from pathlib import Path
from typing import Any

import dj_database_url

from clave.config.settings.base import *  # noqa: F403
from clave.config.settings.base import CLAVE_HOME
from clave.config.settings.environment import SETTINGS_ERRORS, cache_url


def _database() -> "dj_database_url.DBConfig":
    """Return the database configuration: the file in `DATABASE_URL`, or else one in CLAVE_HOME."""
    default = dj_database_url.parse(f"sqlite:///{CLAVE_HOME / 'clave.sqlite3'}")
    url = os.environ.get("DATABASE_URL")
    if not url:
        return default
    try:
        configured = dj_database_url.parse(url) if url.startswith("sqlite://") else {}
    except ValueError:
        configured = {}
    file = str(configured.get("NAME", ""))
    if not configured:
        SETTINGS_ERRORS.append("DATABASE_URL: must begin with postgresql:// or sqlite://")
    elif file == ":memory:":  # every process would have its own database
        SETTINGS_ERRORS.append("DATABASE_URL: must name a file: sqlite:////folder/clave.sqlite3")
    elif not Path(file).parent.is_dir():
        SETTINGS_ERRORS.append("DATABASE_URL: the folder of this file does not exist")
    else:
        return configured
    return default


DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        **_database(),
        "OPTIONS": {
            # Write transactions take their lock at the start, so that concurrent ones wait instead of failing.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            # FULL, not NORMAL: in WAL mode NORMAL may lose the last commits on a power failure.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; "
            "PRAGMA cache_size=-2000;",  # KiB per thread; the operating system caches the file for all of them
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
