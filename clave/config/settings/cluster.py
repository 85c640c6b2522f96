"""Several machines: PostgreSQL through psycopg's pool, Valkey or Redis as cache."""

import os
from typing import Any

import dj_database_url

from clave.config.settings import postgres
from clave.config.settings.base import *  # noqa: F403
from clave.config.settings.environment import SETTINGS_ERRORS, cache_url, number

_role = os.environ.get("CLAVE_ROLE", "")
_statement = number(
    "CLAVE_STATEMENT_SECONDS", postgres.STATEMENT_SECONDS.get(_role, postgres.DEFAULT_STATEMENT_SECONDS)
)
_lock = postgres.LOCK_SECONDS.get(_role, postgres.DEFAULT_LOCK_SECONDS)
try:
    _from_url = dj_database_url.parse(os.environ["DATABASE_URL"])
except ValueError:
    SETTINGS_ERRORS.append("DATABASE_URL: must be a whole address: postgresql://host:5432/name")
    _from_url = dj_database_url.parse("postgresql:///clave")
_options = _from_url.get("OPTIONS", {})  # sslmode and the like
if "options" in _options:
    SETTINGS_ERRORS.append("DATABASE_URL: options cannot be set in it; set them for the role in PostgreSQL")

DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        **_from_url,
        "OPTIONS": {
            # Keepalives detect a machine that is gone; BoundedConnection one that is up but unresponsive.
            "keepalives_idle": 5,
            "keepalives_interval": 2,
            "keepalives_count": 3,
            "tcp_user_timeout": 10_000,
            "connect_timeout": 3,
            **_options,
            "options": postgres.server_limits(_statement, _lock),
            "pool": {
                "min_size": 2,
                "max_size": number("CLAVE_POOL", 12, 2),
                "timeout": 2 if _role == "web" else 10,
                "connection_class": postgres.bounded(_statement),
            },
            "server_side_binding": True,
            "prepare_threshold": 2,
        },
    }
}
CACHES: dict[str, dict[str, object]]
if url := cache_url():
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": url}}
else:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
